"""`odoo_shadow_sync_log`: one row per run and table, opened before anything is read and always closed.

Readers of the shadow see the kind of an error. Its text, which may name addresses and logins, and the holder of the
run, which names a host, are in the internal schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import SYNC_DETAIL, SYNC_LOG
from odoo_shadow.shadow.row_counts import RowCounts

CLOSING = "closing"
"""The key in an entry's metadata that marks what a run did after its models: the end of the run."""


DIVIDED = "ranges"
"""The key in an entry's metadata that tells into how many ranges a first load was divided."""


@dataclass(frozen=True)
class LogEntry:
    """One table in one run; the counts are of the newest try, and only of what it committed.

    :param is_unchanged: whether the plan passed it over.
    """

    table: str
    status: str
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    duration_ms: int | None
    error_message: str | None
    is_unchanged: bool = False


@dataclass(frozen=True)
class TableOfRun:
    """What a run did with a table, all tries together.

    :param began_at: when it began.
    :param has_written: whether it has written rows; nobody has counted what a killed try had committed.
    :param is_unchanged: whether the plan passed it over.
    """

    began_at: datetime
    has_written: bool
    is_unchanged: bool


def has_run(tx: Transaction) -> bool:
    """Say whether any run has begun."""
    ((found,),) = tx.run("SELECT EXISTS (SELECT FROM {log})", log=tx.own(SYNC_LOG))
    return bool(found)


def entries_of_run(tx: Transaction, run_id: UUID) -> list[LogEntry]:
    """Return the newest entry of each table in a run, by table, without entries of the end of the run."""
    rows = tx.run(
        "SELECT DISTINCT ON (l.table_name) l.table_name, l.status, l.rows_inserted, l.rows_updated, l.rows_deleted,"
        " l.duration_ms, coalesce(d.message, l.error_message), coalesce((l.metadata ->> 'unchanged')::boolean, false)"
        " FROM {log} l LEFT JOIN {detail} d ON d.log_id = l.id"
        " WHERE l.sync_run_id = {run_id} AND NOT l.metadata ? {closing} ORDER BY l.table_name, l.id DESC",
        log=tx.own(SYNC_LOG),
        detail=tx.internal(SYNC_DETAIL),
        run_id=run_id,
        closing=CLOSING,
    )
    return [LogEntry(*row) for row in rows]


def tables_of_run(tx: Transaction, run_id: UUID) -> dict[str, TableOfRun]:
    """Return the tables of a run, its end included, by name."""
    rows = tx.run(
        "SELECT table_name, min(started_at),"
        " bool_or(rows_inserted + rows_updated + rows_deleted > 0 OR duration_ms IS NULL),"
        " bool_and(coalesce((metadata ->> 'unchanged')::boolean, false)) FROM {log}"
        " WHERE sync_run_id = {run_id} GROUP BY table_name",
        log=tx.own(SYNC_LOG),
        run_id=run_id,
    )
    return {str(table): TableOfRun(*found) for table, *found in rows}


def skipped_tables(tx: Transaction) -> set[str]:
    """Return the tables whose newest entry says that the server does not have the model."""
    rows = tx.run(
        "SELECT table_name FROM (SELECT DISTINCT ON (table_name) table_name, status FROM {log}"
        " ORDER BY table_name, id DESC) AS newest WHERE status = 'skipped'",
        log=tx.own(SYNC_LOG),
    )
    return {str(row[0]) for row in rows}


def close_left_open(tx: Transaction, table: str) -> None:
    """Close the entries of a table that killed runs left open. Only call this when no live run writes it."""
    tx.run(
        "UPDATE {log} SET status = 'error', completed_at = now(), duration_ms = NULL,"
        " error_message = 'The run ended without closing its entry: it was killed.'"
        " WHERE table_name = {table} AND status = 'running'",
        log=tx.own(SYNC_LOG),
        table=table,
    )


def open_entry(
    tx: Transaction, run_id: UUID, table: str, metadata: Mapping[str, object], holder: str | None = None
) -> int:
    """Open a run's entry, and close those that a killed run left open; return the entry's id.

    :param holder: who runs.

    The caller holds the table's lease, so an open entry has no living owner.
    """
    close_left_open(tx, table)
    ((entry,),) = tx.run(
        "INSERT INTO {log} (sync_run_id, table_name, metadata) VALUES ({run_id}, {table}, {metadata}) RETURNING id",
        log=tx.own(SYNC_LOG),
        run_id=run_id,
        table=table,
        metadata=Jsonb(dict(metadata)),
    )
    # A mirror that was dropped and created again counts its entries from one.
    tx.run("DELETE FROM {detail} WHERE log_id = {entry}", detail=tx.internal(SYNC_DETAIL), entry=entry)
    if holder is not None:
        _keep_detail(tx, int(entry), holder=holder)
    return int(entry)


