"""`--notify`: what a run tells a chat, through an incoming webhook. It changes neither output nor exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict, TypeVar

import click

from odoo_shadow.marts.proof.verify import MartProof
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.run.outcome import Ending, RunForecast, RunOutcome
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.errors import class_of
from odoo_shadow.webhook.address import Webhook, WebhookError
from odoo_shadow.webhook.message import message, name
from odoo_shadow.webhook.post import post_or_warn

Function = TypeVar("Function", bound=Callable[..., Any])

NOTIFY_URL = "ODOO_SHADOW_NOTIFY_URL"
NOTIFY_ALLOW_HTTP = "ODOO_SHADOW_NOTIFY_ALLOW_HTTP"
_ALLOW = f"{NOTIFY_ALLOW_HTTP} (--notify-allow-http) to true"
_MOST_NAMED = 10


class NotifySettings(TypedDict):
    """The options of a webhook."""

    notify: str | None
    notify_allow_http: bool


def notify_options(command: Function) -> Function:
    """Add `--notify` and what belongs to it."""
    options = (
        click.option(
            "--notify",
            envvar=NOTIFY_URL,
            show_envvar=True,
            metavar="URL",
            help="An incoming webhook of Mattermost, Slack or the like: posts a short report when the run fails, or "
            "when rows were wrong and have been repaired. Other users of this machine can see options, but not the "
            "environment.",
        ),
        click.option(
            "--notify-allow-http",
            envvar=NOTIFY_ALLOW_HTTP,
            show_envvar=True,
            is_flag=True,
            help="Allow plain HTTP to a webhook on another machine: its secret path travels unencrypted.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class Notice:
    """What one call of a command has to tell."""

    def __init__(self, webhook: Webhook | None, subject: str) -> None:
        self._webhook = webhook
        self._subject = subject

    def send(self, text: str | None) -> None:
        """Post a text, if there is one, and a webhook. A webhook that does not take it is one warning."""
        if self._webhook is not None and text is not None:
            post_or_warn(self._webhook, message(f"{self._subject} {text}"))


@contextmanager
def notifying(settings: NotifySettings, command: str, schema: str, *, is_silent: bool = False) -> Iterator[Notice]:
    """Tell of a command that stops with an error; `click` ends commands that are done with exceptions of its own.

    :param is_silent: whether to tell nothing at all, as of a dry run.
    :raises MirrorConfigurationError: the webhook's URL is wrong.
    """
    webhook = _webhook(settings)
    notice = Notice(None if is_silent else webhook, f"Odoo shadow, schema {name(schema)}: `odoo-shadow {command}`")
    try:
        yield notice
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        notice.send(f"failed: it stopped with {class_of(error)}; its output says why.")
        raise


def _webhook(settings: NotifySettings) -> Webhook | None:
    if not settings["notify"]:
        return None
    try:
        allow_http = settings["notify_allow_http"]
        return Webhook.parse(f"{NOTIFY_URL}, --notify", settings["notify"], allow_http=allow_http, how_to_allow=_ALLOW)
    except WebhookError as error:
        raise MirrorConfigurationError(str(error)) from None


def about_sync(outcome: RunOutcome | RunForecast) -> str | None:
    """Return what to tell of a run: None if it has not failed, and no row was wrong.

    Names and numbers only: error texts may hold addresses and logins.
    """
    if isinstance(outcome, RunForecast) or (outcome.is_good and not outcome.corrected):
        return None
    endings = [item.ending for item in outcome.models]
    parts = [f"{counted(endings.count(Ending.MIRRORED), 'model')} mirrored"]
    if outcome.failed:
        parts.append(f"{len(outcome.failed)} failed ({_named(outcome.failed)})")
    if outcome.end_error is not None:
        parts.append("the end of the run failed")
    if outcome.problems:
        parts.append("some views in public are not the shadow's")
    if outcome.knowledge_problems:
        parts.append("not all documents are up to date")
    if outcome.corrected:
        parts.append(_repaired(outcome.corrected))
    counts = outcome.counts
    rows = f"rows: {counts.inserted} inserted, {counts.updated} updated, {counts.deleted} deleted"
    return f"{'succeeded' if outcome.is_good else 'failed'}: {', '.join(parts)}; {rows}."


def about_verification(
    *, is_good: bool, compared: int, left: dict[str, int], corrected: int, failed: Iterable[str]
) -> str | None:
    """Return what to tell of a comparison, None if all is equal and nothing was wrong before.

    :param left: how many rows still differ, by table.
    :param failed: models that could not be compared.
    """
    if is_good and not corrected:
        return None
    parts = [f"{counted(compared, 'model')} compared with Odoo"]
    if left:
        differ = counted(sum(left.values()), "row differs", "rows differ")
        parts.append(f"{differ} ({_named(left)})")
    broken = list(failed)
    if broken:
        parts.append(f"{len(broken)} could not be compared ({_named(broken)})")
    if corrected:
        parts.append(_repaired(corrected))
    return f"{'succeeded' if is_good else 'failed'}: {', '.join(parts)}."


def about_marts(proofs: Sequence[MartProof]) -> str | None:
    """Return what to tell of a comparison of marts with Odoo, None if each is proven."""
    bad = [proof for proof in proofs if not proof.is_good]
    if not bad:
        return None
    named = _named(f"{proof.mart}: {proof.verdict}" for proof in bad)
    return f"failed: {counted(len(proofs), 'mart')} compared with Odoo, {len(bad)} not proven ({named})."


def _repaired(rows: int) -> str:
    """Say that rows were wrong."""
    was_wrong = counted(rows, "row was wrong", "rows were wrong")
    return f"{was_wrong} in the shadow until now and {'is' if rows == 1 else 'are'} repaired"


def _named(names: Iterable[str]) -> str:
    return first_of([name(item) for item in names], _MOST_NAMED)
