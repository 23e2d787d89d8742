"""`odoo-shadow status`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Unpack

import click
from rich.table import Column, Table

from airflow_provider_odoo_shadow.cli.options import (
    Command,
    ShadowSettings,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from airflow_provider_odoo_shadow.cli.terminal import console, say
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.pace import in_seconds, told_late
from airflow_provider_odoo_shadow.job.refused_fields import REFUSED
from airflow_provider_odoo_shadow.job.report import add_row
from airflow_provider_odoo_shadow.target.base import may_see_internal, recorded_origin, schema_version
from airflow_provider_odoo_shadow.target.registry import TableStatus, list_tables

SOME_FAILED = 1
_NOT_FOR_READERS = "only the sync's role may see what the error says"


@click.command(cls=Command)
@shadow_options()
@verbose_option
@click.pass_context
def status(context: click.Context, verbose: bool, **settings: Unpack[ShadowSettings]) -> None:
    """Show tables, rows, watermarks, lag and last errors.

    The lag is the time since the watermark: what was written in Odoo later may not be here yet. Each run also compares
    a share of the rows with Odoo, cell by cell: all have been since the moment in the column "proven up to".

    \b
    Exit codes: 0 all well, 1 some table's last run failed, 2 there is no shadow.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    schema = settings["schema"]
    with shadow_database(settings) as shadow, shadow.transaction() as tx:
        if not schema_version(tx):
            raise MirrorConfigurationError(f"There is no shadow in schema '{schema}': run odoo-shadow sync first.")
        origin, tables = recorded_origin(tx), list_tables(tx, with_errors=may_see_internal(tx))
    if origin is not None:
        say(f"Shadow of the Odoo database '{origin.database}' at {origin.url}, in schema '{schema}'")
    console().print(_as_table(tables))
    for item in tables:
        late = told_late(item, datetime.now(UTC))
        if late:
            say(f"{item.model}: {late}", err=True)
        if item.unreadable_fields:
            say(f"{item.model}: {REFUSED}: {', '.join(item.unreadable_fields)}")
    failing = [item for item in tables if item.sync_errors]
    for item in failing:
        said = item.last_error or _NOT_FOR_READERS
        say(f"{item.model}: {item.sync_errors} failed runs since its last good run: {said}", err=True)
    if failing:
        context.exit(SOME_FAILED)


def _as_table(tables: list[TableStatus]) -> Table:
    table = Table(Column("model", no_wrap=True))
    table.add_column("rows", justify="right")
    for title in ("watermark (UTC)", "lag", "last sync (UTC)", "proven up to (UTC)", "errors"):
        table.add_column(title)
    for item in tables:
        add_row(
            table,
            item.model,
            str(item.row_count),
            _moment(item.watermark),
            _lag(item.watermark),
            _moment(item.last_sync_at),
            "not yet" if item.proven_up_to is None else _moment(item.proven_up_to),
            str(item.sync_errors or ""),
        )
    return table


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _lag(watermark: datetime | None) -> str:
    if watermark is None:
        return ""
    return str(in_seconds(max(timedelta(0), datetime.now(UTC) - watermark)))
