"""Reads rows due again: those that no `write_date` shows; see `shadow.state.due_rows`."""

from __future__ import annotations

from odoo_shadow.mirror.sync.scan import TableWriter
from odoo_shadow.shadow.state.due_rows import due_rows, forget_due, note_due
from odoo_shadow.shadow.tables.merge import Overwrite
from odoo_shadow.source.port import Source
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.log import logger

log = logger(__name__)


def reread_due_rows(odoo: Source, writer: TableWriter, page_size: int) -> None:
    """Read the rows of a table again that are due, and those that become due meanwhile.

    Rows that cannot be read or stored now are among the writer's unreadable ones, and stay due. Raises an `OdooError`.
    """
    known, done = len(writer.unreadable), set[int]()
    while True:
        with writer.hold.transaction() as tx:
            due = due_rows(tx, writer.hold.table)
        if not due.entries:
            return
        left = [item for item in due.ids if item not in done]
        if left:
            log.info(
                "%s: pointing to records that are gone, or due for another reason: %s",
                writer.layout.model,
                counted(len(left), "row"),
            )
            writer.write_ids(odoo, left, page_size, Overwrite.EVEN_YOUNGER)
            done.update(left)
        # What could not be read is due again, in the transaction in which it is forgotten.
        unread = sorted({item.id for item in writer.unreadable[known:]})
        with writer.hold.transaction() as tx:
            forget_due(tx, due)
            note_due(tx, writer.hold.table, unread)
        if not left:
            return
