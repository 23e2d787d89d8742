"""What becomes of rows that are gone from Odoo, for each way to mirror deletions."""

from __future__ import annotations

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.tables.ids import LiveIds, add_mark_column
from tests.support.tables import make_table, merge, row, rows_of

OUTCOMES = {OnDelete.DELETE: (1, {2}, {2}), OnDelete.MARK: (1, {1, 2}, {2}), OnDelete.IGNORE: (0, {1, 2}, {1, 2})}
"""How many went, which rows are there afterwards, and which of them are live."""


@pytest.mark.parametrize("on_delete", OnDelete)
def test_rows_that_are_gone_from_odoo(shadow: ShadowDatabase, on_delete: OnDelete) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, "gone"), row(2, "there"))
    with shadow.transaction() as tx:
        if on_delete is OnDelete.MARK:
            add_mark_column(tx, table)
        live = LiveIds.of(tx, table)
        removed = live.remove(tx, [1], on_delete)
        listed = live.listed(tx, None, None)
    assert (removed, {number for (number,) in rows_of(shadow, table, ("id",))}, listed) == OUTCOMES[on_delete]
