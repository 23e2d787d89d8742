"""The entry point `odoo-shadow`."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from types import TracebackType

import click

from odoo_shadow import __version__
from odoo_shadow.cli.ddl import ddl
from odoo_shadow.cli.doctor import doctor
from odoo_shadow.cli.embed import embed
from odoo_shadow.cli.init import init
from odoo_shadow.cli.marts import marts
from odoo_shadow.cli.mcp import mcp
from odoo_shadow.cli.missing import SERVICE_KEYS
from odoo_shadow.cli.models import models
from odoo_shadow.cli.notify import NOTIFY_URL
from odoo_shadow.cli.search import search
from odoo_shadow.cli.status import status
from odoo_shadow.cli.sync import STOPPED, sync
from odoo_shadow.cli.take_over import take_over
from odoo_shadow.cli.terminal import say
from odoo_shadow.cli.verify import verify
from odoo_shadow.knowledge.mcp.address import TOKEN as MCP_TOKEN
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.source.errors import OdooError
from odoo_shadow.text.redaction import protect, protect_url
from odoo_shadow.text.shown import shown, shown_block
from odoo_shadow.webhook.address import secrets_of

COULD_NOT_BEGIN = 2
_LISTS = ("--models", "--odoo-company-ids", "--trusted-roles", "--agreed-objects")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="odoo-shadow")
def cli() -> None:
    """Keep a verified, read-only shadow of an Odoo database in PostgreSQL or Supabase.

    Every command reads its connections from the environment or from options of the same names.
    """


for _command in (sync, verify, status, models, doctor, ddl, init, take_over, marts, embed, search, mcp):
    cli.add_command(_command)


def main() -> None:
    """Run the command line; errors are one sentence, with a traceback only after `--verbose`."""
    sys.excepthook = _show_unexpected
    threading.excepthook = _show_unexpected_in_thread
    _protect_secrets(sys.argv[1:])
    try:
        _refuse_two_lists(sys.argv[1:])
        sys.exit(cli.main(standalone_mode=False))
    except (OdooError, ShadowError, MirrorConfigurationError) as error:
        _show_traceback(error)
        say(f"Error: {error}", err=True)
        sys.exit(COULD_NOT_BEGIN)
    except click.Abort:
        say("Stopped.", err=True)
        sys.exit(STOPPED)
    except click.UsageError as error:
        # It repeats what was typed or is in a variable: pasted into the wrong place, that may be anything.
        click.UsageError(shown(error.format_message()), error.ctx).show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        say(f"Error: {error.format_message()}", err=True)
        sys.exit(error.exit_code)


def _protect_secrets(arguments: Sequence[str]) -> None:
    """Register secrets for redaction before anything is parsed: a usage error may repeat one in the wrong place."""
    given = {**os.environ, **dict(_options(arguments))}
    for name in ("ODOO_PASSWORD", "ODOO_HASH_SECRET"):
        protect(given.get(name), login=given.get("ODOO_USER", "").strip())
    for name in ("SUPABASE_DB_URL", "ODOO_DATABASE_URL", "EMBEDDINGS"):
        protect_url(given.get(name, ""))
    for name in ("EMBEDDINGS_API_KEY", MCP_TOKEN, *SERVICE_KEYS):
        protect(given.get(name))
    for secret in (*secrets_of(given.get(NOTIFY_URL, "")), *secrets_of(given.get("NOTIFY", ""))):
        protect(secret)


def _refuse_two_lists(arguments: Sequence[str]) -> None:
    """Refuse a list option that is given twice: only the last would take effect."""
    given = [name for name, _ in _options(arguments)]
    for option in _LISTS:
        if given.count(option.strip("-").replace("-", "_").upper()) > 1:
            raise click.UsageError(f"{option} is given twice: write one list, with commas.")


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options that were typed, by the names of their environment variables."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = argument.partition("=")
        if name.startswith("--"):
            yield name.strip("-").replace("-", "_").upper(), value if equals else following


def _show_unexpected(
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,  # noqa: ARG001 - Python's signature; the error has it, too
) -> None:
    """Report an unexpected error in one sentence; Python then exits with code 1."""
    if issubclass(kind, KeyboardInterrupt):
        return
    _show_traceback(error)
    hint = "" if _is_verbose() else " --verbose shows where."
    say(f"Error: unexpected {kind.__name__}: {error}. Please report this.{hint}", err=True)


def _show_unexpected_in_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None:
        _show_unexpected(given.exc_type, given.exc_value, given.exc_traceback)


def _show_traceback(error: BaseException) -> None:
    if _is_verbose():
        click.echo(shown_block("".join(traceback.format_exception(error)).rstrip()), err=True)


def _is_verbose() -> bool:
    return "--verbose" in sys.argv
