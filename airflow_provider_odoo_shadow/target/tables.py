"""Mirror tables: what columns they should have, what they have, and the changes in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.base import FIELD
from airflow_provider_odoo_shadow.target.database import Transaction


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
    BIGINT_ARRAY = "bigint[]"


@dataclass(frozen=True)
class Column:
    """A column that holds an Odoo field.

    :param field: the field's name.
    :param odoo_type: Odoo's type, such as `many2one`.
    """

    name: str
    type: ColumnType
    field: str = ""
    odoo_type: str = ""


class ChangeKind(StrEnum):
    """What happens to a table or a column."""

    CREATED = "table created"
    ADDED = "column added"
    RETURNED = "column written again"
    VANISHED = "column no longer written"
    WIDENED = "type widened"
    REPLACED = "type replaced"


@dataclass(frozen=True)
class Change:
    """One change.

    :param column: None for the whole table.
    :param kept_as: what the column with the old type is called from then on, should its type not be widened.
    """

    kind: ChangeKind
    column: Column | None = None
    old_type: str | None = None
    kept_as: str = ""

    def __str__(self) -> str:
        """Return the change in words."""
        if self.column is None:
            return str(self.kind)
        if self.kind is ChangeKind.REPLACED:
            return f"{self.column.name} becomes {self.column.type}, its old values stay in {self.kept_as}"
        if self.kind is ChangeKind.WIDENED:
            return f"{self.column.name} widened from {self.old_type} to {self.column.type}"
        return f"{self.kind}: {self.column.name}"


@dataclass(frozen=True)
class TableChange:
    """What must happen before rows can be written; empty when the table is as it should be.

    :param columns: the columns that the table will have, besides the project's own.
    :param unrecorded: those that are there already, but not yet in `odoo_shadow_field`: `ddl` made them.
    """

    table: str
    changes: tuple[Change, ...] = ()
    columns: tuple[Column, ...] = field(default=(), repr=False)
    unrecorded: tuple[Column, ...] = field(default=(), repr=False)

    @property
    def creates(self) -> bool:
        """Whether the table is made anew."""
        return any(change.kind is ChangeKind.CREATED for change in self.changes)

    @property
    def to_fill(self) -> tuple[Column, ...]:
        """The columns whose values all rows lack."""
        filling = (ChangeKind.ADDED, ChangeKind.RETURNED, ChangeKind.WIDENED, ChangeKind.REPLACED)
        return tuple(change.column for change in self.changes if change.column and change.kind in filling)


# What `ALTER COLUMN … TYPE … USING` turns into the other without loss.
_WIDENING: dict[tuple[str, ColumnType], LiteralString] = {
    (ColumnType.BIGINT, ColumnType.NUMERIC): "{column}::numeric",
    (ColumnType.DOUBLE, ColumnType.NUMERIC): "{column}::text::numeric",  # the direct cast keeps 15 digits only
    (ColumnType.DATE, ColumnType.TIMESTAMPTZ): "{column}::timestamp AT TIME ZONE 'UTC'",
    **{(str(kind), ColumnType.TEXT): "{column}::text" for kind in ColumnType if kind is not ColumnType.TEXT},
}


def plan_change(tx: Transaction, table: str, columns: Sequence[Column]) -> TableChange:
    """Compare the columns that a table should have, besides the project's own, with those that it has."""
    present = present_columns(tx, table)
    if not present:
        return TableChange(table, (Change(ChangeKind.CREATED),), tuple(columns))
    active, vanished = active_columns(tx, table), _vanished(tx, table)
    changes = [_change(column, present, vanished) for column in columns]
    wanted, known = {column.name for column in columns}, {column.name for column in active}
    changes += [Change(ChangeKind.VANISHED, column) for column in active if column.name not in wanted]
    return TableChange(
        table,
        tuple(change for change in changes if change is not None),
        tuple(columns),
        tuple(item for item in columns if item.name in present and item.name not in known | vanished),
    )


def _change(column: Column, present: Mapping[str, str], vanished: set[str]) -> Change | None:
    present_type = present.get(column.name)
    if present_type is None:
        return Change(ChangeKind.ADDED, column)
    if present_type != column.type:
        kind = ChangeKind.WIDENED if (present_type, column.type) in _WIDENING else ChangeKind.REPLACED
        return Change(kind, column, present_type, names.kept_column_name(column.name, present_type, present))
    return Change(ChangeKind.RETURNED, column) if column.name in vanished else None


def widening_statement(table: sql.Identifier, change: Change) -> sql.Composed | None:
    """Return the statement that widens a column's type, None when its type cannot be widened without loss."""
    column = change.column
    using = _WIDENING.get((str(change.old_type), column.type)) if column else None
    if column is None or using is None:
        return None
    name = sql.Identifier(column.name)
    return sql.SQL("ALTER TABLE {table} ALTER COLUMN {column} TYPE {type} USING {using}").format(
        table=table, column=name, type=sql.SQL(column.type.value), using=sql.SQL(using).format(column=name)
    )


def add_statement(table: sql.Identifier, column: Column) -> sql.Composed:
    """Return the statement that adds a column; running it twice does no harm."""
    return sql.SQL("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {type}").format(
        table=table, column=sql.Identifier(column.name), type=sql.SQL(column.type.value)
    )


def create_statements(schema: str, table: str, columns: Sequence[Column]) -> list[sql.Composed]:
    """Return the statements that make a table; running them twice does no harm."""
    qualified = sql.Identifier(schema, table)
    lines = [sql.SQL("{} bigint PRIMARY KEY").format(sql.Identifier(names.ID))]
    lines += [sql.SQL("{} {}").format(sql.Identifier(item.name), sql.SQL(item.type.value)) for item in columns]
    lines += [
        sql.SQL("{} timestamptz").format(sql.Identifier(names.WRITE_DATE)),
        sql.SQL("{} timestamptz DEFAULT now()").format(sql.Identifier(names.SYNCED_AT)),
        sql.SQL("{} text").format(sql.Identifier(names.HASH)),
    ]
    return [
        sql.SQL("CREATE TABLE IF NOT EXISTS {} (\n    {}\n)").format(qualified, sql.SQL(",\n    ").join(lines)),
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({} DESC)").format(
            sql.Identifier(names.index_name(table)), qualified, sql.Identifier(names.WRITE_DATE)
        ),
    ]


def present_columns(tx: Transaction, table: str) -> dict[str, str]:
    """Return a table's columns and their types as they are, nothing when there is no such table."""
    rows = tx.run(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {table} AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        schema=tx.schema,
        table=table,
    )
    return {str(name): str(kind) for name, kind in rows}


def active_columns(tx: Transaction, table: str) -> list[Column]:
    """Return the columns that the last run wrote, by name."""
    rows = tx.run(
        "SELECT column_name, column_type, field_name, odoo_type FROM {field}"
        " WHERE table_name = {table} AND vanished_at IS NULL ORDER BY column_name",
        field=tx.own(FIELD),
        table=table,
    )
    return [Column(str(name), ColumnType(kind), str(origin), str(odoo)) for name, kind, origin, odoo in rows]


def _vanished(tx: Transaction, table: str) -> set[str]:
    rows = tx.run(
        "SELECT column_name FROM {field} WHERE table_name = {table} AND vanished_at IS NOT NULL",
        field=tx.own(FIELD),
        table=table,
    )
    return {str(row[0]) for row in rows}
