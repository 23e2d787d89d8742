"""Reads rows again that are due although no `write_date` tells: see `target.due_rows`."""

from __future__ import annotations

from airflow_provider_odoo_shadow.job.scan import TableWriter
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.target.due_rows import due_rows, forget_due
from airflow_provider_odoo_shadow.target.merge import Overwrite
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)


def reread_due_rows(odoo: OdooClient, writer: TableWriter, page_size: int) -> None:
    """Read the rows of a table again that are due; those that become so meanwhile, too. Raises an `OdooError`."""
    while True:
        with writer.hold.transaction() as tx:
            due = due_rows(tx, writer.hold.table)
        if not due.entries:
            return
        if due.ids:
            log.info("%s: %d rows point to what is gone, or are due otherwise", writer.layout.model, len(due.ids))
        writer.write_ids(odoo, due.ids, page_size, Overwrite.EVEN_YOUNGER)
        with writer.hold.transaction() as tx:
            forget_due(tx, due)
