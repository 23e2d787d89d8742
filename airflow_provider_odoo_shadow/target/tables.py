"""Mirror tables: what columns they should have, what they have, and the changes in between."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.descriptions import UNDESCRIBED, Description, storable
from airflow_provider_odoo_shadow.target.relations import FIELD


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
    description: Description = UNDESCRIBED


class ChangeKind(StrEnum):
    """What happens to a table or a column."""

    CREATED = "table created"
    ADDED = "column added"
    RETURNED = "column written again"
    VANISHED = "column no longer written"
    EMPTIED = "column emptied"
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


@dataclass(frozen=True)
class _Recorded:
    """A column as `odoo_shadow_field` tells of it."""

    column: Column
    is_active: bool
    is_emptied: bool


def plan_change(
    tx: Transaction, table: str, columns: Sequence[Column], left_out: Collection[str] = frozenset()
) -> TableChange:
    """Compare the columns that a table should have, besides the project's own, with those that it has.

    :param left_out: fields that Odoo has and the mirror must not, or no longer, have: their values are removed. Those
        of a field that is gone from Odoo stay.
    """
    present = present_columns(tx, table)
    if not present:
        return TableChange(table, (Change(ChangeKind.CREATED),), tuple(columns))
    recorded, hidden = _recorded_columns(tx, table), {storable(name) for name in left_out}
    wanted = {column.name for column in columns}
    changes = [change for item in columns for change in _changes(item, present, recorded.get(item.name), hidden)]
    others = [item for name, item in recorded.items() if name not in wanted]
    changes += [change for item in others for change in _endings(item, present, hidden)]
    return TableChange(
        table,
        tuple(changes),
        tuple(columns),
        tuple(item for item in columns if item.name in present and item.name not in recorded),
    )


def _changes(
    column: Column, present: Mapping[str, str], recorded: _Recorded | None, hidden: Collection[str]
) -> Iterator[Change]:
    present_type = present.get(column.name)
    if present_type is None:
        yield Change(ChangeKind.ADDED, column)
        return
    before = recorded.column.field if recorded is not None else ""
    is_anothers = bool(before and column.field) and before != storable(column.field)
    can_widen = (present_type, column.type) in _WIDENING
    keeps_aside = present_type != column.type and not can_widen
    if recorded is not None and is_anothers and not recorded.is_emptied and (not keeps_aside or before in hidden):
        yield Change(ChangeKind.EMPTIED, recorded.column)
    if present_type != column.type:
        kind = ChangeKind.WIDENED if can_widen else ChangeKind.REPLACED
        yield Change(kind, column, present_type, names.kept_column_name(column.name, present_type, present))
    elif recorded is not None and (is_anothers or not recorded.is_active):
        yield Change(ChangeKind.RETURNED, column)


def _endings(recorded: _Recorded, present: Mapping[str, str], hidden: Collection[str]) -> Iterator[Change]:
    """Tell what becomes of a column that is written no more."""
    column = recorded.column
    if column.name in present and column.field in hidden and not recorded.is_emptied:
        yield Change(ChangeKind.EMPTIED, column)
    elif recorded.is_active:
        yield Change(ChangeKind.VANISHED, column)


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


def _recorded_columns(tx: Transaction, table: str) -> dict[str, _Recorded]:
    rows = tx.run(
        "SELECT column_name, column_type, field_name, odoo_type, vanished_at IS NULL, emptied_at IS NOT NULL"
        " FROM {field} WHERE table_name = {table} ORDER BY column_name",
        field=tx.own(FIELD),
        table=table,
    )
    return {
        str(name): _Recorded(Column(str(name), ColumnType(kind), str(origin), str(odoo)), is_active, is_emptied)
        for name, kind, origin, odoo, is_active, is_emptied in rows
    }
