"""`odoo-shadow embed`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Unpack

import click
from rich.table import Table

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.options import (
    ShadowSettings,
    config_option,
    json_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, now_and_then, numbers, say, say_json, working
from odoo_shadow.knowledge.documents.refresh import Refreshed
from odoo_shadow.knowledge.documents.run import Failed, begin_pass, refresh_documents, show_documents
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.text.amounts import counted

SOME_FAILED = 1


@click.command(cls=Command)
@shadow_options()
@config_option
@click.option(
    "--models", "only", metavar="A,B", help="Documents of these models only.  [default: all that have a template]"
)
@json_option
@verbose_option
@click.pass_context
def embed(
    context: click.Context,
    config: MirrorConfig | None,
    only: str | None,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[ShadowSettings],
) -> None:
    """Bring documents up to date: one of each partner, order, invoice, product, task, lead and employee.

    Only documents are made anew that show rows which have changed since; those of records that are gone are removed.
    Without --config the templates of the last call are used.

    \b
    Exit codes: 0 all is up to date, 1 a model failed, 2 it could not begin, 130 stopped by Ctrl-C.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    with shadow_database(connections) as shadow:
        _check_mirror(shadow)
        work = begin_pass(shadow, config.documents if config else None, _listed(only))
        show_documents(shadow)
        tell = now_and_then(err=as_json)
        with working("Writing documents", err=as_json):
            done = list(refresh_documents(shadow, work, partial(_tell, tell)))
        show_documents(shadow)
    failed = [item for item in done if isinstance(item, Failed)]
    refreshed = [item for item in done if isinstance(item, Refreshed)]
    if as_json:
        say_json(
            {
                "schema": connections["schema"],
                "documents": [asdict(item) for item in refreshed],
                "failed": [asdict(item) for item in failed],
            }
        )
    else:
        _print(refreshed)
    for item in failed:
        say(f"{item.model}: {item.error}", err=True)
    if failed:
        context.exit(SOME_FAILED)


def _listed(models: str | None) -> list[str] | None:
    return None if models is None else [name.strip() for name in models.split(",") if name.strip()]


def _tell(tell: Callable[[str], None], model: str, written: int, of: int) -> None:
    tell(f"{model}: {written:,} of {counted(of, 'changed document')} written")


def _check_mirror(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        if not schema_version(tx):
            raise MirrorConfigurationError(f"{no_mirror(tx)}: run odoo-shadow sync first.")


def _print(refreshed: Sequence[Refreshed]) -> None:
    table = Table("documents of", *numbers("added", "changed", "removed", "in all"))
    for item in refreshed:
        add_row(table, item.model, item.added, item.changed, item.removed, item.total)
    console().print(table)
    total = counted(sum(item.total for item in refreshed), "document")
    changed = sum(item.added + item.changed + item.removed for item in refreshed)
    say(f"{total} up to date, {changed or 'none'} of them changed." if refreshed else "There are no documents.")
