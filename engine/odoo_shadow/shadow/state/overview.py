"""Queries for a mirror or a table at a glance, which read no more of the control tables than is shown.

They are expressions that give JSON, so that one query asks for all of them (`visible.read_values`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString, TypeAlias
from uuid import UUID

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import FIELD, LEFT_OUT, META, SCHEMA_LOG, SYNC_DETAIL, SYNC_LOG
from odoo_shadow.shadow.state.registry import TableStatus, status_query
from odoo_shadow.shadow.state.sync_log import CLOSING
from odoo_shadow.shadow.state.verifications import SLICE, WHOLE_TABLE, Compared, as_compared, last_comparison
from odoo_shadow.shadow.state.visible import Visible

MOST_RUNS = 20
MOST_CHANGES = 50
MOST_LEFT_OUT = 500
MOST_COLUMNS = 1_000
DAYS = 14
_LONGEST_TEXT = 2_000

Json: TypeAlias = Sequence[Any] | None
"""A list that an expression gave; None instead of an empty one."""


@dataclass(frozen=True)
class Glance:
    """A table's status and its last comparisons.

    :param verified: of the whole table, by `verify`.
    :param differed: of the last slice in which a run found rows that differed.
    """

    status: TableStatus
    verified: Compared | None
    differed: Compared | None


@dataclass(frozen=True)
class RunSummary:
    """One run over all its tables.

    :param completed_at: None while one of its tables is still written.
    :param unchanged: tables that the plan passed over.
    :param failed: tables whose last try failed, or something at the end of the run.
    :param skipped: models that the server did not have.
    :param rows_inserted: in all tries, and at the end of the run, as the other numbers of rows.
    """

    run_id: UUID
    started_at: datetime
    completed_at: datetime | None
    tables: int
    unchanged: int
    failed: int
    skipped: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int


@dataclass(frozen=True)
class Activity:
    """What all runs of one day, in UTC, did.

    :param failed: entries of the log that ended with an error.
    """

    day: date
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    failed: int = 0


@dataclass(frozen=True)
class SchemaChange:
    """A change of a table's structure."""

    changed_at: datetime
    table: str
    change: str
    column: str | None
    old_type: str | None
    new_type: str | None


@dataclass(frozen=True)
class NotedLeftOut:
    """A model that the mirror leaves out, or a field that its table leaves out.

    :param field: empty for a whole model.
    """

    model: str
    field: str
    reason: str
    noted_at: datetime


@dataclass(frozen=True)
class ColumnInfo:
    """A column as the catalogue describes it.

    :param vanished_at: since when its field is gone from Odoo or left out.
    """

    name: str
    label: str | None
    odoo_type: str
    column_type: str
    relation: str | None
    is_custom: bool
    vanished_at: datetime | None


@dataclass(frozen=True)
class TableRun:
    """One entry of a table's log.

    :param kind: `window`, `full`, `unchanged`, `repair`, or what was done at the end of the run.
    :param error: its text, or only its kind for a reader of the shadow.
    """

    started_at: datetime
    completed_at: datetime | None
    status: str
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    duration_ms: int | None
    error: str | None
    kind: str


def glances(tx: Transaction, visible: Visible, table: str | None = None) -> list[Glance]:
    """Return all registered tables by model, or only one, with their last comparisons."""
    rows = tx.run(
        "SELECT t.*, w.compared, s.compared FROM ({status}) AS t (table_name, odoo_model) {whole} {slices}"
        " ORDER BY t.odoo_model",
        status=status_query(tx, internal=visible.internal, table=table),
        whole=last_comparison(tx, visible, "w", WHOLE_TABLE),
        slices=last_comparison(tx, visible, "s", [SLICE]),
    )
    return [
        Glance(TableStatus(*status), whole and as_compared(whole), differed and as_compared(differed))
        for *status, whole, differed in rows
    ]


