"""What a run does when its models are done: it looks after rows of which no `write_date` tells.

1. Rows that point to what has gone are read again, in all tables.
2. Columns that change without `write_date` are compared, in the tables of the run.
3. A slice of each of these tables is compared cell by cell, if one is due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from airflow_provider_odoo_shadow.job.due import reread_due_rows
from airflow_provider_odoo_shadow.job.errors import MassDeletionError, MirrorConfigurationError, VerificationError
from airflow_provider_odoo_shadow.job.proof import prove_slice
from airflow_provider_odoo_shadow.job.rewriting import rewriting
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.untracked import due_look, refresh_untracked
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.due_rows import due_rows, forget_due, models_with_due_rows
from airflow_provider_odoo_shadow.target.errors import ShadowError
from airflow_provider_odoo_shadow.target.finished import Finished, finished_tables
from airflow_provider_odoo_shadow.target.lease import is_free
from airflow_provider_odoo_shadow.target.merge import RowCounts
from airflow_provider_odoo_shadow.target.registry import find_table
from airflow_provider_odoo_shadow.target.sync_log import CLOSING
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

DUE = "rows that point to what has gone"
UNTRACKED = "columns that change without write_date"
PROOF = "rolling proof"


@dataclass(frozen=True)
class Closed:
    """What was done about one model.

    :param error: why it could not be done; it is due again then.
    """

    model: str
    what: str
    counts: RowCounts = field(default_factory=RowCounts)
    error: Exception | None = None

    def __str__(self) -> str:
        """Return one line for a log."""
        return f"{self.model}, {self.what}: {self.error or self.counts}"


def close_run(odoo: OdooClient, shadow: ShadowDatabase, *, run: Run, options: MirrorOptions) -> Iterator[Closed]:
    """Look after what the models' own runs cannot see; yield what was done, model by model, and what failed.

    Several runs may do so at once: each table is held while its rows are written.
    """
    closing = _Closing(odoo, shadow, run, options)
    with shadow.transaction() as tx:
        due, finished = models_with_due_rows(tx), finished_tables(tx, run.id)
    for model in due:
        yield from _told(model, DUE, partial(closing.reread_due, model))
    for table in finished:
        yield from _told(table.model, UNTRACKED, partial(closing.refresh, table))
    for table in finished:
        yield from _told(table.model, PROOF, partial(closing.prove, table))


@dataclass(frozen=True)
class _Closing:
    odoo: OdooClient
    shadow: ShadowDatabase
    run: Run
    options: MirrorOptions

    def reread_due(self, model: str) -> RowCounts | None:
        if self._has_no_due_row(model):
            return None
        metadata = {CLOSING: DUE}
        with rewriting(self.odoo, self.shadow, model, run=self.run, options=self.options, metadata=metadata) as writer:
            reread_due_rows(self.odoo, writer, self.options.batch_size)
        return writer.hold.counts

    def _has_no_due_row(self, model: str) -> bool:
        """Say whether no row is due in a table that nobody writes, which then need not be held; most often it is so."""
        with self.shadow.transaction() as tx:
            table = find_table(tx, model)
            if table is None or not is_free(tx, table):
                return table is None
            due = due_rows(tx, table)
            if not due.ids:
                forget_due(tx, due)
            return not due.ids

    def refresh(self, table: Finished) -> RowCounts | None:
        look = due_look(self.odoo, table)
        if look is None:
            return None
        return refresh_untracked(self.odoo, self.shadow, table, look, run=self.run, options=self.options)

    def prove(self, table: Finished) -> RowCounts | None:
        return prove_slice(self.odoo, self.shadow, table, run=self.run, options=self.options)


def _told(model: str, what: str, work: Callable[[], RowCounts | None]) -> Iterator[Closed]:
    try:
        counts = work()
    except OdooUnknownModelError:
        log.info("%s: %s stay as they are, since Odoo has no such model any more", model, what)
    except (OdooError, ShadowError, MassDeletionError, MirrorConfigurationError, VerificationError) as error:
        yield Closed(model, what, error=error)
    else:
        if counts is not None and (counts.written or counts.deleted):
            yield Closed(model, what, counts)