def entry_left_open(tx: Transaction, run_id: UUID, table: str) -> tuple[int, float] | None:
    """Return the id of a run's newest entry of a table, and for how many seconds it has been open, if it is open."""
    rows = tx.run(
        "SELECT id, extract(epoch FROM clock_timestamp() - started_at)::float8 FROM (SELECT id, status, started_at"
        " FROM {log} WHERE sync_run_id = {run_id} AND table_name = {table} ORDER BY id DESC LIMIT 1) AS newest"
        " WHERE status = 'running'",
        log=tx.own(SYNC_LOG),
        run_id=run_id,
        table=table,
    )
    return (int(rows[0][0]), float(rows[0][1])) if rows else None


def recount_error(tx: Transaction, run_id: UUID, table: str, counts: RowCounts) -> None:
    """Correct the counts of a run's newest entry of a table, if it has failed: other workers have written since."""
    tx.run(
        "UPDATE {log} SET rows_inserted = {inserted}, rows_updated = {updated},"
        " metadata = metadata || jsonb_build_object('rows_unchanged', {unchanged}::bigint)"
        " WHERE status = 'error' AND id = (SELECT max(id) FROM {log}"
        " WHERE sync_run_id = {run_id} AND table_name = {table} AND metadata ? {divided})",
        log=tx.own(SYNC_LOG),
        inserted=counts.inserted,
        updated=counts.updated,
        unchanged=counts.unchanged,
        run_id=run_id,
        table=table,
        divided=DIVIDED,
    )


def note_divided(tx: Transaction, entry: int, ranges: int) -> None:
    """Note in an entry into how many ranges the table's load was divided."""
    tx.run(
        "UPDATE {log} SET metadata = metadata || jsonb_build_object({divided}, {ranges}::int) WHERE id = {entry}",
        log=tx.own(SYNC_LOG),
        divided=DIVIDED,
        ranges=ranges,
        entry=entry,
    )


def was_divided(tx: Transaction, run_id: UUID, table: str) -> bool:
    """Say whether a run has divided a table's load."""
    rows = tx.run(
        "SELECT 1 FROM {log} WHERE sync_run_id = {run_id} AND table_name = {table} AND metadata ? {divided} LIMIT 1",
        log=tx.own(SYNC_LOG),
        run_id=run_id,
        table=table,
        divided=DIVIDED,
    )
    return bool(rows)


def drop_entry(tx: Transaction, entry: int) -> None:
    """Remove an entry of a run that did nothing."""
    tx.run("DELETE FROM {log} WHERE id = {entry}", log=tx.own(SYNC_LOG), entry=entry)
    tx.run("DELETE FROM {detail} WHERE log_id = {entry}", detail=tx.internal(SYNC_DETAIL), entry=entry)


def close_success(tx: Transaction, entry: int, counts: RowCounts, duration_ms: int) -> None:
    """Close an entry whose run has succeeded."""
    _close(tx, entry, "success", counts, duration_ms, None)


def close_error(
    tx: Transaction, entry: int, counts: RowCounts, duration_ms: int, message: str, kind: str = "error"
) -> None:
    """Close an entry whose run has failed; the counts are those that were committed.

    :param kind: what every reader may know about the error.
    """
    if _close(tx, entry, "error", counts, duration_ms, kind):
        _keep_detail(tx, entry, message=message)


def log_unopened(tx: Transaction, run_id: UUID, table: str, status: str, reason: str, kind: str = "error") -> None:
    """Log a model that a run did not get to read: `skipped`, or `error`."""
    ((entry,),) = tx.run(
        "INSERT INTO {log} (sync_run_id, table_name, completed_at, duration_ms, status, error_message)"
        " VALUES ({run_id}, {table}, now(), 0, {status}, {kind}) RETURNING id",
        log=tx.own(SYNC_LOG),
        run_id=run_id,
        table=table,
        status=status,
        kind=kind,
    )
    _keep_detail(tx, int(entry), message=reason)


def _keep_detail(tx: Transaction, entry: int, *, holder: str | None = None, message: str | None = None) -> None:
    tx.run(
        "INSERT INTO {detail} AS d (log_id, holder, message) VALUES ({entry}, {holder}, {message})"
        " ON CONFLICT (log_id) DO UPDATE SET holder = coalesce(excluded.holder, d.holder),"
        " message = coalesce(excluded.message, d.message)",
        detail=tx.internal(SYNC_DETAIL),
        entry=entry,
        holder=holder,
        message=message,
    )


def _close(tx: Transaction, entry: int, status: str, counts: RowCounts, duration_ms: int, kind: str | None) -> bool:
    """Close an entry if it is open; return whether it was."""
    tx.run(
        "UPDATE {log} SET status = {status}, completed_at = now(), duration_ms = {duration},"
        " rows_inserted = {inserted}, rows_updated = {updated}, rows_deleted = {deleted}, error_message = {kind},"
        " metadata = metadata || jsonb_build_object('rows_unchanged', {unchanged}::bigint)"
        " WHERE id = {entry} AND status = 'running'",
        log=tx.own(SYNC_LOG),
        status=status,
        duration=duration_ms,
        inserted=counts.inserted,
        updated=counts.updated,
        deleted=counts.deleted,
        unchanged=counts.unchanged,
        kind=kind,
        entry=entry,
    )
    return tx.cursor.rowcount > 0
