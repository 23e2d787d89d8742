"""The end of a run, after its models: updates rows whose changes no `write_date` shows.

1. Rows that point to records that are gone are read again, in all tables.
2. Refused fields are mirrored again by the next run, if Odoo gives them by now.
3. Columns that change without `write_date` are compared, in the tables of the run.
4. A slice of each of these tables is compared cell by cell, if one is due.

Before these steps and after them, a run fails if a backup was restored in Odoo while it was reading.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError, VerificationError
from odoo_shadow.mirror.identity import check_end
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.rolling import due_proofs, prove_slice
from odoo_shadow.mirror.run.untracked import due_check, refresh_untracked, remade_columns
from odoo_shadow.mirror.shape.refused_fields import note_refused_fields, retry_refused_fields
from odoo_shadow.mirror.sync.due import reread_due_rows
from odoo_shadow.mirror.sync.rewriting import OtherReadingError, rewriting
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.due_rows import due_rows, forget_all_due, forget_due, models_with_due_rows
from odoo_shadow.shadow.state.finished import Finished, finished_tables, note_identities, watched_tables
from odoo_shadow.shadow.state.lease import living_holder
from odoo_shadow.shadow.state.registry import find_table, note_failure, read_settings
from odoo_shadow.shadow.state.sync_log import CLOSING
from odoo_shadow.source.errors import OdooError, OdooRefusedFieldsError, OdooUnknownModelError
from odoo_shadow.source.port import Source
from odoo_shadow.text.errors import text_of
from odoo_shadow.text.log import logger

log = logger(__name__)

DUE = "rows that point to records that are gone"
UNTRACKED = "columns that change without write_date"
REFUSED_FIELDS = "fields that Odoo refused"
REMADE_FIELDS = "fields that were removed and created again"
PROOF = "rolling proof"


@dataclass(frozen=True)
class Closed:
    """What one step did about one model.

    :param error: why it failed; then it is due again.
    """

    model: str
    what: str
    counts: RowCounts = field(default_factory=RowCounts)
    error: Exception | None = None

    def __str__(self) -> str:
        """Return one line for a log."""
        return f"{self.model}, {self.what}: {self.error or self.counts}"


def close_run(odoo: Source, shadow: ShadowDatabase, *, run: Run, options: MirrorOptions) -> Iterator[Closed]:
    """Do the steps of the end of a run; yield what each has done or why it failed, model by model.

    Several runs may do so at the same time: each table is held while its rows are written.

    :raises ShadowOwnershipError: a backup was restored in Odoo during the run.
    """
    check_end(odoo, shadow, run.id)
    closing = _Closing.of(odoo, shadow, run, options)
    yield from closing.reread_all_due()
    with shadow.transaction() as tx:
        finished = finished_tables(tx, run.id)
        watched = _watched(tx, finished)
    identities: dict[str, dict[str, str]] = {}
    yield from closing.attempt("ir.model.fields", REMADE_FIELDS, partial(closing.read_identities, finished, identities))
    for table in finished:
        yield from closing.attempt(table.model, REFUSED_FIELDS, partial(retry_refused_fields, odoo, shadow, table))
        yield from closing.attempt(
            table.model, UNTRACKED, partial(closing.refresh, table, watched, identities.get(table.model, {}))
        )
    has_removed = False
    for closed in closing.prove_all(finished):
        has_removed |= closed.counts.deleted > 0
        yield closed
    if has_removed:
        yield from closing.reread_all_due()
    check_end(odoo, shadow, run.id)


def reread_due(odoo: Source, shadow: ShadowDatabase, *, run: Run, options: MirrorOptions) -> Iterator[Closed]:
    """Read the rows again that point to records that are gone, as after a repair; yield the result of each model."""
    return _Closing.of(odoo, shadow, run, options).reread_all_due()


def _watched(tx: Transaction, finished: Sequence[Finished]) -> frozenset[str]:
    """Return the tables that report to others which of their rows go: tables of this run, without a domain."""
    tables = watched_tables(tx, [item.table for item in finished])
    return frozenset(table for table, settings in tables.items() if not ModelSettings.from_text(settings).domain)


@dataclass(frozen=True)
class _Closing:
    """The steps of the end of one run.

    :param owner: the holder of the tables that the run is still writing.
    """

    odoo: Source
    shadow: ShadowDatabase
    run: Run
    options: MirrorOptions
    owner: str

    @classmethod
    def of(cls, odoo: Source, shadow: ShadowDatabase, run: Run, options: MirrorOptions) -> _Closing:
        """Return the steps under a holder of their own: tasks of one run must not take tables from each other."""
        own = replace(run, holder=f"{run.holder}, at its end, on {socket.gethostname()}, process {os.getpid()}")
        return cls(odoo, shadow, own, options, run.holder)

    def reread_all_due(self) -> Iterator[Closed]:
        with self.shadow.transaction() as tx:
            models = models_with_due_rows(tx)
        for model in models:
            yield from self.attempt(model, DUE, partial(self._reread_due, model))

    def _reread_due(self, model: str) -> RowCounts | None:
        if self._has_no_due_row(model):
            return None
        metadata = {CLOSING: DUE}
        try:
            with rewriting(
                self.odoo, self.shadow, model, run=self.run, options=self.options, metadata=metadata
            ) as writer:
                reread_due_rows(self.odoo, writer, self.options.batch_size)
        except OdooUnknownModelError:
            with self.shadow.transaction() as tx:
                forget_all_due(tx, model)
            raise
        return writer.hold.counts

    def _has_no_due_row(self, model: str) -> bool:
        """Say whether a table has nothing to do, so that it need not be held; that is the usual case.

        A table that this run is still writing is left alone: the writer reads such rows at its end.
        """
        with self.shadow.transaction() as tx:
            table = find_table(tx, model)
            holder = None if table is None else living_holder(tx, table)
            if table is None or holder is not None:
                return table is None or holder == self.owner
            due = due_rows(tx, table)
            if not due.ids:
                forget_due(tx, due)
            return not due.ids

    def read_identities(self, finished: Sequence[Finished], identities: dict[str, dict[str, str]]) -> None:
        """Read the identities of the models' fields, by model, into `identities`. Raises an `OdooError`."""
        if finished:
            identities |= self.odoo.field_identities([table.model for table in finished])

    def refresh(self, table: Finished, watched: Collection[str], identities: Mapping[str, str]) -> RowCounts | None:
        """Compare a table's untracked columns, and note the identities of the fields that its values come from."""
        check = due_check(self.odoo, table, watched, remade_columns(table, identities))
        counts = None
        if check is not None:
            counts = refresh_untracked(self.odoo, self.shadow, table, check, run=self.run, options=self.options)
        if identities and identities != table.identities:
            with self.shadow.transaction() as tx:
                note_identities(tx, table.table, identities)
        return counts

    def prove_all(self, finished: Sequence[Finished]) -> Iterator[Closed]:
        """Compare the slices that are due, as far as time allows; the next run begins with those that had to wait."""
        due, time_limit = due_proofs(self.shadow, finished, self.options.batch_size)
        deadline = time.monotonic() + time_limit.total_seconds()
        for item in due:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            limit = timedelta(seconds=left)
            work = partial(prove_slice, self.odoo, self.shadow, item, limit, run=self.run, options=self.options)
            yield from self.attempt(item.table.model, PROOF, work)

    def attempt(self, model: str, what: str, work: Callable[[], RowCounts | None]) -> Iterator[Closed]:
        """Run a step for one model; yield what was done, or the error."""
        try:
            counts = work()
        except OdooUnknownModelError:
            log.info("%s: %s stay as they are, because Odoo does not have the model any more", model, what)
        except OtherReadingError as other:  # a table that is not of this run; its own run reports it
            log.warning("%s: %s stay as they are: %s", model, what, other)
        except OdooRefusedFieldsError as refused:  # of records that were not in the window
            yield self._failed(model, what, note_refused_fields(self.odoo, self.shadow, model, refused.fields))
        except (OdooError, ShadowError, MassDeletionError, MirrorConfigurationError, VerificationError) as error:
            yield self._failed(model, what, error)
        else:
            if counts is not None and (counts.written or counts.deleted):
                yield Closed(model, what, counts)

    def _failed(self, model: str, what: str, error: Exception) -> Closed:
        """Note a failure in the registry, so that `status` shows it, unless a failure is noted there already."""
        closed = Closed(model, what, error=error)
        try:
            with self.shadow.transaction() as tx:
                table = find_table(tx, model)
                if table is not None and not read_settings(tx, table).has_failed:
                    note_failure(tx, table, f"At the end of the run, {what}: {text_of(error)}")
        except ShadowError as lost:
            log.warning("%s: status will not show that %s failed: %s", model, what, lost)
        return closed
