"""Reads a window page by page into its table; each page is committed with its checkpoint."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, Layout
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.read_ahead import read_ahead
from odoo_shadow.mirror.sync.refusals import check_number, unstorable
from odoo_shadow.mirror.sync.table_hold import Hold
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry, watermarks
from odoo_shadow.shadow.state.due_rows import note_due
from odoo_shadow.shadow.state.lease import RENEW_EVERY
from odoo_shadow.shadow.state.watermarks import Scan, Watermark
from odoo_shadow.shadow.tables.merge import Merged, Overwrite, merge_rows
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.shadow.tables.staging import CopyText, Refused, Row
from odoo_shadow.shadow.tables.structure import make_index
from odoo_shadow.source.errors import misfit
from odoo_shadow.source.pages import CopyPage, Page, Unreadable, share_read
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import EVERYWHERE, Where
from odoo_shadow.source.types import Record
from odoo_shadow.source.values import moment_in
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

LATER = timedelta(minutes=10)
"""When a row is read again that was older in Odoo than here: by then a replica that lags has caught up; if the row is
still older, it or a clock was really set back."""


_NOTHING = Merged(RowCounts())


@dataclass
class TableWriter:
    """Writes records of one model into its table.

    :param row_hash: how its rows are hashed.
    :param revive: whether the table marks rows that are gone.
    :param unreadable: records that Odoo could not give, or that the table could not take, so far.
    """

    hold: Hold
    layout: Layout
    builder: RowBuilder
    row_hash: RowHash
    revive: bool
    unreadable: list[Unreadable] = field(default_factory=list)

    def write(
        self, tx: Transaction, records: Sequence[Record], overwrite: Overwrite, *, tells_older: bool = True
    ) -> Merged:
        """Merge records and count them, in this transaction; note those that the table cannot take.

        Rows that are older in Odoo than here become due later.

        :raises RefusedRecordsError: the table cannot take too many of them.
        """
        built = self.builder.build(records)
        merged = self._merge(tx, built.rows, overwrite, tells_older=tells_older)
        self._note_refused(records, [*built.refused, *merged.refused])
        return merged

    def _write_text(self, tx: Transaction, text: CopyText, overwrite: Overwrite, tells_older: bool) -> Merged:
        merged = self._merge(tx, text, overwrite, tells_older=tells_older)
        if merged.refused:
            self._note_refused([{"id": row[0], WRITE_DATE_FIELD: row[1]} for row in text.rows()], merged.refused)
        return merged

    def _merge(
        self, tx: Transaction, rows: Sequence[Row] | CopyText, overwrite: Overwrite, *, tells_older: bool
    ) -> Merged:
        merged = merge_rows(
            tx,
            self.row_hash,
            self.builder.columns,
            rows,
            overwrite=overwrite,
            revive=self.revive,
            tells_older=tells_older,
        )
        if merged.older:
            log.info("%s: older in Odoo than here: %s", self.layout.model, counted(len(merged.older), "row"))
            note_due(tx, self.hold.table, merged.older, after=LATER)
        registry.count_rows(tx, self.hold.table, merged.counts.inserted + merged.revived)
        return merged

    def _note_refused(self, records: Sequence[Record], refused: Sequence[Refused]) -> None:
        self.unreadable += unstorable(self.layout, records, refused)
        check_number(self.layout.model, self.unreadable)

    def write_page(
        self, tx: Transaction, page: Page | CopyPage, overwrite: Overwrite, *, tells_older: bool = True
    ) -> Merged:
        """Merge a page, which may be text, and note the record that Odoo could not give."""
        if isinstance(page, CopyPage):
            return self._write_text(tx, CopyText(page.text), overwrite, tells_older) if page.text else _NOTHING
        self.unreadable += [page.unreadable] if page.unreadable else []
        return self.write(tx, page.records, overwrite, tells_older=tells_older) if page.records else _NOTHING

    def write_ids(self, odoo: Source, ids: Sequence[int], page_size: int, overwrite: Overwrite = Overwrite.ALL) -> None:
        """Read some records again and write them. The ids are in ascending order."""
        reading = self.layout.reading
        for start in range(0, len(ids), page_size):
            chunk = list(ids[start : start + page_size])
            for page in odoo.pages(reading, Where(ids=tuple(chunk)), up_to_id=chunk[-1], page_size=page_size):
                self.unreadable += [page.unreadable] if page.unreadable else []
                if page.records:
                    with self.hold.transaction() as tx:
                        merged = self.write(tx, page.records, overwrite)
                        watermarks.count_synced(tx, self.hold.table, merged.counts.written)
                    self.hold.counts += merged.counts


def read_window(
    odoo: Source,
    writer: TableWriter,
    scan: Scan,
    *,
    known: Watermark | None,
    measures_lateness: bool,
    page_size: int,
    kind: ScanKind,
    on_progress: Callable[[Progress], None],
) -> Watermark:
    """Read what is left of a window; return the watermark that its last page sets.

    :param known: the watermark before.
    :param measures_lateness: whether a changed row that was written before the watermark was committed late.
    """
    where = Where(written_since=scan.low)
    for page in pages_ahead(odoo, writer, where, after_id=scan.last_id, up_to_id=scan.up_to_id, page_size=page_size):
        reached = _write_page(writer, scan, page, known, measures_lateness=measures_lateness)
        on_progress(Progress(writer.layout.model, kind, writer.hold.counts, share_read(page, scan.up_to_id)))
        if reached is not None:
            return reached
    raise AssertionError("pages end with a last page")


def pages_ahead(
    odoo: Source,
    writer: TableWriter,
    where: Where = EVERYWHERE,
    *,
    after_id: int,
    up_to_id: int | None,
    page_size: int,
) -> Iterator[Page | CopyPage]:
    """Yield the pages of `pages_of`, checked; each is fetched while the one before it is written."""
    pages = pages_of(odoo, writer.layout, where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)
    for page in read_ahead(pages, while_waiting=writer.hold.keep_alive, every=RENEW_EVERY.total_seconds()):
        if isinstance(page, CopyPage):
            check_copied(odoo, writer.layout, page, after_id)
        after_id = page.last_id
        yield page


def pages_of(
    odoo: Source,
    layout: Layout,
    where: Where = EVERYWHERE,
    *,
    after_id: int,
    up_to_id: int | None,
    page_size: int,
) -> Iterator[Page | CopyPage]:
    """Yield records page by page, in COPY's format if the source and the layout allow it."""
    reading = layout.reading
    if layout.may_be_copied:
        copied = odoo.copy_pages(reading, where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)
        if copied is not None:
            return copied
    return odoo.pages(reading, where, after_id=after_id, up_to_id=up_to_id, page_size=page_size)


