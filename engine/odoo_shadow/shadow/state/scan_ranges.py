"""The ranges of ids into which a large first load is divided: how far each is, and who reads it.

A range's checkpoint is committed with the rows of its page, like a table's. A worker claims its range as a run claims a
table; while a range is claimed, no run can take the table, and a run that takes it ends all claims.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowBusyError
from odoo_shadow.shadow.relations import LEASE as LEASES
from odoo_shadow.shadow.relations import SCAN_RANGE
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.lease import LEASE, Lease, check_claim, living_holder

_BEFORE_ALL = names.LEAST_ID - 1


@dataclass(frozen=True)
class ScanRange:
    """A range of a scan: `after_id < id <= up_to_id`.

    :param last_id: up to there it has been read.
    :param is_ended: whether the worker that it was given to is done with it.
    :param run_id: the run that reads it.
    :param part: which of that run's workers reads it.
    :param begun_at: when the scan began; None if it had begun before it was divided.
    :param counts: of the rows that this run has written.
    """

    number: int
    after_id: int
    up_to_id: int
    last_id: int
    is_ended: bool
    run_id: UUID
    part: int
    begun_at: datetime | None = None
    counts: RowCounts = field(default_factory=RowCounts)

    @property
    def is_read(self) -> bool:
        """Whether all of it has been read."""
        return self.last_id >= self.up_to_id


def read_ranges(tx: Transaction, table: str) -> list[ScanRange]:
    """Return the ranges of a table's scan, in the order of their ids; none if it is not divided."""
    rows = tx.run(
        "SELECT number, coalesce(after_id, {before_all}::numeric), up_to_id,"
        " coalesce(last_id, {before_all}::numeric), is_ended, run_id, part, begun_at, inserted, updated, unchanged"
        " FROM {ranges} WHERE table_name = {table} ORDER BY up_to_id",
        before_all=_BEFORE_ALL,
        ranges=tx.internal(SCAN_RANGE),
        table=table,
    )
    return [
        ScanRange(number, int(after_id), up_to_id, int(last_id), is_ended, run_id, part, begun_at, RowCounts(*counts))
        for number, after_id, up_to_id, last_id, is_ended, run_id, part, begun_at, *counts in rows
    ]


def counts_of(ranges: Iterable[ScanRange], run_id: UUID) -> RowCounts:
    """Return how many rows the workers of a run have written so far."""
    return sum((item.counts for item in ranges if item.run_id == run_id), RowCounts())


def save_ranges(tx: Transaction, table: str, ranges: Sequence[ScanRange]) -> None:
    """Divide a table's scan, in place of how it was divided before."""
    drop_ranges(tx, table)
    for item in ranges:
        tx.run(
            "INSERT INTO {ranges} (table_name, number, after_id, up_to_id, last_id, is_ended, run_id, part, begun_at,"
            " inserted, updated, unchanged) VALUES ({table}, {number}, {after_id}, {up_to_id}, {last_id}, {is_ended},"
            " {run_id}, {part}, {begun_at}, {inserted}, {updated}, {unchanged})",
            ranges=tx.internal(SCAN_RANGE),
            table=table,
            number=item.number,
            after_id=_stored(item.after_id),
            up_to_id=item.up_to_id,
            last_id=_stored(item.last_id),
            is_ended=item.is_ended,
            run_id=item.run_id,
            part=item.part,
            begun_at=item.begun_at,
            inserted=item.counts.inserted,
            updated=item.counts.updated,
            unchanged=item.counts.unchanged,
        )


def drop_ranges(tx: Transaction, table: str) -> None:
    """Forget how a table's scan was divided."""
    tx.run("DELETE FROM {ranges} WHERE table_name = {table}", ranges=tx.internal(SCAN_RANGE), table=table)


def save_range(tx: Transaction, table: str, number: int, last_id: int, written: RowCounts) -> None:
    """Move a range's checkpoint, in the transaction that writes the page."""
    tx.run(
        "UPDATE {ranges} SET last_id = {last_id}, inserted = inserted + {inserted}, updated = updated + {updated},"
        " unchanged = unchanged + {unchanged} WHERE table_name = {table} AND number = {number}",
        ranges=tx.internal(SCAN_RANGE),
        last_id=_stored(last_id),
        inserted=written.inserted,
        updated=written.updated,
        unchanged=written.unchanged,
        table=table,
        number=number,
    )


