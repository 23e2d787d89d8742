"""One model's mirror run: Odoo → pages → rows → staging → table → watermark."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from airflow_provider_odoo_shadow.job.binding import bind
from airflow_provider_odoo_shadow.job.columns import Layout
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.progress import Progress
from airflow_provider_odoo_shadow.job.read_ahead import read_ahead
from airflow_provider_odoo_shadow.job.rows import RowBuilder
from airflow_provider_odoo_shadow.job.window import (
    DEFAULT_LOOK_BACK,
    Kind,
    domain_of,
    kind_of,
    low_end,
    open_scan,
    resume,
)
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from airflow_provider_odoo_shadow.source.fields import read_fields
from airflow_provider_odoo_shadow.source.pages import DEFAULT_PAGE_SIZE, Page, read_pages
from airflow_provider_odoo_shadow.target import registry, sync_log, watermarks
from airflow_provider_odoo_shadow.target.database import ShadowDatabase, Transaction
from airflow_provider_odoo_shadow.target.errors import ShadowError
from airflow_provider_odoo_shadow.target.lease import Lease, release_lease, renew_lease, take_lease
from airflow_provider_odoo_shadow.target.merge import MergeCounts, merge_rows
from airflow_provider_odoo_shadow.target.public_views import publish
from airflow_provider_odoo_shadow.target.tables import TableChange, apply_change, plan_change
from airflow_provider_odoo_shadow.target.watermarks import Scan, Watermark

log = logging.getLogger(__name__)

LARGEST_PAGE = 10_000
"""Records a page at the most; larger ones are not faster and come near Odoo's limits of time and memory."""


@dataclass(frozen=True)
class Run:
    """Who runs.

    :param id: the same for every table of a run, and for every try of it.
    :param holder: how other runs call this one when they meet it.
    """

    id: UUID = field(default_factory=uuid4)
    holder: str = field(default_factory=lambda: f"odoo-shadow on {socket.gethostname()}, process {os.getpid()}")


@dataclass(frozen=True)
class MirrorOptions:
    """How to mirror a model.

    :param full: read everything again, not only what changed.
    :param batch_size: records a page.
    :param look_back: how far a window reaches behind the last watermark; longer than Odoo's longest transaction.

    :raises MirrorConfigurationError: a value makes no sense.
    """

    full: bool = False
    batch_size: int = DEFAULT_PAGE_SIZE
    look_back: timedelta = DEFAULT_LOOK_BACK

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= LARGEST_PAGE:
            raise MirrorConfigurationError(f"batch_size is {self.batch_size}, but must be 1 to {LARGEST_PAGE}.")
        if self.look_back < timedelta(0):
            raise MirrorConfigurationError("look_back must not be negative: rows committed late would be lost.")


@dataclass(frozen=True)
class MirrorResult:
    """What a run did to one table.

    :param resumed: whether it went on from where an earlier try stopped.
    :param unstorable_cells: cells with characters that PostgreSQL cannot store.
    """

    model: str
    table: str
    kind: Kind
    counts: MergeCounts
    watermark: Watermark
    seconds: float
    resumed: bool = False
    unstorable_cells: int = 0

    def __str__(self) -> str:
        """Return one line for a log."""
        resumed = " (resumed)" if self.resumed else ""
        odd = f", {self.unstorable_cells} cells with characters replaced" if self.unstorable_cells else ""
        return f"{self.model}: {self.kind}{resumed} in {self.seconds:.1f} s, {self.counts}{odd}"


def no_replay(table: str) -> datetime | None:  # noqa: ARG001 - the signature of `replay_from`
    """Trust the table's own watermark."""
    return None


def no_report(progress: Progress) -> None:
    """Tell nobody."""


def mirror_model(
    odoo: OdooClient,
    shadow: ShadowDatabase,
    model: str,
    *,
    run: Run,
    options: MirrorOptions,
    replay_from: Callable[[str], datetime | None] = no_replay,
    on_progress: Callable[[Progress], None] = no_report,
) -> MirrorResult:
    """Bring one model's table up to date.

    Every page is committed with its checkpoint: whenever this ends, the next call goes on from there.

    :param replay_from: for a table, a moment to begin at, if it is older than the table's own watermark.
    :raises OdooUnknownModelError: the model is not installed; logged as `skipped`.
    :raises OdooError: Odoo could not be read.
    :raises ShadowError: the shadow could not be written.
    """
    bind(odoo, shadow)
    try:
        layout = read_layout(odoo, model)
    except OdooError as error:
        _log_unopened(shadow, run, model, error)
        raise
    return _TableRun(odoo, shadow, layout, run, options).execute(replay_from, on_progress)


def read_layout(odoo: OdooClient, model: str) -> Layout:
    """Ask Odoo for a model's fields and choose those that are mirrored. Raises an `OdooError`."""
    return Layout.of(model, read_fields(odoo, model))


def _log_unopened(shadow: ShadowDatabase, run: Run, model: str, error: OdooError) -> None:
    status = "skipped" if isinstance(error, OdooUnknownModelError) else "error"
    with shadow.transaction() as tx:
        table = registry.name_table(tx, model)
        sync_log.log_unopened(tx, run.id, table, status, str(error))
        if status == "error":
            registry.note_failure(tx, table, str(error))


