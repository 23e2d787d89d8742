"""`odoo_shadow_watermark`: how far each table is, and how far an unfinished scan has got.

The checkpoint is committed with the rows of its page, so rows and watermark cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import WATERMARK
from odoo_shadow.shadow.state.proofs import forget_proof
from odoo_shadow.shadow.state.scan_ranges import drop_ranges

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The watermark of a table whose first load has not ended."""


LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Represents everything later that Python cannot hold: `infinity`, the year 10000, the end of 9999 further east."""


LATE_LATELY = timedelta(days=7)
"""How long windows reach further back after a row was found late."""

MOST_LATENESS = timedelta(hours=12)
"""Anything later is not due to clocks or transactions: SQL wrote it, or a right was granted."""
_ONCE_BEFORE_ALL = -(2**31)
"""What earlier versions stored for a scan that had read nothing yet."""


@dataclass(frozen=True)
class Watermark:
    """How far a table is.

    :param last_write_date: everything committed in Odoo up to then, less the look-back, is in the table.
    :param last_id: the highest id of any scan so far.
    :param rows_synced: rows that all runs so far inserted or updated.
    :param newest: the newest `write_date` when the last scan began, by the clock that makes such dates.
    :param lateness: how late a row of any table was found after its `write_date`, in the last week.
    """

    last_write_date: datetime
    last_id: int | None = None
    rows_synced: int = 0
    updated_at: datetime | None = None
    newest: datetime | None = None
    lateness: timedelta = timedelta(0)


@dataclass(frozen=True)
class Scan:
    """A window and how far it has been read: `write_date >= low`, `last_id < id <= up_to_id`.

    :param run_id: the run that opened it.
    :param full: whether a person asked to read everything again.
    :param low: None reads everything.
    :param high: the next watermark: Odoo's clock before the first page.
    :param up_to_id: None when nothing matched.
    :param last_id: up to there it has been read; below every id before anything was.
    :param newest: the newest `write_date` when it began, up to `high`; None when there was none.
    """

    run_id: UUID
    full: bool
    low: datetime | None
    high: datetime
    up_to_id: int | None
    last_id: int
    newest: datetime | None = None


def watermark_columns(tx: Transaction) -> sql.Composed:
    """Return the expressions over `odoo_shadow_watermark AS w` that make up a `Watermark`."""
    return sql.SQL(
        "least(w.last_write_date, {latest}), w.last_id, w.rows_synced, w.updated_at, {newest},"
        " (SELECT coalesce(max(latest_commit), '0') FROM {watermark} WHERE latest_commit_at > now() - {lately})"
    ).format(latest=LATEST, newest=_at_latest("w.newest_write_date"), watermark=tx.own(WATERMARK), lately=LATE_LATELY)


def _at_latest(column: LiteralString) -> sql.Composed:
    """Return a moment that may be NULL, at most `LATEST`: `least` would replace NULL by `LATEST`."""
    return sql.SQL("CASE WHEN {column} > {latest} THEN {latest} ELSE {column} END").format(
        column=sql.SQL(column), latest=LATEST
    )


def read_watermark(tx: Transaction, table: str) -> Watermark | None:
    """Return a table's watermark; None before its first load has ended."""
    rows = tx.run(
        "SELECT {columns} FROM {watermark} w WHERE w.table_name = {table} AND w.last_write_date > {never}",
        columns=watermark_columns(tx),
        watermark=tx.own(WATERMARK),
        table=table,
        never=NEVER,
    )
    return Watermark(*rows[0]) if rows else None


def read_scan(tx: Transaction, table: str) -> Scan | None:
    """Return the scan that an earlier run left unfinished."""
    rows = tx.run(
        "SELECT scan_run_id, scan_full, {low}, least(scan_high, {latest}), scan_up_to_id,"
        " nullif(scan_last_id, {before_all}), {newest}"
        " FROM {watermark} WHERE table_name = {table} AND scan_run_id IS NOT NULL",
        low=_at_latest("scan_low"),
        newest=_at_latest("scan_newest"),
        watermark=tx.own(WATERMARK),
        table=table,
        latest=LATEST,
        before_all=_ONCE_BEFORE_ALL,
    )
    if not rows:
        return None
    run_id, full, low, high, up_to_id, last_id, newest = rows[0]
    return Scan(run_id, full, low, high, up_to_id, names.LEAST_ID - 1 if last_id is None else last_id, newest)


