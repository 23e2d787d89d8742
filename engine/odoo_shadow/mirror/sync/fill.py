"""Fills columns of existing rows: new columns, and those of fields that Odoo does not store.

Only these columns are read, for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.read_ahead import read_ahead
from odoo_shadow.mirror.sync.refusals import check_number, unstorable
from odoo_shadow.mirror.sync.table_hold import TableHold
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.lease import RENEW_EVERY
from odoo_shadow.shadow.tables.apply_changes import columns_to_fill, fill_checkpoint, finish_fill, save_fill
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.shadow.tables.merge import Filled, fill_columns, refresh_columns
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.shadow.tables.staging import Row
from odoo_shadow.source.pages import Page, Unreadable, share_read
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL
from odoo_shadow.text.log import logger

log = logger(__name__)

_BEFORE_CELLS = 2  # id, _odoo_write_date


def fill_new_columns(
    odoo: Source,
    hold: TableHold,
    layout: Layout,
    row_hash: RowHash,
    page_size: int,
    on_progress: Callable[[Progress], None],
) -> list[Unreadable]:
    """Fill the columns that some rows still lack, from where an earlier try stopped.

    :param row_hash: how the table's rows are hashed, including these columns.

    Returns the records that Odoo cannot give or the table cannot take; the next try fills the columns from the first of
    them on.
    """
    unreadable: list[Unreadable] = []
    with hold.transaction() as tx:
        unfilled = {column.name for column in columns_to_fill(tx, hold.table)}
        after_id = fill_checkpoint(tx, hold.table)
    filled = layout.restricted(unfilled & {item.column.name for item in layout.columns}, cursor=False)
    if not filled.columns:
        return unreadable
    builder = RowBuilder(filled)

    def fill(tx: Transaction, columns: Sequence[str], rows: Sequence[Row]) -> Filled:
        return fill_columns(tx, row_hash, columns, rows)

    for page, share in _pages(odoo, hold, filled, BEFORE_ALL if after_id is None else after_id, page_size):
        with hold.transaction() as tx:
            unreadable += _write(tx, builder, page, fill)[1]
            if not unreadable:  # the checkpoint does not pass what could not be read
                save_fill(tx, hold.table, page.last_id)
                if page.is_last:
                    finish_fill(tx, hold.table, _names(filled))
        check_number(layout.model, unreadable)
        on_progress(Progress(layout.model, ScanKind.FILL, hold.counts, share))
    return unreadable


def refresh_extra_columns(
    odoo: Source,
    hold: TableHold,
    layout: Layout,
    page_size: int,
    on_progress: Callable[[Progress], None],
) -> list[Unreadable]:
    """Read the fields that Odoo does not store again for all rows, and write the rows whose values changed.

    Returns the records that Odoo cannot give or the table cannot take.
    """
    unreadable: list[Unreadable] = []
    extra = layout.restricted((item.column.name for item in layout.extra), cursor=False)
    builder = RowBuilder(extra)

    def refresh(tx: Transaction, columns: Sequence[str], rows: Sequence[Row]) -> Filled:
        return refresh_columns(tx, hold.table, columns, rows)

    for page, share in _pages(odoo, hold, extra, BEFORE_ALL, page_size) if extra.columns else ():
        with hold.transaction() as tx:
            changed, unread = _write(tx, builder, page, refresh)
            unreadable += unread
            if page.is_last and not unreadable:
                finish_fill(tx, hold.table, _names(extra))
        hold.counts += RowCounts(updated=changed)
        check_number(layout.model, unreadable)
        on_progress(Progress(layout.model, ScanKind.REFRESH, hold.counts, share))
    return unreadable


def _pages(
    odoo: Source, hold: TableHold, layout: Layout, after_id: int, page_size: int
) -> Iterator[tuple[Page, float]]:
    """Yield pages of the existing rows, each with the share that has been read, 0 to 1."""
    log.info("%s: filling %s", layout.model, ", ".join(_names(layout)))
    with hold.transaction() as tx:
        up_to_id = LiveIds.of(tx, hold.table).highest(tx)
    pages = odoo.pages(layout.reading, after_id=after_id, up_to_id=up_to_id, page_size=page_size)
    for page in read_ahead(pages, while_waiting=hold.keep_alive, every=RENEW_EVERY.total_seconds()):
        yield page, share_read(page, up_to_id)


def _write(
    tx: Transaction,
    builder: RowBuilder,
    page: Page,
    write: Callable[[Transaction, Sequence[str], Sequence[Row]], Filled],
) -> tuple[int, list[Unreadable]]:
    """Write the columns of a page; return how many rows changed, and the records that could not be read or written."""
    missing: list[Unreadable] = [page.unreadable] if page.unreadable else []
    if not page.records:
        return 0, missing
    built = builder.build(page.records)
    rows = [(row[0], *row[_BEFORE_CELLS:]) for row in built.rows]
    filled = write(tx, [names.ID, *_names(builder.layout)], rows)
    return filled.changed, [*missing, *unstorable(builder.layout, page.records, [*built.refused, *filled.refused])]


def _names(layout: Layout) -> list[str]:
    return [item.column.name for item in layout.columns]
