"""How far tables can be relied on, as the control tables say it: for all tables that are asked for in one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowConflictError, ShadowPermissionError
from odoo_shadow.shadow.relations import DUE_ROW, FIELD, META, PROOF, SYNC_LOG, TABLE_STATE, VERIFICATION, WATERMARK
from odoo_shadow.shadow.state.sync_log import CLOSING
from odoo_shadow.shadow.state.watermarks import LATEST, NEVER

_TABLES = (META, WATERMARK, SYNC_LOG, FIELD, VERIFICATION)
_NEWEST_COLUMN = (VERIFICATION, "uncompared")
"""The youngest of the columns that are read here: version 8 brought it."""


@dataclass(frozen=True)
class TableFreshness:
    """What is known about one model's table.

    :param table: None when the registry does not have the model; then nothing else is known.
    :param exists: whether the table exists; somebody may have dropped it.
    :param watermark: None before the first load has ended.
    :param failed_runs: since the last good one; a verification that found differences counts as well.
    :param is_scanning: whether a scan is under way or was left unfinished: the watermark is from before it.
    :param newest: the status of the newest run of the table, None when there was none.
    :param ended: the status of the newest run that has ended and met the model on the server, None when there was none.
    :param is_filling: whether a new column has no values yet in some rows.
    :param has_due_rows: whether rows have to be read again; a reader of the shadow cannot see it.
    :param is_doubted: whether its rows may be from another database; a reader cannot see it.
    :param proven_up_to: each row has been compared with Odoo since then.
    :param differs: whether rows are known to differ, or could not be compared. A reader cannot see which rows; then a
        comparison that left differences counts until a whole round has been compared after it.
    """

    model: str
    table: str | None
    exists: bool
    watermark: datetime | None
    failed_runs: int
    is_scanning: bool
    newest: str | None
    ended: str | None
    is_filling: bool
    has_due_rows: bool
    is_doubted: bool
    proven_up_to: datetime | None
    differs: bool


def check_rights(tx: Transaction) -> None:
    """Make sure that the role may read those control tables that there are. Reads PostgreSQL's own catalogue only.

    :raises ShadowPermissionError: says which right it lacks.
    """
    rows = tx.run(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = ANY({tables}::name[])"
        " AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) ORDER BY 1",
        schema=tx.schema,
        tables=list(_TABLES),
    )
    if rows:
        schema = sql.Identifier(tx.schema).as_string(tx.cursor)
        raise ShadowPermissionError(
            f"The role may not read {tx.schema}.{rows[0][0]}: GRANT USAGE ON SCHEMA {schema} TO the role, and "
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO the role."
        )


def check_version(tx: Transaction) -> None:
    """Make sure that the schema has what is read here; a reader of the shadow cannot see its version.

    :raises ShadowConflictError: an earlier version made it.
    """
    table, column = _NEWEST_COLUMN
    there = tx.run(
        "SELECT 1 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relname = {table} AND a.attname = {column}"
        " AND NOT a.attisdropped",
        schema=tx.schema,
        table=table,
        column=column,
    )
    if not there:
        raise ShadowConflictError(
            f"An earlier version of Odoo shadow made schema '{tx.schema}', and it does not say yet how far its tables "
            "are: run the mirror once with this version, which upgrades it."
        )


_DUE: LiteralString = (
    "EXISTS (SELECT FROM {due} d WHERE d.table_name = m.table_name AND d.due_from <= now()),"
    " coalesce((SELECT s.is_doubted FROM {state} s WHERE s.table_name = m.table_name), false),"
)
_UNPROVEN: LiteralString = "EXISTS (SELECT FROM {proof} p WHERE p.table_name = m.table_name AND p.unproven <> '{{}}')"
_LEFT: LiteralString = (
    "EXISTS (SELECT FROM {verification} v WHERE v.table_name = m.table_name"
    " AND (v.completed_at <= m.proven_up_to) IS NOT TRUE"
    # Rows that Odoo wrote after the last sync are behind, not wrong; a repair reads them as well.
    " AND (v.missing + v.extra + v.stale + v.differing > greatest(v.repaired, v.newer) OR v.uncompared > 0))"
)


def read_freshness(tx: Transaction, models: Sequence[str], *, sees_internal: bool) -> list[TableFreshness]:
    """Return what is known about each model's table, in the order of the models.

    :param sees_internal: False for a reader of the shadow, who has no right to read the internal schema.
    """
    internal: sql.Composable = sql.SQL("false, false,")
    differs: sql.Composable = sql.SQL(_LEFT).format(verification=tx.own(VERIFICATION))
    if sees_internal:
        internal = sql.SQL(_DUE).format(due=tx.internal(DUE_ROW), state=tx.internal(TABLE_STATE))
        differs = sql.SQL(_UNPROVEN).format(proof=tx.internal(PROOF))
    rows = tx.run(
        "SELECT given.model, m.table_name, EXISTS (SELECT FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND c.relname = m.table_name AND c.relkind = 'r'),"
        " CASE WHEN w.last_write_date > {never} THEN least(w.last_write_date, {latest}) END,"
        " coalesce(m.sync_errors, 0), w.scan_run_id IS NOT NULL,"
        " (SELECT l.status FROM {log} l WHERE l.table_name = m.table_name AND NOT l.metadata ? {closing}"
        " ORDER BY l.id DESC LIMIT 1),"
        " (SELECT l.status FROM {log} l WHERE l.table_name = m.table_name AND NOT l.metadata ? {closing}"
        " AND l.status IN ('success', 'error') ORDER BY l.id DESC LIMIT 1),"
        " EXISTS (SELECT FROM {field} f WHERE f.table_name = m.table_name AND NOT f.is_filled"
        " AND f.vanished_at IS NULL),"
        " {internal} m.proven_up_to, {differs}"
        " FROM unnest({models}::text[]) WITH ORDINALITY AS given (model, place)"
        " LEFT JOIN {meta} m ON m.odoo_model = given.model LEFT JOIN {watermark} w ON w.table_name = m.table_name"
        " ORDER BY given.place",
        schema=tx.schema,
        never=NEVER,
        latest=LATEST,
        log=tx.own(SYNC_LOG),
        closing=CLOSING,
        field=tx.own(FIELD),
        internal=internal,
        differs=differs,
        models=list(models),
        meta=tx.own(META),
        watermark=tx.own(WATERMARK),
    )
    return [TableFreshness(*row) for row in rows]


def limit_time(tx: Transaction, limit: timedelta) -> None:
    """Let no statement of this transaction take longer, nor wait longer for a lock."""
    milliseconds = str(round(limit.total_seconds() * 1000))
    tx.run("SELECT set_config('statement_timeout', {limit}, true)", limit=milliseconds)
    tx.run("SELECT set_config('lock_timeout', {limit}, true)", limit=milliseconds)


def registered_models(tx: Transaction) -> list[str]:
    """Return the models of the registry."""
    return [str(row[0]) for row in tx.run("SELECT odoo_model FROM {meta} ORDER BY 1", meta=tx.own(META))]