# The newest entry of each run, found from the newest one back: entries of runs that were met are passed over.
_RUNS: LiteralString = """WITH RECURSIVE newest AS (
    (SELECT id, ARRAY[sync_run_id] AS met FROM {log} ORDER BY id DESC LIMIT 1)
    UNION ALL
    SELECT l.id, n.met || l.sync_run_id FROM newest n CROSS JOIN LATERAL (
        SELECT id, sync_run_id FROM {log} WHERE id < n.id AND sync_run_id <> ALL (n.met) ORDER BY id DESC LIMIT 1) l
    WHERE cardinality(n.met) < {most}
),
entries AS (
    SELECT id, sync_run_id, table_name, started_at, completed_at, status, metadata ? {closing} AS is_closing,
        metadata ? 'unchanged' AS is_unchanged, rows_inserted, rows_updated, rows_deleted
    FROM {log} WHERE sync_run_id = ANY (ARRAY(SELECT met FROM newest ORDER BY id LIMIT 1))
),
tables AS (
    SELECT sync_run_id, table_name, min(started_at) AS started_at, max(completed_at) AS completed_at,
        bool_or(completed_at IS NULL) AS is_open, bool_or(is_closing AND status = 'error') AS failed_at_end,
        (array_agg(status ORDER BY id DESC) FILTER (WHERE NOT is_closing))[1] AS status,
        bool_or(is_unchanged) AS is_unchanged,
        sum(rows_inserted) AS inserted, sum(rows_updated) AS updated, sum(rows_deleted) AS deleted
    FROM entries GROUP BY sync_run_id, table_name
)
SELECT json_agg(json_build_array(sync_run_id, started_at, completed_at, tables, unchanged, failed, skipped,
    inserted, updated, deleted) ORDER BY started_at DESC) FROM (
    SELECT sync_run_id, min(started_at) AS started_at,
        CASE WHEN NOT bool_or(is_open) THEN max(completed_at) END AS completed_at, count(*) AS tables,
        count(*) FILTER (WHERE is_unchanged) AS unchanged,
        count(*) FILTER (WHERE status = 'error' OR failed_at_end) AS failed,
        count(*) FILTER (WHERE status = 'skipped') AS skipped,
        sum(inserted) AS inserted, sum(updated) AS updated, sum(deleted) AS deleted
    FROM tables GROUP BY sync_run_id) r"""


def newest_runs(tx: Transaction) -> sql.Composed:
    """Return the expression for the newest runs, for `as_runs`."""
    return sql.SQL(_RUNS).format(log=tx.own(SYNC_LOG), most=MOST_RUNS, closing=CLOSING)


def as_runs(found: Json) -> tuple[RunSummary, ...]:
    """Return the runs, newest first."""
    return tuple(
        RunSummary(UUID(run), datetime.fromisoformat(start), _moment(end), *map(int, counts))
        for run, start, end, *counts in found or ()
    )


def activity_since(tx: Transaction, now: datetime) -> sql.Composed:
    """Return the expression for what was done on each of the last days, for `as_activity`."""
    return sql.SQL(
        "SELECT json_agg(json_build_array(day, inserted, updated, deleted, failed)) FROM ("
        "SELECT started_at::date AS day, sum(rows_inserted) AS inserted, sum(rows_updated) AS updated,"
        " sum(rows_deleted) AS deleted, count(*) FILTER (WHERE status = 'error') AS failed"
        " FROM {log} WHERE started_at >= {since}"
        " AND (rows_inserted > 0 OR rows_updated > 0 OR rows_deleted > 0 OR status = 'error') GROUP BY 1) AS d"
    ).format(log=tx.own(SYNC_LOG), since=datetime.combine(_first_day(now), datetime.min.time(), UTC))


def as_activity(found: Json, now: datetime) -> tuple[Activity, ...]:
    """Return what was done on each of the last days, those without a run included, the earliest first."""
    days = {
        date.fromisoformat(day): Activity(date.fromisoformat(day), *map(int, counts)) for day, *counts in found or ()
    }
    wanted = [_first_day(now) + timedelta(days=number) for number in range(DAYS)]
    return tuple(days.get(day, Activity(day)) for day in wanted)


def _first_day(now: datetime) -> date:
    return now.astimezone(UTC).date() - timedelta(days=DAYS - 1)


def newest_changes(tx: Transaction, visible: Visible, table: str | None = None) -> sql.Composable:
    """Return the expression for the newest changes of all tables or one, for `as_changes`."""
    if SCHEMA_LOG not in visible.own:
        return sql.NULL
    return sql.SQL(
        "SELECT json_agg(json_build_array(changed_at, table_name, change, column_name, old_type, new_type)"
        " ORDER BY id DESC) FROM (SELECT * FROM {log} WHERE {chosen} ORDER BY id DESC LIMIT {most}) AS c"
    ).format(log=tx.own(SCHEMA_LOG), chosen=_of_table(table), most=MOST_CHANGES)


