"""A table, or a range of its ids, held by one run: its lease, its log entry, and every transaction that writes it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowBusyError, ShadowError
from odoo_shadow.shadow.owners.ownership import guard_table
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry, sync_log
from odoo_shadow.shadow.state.lease import Lease, release_lease, renew_lease, take_lease
from odoo_shadow.shadow.state.scan_ranges import (
    counts_of,
    end_range,
    read_ranges,
    release_range,
    renew_range,
    take_range,
)
from odoo_shadow.text.errors import class_of, text_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_SECONDS_BETWEEN_TRIES = 1.0


class Hold(ABC):
    """Rows of a table that only this run may write.

    :ivar counts: the rows that were committed so far.
    """

    def __init__(self, shadow: ShadowDatabase, run: Run, table: str, lease: Lease) -> None:
        self.shadow = shadow
        self.run = run
        self.table = table
        self.counts = RowCounts()
        self._lease = lease
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """For how many seconds they have been held."""
        return time.monotonic() - self._started

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction that commits only if this run still holds the rows and nobody else's code runs with them.

        :raises ShadowBusyError: another run has taken them over, or the database has lost what this one wrote last.
        :raises ShadowOwnershipError: somebody has added a trigger or a rule since the run began.
        """
        is_done = False
        with self.shadow.transaction() as tx:
            self._lease = self._renewed(tx)
            guard_table(tx, self.table)
            yield tx
            is_done = True
        if is_done:  # not after `psycopg.Rollback`
            self._lease = self._lease.committed()

    @abstractmethod
    def _renewed(self, tx: Transaction) -> Lease:
        """Extend the claim for this transaction. Raises `ShadowBusyError`."""

    def keep_alive(self) -> None:
        """Renew the lease."""
        with self.transaction():
            pass


class TableHold(Hold):
    """A table that only this run may write.

    :param seconds: how long ago another worker of this run has begun.
    """

    def __init__(
        self, shadow: ShadowDatabase, run: Run, table: str, lease: Lease, entry: int, seconds: float = 0.0
    ) -> None:
        super().__init__(shadow, run, table, lease)
        self._entry = entry
        self._started -= seconds

    def _renewed(self, tx: Transaction) -> Lease:
        return renew_lease(tx, self.table, self._lease)

    def was_divided(self, tx: Transaction) -> bool:
        """Say whether this run has divided the table's load before; some of its workers may be done by now."""
        return sync_log.was_divided(tx, self.run.id, self.table)

    def note_divided(self, tx: Transaction, ranges: int) -> None:
        """Note that workers of this run share the table's load."""
        sync_log.note_divided(tx, self._entry, ranges)

    def hand_over(self, tx: Transaction) -> None:
        """Release the table to workers of this run that read ranges of it; the log entry stays open."""
        release_lease(tx, self.table, self._lease)

    def give_back(self, tx: Transaction) -> None:
        """Release the table as if it had not been taken."""
        sync_log.drop_entry(tx, self._entry)
        release_lease(tx, self.table, self._lease)

    def finish(self, tx: Transaction) -> None:
        """Close the log entry as a success, note that the table is up to date, and release it."""
        registry.note_success(tx, self.table, round(self.seconds * 1000))
        self.release(tx)

    def release(self, tx: Transaction) -> None:
        """Close the log entry as a success and release the table, without noting that it is up to date."""
        sync_log.close_success(tx, self._entry, self.counts, round(self.seconds * 1000))
        release_lease(tx, self.table, self._lease)

    def fail(self, error: BaseException) -> None:
        """Close the log entry as an error and release the table, as far as the database can be reached."""
        message = text_of(error)
        try:
            with self.shadow.transaction() as tx:
                is_own = release_lease(tx, self.table, self._lease)
                sync_log.close_error(tx, self._entry, self.counts, round(self.seconds * 1000), message, class_of(error))
                if is_own:
                    registry.note_failure(tx, self.table, message)
        except ShadowError as lost:
            log.warning("%s: the log entry stays open until the next run: %s", self.table, lost)


