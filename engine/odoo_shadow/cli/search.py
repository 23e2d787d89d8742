"""`odoo-shadow search`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Unpack

import click

from odoo_shadow.cli.embeddings_options import EmbeddingOptions, embedder_of, embeddings_options
from odoo_shadow.cli.options import (
    ShadowSettings,
    json_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import fitting, say, say_json
from odoo_shadow.knowledge.embedding.choice import NONE
from odoo_shadow.knowledge.search.ask import MOST, Answer, Found, Question, ask
from odoo_shadow.knowledge.search.period import Period

_OLD = timedelta(days=1)
"""Documents that are older are worth a word: a mirror usually runs many times a day."""


class _Numbers(click.ParamType[list[int]]):
    """Whole numbers, separated by commas."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        parts = [part.strip() for part in str(value).split(",") if part.strip()]
        if not parts or not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
            self.fail(f"{value!r} is not a list of numbers, such as 1,2.", param, ctx)
        return [int(part) for part in parts]


class _Time(click.ParamType[Period]):
    """A day, or a moment in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Period:
        if isinstance(value, Period):
            return value
        try:
            return Period.parse(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time: write a day (2026-10-31), or a moment (2026-10-31T18:00).", param, ctx)


class _Settings(ShadowSettings, EmbeddingOptions):
    """The options that say where to search, and how."""


@click.command()
@click.argument("question", metavar="QUESTION", nargs=-1, required=True)
@shadow_options()
@click.option(
    "--models",
    metavar="PATTERNS",
    help="Documents of these models only: names, and patterns such as 'sale.*' or '!sale.report'.  [default: all]",
)
@click.option(
    "--companies", type=_Numbers(), metavar="1,2", help="Documents of these companies (ids), and those of none."
)
@click.option("--since", type=_Time(), metavar="TIME", help="Records dated then or later.")
@click.option("--until", type=_Time(), metavar="TIME", help="Records dated up to then, or up to the end of that day.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=10, show_default=True, metavar="N", help="How many documents."
)
@embeddings_options
@json_option
@verbose_option
def search(
    question: tuple[str, ...],
    models: str | None,
    companies: list[int] | None,
    since: Period | None,
    until: Period | None,
    limit: int,
    as_json: bool,
    verbose: bool,
    **settings: Unpack[_Settings],
) -> None:
    """Find documents: by words, by names and numbers even if they are spelled otherwise, and by meaning.

    It shows what the role of SUPABASE_DB_URL may see; one that can read the shadow is enough. TRUSTED_ROLES names the
    role that syncs, unless that is a superuser. With --json it prints a list of odoo_model, odoo_id, title, url, score,
    as_of, dated_at, company_id, snippet and by_words.

    \b
    Exit codes: 0 also if nothing is found, 2 there are no documents, or it could not begin.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    asked = Question(
        " ".join(question),
        limit,
        None if models is None else _terms(models),
        companies,
        since.start if since else None,
        until.end if until else None,
    )
    embedder = embedder_of(settings)
    try:
        with shadow_database(settings) as shadow:
            answer = ask(shadow, asked, embedder)
    finally:
        if embedder is not None:
            embedder.close()
    _warn(answer, datetime.now(UTC), is_meant=settings["embeddings"] == NONE)
    if as_json:
        say_json([_as_document(item) for item in answer.found])
    else:
        _print(answer.found)


def _terms(models: str) -> list[str]:
    terms = [term.strip() for term in models.split(",") if term.strip()]
    if not terms:
        raise click.BadParameter("No models are named: name at least one, such as res.partner.", param_hint="--models")
    return terms


def _warn(answer: Answer, now: datetime, *, is_meant: bool) -> None:
    """Say what a reader of the answer has to know.

    :param is_meant: somebody asked for a search by words alone.
    """
    if answer.by_words_because and not is_meant:
        say(answer.by_words_because, err=True)
    if answer.is_by_meaning_alone:
        say("No word of the question was found: these are near by meaning alone.", err=True)
    if answer.oldest is None:
        say("Some documents are of a time before the first sync of their models has ended.", err=True)
    elif now - answer.oldest > _OLD:
        days = (now - answer.oldest).days
        say(
            f"Documents are as of {answer.oldest.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {days} "
            f"{'day' if days == 1 else 'days'} ago: run odoo-shadow sync and odoo-shadow embed.",
            err=True,
        )


def _as_document(item: Found) -> dict[str, object]:
    names = ("odoo_model", "odoo_id", "title", "url", "score", "as_of", "dated_at", "company_id", "snippet", "by_words")
    return {name: getattr(item, name) for name in names}


def _print(found: Sequence[Found]) -> None:
    """Print a few lines for each document; its link stays whole, so that terminals know it for one."""
    if not found:
        say("Nothing was found.")
    for number, item in enumerate(found):
        if number:
            click.echo()
        day = () if item.dated_at is None else (f"{item.dated_at.astimezone(UTC):%Y-%m-%d}",)
        say("  ".join((item.title, *day, f"{item.score:.2f}")))
        say(item.url or f"{item.odoo_model} {item.odoo_id}")
        if item.snippet:
            say(fitting(item.snippet))
