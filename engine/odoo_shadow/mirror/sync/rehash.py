"""Computes the hashes of existing rows again, from what the rows hold: Odoo is not asked.

That is due when a run hashes rows differently from the last one: the project was upgraded, a column came, went or
changed its type, or somebody changed the key.
"""

from __future__ import annotations

from odoo_shadow.mirror.sync.table_hold import TableHold
from odoo_shadow.shadow.tables.row_hash import RowHash, note_hashed, rehash_rows
from odoo_shadow.text.log import logger

log = logger(__name__)

_BATCH = 10_000
"""Rows per transaction: a second's work, far less than a lease."""


def renew_hashes(hold: TableHold, row_hash: RowHash, hashed_as: str) -> None:
    """Hash all rows of a table again; if the run ends before the last row, the next one begins again.

    :param hashed_as: what to note at the end. It was determined before the first row was hashed, so that a key that
        changes meanwhile is not noted as that of all rows.
    """
    after_id, has_rows = None, True
    while has_rows:
        is_first = after_id is None
        with hold.transaction() as tx:
            after_id = rehash_rows(tx, row_hash, after_id, _BATCH)
            has_rows = after_id is not None
            if not has_rows:
                note_hashed(tx, hold.table, hashed_as)
        if is_first and has_rows:
            log.info("%s: the hashes of all rows are computed again, from what the rows hold", hold.table)