def take_range(tx: Transaction, table: str, number: int, lease: Lease) -> bool:
    """Claim a range that is free, whose claim has expired, or that an earlier try of the same worker holds.

    :return: whether there is such a range; not so when the scan has ended.
    :raises ShadowBusyError: another worker holds it, or somebody the table.
    """
    try:
        with tx.cursor.connection.transaction():
            is_free = _lock_range(tx, table, number, lease.holder)
    except psycopg.errors.LockNotAvailable:
        is_free = False  # its holder is in the middle of a page
    if is_free is None:
        return False
    if not is_free:
        holder = living_holder(tx, table)
        raise ShadowBusyError(
            f"{tx.schema}.{table}: range {number} cannot be read: {holder or 'another worker'} is at work; if it is "
            f"dead, the range is free again within {LEASE.total_seconds():g} seconds.",
            holder,
        )
    _extend(tx, table, number, lease)
    return True


def _lock_range(tx: Transaction, table: str, number: int, holder: str) -> bool | None:
    tx.run(
        # Whoever takes the table locks this row, too.
        "SET LOCAL lock_timeout TO '1s'; SELECT 1 FROM {leases} WHERE table_name = {table} FOR SHARE",
        leases=tx.internal(LEASES),
        table=table,
    )
    rows = tx.run(
        "SELECT (held_until IS NULL OR held_until < clock_timestamp() OR held_by = {holder})"
        " AND NOT EXISTS (SELECT FROM {leases} l WHERE l.table_name = r.table_name"
        " AND l.held_until >= clock_timestamp())"
        " FROM {ranges} r WHERE table_name = {table} AND number = {number} FOR UPDATE OF r",
        leases=tx.internal(LEASES),
        ranges=tx.internal(SCAN_RANGE),
        table=table,
        number=number,
        holder=holder,
    )
    return bool(rows[0][0]) if rows else None


def renew_range(tx: Transaction, table: str, number: int, lease: Lease) -> Lease:
    """Lock a range for this transaction and extend the claim; return it with its new token.

    :raises ShadowBusyError: it was taken over, or the database has lost what this worker wrote last; nothing of this
        transaction may stay.
    """
    ((holder, token),) = tx.run(
        "SELECT held_by, held_token FROM {ranges} WHERE table_name = {table} AND number = {number} FOR UPDATE",
        ranges=tx.internal(SCAN_RANGE),
        table=table,
        number=number,
    ) or [(None, None)]
    check_claim(f"{tx.schema}.{table}: range {number}", lease, holder, token)
    renewed = lease.renewed(token)
    _extend(tx, table, number, renewed)
    return renewed


def end_range(tx: Transaction, table: str, number: int, lease: Lease) -> None:
    """Note that nothing more of a range is read on its own, and release it."""
    tx.run(
        "UPDATE {ranges} SET is_ended = true WHERE table_name = {table} AND number = {number}",
        ranges=tx.internal(SCAN_RANGE),
        table=table,
        number=number,
    )
    release_range(tx, table, number, lease)


def release_range(tx: Transaction, table: str, number: int, lease: Lease) -> bool:
    """Release a range, if this worker still holds it; return whether it did."""
    tx.run(
        "UPDATE {ranges} SET held_by = NULL, held_token = NULL, held_until = NULL"
        " WHERE table_name = {table} AND number = {number} AND held_token BETWEEN {first} AND {last}",
        ranges=tx.internal(SCAN_RANGE),
        table=table,
        number=number,
        first=lease.all_tokens[0],
        last=lease.all_tokens[1],
    )
    return tx.cursor.rowcount > 0


def _extend(tx: Transaction, table: str, number: int, lease: Lease) -> None:
    tx.run(
        "UPDATE {ranges} SET held_by = {holder}, held_token = {token}, held_until = clock_timestamp() + {lease}"
        " WHERE table_name = {table} AND number = {number}",
        ranges=tx.internal(SCAN_RANGE),
        table=table,
        number=number,
        holder=lease.holder,
        token=lease.token,
        lease=LEASE,
    )


def _stored(last_id: int) -> int | None:
    return last_id if last_id >= names.LEAST_ID else None