def check_copied(odoo: Source, layout: Layout, page: CopyPage, after_id: int) -> list[int]:
    """Return the ids of a page's lines, which are those after an id: of Python values the source has looked at each.

    :raises OdooServerError: they are not.
    """
    lines = page.text[:-1].split(b"\n") if page.text.endswith(b"\n") else [b""] if page.text else []
    try:
        ids = [after_id, *(int(line.partition(b"\t")[0]) for line in lines)]
    except ValueError:
        ids = [after_id, after_id]
    is_ascending = all(one < other for one, other in itertools.pairwise(ids))
    if not is_ascending or ids[-1] > page.last_id or (ids[-1] < page.last_id and not page.is_last):
        what = f"text for COPY without ascending ids after {after_id}, up to {page.last_id}"
        raise misfit(f"{odoo.access}: {layout.model}", what)
    return ids[1:]


def _write_page(
    writer: TableWriter, scan: Scan, page: Page | CopyPage, known: Watermark | None, *, measures_lateness: bool
) -> Watermark | None:
    """Write a page, its checkpoint and, with the last page, the watermark, in one transaction."""
    hold, is_window = writer.hold, scan.low is not None
    overwrite = Overwrite.CHANGED if is_window else Overwrite.EVEN_YOUNGER
    with hold.transaction() as tx:
        merged = writer.write_page(tx, page, overwrite, tells_older=is_window)
        read_so_far = replace(scan, last_id=safe_checkpoint(scan.last_id, page.last_id, writer.unreadable))
        watermarks.save_scan(tx, hold.table, read_so_far, merged.counts.written)
        if measures_lateness and known is not None and merged.oldest is not None:
            watermarks.note_late_commit(tx, hold.table, known.last_write_date - merged.oldest)
        reached = None
        if page.is_last:
            if not is_window:
                make_index(tx, hold.table)  # one by one, its entries would cost five times as much
            end = replace(read_so_far, high=end_of(scan, writer.unreadable, known))
            reached = watermarks.finish_scan(tx, hold.table, end)
    hold.counts += merged.counts
    return reached


def safe_checkpoint(before: int, reached: int, unreadable: Sequence[Unreadable]) -> int:
    """Return the id up to which a later try need not read; it stays before the first unreadable record.

    :param before: where this try began.
    :param reached: how far it has come.
    """
    first = min((item.id for item in unreadable if item.id > before), default=None)
    return reached if first is None else max(before, min(reached, first - 1))


def end_of(scan: Scan, unreadable: Sequence[Unreadable], known: Watermark | None) -> datetime:
    """Return the next watermark: the window's end, but never beyond a record that could not be read."""
    if not unreadable:
        return scan.high
    moments = [moment_in(item.write_date) for item in unreadable if item.write_date is not None]
    dated = [moment for moment in moments if moment is not None]
    if len(dated) < len(unreadable):
        return known.last_write_date if known else watermarks.NEVER
    return max(watermarks.NEVER, min(scan.high, *dated))
