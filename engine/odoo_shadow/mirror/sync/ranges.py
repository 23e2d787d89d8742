"""Divides a first load by ids, and reads what belongs to a range.

Ranges are even by rows where ids have gaps. Together they hold every id of the scan, whatever Odoo says of where rows
are: that only decides how even they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from math import ceil
from uuid import UUID

from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.scan import TableWriter, end_of, pages_ahead, safe_checkpoint
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.state import watermarks
from odoo_shadow.shadow.state.scan_ranges import ScanRange, counts_of, save_range
from odoo_shadow.shadow.state.watermarks import Scan, Watermark
from odoo_shadow.shadow.tables.merge import Overwrite
from odoo_shadow.shadow.tables.structure import make_index
from odoo_shadow.source.errors import OdooError
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading, Where

_NOBODY = UUID(int=0)


def divide(odoo: Source, reading: Reading, after_id: int, up_to_id: int, number: int) -> list[ScanRange]:
    """Divide the ids `after_id < id <= up_to_id` into at most a number of ranges, of about as many records each."""
    bounds = [after_id]
    with suppress(OdooError):  # then there are fewer; whoever reads them meets the reason
        rows = odoo.count(reading, Where(after_id=after_id, up_to_id=up_to_id))
        while len(bounds) < number:
            where = Where(after_id=bounds[-1], up_to_id=up_to_id)
            bound = odoo.nth_id(reading, where, max(1, ceil(rows / number)))
            if bound is None or not bounds[-1] < bound < up_to_id:
                break
            bounds.append(bound)
    ends = [*bounds[1:], up_to_id]
    return [
        ScanRange(at, low, high, low, is_ended=False, run_id=_NOBODY, part=0)
        for at, (low, high) in enumerate(zip(bounds, ends, strict=True), start=1)
    ]


def assigned(ranges: Sequence[ScanRange], run_id: UUID, parts: Sequence[int]) -> list[ScanRange]:
    """Give the ranges that are left to workers of a run, in turn."""
    left = [item for item in ranges if not item.is_read]
    part_of = {item.number: parts[place % len(parts)] for place, item in enumerate(left)}
    return [
        replace(
            item,
            run_id=run_id,
            is_ended=item.is_read,
            part=part_of.get(item.number, item.part),
            counts=counts_of([item], run_id),
        )
        for item in ranges
    ]


def read_range(
    odoo: Source, writer: TableWriter, item: ScanRange, page_size: int, on_page: Callable[[int], None]
) -> None:
    """Read what is left of a range; each page is committed with the range's checkpoint.

    :param on_page: told the id up to which has been read.
    """
    hold = writer.hold
    for page in pages_ahead(odoo, writer, after_id=item.last_id, up_to_id=item.up_to_id, page_size=page_size):
        reached = item.up_to_id if page.is_last else page.last_id
        with hold.transaction() as tx:
            merged = writer.write_page(tx, page, Overwrite.EVEN_YOUNGER, tells_older=False)
            checkpoint = safe_checkpoint(item.last_id, reached, writer.unreadable)
            save_range(tx, hold.table, item.number, checkpoint, merged.counts)
            watermarks.count_synced(tx, hold.table, merged.counts.written)
        hold.counts += merged.counts
        on_page(reached)


def read_rest(
    odoo: Source,
    writer: TableWriter,
    scan: Scan,
    ranges: Sequence[ScanRange],
    *,
    known: Watermark | None,
    page_size: int,
    kind: ScanKind,
    on_progress: Callable[[Progress], None],
) -> Watermark:
    """Read what is left of a divided scan, and end it; return the watermark that this sets."""
    hold = writer.hold
    hold.counts = counts_of(ranges, hold.run.id)
    for done, item in enumerate(ranges, start=1):
        if not item.is_read:
            read_range(odoo, writer, item, page_size, lambda _: None)
        on_progress(Progress(writer.layout.model, kind, hold.counts, done / len(ranges)))
    with hold.transaction() as tx:
        make_index(tx, hold.table)  # once, at the end: one by one, its entries would cost five times as much
        end = replace(scan, last_id=scan.up_to_id or scan.last_id, high=end_of(scan, writer.unreadable, known))
        return watermarks.finish_scan(tx, hold.table, end)