class _TableRun:
    """A table held by a run, from the opened log entry to the closed one."""

    def __init__(
        self, odoo: OdooClient, shadow: ShadowDatabase, layout: Layout, run: Run, options: MirrorOptions
    ) -> None:
        self._odoo = odoo
        self._shadow = shadow
        self._layout = layout
        self._run = run
        self._options = options
        self._builder = RowBuilder(layout)
        self._lease = Lease(run.holder, uuid4())
        self._started = time.monotonic()
        self._counts = MergeCounts()
        self._table = ""
        self._entry = 0

    def execute(
        self, replay_from: Callable[[str], datetime | None], on_progress: Callable[[Progress], None]
    ) -> MirrorResult:
        with self._shadow.transaction() as tx:
            watermark, left = self._open(tx)
        try:
            scan, kind = self._begin(watermark, left, replay_from(self._table))
            resumed = scan.last_id > 0
            log.info("%s: %s from id %d to %d", self._layout.model, kind, scan.last_id, scan.up_to_id)
            reached = self._read(scan, kind, on_progress)
        except BaseException as error:
            self._fail(error)
            raise
        return MirrorResult(
            self._layout.model,
            self._table,
            kind,
            self._counts,
            reached,
            time.monotonic() - self._started,
            resumed,
            self._builder.unstorable_cells,
        )

    def _open(self, tx: Transaction) -> tuple[Watermark | None, Scan | None]:
        fields = len(self._layout.columns)
        self._table = registry.register_table(tx, self._layout.model, module=None, field_count=fields)
        take_lease(tx, self._table, self._lease)
        metadata = {"full": self._options.full, "holder": self._run.holder, "odoo": self._odoo.protocol.label}
        self._entry = sync_log.open_entry(tx, self._run.id, self._table, metadata)
        return watermarks.read_watermark(tx, self._table), watermarks.read_scan(tx, self._table)

    def _begin(self, watermark: Watermark | None, left: Scan | None, replay_from: datetime | None) -> tuple[Scan, Kind]:
        """Fix the window, and make the table fit for it in the same transaction.

        A column that is added must be filled for all rows, so the scan that does it is noted where the column is added.
        """
        with self._shadow.transaction() as tx:
            change = plan_change(tx, self._table, [item.column for item in self._layout.columns])
        options, has_new_columns = self._options, bool(change.add)
        read_all = options.full or has_new_columns or not self._layout.has_write_date
        low = low_end(watermark, replay_from, options.look_back, read_all=read_all)
        wanted = open_scan(self._odoo, self._layout, low, full=read_all, run_id=self._run.id)
        scan = resume(None if has_new_columns else left, wanted)
        with self._shadow.transaction() as tx:
            renew_lease(tx, self._table, self._lease)
            self._change(tx, change)
            watermarks.save_scan(tx, self._table, scan, rows_written=0)
        return scan, kind_of(watermark, scan.low)

    def _change(self, tx: Transaction, change: TableChange) -> None:
        if not change.is_empty:
            apply_change(tx, change)
            publish(tx, (change.table,))

    def _read(self, scan: Scan, kind: Kind, on_progress: Callable[[Progress], None]) -> Watermark:
        pages = read_pages(
            self._odoo,
            self._layout.model,
            self._layout.fields,
            domain_of(scan.low),
            after_id=scan.last_id,
            up_to_id=scan.up_to_id,
            page_size=self._options.batch_size,
        )
        for page in read_ahead(pages):
            reached = self._write(scan, page)
            done = 1.0 if page.is_last else page.last_id / scan.up_to_id
            on_progress(Progress(self._layout.model, kind, self._counts, done))
            if reached is not None:
                return reached
        raise AssertionError("read_pages ends with a last page")

    def _write(self, scan: Scan, page: Page) -> Watermark | None:
        """Write a page, its checkpoint and, with the last page, the watermark, in one transaction."""
        with self._shadow.transaction() as tx:
            renew_lease(tx, self._table, self._lease)
            counts = MergeCounts()
            if page.records:
                rows = self._builder.rows(page.records)
                counts = merge_rows(tx, self._table, self._builder.columns, rows, even_older=scan.full)
                registry.count_rows(tx, self._table, counts.inserted)
            read_so_far = replace(scan, last_id=page.last_id)
            watermarks.save_scan(tx, self._table, read_so_far, counts.written)
            total = self._counts + counts
            reached = self._finish(tx, read_so_far, total) if page.is_last else None
        self._counts = total
        return reached

    def _finish(self, tx: Transaction, scan: Scan, total: MergeCounts) -> Watermark:
        reached = watermarks.finish_scan(tx, self._table, scan)
        sync_log.close_success(tx, self._entry, total, self._milliseconds())
        registry.note_success(tx, self._table, self._milliseconds())
        release_lease(tx, self._table, self._lease)
        return reached

    def _fail(self, error: BaseException) -> None:
        message = str(error) or type(error).__name__
        try:
            with self._shadow.transaction() as tx:
                sync_log.close_error(tx, self._entry, self._counts, self._milliseconds(), message)
                registry.note_failure(tx, self._table, message)
                release_lease(tx, self._table, self._lease)
        except ShadowError as lost:
            log.warning("%s: the log entry stays open until the next run: %s", self._layout.model, lost)

    def _milliseconds(self) -> int:
        return round((time.monotonic() - self._started) * 1000)
