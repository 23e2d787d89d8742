"""`odoo-shadow status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Unpack

import click
from rich.table import Column, Table

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.options import (
    ShadowSettings,
    json_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, numbers, say, say_json
from odoo_shadow.mirror.health.documents import DocumentsHealth
from odoo_shadow.mirror.health.health import MirrorHealth, TableHealth, as_document, read_health
from odoo_shadow.mirror.health.marts import MartHealth, about_more_schemas
from odoo_shadow.mirror.pace import in_seconds
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.access.reading import check_may_read
from odoo_shadow.shadow.relations import META
from odoo_shadow.source.kind import SourceKind

SOME_FAILED = 1


@click.command(cls=Command)
@shadow_options()
@json_option
@verbose_option
@click.pass_context
def status(context: click.Context, as_json: bool, verbose: bool, **settings: Unpack[ShadowSettings]) -> None:
    """Show tables, rows, watermarks, lag and last errors, marts with their last comparison, and documents.

    The lag is the time since the watermark: what Odoo wrote later may not be in the shadow yet. Each run also compares
    a share of the rows with Odoo, cell by cell: every row has been compared since the time in "proven up to".

    \b
    Exit codes: 0 all is well, 1 a table's last run failed, its view in public shows something else, or a mart
                differs from Odoo, 2 there is no shadow.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    with shadow_database(settings) as shadow, shadow.transaction() as tx:
        check_may_read(tx, (META,))
        health = read_health(tx, datetime.now(UTC))
    if as_json:
        say_json(as_document(health))
    else:
        _print(health)
    if not health.is_well:
        context.exit(SOME_FAILED)


def _print(health: MirrorHealth) -> None:
    if health.origin is not None:
        how = ", read from its own PostgreSQL" if health.origin.source == SourceKind.DATABASE else ""
        say(f"Shadow of the Odoo database {health.origin.called}{how}, in schema '{health.schema}'")
    console().print(_as_table(health.tables))
    if health.marts:
        console().print(_as_table_of_marts(health.marts))
    if health.documents.models:
        console().print(_as_table_of_documents(health.documents))
    for item in health.tables:
        if item.late:
            say(f"{item.model}: {item.late}", err=True)
        if item.refused:
            say(f"{item.model}: {item.refused}")
    for item in health.failing:
        say(f"{item.model}: {item.failing}", err=True)
    for problem in health.problems:
        say(problem, err=True)
    _print_about_marts(health.marts)
    if health.more_marts_schemas:
        say(about_more_schemas(health.more_marts_schemas), err=True)
    _print_about_documents(health.documents)


def _print_about_marts(marts: Sequence[MartHealth]) -> None:
    for mart in marts:
        if not mart.is_built:
            say(f"{mart.glance.mart} is left out: {mart.glance.left_out_because}")
        for problem in mart.problems:
            say(f"{mart.glance.mart} {problem}", err=True)


def _print_about_documents(documents: DocumentsHealth) -> None:
    for item in documents.models:
        for problem in item.problems:
            say(f"The documents of {item.glance.model} {problem}", err=True)
    for text in filter(None, (documents.waiting, documents.embedded_by and f"Documents are {documents.embedded_by}")):
        say(text)


def _as_table(tables: Sequence[TableHealth]) -> Table:
    table = Table(Column("model", no_wrap=True))
    table.add_column("rows", justify="right")
    for title in ("watermark (UTC)", "lag", "last sync (UTC)", "proven up to (UTC)", "errors"):
        table.add_column(title)
    for item in tables:
        add_row(
            table,
            item.model,
            str(item.rows),
            _moment(item.watermark),
            "" if item.lag is None else str(in_seconds(item.lag)),
            _moment(item.last_sync_at),
            "not yet" if item.proven_up_to is None else _moment(item.proven_up_to),
            str(item.failed_runs or ""),
        )
    return table


def _as_table_of_marts(marts: Sequence[MartHealth]) -> Table:
    table = Table(Column("mart", no_wrap=True), "schema", *numbers("rows"))
    for title in ("as of (UTC)", "built (UTC)", "last comparison", "compared (UTC)"):
        table.add_column(title)
    for mart in marts:
        found = mart.glance
        if mart.is_built:
            add_row(
                table,
                found.mart,
                found.marts_schema,
                "" if found.rows is None else str(found.rows),
                "not known" if found.as_of is None else _moment(found.as_of),
                _moment(found.built_at),
                f"{mart.verdict}, outdated" if mart.outdated else mart.verdict or "not yet",
                _moment(found.verified_at) if mart.verdict else "",
            )
    return table


def _as_table_of_documents(documents: DocumentsHealth) -> Table:
    table = Table(Column("documents of", no_wrap=True), *numbers("documents", "without embedding"))
    for title in ("as of (UTC)", "made (UTC)", "tables synced (UTC)"):
        table.add_column(title)
    for item in documents.models:
        found = item.glance
        many = "many" if documents.glance.has_many_waiting else ""
        add_row(
            table,
            found.model,
            str(found.documents),
            many if found.waiting is None else str(found.waiting),
            "not known" if found.as_of is None else _moment(found.as_of),
            _moment(found.made_at),
            _moment(found.synced_at),
        )
    return table


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