class RangeHold(Hold):
    """A range of a table's ids that only this worker may write."""

    def __init__(self, shadow: ShadowDatabase, run: Run, table: str, lease: Lease, number: int) -> None:
        super().__init__(shadow, run, table, lease)
        self.number = number

    def _renewed(self, tx: Transaction) -> Lease:
        return renew_range(tx, self.table, self.number, self._lease)

    def release(self, tx: Transaction) -> None:
        """Release the range as it is."""
        release_range(tx, self.table, self.number, self._lease)

    def end(self) -> None:
        """Note that this worker is done with the range, and release it."""
        with self.transaction() as tx:
            end_range(tx, self.table, self.number, self._lease)
            sync_log.recount_error(tx, self.run.id, self.table, self._counts_of_run(tx))

    def fail(self, error: BaseException) -> None:
        """Release the range and note that the table's run has failed, as far as the database can be reached."""
        message = text_of(error)
        try:
            with self.shadow.transaction() as tx:
                if not release_range(tx, self.table, self.number, self._lease):
                    return
                counts = self._counts_of_run(tx)
                sync_log.recount_error(tx, self.run.id, self.table, counts)  # if another worker failed before
                if (found := sync_log.entry_left_open(tx, self.run.id, self.table)) is not None:
                    entry, seconds = found
                    sync_log.close_error(tx, entry, counts, round(seconds * 1000), message, class_of(error))
                registry.note_failure(tx, self.table, message)
        except ShadowError as lost:
            log.warning("%s: range %d stays claimed for a while: %s", self.table, self.number, lost)

    def _counts_of_run(self, tx: Transaction) -> RowCounts:
        return counts_of(read_ranges(tx, self.table), self.run.id)


@contextmanager
def hold_range(shadow: ShadowDatabase, run: Run, table: str, number: int) -> Iterator[RangeHold | None]:
    """Claim a range; None if there is none any more. The caller ends with `end` or `release`.

    :raises ShadowBusyError: another worker still holds it.
    """
    lease = Lease(run.holder, uuid4())
    with shadow.transaction() as tx:
        is_taken = take_range(tx, table, number, lease)
    if not is_taken:
        yield None
        return
    hold = RangeHold(shadow, run, table, lease, number)
    try:
        yield hold
    except BaseException as error:
        hold.fail(error)
        raise


@contextmanager
def hold_table(
    shadow: ShadowDatabase, model: str, run: Run, options: MirrorOptions, metadata: Mapping[str, object]
) -> Iterator[TableHold]:
    """Take a model's table, waiting for another run if necessary.

    The caller ends with `finish` or `release`; on an error the entry is closed and the table released here.

    :raises ShadowBusyError: another run still writes it after `options.wait`; the message says which.
    """
    hold = _take(shadow, model, run, options, metadata)
    try:
        yield hold
    except BaseException as error:
        hold.fail(error)
        raise


def _take(
    shadow: ShadowDatabase, model: str, run: Run, options: MirrorOptions, metadata: Mapping[str, object]
) -> TableHold:
    deadline = time.monotonic() + options.wait.total_seconds()
    has_warned = False
    while True:
        try:
            return _try_to_take(shadow, model, run, metadata)
        except ShadowBusyError as busy:
            if time.monotonic() >= deadline:
                raise
            if not has_warned:
                log.warning("Waiting for up to %.0f s: %s", options.wait.total_seconds(), busy)
                has_warned = True
            time.sleep(_SECONDS_BETWEEN_TRIES)


def _try_to_take(shadow: ShadowDatabase, model: str, run: Run, metadata: Mapping[str, object]) -> TableHold:
    lease = Lease(run.holder, uuid4())
    with shadow.transaction() as tx:
        table = registry.register_table(tx, model)
        take_lease(tx, table, lease)
        # Workers of one run that read ranges of a table share its entry.
        shared = sync_log.entry_left_open(tx, run.id, table) if read_ranges(tx, table) else None
        entry, seconds = shared or (sync_log.open_entry(tx, run.id, table, metadata, run.holder), 0.0)
    return TableHold(shadow, run, table, lease, entry, seconds)
