"""One model's mirror run: Odoo → pages → rows → staging → table → watermark."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_odoo_shadow.job.binding import bind
from airflow_provider_odoo_shadow.job.columns import Layout
from airflow_provider_odoo_shadow.job.deletions import remove_gone
from airflow_provider_odoo_shadow.job.fill import fill_new_columns
from airflow_provider_odoo_shadow.job.progress import Progress
from airflow_provider_odoo_shadow.job.rows import RowBuilder
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.scan import TableWriter, read_window
from airflow_provider_odoo_shadow.job.table_hold import TableHold, hold_table
from airflow_provider_odoo_shadow.job.window import Kind, can_resume, kind_of, low_end, open_scan
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooError, OdooUnknownModelError, OdooUnreadableRecordsError
from airflow_provider_odoo_shadow.source.fields import read_fields
from airflow_provider_odoo_shadow.source.pages import Unreadable
from airflow_provider_odoo_shadow.target import registry, sync_log, watermarks
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.drift import apply_change
from airflow_provider_odoo_shadow.target.ids import LiveIds, OnDelete, add_mark_column
from airflow_provider_odoo_shadow.target.lease import is_free
from airflow_provider_odoo_shadow.target.merge import RowCounts
from airflow_provider_odoo_shadow.target.tables import plan_change
from airflow_provider_odoo_shadow.target.watermarks import Scan, Watermark

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MirrorResult:
    """What a run did to one table.

    :param resumed: whether it went on from where an earlier try stopped.
    :param unstorable_cells: cells with characters that PostgreSQL cannot store.
    """

    model: str
    table: str
    kind: Kind
    counts: RowCounts
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
    :raises OdooUnreadableRecordsError: Odoo could not give some records; all others are there.
    :raises MassDeletionError: a suspicious share of the rows is gone from Odoo; none was removed.
    :raises OdooError: Odoo could not be read.
    :raises ShadowError: the shadow could not be written.
    """
    bind(odoo, shadow)
    try:
        layout = read_layout(odoo, model)
    except OdooError as error:
        _log_unopened(shadow, run, model, error)
        raise
    metadata = {"full": options.full, "odoo": odoo.protocol.label}
    with hold_table(shadow, model, run, options, metadata) as hold:
        return _ModelRun(odoo, hold, layout, options, on_progress).execute(replay_from(hold.table))


def read_layout(odoo: OdooClient, model: str) -> Layout:
    """Ask Odoo for a model's fields and choose those that are mirrored. Raises an `OdooError`."""
    return Layout.of(model, read_fields(odoo, model))


def _log_unopened(shadow: ShadowDatabase, run: Run, model: str, error: OdooError) -> None:
    status = "skipped" if isinstance(error, OdooUnknownModelError) else "error"
    with shadow.transaction() as tx:
        table = registry.name_table(tx, model)
        if is_free(tx, table):
            sync_log.close_left_open(tx, table)
        sync_log.log_unopened(tx, run.id, table, status, str(error))
        if status == "error":
            registry.note_failure(tx, table, str(error))


class _ModelRun:
    """The steps of one model's run: schema, new columns, what an earlier run left, the window, deletions."""

    def __init__(
        self,
        odoo: OdooClient,
        hold: TableHold,
        layout: Layout,
        options: MirrorOptions,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._odoo = odoo
        self._hold = hold
        self._layout = layout
        self._options = options
        self._on_progress = on_progress
        self._writer = TableWriter(hold, layout, RowBuilder(layout), revive=False)

    def execute(self, replay_from: datetime | None) -> MirrorResult:
        watermark, left = self._prepare()
        fill_new_columns(self._odoo, self._hold, self._layout, self._options.batch_size, self._on_progress)
        reached, kind = self._read(watermark, left, replay_from)
        remove_gone(self._odoo, self._writer, self._options)
        if self._writer.unreadable:
            raise _unreadable_error(self._layout.model, self._writer.unreadable)
        with self._hold.transaction() as tx:
            self._hold.finish(tx)
        return MirrorResult(
            self._layout.model,
            self._hold.table,
            kind,
            self._hold.counts,
            reached,
            self._hold.seconds,
            left is not None,
            self._writer.builder.unstorable_cells,
        )

    def _prepare(self) -> tuple[Watermark | None, Scan | None]:
        """Bring the table's columns up to date; return how far the table is and what an earlier run left to do."""
        table = self._hold.table
        with self._hold.transaction() as tx:
            change = plan_change(tx, table, [item.column for item in self._layout.columns])
            apply_change(tx, change, self._hold.run.id)
            if self._options.on_delete is OnDelete.MARK:
                add_mark_column(tx, table)
            self._writer.revive = LiveIds.of(tx, table).has_marks
            if change.creates:
                return None, None
            return watermarks.read_watermark(tx, table), self._left(watermarks.read_scan(tx, table))

    def _left(self, scan: Scan | None) -> Scan | None:
        has_cursor = self._layout.has_write_date
        run_id = self._hold.run.id
        return scan if scan and can_resume(scan, run_id, full=self._options.full, has_cursor=has_cursor) else None

    def _read(
        self, watermark: Watermark | None, left: Scan | None, replay_from: datetime | None
    ) -> tuple[Watermark, Kind]:
        """Finish what an earlier run left; unless that was this run's own, read a window of its own, too."""
        read_all = self._options.full or not self._layout.has_write_date
        kind = kind_of(
            watermark, left.low if left else low_end(watermark, replay_from, self._options.look_back, read_all=read_all)
        )
        if left is not None:
            watermark = self._read_window(left, kind, None)
            if left.run_id == self._hold.run.id:
                return watermark, kind
            read_all = False
        low = low_end(watermark, replay_from, self._options.look_back, read_all=read_all)
        scan = open_scan(self._odoo, self._layout, low, full=read_all, run_id=self._hold.run.id)
        known = (
            watermark if replay_from is None or watermark is None or replay_from >= watermark.last_write_date else None
        )
        return self._read_window(scan, kind, known), kind

    def _read_window(self, scan: Scan, kind: Kind, known: Watermark | None) -> Watermark:
        log.info("%s: %s from id %d to %d", self._layout.model, kind, scan.last_id, scan.up_to_id)
        return read_window(
            self._odoo,
            self._writer,
            scan,
            known=known,
            page_size=self._options.batch_size,
            kind=kind,
            on_progress=self._on_progress,
        )


def _unreadable_error(model: str, unreadable: list[Unreadable]) -> OdooUnreadableRecordsError:
    ids = ", ".join(str(item.id) for item in unreadable)
    return OdooUnreadableRecordsError(
        f"{model}: Odoo cannot give the records {ids}; all others are mirrored, and the watermark waits for these. "
        f"The first: {unreadable[0].reason}"
    )