def save_scan(tx: Transaction, table: str, scan: Scan, rows_written: int) -> None:
    """Move the checkpoint, in the transaction that writes the page."""
    tx.run(
        "UPDATE {watermark} SET scan_run_id = {run_id}, scan_full = {full}, scan_low = {low}, scan_high = {high},"
        " scan_up_to_id = {up_to_id}, scan_last_id = {last_id}, scan_newest = {newest},"
        " rows_synced = rows_synced + {written}, updated_at = now() WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        run_id=scan.run_id,
        full=scan.full,
        low=scan.low,
        high=scan.high,
        up_to_id=scan.up_to_id,
        last_id=scan.last_id if scan.last_id >= names.LEAST_ID else None,
        newest=scan.newest,
        written=rows_written,
        table=table,
    )


def count_synced(tx: Transaction, table: str, rows_written: int) -> None:
    """Count rows that were written outside a window."""
    tx.run(
        "UPDATE {watermark} SET rows_synced = rows_synced + {written}, updated_at = now() WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        written=rows_written,
        table=table,
    )


def finish_scan(tx: Transaction, table: str, scan: Scan) -> Watermark:
    """Move the watermark to the scan's end and forget the scan; return the new watermark."""
    drop_ranges(tx, table)
    tx.run(
        "UPDATE {watermark} SET last_write_date = {high}, last_id = greatest(last_id, {up_to_id}), updated_at = now(),"
        " newest_write_date = {newest},"
        " scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL,"
        " scan_up_to_id = NULL, scan_last_id = NULL, scan_newest = NULL WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        high=scan.high,
        up_to_id=scan.up_to_id,
        newest=sql.SQL("newest_write_date") if scan.newest is None and scan.low is not None else scan.newest,
        table=table,
    )
    ((*mark,),) = tx.run(
        "SELECT {columns} FROM {watermark} w WHERE w.table_name = {table}",
        columns=watermark_columns(tx),
        watermark=tx.own(WATERMARK),
        table=table,
    )
    return Watermark(*mark)


def forget(tx: Transaction, table: str) -> None:
    """Let the next window read everything, and start the proof again: the rows are not what the watermark says."""
    forget_proof(tx, table)
    drop_ranges(tx, table)
    tx.run(
        "UPDATE {watermark} SET last_write_date = {never}, scan_run_id = NULL, scan_full = NULL, scan_low = NULL,"
        " scan_high = NULL, scan_up_to_id = NULL, scan_last_id = NULL, scan_newest = NULL, fill_after_id = NULL"
        " WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        never=NEVER,
        table=table,
    )


def drop_scan(tx: Transaction, table: str) -> None:
    """Forget a scan that an earlier run left unfinished: what it has read may no longer be true."""
    drop_ranges(tx, table)
    tx.run(
        "UPDATE {watermark} SET scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL,"
        " scan_up_to_id = NULL, scan_last_id = NULL WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        table=table,
    )


def set_back(tx: Transaction, table: str, before: Watermark | None) -> None:
    """Restore the watermark from before a window: Odoo turned out not to have shown everything."""
    tx.run(
        "UPDATE {watermark} SET last_write_date = {moment} WHERE table_name = {table}",
        watermark=tx.own(WATERMARK),
        moment=before.last_write_date if before else NEVER,
        table=table,
    )


def note_late_commit(tx: Transaction, table: str, lateness: timedelta) -> None:
    """Save how late a row was found after its `write_date`, unless a later one was found in the last week."""
    if timedelta(0) < lateness <= MOST_LATENESS:
        tx.run(
            "UPDATE {watermark} SET latest_commit = {lateness}, latest_commit_at = now() WHERE table_name = {table}"
            " AND (latest_commit > {lateness} AND latest_commit_at > now() - {lately}) IS NOT TRUE",
            watermark=tx.own(WATERMARK),
            lateness=lateness,
            lately=LATE_LATELY,
            table=table,
        )


def latest_commit(tx: Transaction) -> timedelta | None:
    """Return how late the latest row of any table was found after its `write_date`, None when none was late."""
    ((latest,),) = tx.run("SELECT max(latest_commit) FROM {watermark}", watermark=tx.own(WATERMARK))
    return latest if isinstance(latest, timedelta) else None
