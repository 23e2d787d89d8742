"""The state of all tables at once, so that a run can pass over those that have nothing to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.names import OWN_COLUMNS
from odoo_shadow.shadow.relations import DUE_ROW, FIELD, LEASE, META, SYNC_LOG, TABLE_STATE, WATERMARK
from odoo_shadow.shadow.state.hashing import hashing_of
from odoo_shadow.shadow.state.indexes import HAS_KEY
from odoo_shadow.shadow.state.registry import ReadSettings, to_settings
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.state.watermarks import NEVER, Watermark, watermark_columns


@dataclass(frozen=True)
class TableState:
    """The state of a registered table.

    :param watermark: None before its first load has ended.
    :param exists: whether the table exists; somebody may have dropped it.
    :param has_rest: whether there is work, whatever Odoo says: an unfinished scan, columns to fill, hashes of a former
        version or another key, rows due, an error, or a change that somebody made to the table.
    :param has_scan: whether a scan was left unfinished, which the next run may go on with.
    :param fields_digest: of the model's fields, when it was last planned.
    """

    table: str
    model: str
    row_count: int
    watermark: Watermark | None
    settings: ReadSettings
    exists: bool
    has_rest: bool
    has_scan: bool
    fields_digest: str | None


def read_states(tx: Transaction, models: Sequence[str]) -> dict[str, TableState]:
    """Return the states of those models that have a registered table, by model."""
    rows = tx.run(
        "SELECT m.table_name, m.odoo_model, m.row_count, c.oid IS NOT NULL,"
        " m.sync_errors > 0 OR m.last_sync_at IS NULL OR m.last_sync_at < m.planned_at OR w.scan_run_id IS NOT NULL"
        " OR starts_with(s.hashed_as, {hashing} || ':') IS NOT TRUE"
        " OR EXISTS (SELECT FROM {due} d WHERE d.table_name = m.table_name)"
        " OR EXISTS (SELECT FROM {field} f WHERE f.table_name = m.table_name AND NOT f.is_filled"
        " AND f.vanished_at IS NULL)"
        " OR EXISTS (SELECT FROM {field} f WHERE f.table_name = m.table_name AND f.vanished_at IS NULL"
        " AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = f.column_name"
        " AND a.attnum = f.column_number AND format_type(a.atttypid, a.atttypmod) = f.column_type"
        " AND NOT a.attisdropped))"
        " OR s.table_id IS DISTINCT FROM c.oid OR NOT {has_key}"
        " OR EXISTS (SELECT FROM jsonb_each_text(s.own_columns) o"
        " JOIN (VALUES {own}) AS t (name, kind) ON t.name = o.key"
        " WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = o.key"
        " AND a.attnum = o.value::int AND format_type(a.atttypid, a.atttypmod) = t.kind AND NOT a.attisdropped)),"
        " w.scan_run_id IS NOT NULL, m.fields_digest,"
        " s.read_as, m.on_delete, s.settings, m.unreadable_models, m.variants, m.sync_errors > 0,"
        " m.unreadable_fields,"
        " w.last_write_date > {never}, {mark}"
        " FROM {meta} m LEFT JOIN {watermark} w USING (table_name) LEFT JOIN {state} s USING (table_name)"
        " LEFT JOIN pg_class c ON c.relname = m.table_name AND c.relkind = 'r'"
        " AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = {schema})"
        " WHERE m.odoo_model = ANY({models})",
        hashing=hashing_of(tx),
        due=tx.internal(DUE_ROW),
        has_key=sql.SQL(HAS_KEY),
        own=sql.SQL(", ").join(sql.SQL("({}, {})").format(*item) for item in OWN_COLUMNS.items()),
        field=tx.own(FIELD),
        meta=tx.own(META),
        watermark=tx.own(WATERMARK),
        state=tx.internal(TABLE_STATE),
        schema=tx.schema,
        never=NEVER,
        mark=watermark_columns(tx),
        models=list(models),
    )
    states = (_state(*row[:7], settings=row[7:14], mark=row[15:] if row[14] else None) for row in rows)
    return {state.model: state for state in states}


def _state(
    table: str,
    model: str,
    row_count: int,
    exists: bool,
    has_rest: bool,
    has_scan: bool,
    digest: str | None,
    *,
    settings: tuple[str | None, str | None, str | None, list[str], str | None, bool, list[str]],
    mark: tuple[datetime, int | None, int, datetime, datetime | None, timedelta] | None,
) -> TableState:
    watermark = None if mark is None else Watermark(*mark)
    return TableState(table, model, row_count, watermark, to_settings(*settings), exists, has_rest, has_scan, digest)


def note_planned(tx: Transaction, digests: Mapping[str, str]) -> None:
    """Record that these models were planned, and the digests of their fields then, by model.

    A model whose run fails after that is planned again, as is one that another run is writing at the moment.
    """
    lock_schema(tx)
    tx.run(
        "UPDATE {meta} m SET planned_at = clock_timestamp(), fields_digest = given.digest"
        " FROM unnest({models}::text[], {digests}::text[]) AS given (model, digest)"
        " WHERE m.odoo_model = given.model AND m.table_name IN (SELECT table_name FROM {meta}"
        " WHERE odoo_model = ANY({models}) ORDER BY table_name FOR UPDATE SKIP LOCKED)",
        meta=tx.own(META),
        models=list(digests),
        digests=list(digests.values()),
    )


def planned_tables(tx: Transaction) -> set[str]:
    """Return the tables that no run has brought up to date since a plan found that they have work."""
    rows = tx.run("SELECT table_name FROM {meta} WHERE planned_at > last_sync_at", meta=tx.own(META))
    return {str(row[0]) for row in rows}


def pass_over(tx: Transaction, run_id: UUID, idle: Mapping[str, Watermark], moment: datetime) -> dict[str, Watermark]:
    """Advance the watermarks of tables that had nothing to do at a moment, and log that; return the new watermarks.

    Tables that another run is writing, or whose watermark has changed meanwhile, are left alone, and are not in the
    result.

    :param idle: the tables, and the watermarks for which it was decided that they have nothing to do.
    """
    found = tx.run(
        "SELECT w.table_name FROM {watermark} w JOIN unnest({tables}::text[], {marks}::timestamptz[])"
        " AS given (table_name, mark) ON w.table_name = given.table_name AND w.last_write_date = given.mark"
        " JOIN {leases} l ON l.table_name = w.table_name"
        " WHERE w.scan_run_id IS NULL AND (l.held_until IS NULL OR l.held_until < clock_timestamp())"
        " ORDER BY w.table_name FOR UPDATE OF w, l SKIP LOCKED",
        watermark=tx.own(WATERMARK),
        leases=tx.internal(LEASE),
        tables=list(idle),
        marks=[watermark.last_write_date for watermark in idle.values()],
    )
    free = [str(row[0]) for row in found]
    lock_schema(tx)  # taken by everything that writes many rows of the control tables, so that there is no deadlock
    tx.run(
        "UPDATE {watermark} SET last_write_date = {moment}, updated_at = now() WHERE table_name = ANY({tables})",
        watermark=tx.own(WATERMARK),
        moment=moment,
        tables=free,
    )
    rows = tx.run(
        "SELECT w.table_name, {columns} FROM {watermark} w WHERE w.table_name = ANY({tables})",
        columns=watermark_columns(tx),
        watermark=tx.own(WATERMARK),
        tables=free,
    )
    tx.run(
        "UPDATE {meta} SET last_sync_at = now(), last_sync_duration_ms = 0, updated_at = now()"
        " WHERE table_name = ANY({tables})",
        meta=tx.own(META),
        tables=free,
    )
    tx.run(
        "INSERT INTO {log} (sync_run_id, table_name, completed_at, duration_ms, status, metadata)"
        " SELECT {run_id}, unnest({tables}::text[]), now(), 0, 'success', '{{\"unchanged\": true}}'",
        log=tx.own(SYNC_LOG),
        run_id=run_id,
        tables=free,
    )
    return {str(name): Watermark(*mark) for name, *mark in rows}
