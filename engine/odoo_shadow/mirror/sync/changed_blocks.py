"""Reads the blocks of ids in which something has changed, as the versions of their records show.

That finds what `write_date` does not: rows that SQL has written or a module upgrade, links of many2many that came or
went, and rows that are gone; and it waits for no clock. A block is read whole; equal rows are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.sync.deletions import check_ids, remove_ids
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.read_ahead import read_ahead
from odoo_shadow.mirror.sync.scan import TableWriter, check_copied, pages_of
from odoo_shadow.mirror.sync.window import ScanKind, open_scan
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state import watermarks
from odoo_shadow.shadow.state.lease import RENEW_EVERY
from odoo_shadow.shadow.state.versions import (
    StoredVersions,
    forget_versions,
    read_versions,
    store_blocks,
    store_versions,
)
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.merge import Overwrite
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.versions import BLOCK_IDS, Versions, ranges_of
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)

BLOCKS_AT_ONCE = 64
"""Successive blocks that are read together: their ids are held in memory."""


def changed_blocks(tx: Transaction, table: str, versions: Versions) -> list[int] | None:
    """Return the blocks of a table that have changed since it was brought up to date; None if that cannot be said."""
    known = read_versions(tx, [table]).get(table)
    return None if known is None else versions.changed_since(as_versions(known))


def as_versions(stored: StoredVersions) -> Versions:
    """Return stored versions as a source tells them."""
    return Versions(stored.basis, stored.position, stored.rows, stored.blocks)


def note_versions(
    tx: Transaction, table: str, reading: Reading, versions: Versions | None, *, is_held: bool = True
) -> None:
    """Record the versions that a table holds, now that all of it is up to date; none where the source tells none.

    :param is_held: false for those that it will hold when the scan that begins now has ended.
    """
    if versions is None:
        forget_versions(tx, table)
    else:
        stored = StoredVersions(versions.basis, versions.position, versions.rows, reading.fields, versions.blocks)
        store_versions(tx, table, stored, is_held=is_held)


def read_changed(
    odoo: Source,
    writer: TableWriter,
    versions: Versions,
    blocks: Sequence[int],
    before: Watermark,
    *,
    options: MirrorOptions,
    on_progress: Callable[[Progress], None],
) -> Watermark:
    """Bring the rows of some blocks up to date, and remove those that are gone; return the new watermark.

    :param versions: of all blocks, read before this: a row that changes meanwhile is read again by the next run.
    :param before: the watermark before this run.
    :raises MassDeletionError: a suspicious share of the table's rows is gone; nothing is removed then.
    """
    hold, layout = writer.hold, writer.layout
    low = before.last_write_date if layout.has_write_date else None
    scan = open_scan(odoo, layout, low, full=False, run_id=hold.run.id)
    ranges = ranges_of(blocks, BLOCKS_AT_ONCE)
    log.info(
        "%s: %s changed, of %d",
        layout.model,
        counted(len(blocks), "block of ids", "blocks of ids"),
        len(versions.blocks),
    )
    gone: list[int] = []
    for at, (after_id, up_to_id) in enumerate(ranges, start=1):
        gone += _read_range(odoo, writer, versions, after_id, up_to_id, options)
        on_progress(Progress(layout.model, ScanKind.INCREMENTAL, hold.counts, at / len(ranges)))
    if options.removal.removes:
        remove_ids(odoo, writer, gone, options)
    with hold.transaction() as tx:
        total = LiveIds.of(tx, hold.table).total(tx)
    if total != versions.rows - len(writer.unreadable):  # rows came and went meanwhile, or somebody wrote the table
        check_ids(odoo, writer, options, before)
    with hold.transaction() as tx:
        return watermarks.finish_scan(tx, hold.table, replace(scan, high=_end_of(scan.high, writer, before)))


def _end_of(high: datetime, writer: TableWriter, before: Watermark) -> datetime:
    return before.last_write_date if writer.unreadable else high


def _read_range(
    odoo: Source, writer: TableWriter, versions: Versions, after_id: int, up_to_id: int, options: MirrorOptions
) -> list[int]:
    """Read a range of ids; return the ids of rows that are gone. What is done is not done again by a later try."""
    hold, unreadable = writer.hold, len(writer.unreadable)
    listed: set[int] = set()
    reached = after_id
    pages = pages_of(odoo, writer.layout, after_id=after_id, up_to_id=up_to_id, page_size=options.batch_size)
    for page in read_ahead(pages, while_waiting=hold.keep_alive, every=RENEW_EVERY.total_seconds()):
        listed |= _ids_of(odoo, writer, page, reached)
        reached = page.last_id
        _write(writer, page)
    noted = {item.id for item in writer.unreadable[unreadable:]}
    with hold.transaction() as tx:
        gone = sorted(LiveIds.of(tx, hold.table).listed(tx, after_id, up_to_id) - listed - noted)
        if not gone and not noted:
            first, last = (after_id + 1) // BLOCK_IDS, up_to_id // BLOCK_IDS
            found = {block: versions.blocks[block] for block in range(first, last + 1) if block in versions.blocks}
            store_blocks(tx, hold.table, found)
    return gone


def _ids_of(odoo: Source, writer: TableWriter, page: Page | CopyPage, after_id: int) -> set[int]:
    if isinstance(page, CopyPage):
        return set(check_copied(odoo, writer.layout, page, after_id))
    return {one for record in page.records if isinstance(one := record["id"], int)}


def _write(writer: TableWriter, page: Page | CopyPage) -> None:
    with writer.hold.transaction() as tx:
        merged = writer.write_page(tx, page, Overwrite.CHANGED)
        watermarks.count_synced(tx, writer.hold.table, merged.counts.written)
    writer.hold.counts += merged.counts
