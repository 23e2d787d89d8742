"""One model's run: its table's schema, new columns, hashes, what an earlier run left, the window, deletions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.identity import check_read
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.origins import column_origins
from odoo_shadow.mirror.shape.refused_fields import newly_refused_error, newly_refused_fields
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.mirror.sync.changed_blocks import changed_blocks, note_versions, read_changed
from odoo_shadow.mirror.sync.deletions import check_ids
from odoo_shadow.mirror.sync.due import reread_due_rows
from odoo_shadow.mirror.sync.fill import fill_new_columns, refresh_extra_columns
from odoo_shadow.mirror.sync.kept_settings import keep_settings, read_settings_of, why_read_again
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.ranges import assigned, divide, read_rest
from odoo_shadow.mirror.sync.read_ahead import ask
from odoo_shadow.mirror.sync.refusals import unreadable_error
from odoo_shadow.mirror.sync.rehash import renew_hashes
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.mirror.sync.scan import TableWriter, read_window
from odoo_shadow.mirror.sync.table_hold import TableHold
from odoo_shadow.mirror.sync.window import ScanKind, can_resume, kind_of, low_end, open_scan
from odoo_shadow.shadow.access.catalogued import remember_links
from odoo_shadow.shadow.access.protection import restrict_table
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state import registry, watermarks
from odoo_shadow.shadow.state.finished import note_untracked
from odoo_shadow.shadow.state.lease import RENEW_EVERY
from odoo_shadow.shadow.state.left_out import note_left_out_fields
from odoo_shadow.shadow.state.proofs import time_in_database
from odoo_shadow.shadow.state.scan_ranges import drop_ranges, read_ranges, save_ranges
from odoo_shadow.shadow.state.versions import hold_versions
from odoo_shadow.shadow.state.watermarks import Scan, Watermark
from odoo_shadow.shadow.tables.apply_changes import apply_change
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.shadow.tables.ids import LiveIds, add_mark_column
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.shadow.views.catalogue import describe_table
from odoo_shadow.shadow.views.named_views import renew_due_views
from odoo_shadow.source.pages import Unreadable
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL
from odoo_shadow.source.versions import Versions
from odoo_shadow.text.log import logger

log = logger(__name__)

_Answer = TypeVar("_Answer")


class ModelRun:
    """The steps of one model's run: schema, new columns, hashes, what an earlier run left, the window, deletions."""

    def __init__(
        self,
        odoo: Source,
        hold: TableHold,
        layout: Layout,
        reading: str,
        options: MirrorOptions,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._odoo = odoo
        self._hold = hold
        self._layout = layout
        self._options = options
        self._on_progress = on_progress
        self._label: str | None = None
        self._settings = read_settings_of(reading, layout, options)
        self._why_again: ScanKind | None = None
        self._versions: Versions | None = None
        self._is_unknown = False
        """Whether the source knows versions, and not which ones the table holds: after a restore, for example."""
        self._is_compared = False
        """Whether the table holds the versions of now, since all blocks that differed have been read."""
        self._is_shared = False
        """Whether other workers of this run have read parts of the scan."""
        self._has_read_all = False
        """Whether a scan of everything has ended: the table holds at least the versions of when it began."""

    def execute(self, kept: registry.ReadSettings, replay_from: datetime | None) -> MirrorResult:
        """Bring the table up to date. Raises what `mirror_model` raises."""
        watermark, left, unfilled = self._open(kept, replay_from)
        reached, kind = self._bring_up_to_date(watermark, left, replay_from)
        unread = refresh_extra_columns(
            self._odoo, self._hold, self._layout, self._options.batch_size, self._on_progress
        )
        reread_due_rows(self._odoo, self._writer, self._options.batch_size)
        if unreadable := [*unfilled, *self._writer.unreadable, *unread]:
            raise unreadable_error(self._layout.model, unreadable)
        if self._newly_refused:
            with self._hold.transaction() as tx:
                registry.note_lost_fields(tx, self._hold.table, ())
            raise newly_refused_error(self._odoo, self._layout.model, self._newly_refused)
        if self._has_read_all:  # a backup that was restored meanwhile: there may have been no row to compare before
            check_read(self._odoo, self._hold.shadow, self._layout.model)
        with self._hold.transaction() as tx:
            self._keep_versions(tx)
            self._hold.finish(tx)
        renew_due_views(self._hold.shadow, [self._hold.table])
        return MirrorResult(
            self._layout.model,
            self._hold.table,
            kind,
            self._hold.counts,
            reached,
            self._hold.seconds,
            left is not None and not self._is_shared,
            self._writer.builder.unstorable_cells,
            not self._options.removal.removes,
            column_origins(self._layout),
        )

    def divide(self, kept: registry.ReadSettings, parts: Sequence[int]) -> None:
        """Divide the table's first load among workers of this run; do nothing if there is none to divide.

        What an earlier run left of one is divided, too. The table is released to the workers.

        :param parts: the numbers of the workers that are still to come.
        :raises OdooError, ShadowError: one side could not be asked.
        """
        hold = self._hold
        watermark, left, _ = self._open(kept, None)
        scan = left or self._open_scan(None, read_all=self._reads_all)
        if watermark is not None or scan.low is not None or scan.up_to_id is None:
            with hold.transaction() as tx:
                hold.give_back(tx)
            return
        with hold.transaction() as tx:
            ranges = read_ranges(tx, hold.table)
            begun_at = time_in_database(tx) if scan.last_id == BEFORE_ALL else None
        if not ranges:
            found = self._asked(
                partial(divide, self._odoo, self._layout.reading, scan.last_id, scan.up_to_id, len(parts))
            )
            ranges = [replace(item, begun_at=begun_at) for item in found]
        with hold.transaction() as tx:
            if left is None:
                self._note_versions_at_begin(tx)
            watermarks.save_scan(tx, hold.table, scan, 0)
            save_ranges(tx, hold.table, assigned(ranges, hold.run.id, parts))
            hold.note_divided(tx, len(ranges))
            hold.hand_over(tx)
        log.info("%s: %s, divided into %d ranges of ids", self._layout.model, ScanKind.FIRST_LOAD, len(ranges))

    def _open(
        self, kept: registry.ReadSettings, replay_from: datetime | None
    ) -> tuple[Watermark | None, Scan | None, list[Unreadable]]:
        """Get the table ready; return its watermark, the scan to resume, and records that could not fill new columns.

        The source's versions are asked for before anything is read.
        """
        if kept.read_as != self._settings.read_as:
            self._check_reading()
        self._why_again = why_read_again(kept, self._settings, self._layout.settings)
        self._versions = self._asked(lambda: self._odoo.versions(self._layout.reading))
        watermark, left = self._prepare(kept, replay_from)
        return watermark, left, self._renew_rows()

    def _asked(self, work: Callable[[], _Answer]) -> _Answer:
        """Ask the source what may take it minutes, of a very large table, and keep the table meanwhile."""
        return ask(work, while_waiting=self._hold.keep_alive, every=RENEW_EVERY.total_seconds())

    def _open_scan(self, low: datetime | None, *, read_all: bool) -> Scan:
        return self._asked(partial(open_scan, self._odoo, self._layout, low, full=read_all, run_id=self._hold.run.id))

    def _note_versions_at_begin(self, tx: Transaction) -> None:
        """Record what the table will hold at least when the scan of everything has ended that begins now."""
        note_versions(tx, self._hold.table, self._layout.reading, self._versions, is_held=False)

    def _keep_versions(self, tx: Transaction) -> None:
        """Record which versions the table holds: those of now, of when all of it began to be read, or none known."""
        if self._versions is not None and self._has_read_all and not self._is_compared:
            hold_versions(tx, self._hold.table)
        else:
            versions = self._versions if self._is_compared else None
            note_versions(tx, self._hold.table, self._layout.reading, versions)

    def _check_reading(self) -> None:
        """Make sure that a new login or language works, before everything is read again with it.

        What rarely changes is read at the same time: the model's label and its modules.
        """
        self._odoo.user_id()
        self._odoo.check_language()
        about = self._odoo.about(self._layout.model)
        self._label = about.label
        with self._hold.transaction() as tx:
            registry.note_modules(tx, self._hold.table, about.modules)

    def _prepare(
        self, kept: registry.ReadSettings, replay_from: datetime | None
    ) -> tuple[Watermark | None, Scan | None]:
        """Bring the table's columns up to date, and open it for writing.

        Returns the watermark, and the scan that an earlier run left unfinished.
        """
        table = self._hold.table
        with self._hold.transaction() as tx:
            self._newly_refused = newly_refused_fields(tx, table, self._layout, kept, self._settings.read_as or "")
            columns = [item.column for item in self._layout.all_columns]
            change = plan_change(tx, table, columns, self._layout.left_out)
            apply_change(tx, change, self._hold.run.id)
            describe_table(tx, table, self._label, self._layout.name_path, columns)
            remember_links(tx, table)
            note_left_out_fields(tx, self._layout.model, self._layout.omitted, self._layout.links)
            restrict_table(tx, table)
            if self._options.removal.marks:
                add_mark_column(tx, table)
            if change.creates:
                registry.note_settings(tx, table, self._settings)
            else:
                keep_settings(tx, table, self._layout, self._settings)
            row_hash = RowHash.of(tx, table, [item.column for item in self._layout.columns])
            revive = LiveIds.of(tx, table).has_marks
            self._writer = TableWriter(self._hold, self._layout, RowBuilder(self._layout), row_hash, revive)
            self._hashed_as = row_hash.outdated(tx)
            watermark = self._trusted(tx, watermarks.read_watermark(tx, table))
            if kept.has_failed and registry.read_status(tx, table).last_sync_at is not None:
                self._why_again = self._why_again or ScanKind.READ_AGAIN  # an earlier try has begun that
            left = self._left(watermarks.read_scan(tx, table), watermark, replay_from)
            if left is None:
                drop_ranges(tx, table)
            return watermark, left

    def _renew_rows(self) -> list[Unreadable]:
        """Fill new columns of existing rows, and compute their hashes as this run does.

        That comes before the window, so that no row looks changed there that is not.

        Returns the records that Odoo cannot give.
        """
        unfilled = fill_new_columns(
            self._odoo,
            self._hold,
            self._layout,
            self._writer.row_hash,
            self._options.batch_size,
            self._on_progress,
        )
        if self._hashed_as is not None:
            renew_hashes(self._hold, self._writer.row_hash, self._hashed_as)
        return unfilled

    def _trusted(self, tx: Transaction, watermark: Watermark | None) -> Watermark | None:
        """Forget a watermark that lies in the future: it is not known since when it has been wrong."""
        now = self._odoo.clock().latest
        if watermark is None or not lies_ahead(watermark.last_write_date, now):
            return watermark
        log.warning(
            "%s: its watermark, %s, lies in the future, so it cannot be trusted and everything is read again; "
            "check the clocks of Odoo, of proxies in front of it and of this machine (%s).",
            self._layout.model,
            watermark.last_write_date,
            now,
        )
        watermarks.forget(tx, self._hold.table)
        return None

    def _left(self, left: Scan | None, watermark: Watermark | None, replay_from: datetime | None) -> Scan | None:
        """Return the scan that an earlier run left unfinished, if it can be resumed."""
        low = self._low(watermark, replay_from, read_all=self._reads_all)
        if left is None or not can_resume(
            left,
            self._hold.run.id,
            low=low,
            full=self._options.full,
            has_cursor=self._layout.has_write_date,
            now=self._odoo.clock().latest,
        ):
            return None
        return replace(left, high=min(left.high, self._odoo.clock().trusted))

    @property
    def _reads_all(self) -> bool:
        return self._options.full or self._is_unknown or not self._layout.has_write_date

    def _low(self, watermark: Watermark | None, replay_from: datetime | None, *, read_all: bool) -> datetime | None:
        return low_end(watermark, replay_from, self._options.look_back, read_all=read_all)

    def _bring_up_to_date(
        self, watermark: Watermark | None, left: Scan | None, replay_from: datetime | None
    ) -> tuple[Watermark, ScanKind]:
        """Read what has changed: by the versions of the records where they are known, otherwise by `write_date`.

        What a person wants read again, because of its `write_date`, is read as well.
        """
        is_replay = watermark is not None and replay_from is not None and replay_from < watermark.last_write_date
        may_skip = not (self._options.full or left)
        if self._versions is not None and watermark is not None and may_skip:
            with self._hold.transaction() as tx:
                blocks = changed_blocks(tx, self._hold.table, self._versions)
            if blocks is not None:
                reached = read_changed(
                    self._odoo,
                    self._writer,
                    self._versions,
                    blocks,
                    watermark,
                    options=self._options,
                    on_progress=self._on_progress,
                )
                self._is_compared = True
                return self._read(watermark, None, replay_from) if is_replay else (reached, ScanKind.INCREMENTAL)
            self._is_unknown = True
        reached, kind = self._read(watermark, left, replay_from)
        check_ids(self._odoo, self._writer, self._options, watermark)
        return reached, kind

    def _read(
        self, watermark: Watermark | None, left: Scan | None, replay_from: datetime | None
    ) -> tuple[Watermark, ScanKind]:
        """Finish the scan that was left unfinished; read a window of this run's own, unless that scan was its own."""
        read_all = self._reads_all
        kind = kind_of(watermark, left.low if left else self._low(watermark, replay_from, read_all=read_all))
        if watermark is None and self._why_again is not None:
            kind = self._why_again
        known = watermark
        if left is not None:
            watermark = self._read_window(left, kind, known, measures_lateness=False)
            if left.run_id == self._hold.run.id:
                return watermark, kind
            read_all = False
        low = self._low(watermark, replay_from, read_all=read_all)
        scan = self._open_scan(low, read_all=read_all)
        is_replay = replay_from is not None and known is not None and replay_from < known.last_write_date
        measures_lateness = low is not None and left is None and not is_replay
        return self._read_window(scan, kind, known, measures_lateness=measures_lateness), kind

    def _read_window(
        self, scan: Scan, kind: ScanKind, known: Watermark | None, *, measures_lateness: bool
    ) -> Watermark:
        hold = self._hold
        with hold.transaction() as tx:
            ranges = read_ranges(tx, hold.table)
            begun_at = ranges[0].begun_at if ranges else None
            if scan.low is None and scan.last_id == BEFORE_ALL and not ranges:  # else an earlier try's pages may be old
                begun_at = time_in_database(tx)
                self._note_versions_at_begin(tx)
                watermarks.save_scan(tx, hold.table, scan, 0)  # with its versions: no other scan may be taken for it
            self._is_shared |= bool(ranges) and scan.run_id == hold.run.id
        went_on = f", going on after id {scan.last_id}" if scan.last_id > BEFORE_ALL else ""
        since = "everything" if scan.low is None else f"what was written since {scan.low:%Y-%m-%d %H:%M:%S} UTC"
        log.info("%s: %s, reading %s%s", self._layout.model, kind, since, ", in ranges" if ranges else went_on)
        if ranges:
            reached = read_rest(
                self._odoo,
                self._writer,
                scan,
                ranges,
                known=known,
                page_size=self._options.batch_size,
                kind=kind,
                on_progress=self._on_progress,
            )
        else:
            reached = read_window(
                self._odoo,
                self._writer,
                scan,
                known=known,
                measures_lateness=measures_lateness,
                page_size=self._options.batch_size,
                kind=kind,
                on_progress=self._on_progress,
            )
        self._has_read_all |= scan.low is None
        if begun_at is not None:
            with hold.transaction() as tx:
                note_untracked(tx, hold.table, begun_at)
        return reached