def as_changes(found: Json) -> tuple[SchemaChange, ...]:
    """Return the changes, newest first."""
    return tuple(SchemaChange(datetime.fromisoformat(moment), *change) for moment, *change in found or ())


def left_out(tx: Transaction, visible: Visible, table: str | None = None) -> sql.Composable:
    """Return the expression for what is left out, whole models first, for `as_left_out`.

    :param table: only the fields that this table leaves out.
    """
    if LEFT_OUT not in visible.own:
        return sql.NULL
    chosen: sql.Composable = sql.SQL("true")
    if table is not None:
        chosen = sql.SQL("odoo_model = (SELECT odoo_model FROM {} WHERE table_name = {}) AND field_name <> ''").format(
            tx.own(META), table
        )
    return sql.SQL(
        "SELECT json_agg(json_build_array(odoo_model, field_name, reason, noted_at)) FROM ("
        "SELECT * FROM {table} WHERE {chosen} ORDER BY field_name <> '', odoo_model, field_name LIMIT {most}) AS o"
    ).format(table=tx.own(LEFT_OUT), chosen=chosen, most=MOST_LEFT_OUT)


def count_left_out(tx: Transaction, visible: Visible) -> sql.Composable:
    """Return the expression for how much is left out: models and fields."""
    if LEFT_OUT not in visible.own:
        return sql.Literal(0)
    return sql.SQL("SELECT count(*) FROM {}").format(tx.own(LEFT_OUT))


def as_left_out(found: Json) -> tuple[NotedLeftOut, ...]:
    """Return what is left out, whole models first."""
    return tuple(
        NotedLeftOut(model, field, reason, datetime.fromisoformat(moment))
        for model, field, reason, moment in found or ()
    )


def columns_of(tx: Transaction, table: str) -> sql.Composed:
    """Return the expression for a table's columns, for `as_columns`."""
    return sql.SQL(
        "SELECT json_agg(json_build_array(column_name, label, odoo_type, column_type, relation, is_custom, vanished_at)"
        " ORDER BY column_name) FROM (SELECT * FROM {field} WHERE table_name = {table} ORDER BY column_name"
        " LIMIT {most}) AS f"
    ).format(field=tx.own(FIELD), table=table, most=MOST_COLUMNS)


def as_columns(found: Json) -> tuple[ColumnInfo, ...]:
    """Return the columns, by name."""
    return tuple(
        ColumnInfo(name, label, odoo_type, kind, relation, custom, _moment(vanished_at))
        for name, label, odoo_type, kind, relation, custom, vanished_at in found or ()
    )


def newest_entries(tx: Transaction, visible: Visible, table: str) -> sql.Composed:
    """Return the expression for a table's newest log entries, for `as_entries`."""
    detail: sql.Composable = sql.NULL
    if SYNC_DETAIL in visible.internal:
        detail = sql.SQL("SELECT d.message FROM {} d WHERE d.log_id = e.id").format(tx.internal(SYNC_DETAIL))
    return sql.SQL(
        "SELECT json_agg(json_build_array(started_at, completed_at, status, rows_inserted, rows_updated, rows_deleted,"
        " duration_ms, left(coalesce(({detail}), error_message), {longest}), CASE WHEN metadata ? {closing}"
        " THEN metadata ->> {closing} WHEN metadata ? 'repair' THEN 'repair' WHEN metadata ? 'unchanged'"
        " THEN 'unchanged' WHEN metadata -> 'full' = 'true' THEN 'full' ELSE 'window' END) ORDER BY id DESC)"
        " FROM (SELECT * FROM {log} WHERE table_name = {table} ORDER BY id DESC LIMIT {most}) AS e"
    ).format(
        detail=detail,
        longest=_LONGEST_TEXT,
        closing=CLOSING,
        log=tx.own(SYNC_LOG),
        table=table,
        most=MOST_RUNS,
    )


def as_entries(found: Json) -> tuple[TableRun, ...]:
    """Return the entries, newest first."""
    return tuple(TableRun(datetime.fromisoformat(start), _moment(end), *rest) for start, end, *rest in found or ())


def _of_table(table: str | None) -> sql.Composable:
    return sql.SQL("true") if table is None else sql.SQL("table_name = {}").format(table)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
