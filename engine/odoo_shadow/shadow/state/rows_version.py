"""`rows_version`: a number of each table that grows with every transaction that changes what readers see of its rows.

So an unchanged number means unchanged rows, and whoever has read them need not read them again. Whatever writes a
mirrored table says so here: `tests/mirror/test_rows_version.py` compares the number with the rows after each writer.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import META


def change_rows(tx: Transaction, table: str, template: LiteralString, /, **parts: object) -> int:
    """Run an UPDATE or a DELETE of a mirrored table's rows; return how many it changed."""
    tx.run(template, **parts)
    changed = tx.cursor.rowcount
    note_changed(tx, table, changed)
    return changed


def note_changed(tx: Transaction, table: str, changed: int = 1) -> None:
    """Let a table's version grow at the end of this transaction, unless nothing has changed."""
    if changed > 0:
        statement = sql.SQL("UPDATE {} SET rows_version = rows_version + 1 WHERE table_name = {}")
        tx.run_last(f"rows_version {table}", statement.format(tx.own(META), table))
