"""Mirror tables: what columns they should have, what they have, and the statements in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.errors import ShadowConflictError


class ColumnType(StrEnum):
    """PostgreSQL types that the shadow uses, spelled as `format_type` does."""

    TEXT = "text"
    BIGINT = "bigint"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMPTZ = "timestamp with time zone"
    NUMERIC = "numeric"
    DOUBLE = "double precision"
    JSONB = "jsonb"


@dataclass(frozen=True)
class Column:
    """A column that holds an Odoo field."""

    name: str
    type: ColumnType


@dataclass(frozen=True)
class TableChange:
    """What must happen before rows can be written: the table is made, or columns are added."""

    table: str
    create: bool
    add: tuple[Column, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the table is already as it should be."""
        return not self.create and not self.add


def plan_change(tx: Transaction, table: str, columns: Sequence[Column]) -> TableChange:
    """Compare the columns that a table should have, besides the project's own, with those that it has.

    :raises ShadowConflictError: a column exists with another type.
    """
    present = _present_columns(tx, table)
    if not present:
        return TableChange(table, create=True, add=tuple(columns))
    for column in columns:
        if present.get(column.name, column.type) != column.type:
            raise ShadowConflictError(
                f"{tx.schema}.{table}: column '{column.name}' is {present[column.name]}, but Odoo's field now needs "
                f"{column.type}: rename or drop that column, and the next run adds it anew."
            )
    return TableChange(table, create=False, add=tuple(c for c in columns if c.name not in present))


def change_statements(schema: str, change: TableChange) -> list[sql.Composed]:
    """Return the statements that carry a change out; running them twice does no harm."""
    table = sql.Identifier(schema, change.table)
    if change.create:
        return [_create(table, change), _index(schema, change.table)]
    return [
        sql.SQL("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {type}").format(
            table=table, column=sql.Identifier(column.name), type=_type(column)
        )
        for column in change.add
    ]


def apply_change(tx: Transaction, change: TableChange) -> None:
    """Carry a change out in this transaction."""
    for statement in change_statements(tx.schema, change):
        tx.cursor.execute(statement)


def _present_columns(tx: Transaction, table: str) -> dict[str, str]:
    rows = tx.run(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {table} AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        schema=tx.schema,
        table=table,
    )
    return {str(name): str(kind) for name, kind in rows}


def _create(table: sql.Identifier, change: TableChange) -> sql.Composed:
    lines = [sql.SQL("{} bigint PRIMARY KEY").format(sql.Identifier(names.ID))]
    lines += [sql.SQL("{} {}").format(sql.Identifier(column.name), _type(column)) for column in change.add]
    lines += [
        sql.SQL("{} timestamptz").format(sql.Identifier(names.WRITE_DATE)),
        sql.SQL("{} timestamptz DEFAULT now()").format(sql.Identifier(names.SYNCED_AT)),
        sql.SQL("{} text").format(sql.Identifier(names.HASH)),
    ]
    return sql.SQL("CREATE TABLE IF NOT EXISTS {} (\n    {}\n)").format(table, sql.SQL(",\n    ").join(lines))


def _index(schema: str, table: str) -> sql.Composed:
    return sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({} DESC)").format(
        sql.Identifier(names.index_name(table)), sql.Identifier(schema, table), sql.Identifier(names.WRITE_DATE)
    )


def _type(column: Column) -> sql.SQL:
    return sql.SQL(column.type.value)
