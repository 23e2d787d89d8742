"""Mirror tables for tests, made by the parts that a run makes them with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import uuid4

from psycopg import sql

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.tables.apply_changes import apply_change
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.shadow.tables.merge import merge_rows
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.shadow.tables.staging import Row
from odoo_shadow.shadow.views.catalogue import describe_table

NAME = Column("name", ColumnType.TEXT)
COLUMNS = ("id", "_odoo_write_date", "name")
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


def make_base(shadow: ShadowDatabase) -> None:
    """Make the schema as a run does."""
    with shadow.transaction() as tx:
        ensure_base(tx)


def make_table(
    shadow: ShadowDatabase,
    model: str = "res.partner",
    columns: Iterable[Column] = (NAME,),
    *,
    label: str = "",
    name_path: str | None = None,
    left_out: Iterable[str] = (),
) -> str:
    """Make or change a model's table as a run does; return its name."""
    make_base(shadow)
    wanted = tuple(columns)
    with shadow.transaction() as tx:
        table = registry.register_table(tx, model)
        apply_change(tx, plan_change(tx, table, wanted, set(left_out)), run_id=uuid4())
        describe_table(tx, table, label, name_path, wanted)
    return table


def merge(shadow: ShadowDatabase, table: str, *rows: Row, columns: Iterable[str] = COLUMNS) -> RowCounts:
    """Merge rows in a transaction of their own."""
    with shadow.transaction() as tx:
        return merge_rows(tx, hash_of(tx, table, columns), list(columns), rows).counts


def hash_of(tx: Transaction, table: str, columns: Iterable[str] = COLUMNS) -> RowHash:
    """Return how a run hashes rows of these columns, `id` and `_odoo_write_date` before the fields'."""
    return RowHash.of(tx, table, [Column(name, ColumnType.TEXT, name) for name in tuple(columns)[2:]])


def row(number: int, name: str | None, write_date: datetime | None = NOON) -> Row:
    """A row as a run has it."""
    return (number, None if write_date is None else write_date.isoformat(), name)


def rows_of(shadow: ShadowDatabase, table: str, columns: Iterable[str] = COLUMNS) -> list[tuple[object, ...]]:
    """All rows of a table, by id."""
    with shadow.transaction() as tx:
        return tx.run(
            "SELECT {columns} FROM {table} ORDER BY id",
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            table=tx.own(table),
        )
