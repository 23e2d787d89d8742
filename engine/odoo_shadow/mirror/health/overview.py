"""A mirror and a table at a glance, for pages: from the shadow alone, by three queries each, bounded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from odoo_shadow.mirror.health.documents import DocumentsHealth
from odoo_shadow.mirror.health.health import TableHealth, as_health, look, read_mirror
from odoo_shadow.mirror.health.marts import MartHealth
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.descriptions import storable
from odoo_shadow.shadow.state import overview
from odoo_shadow.shadow.state.overview import Activity, ColumnInfo, NotedLeftOut, RunSummary, SchemaChange, TableRun
from odoo_shadow.shadow.state.schema import Origin
from odoo_shadow.shadow.state.verifications import Compared, as_comparisons, newest_comparisons


@dataclass(frozen=True)
class MirrorOverview:
    """A mirror at a glance.

    :param origin: the Odoo database that it mirrors; None if the role must not see it.
    :param problems: those of the mirror as a whole: what keeps people from reading it under its names.
    :param marts: those that are made of it, and may be read.
    :param more_marts_schemas: how many more schemas of marts there are, of this mirror or others, that were not read.
    :param runs: the newest ones, newest first.
    :param activity: of the last days in UTC, the earliest first.
    :param drift: the newest changes of tables' structures, newest first.
    :param left_out: whole models first; of `left_out_total` models and fields only so many that a page can show them.
    """

    schema: str
    origin: Origin | None
    tables: tuple[TableHealth, ...]
    problems: tuple[str, ...]
    marts: tuple[MartHealth, ...]
    more_marts_schemas: int
    documents: DocumentsHealth
    runs: tuple[RunSummary, ...]
    activity: tuple[Activity, ...]
    drift: tuple[SchemaChange, ...]
    left_out: tuple[NotedLeftOut, ...]
    left_out_total: int


@dataclass(frozen=True)
class TableDetail:
    """A table at a glance; all lists are bounded, and what has a time is newest first.

    :param left_out: the fields that it leaves out.
    """

    health: TableHealth
    columns: tuple[ColumnInfo, ...]
    runs: tuple[TableRun, ...]
    verifications: tuple[Compared, ...]
    drift: tuple[SchemaChange, ...]
    left_out: tuple[NotedLeftOut, ...]


def read_overview(tx: Transaction, now: datetime) -> MirrorOverview:
    """Read the state of a mirror; writes nothing.

    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    health, (runs, activity, drift, left_out, total) = read_mirror(
        tx,
        now,
        lambda visible: (
            overview.newest_runs(tx),
            overview.activity_since(tx, now),
            overview.newest_changes(tx, visible),
            overview.left_out(tx, visible),
            overview.count_left_out(tx, visible),
        ),
    )
    return MirrorOverview(
        schema=health.schema,
        origin=health.origin,
        tables=health.tables,
        problems=health.problems,
        marts=health.marts,
        more_marts_schemas=health.more_marts_schemas,
        documents=health.documents,
        runs=overview.as_runs(runs),
        activity=overview.as_activity(activity, now),
        drift=overview.as_changes(drift),
        left_out=overview.as_left_out(left_out),
        left_out_total=total,
    )


def read_table(tx: Transaction, table: str, now: datetime) -> TableDetail | None:
    """Read the state of a table, None if there is no such table; writes nothing.

    :param table: its bare name, from anybody.
    :raises MirrorConfigurationError: there is no mirror in the schema.
    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    if table != storable(table):
        return None
    visible, (columns, entries, comparisons, drift, left_out) = look(
        tx,
        lambda visible: (
            overview.columns_of(tx, table),
            overview.newest_entries(tx, visible, table),
            newest_comparisons(tx, visible, table),
            overview.newest_changes(tx, visible, table),
            overview.left_out(tx, visible, table),
        ),
    )
    found = overview.glances(tx, visible, table)
    if not found:
        return None
    return TableDetail(
        health=as_health(found[0], now),
        columns=overview.as_columns(columns),
        runs=overview.as_entries(entries),
        verifications=as_comparisons(comparisons),
        drift=overview.as_changes(drift),
        left_out=overview.as_left_out(left_out),
    )
