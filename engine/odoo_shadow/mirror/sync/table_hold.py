"""A table held by one run: its lease, its log entry, and every transaction that writes it."""

from __future__ import annotations

import time
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
from odoo_shadow.text.errors import class_of, text_of
from odoo_shadow.text.log import logger

log = logger(__name__)

_SECONDS_BETWEEN_TRIES = 1.0


class TableHold:
    """A table that only this run may write.

    :ivar counts: the rows that were committed so far.
    """

    def __init__(self, shadow: ShadowDatabase, run: Run, table: str, lease: Lease, entry: int) -> None:
        self.shadow = shadow
        self.run = run
        self.table = table
        self.counts = RowCounts()
        self._lease = lease
        self._entry = entry
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """For how many seconds the table has been held."""
        return time.monotonic() - self._started

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction that commits only if the table is still held and nobody else's code would run in it.

        :raises ShadowBusyError: another run has taken it over.
        :raises ShadowOwnershipError: somebody has added a trigger or a rule since the run began.
        """
        with self.shadow.transaction() as tx:
            renew_lease(tx, self.table, self._lease)
            guard_table(tx, self.table)
            yield tx

    def keep_alive(self) -> None:
        """Renew the lease."""
        with self.transaction():
            pass

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
        entry = sync_log.open_entry(tx, run.id, table, metadata, run.holder)
    return TableHold(shadow, run, table, lease, entry)
