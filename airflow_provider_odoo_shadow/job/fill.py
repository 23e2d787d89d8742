"""Fills columns that were added after rows were there: that column alone is read, for all rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from airflow_provider_odoo_shadow.job.columns import Layout
from airflow_provider_odoo_shadow.job.progress import Progress
from airflow_provider_odoo_shadow.job.read_ahead import read_ahead
from airflow_provider_odoo_shadow.job.rows import RowBuilder
from airflow_provider_odoo_shadow.job.table_hold import TableHold
from airflow_provider_odoo_shadow.job.window import Kind
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.pages import BEFORE_ALL, Page, Unreadable, read_pages
from airflow_provider_odoo_shadow.target import drift, names
from airflow_provider_odoo_shadow.target.ids import LiveIds
from airflow_provider_odoo_shadow.target.lease import RENEW_EVERY
from airflow_provider_odoo_shadow.target.merge import fill_columns

log = logging.getLogger(__name__)

_BEFORE_CELLS = 3  # id, _odoo_write_date, _sync_hash


def fill_new_columns(
    odoo: OdooClient,
    hold: TableHold,
    layout: Layout,
    page_size: int,
    on_progress: Callable[[Progress], None],
) -> list[Unreadable]:
    """Fill the columns that not all rows have been given; goes on where an earlier try stopped.

    Returns the records that Odoo cannot give; the columns stay to be filled from the first of them on.
    """
    unreadable: list[Unreadable] = []
    with hold.transaction() as tx:
        unfilled = {column.name for column in drift.columns_to_fill(tx, hold.table)}
        if not unfilled:
            return unreadable
        after_id, up_to_id = drift.fill_checkpoint(tx, hold.table), LiveIds.of(tx, hold.table).highest(tx)
    columns = tuple(item for item in layout.columns if item.column.name in unfilled)
    log.info("%s: filling %s", layout.model, ", ".join(item.column.name for item in columns))
    builder = RowBuilder(replace(layout, columns=columns, has_write_date=False))
    pages = read_pages(
        odoo,
        layout.model,
        builder.layout.fields,
        after_id=BEFORE_ALL if after_id is None else after_id,
        up_to_id=up_to_id,
        page_size=page_size,
    )
    for page in read_ahead(pages, while_waiting=hold.keep_alive, every=RENEW_EVERY.total_seconds()):
        unreadable += [page.unreadable] if page.unreadable else []
        _fill_page(hold, builder, page, is_readable=not unreadable)
        on_progress(Progress(layout.model, Kind.FILL, hold.counts, page.share_of(up_to_id)))
    return unreadable


def _fill_page(hold: TableHold, builder: RowBuilder, page: Page, *, is_readable: bool) -> None:
    """Fill a page's rows.

    :param is_readable: whether everything up to here was; the checkpoint does not pass what was not.
    """
    with hold.transaction() as tx:
        if page.records:
            columns = [names.ID, *builder.columns[_BEFORE_CELLS:]]
            rows = ((row[0], *row[_BEFORE_CELLS:]) for row in builder.rows(page.records))
            fill_columns(tx, hold.table, columns, rows)
        if is_readable:
            drift.save_fill(tx, hold.table, page.last_id)
            if page.is_last:
                drift.finish_fill(tx, hold.table)
