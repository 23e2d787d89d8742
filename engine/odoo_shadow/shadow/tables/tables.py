"""The changes of a table's structure, and the statements that carry them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import Column, ColumnType


class ChangeKind(StrEnum):
    """What happens to a table or a column."""

    CREATED = "table created"
    TAKEN_OVER = "table taken over"
    KEYED = "primary key made"
    INDEXED = "index made"
    ADDED = "column added"
    ADOPTED = "column taken over"
    SET_ASIDE = "column set aside"
    RETURNED = "column written again"
    VANISHED = "column no longer written"
    EMPTIED = "column emptied"
    WIDENED = "type widened"
    REPLACED = "type replaced"


@dataclass(frozen=True)
class Change:
    """One change of a table or of one of its columns.

    :param column: None for the whole table.
    :param kept_as: the new name of the present column, if it does not become this one.
    :param oddity: what keeps the present column from becoming this one, in words.
    """

    kind: ChangeKind
    column: Column | None = None
    old_type: str | None = None
    kept_as: str = ""
    oddity: str = ""

    def __str__(self) -> str:
        """Return the change in words."""
        if self.column is None:
            return str(self.kind)
        if self.kind is ChangeKind.REPLACED:
            return f"{self.column.name} becomes {self.column.type}, its old values stay in {self.kept_as}"
        if self.kind is ChangeKind.WIDENED:
            return f"{self.column.name} widened from {self.old_type} to {self.column.type}"
        if self.kind is ChangeKind.SET_ASIDE:
            return f"{self.column.name} is not the mirror's own, because {self.oddity}, and becomes {self.kept_as}"
        return f"{self.kind}: {self.column.name}"

    @property
    def is_of_field(self) -> bool:
        """Whether it concerns a field's column, rather than one of the project's own or the whole table."""
        return self.column is not None and self.column.name not in names.OWN_COLUMNS


@dataclass(frozen=True)
class TableChange:
    """What must happen before rows can be written; empty when the table is as it should be.

    :param columns: the columns that the table will have, in addition to the project's own.
    :param adopted: those that exist already and become the mirror's own as they are: no row lacks their values, or all
        rows are read again anyway.
    :param moved: columns that the mirror created and somebody renamed, or that are set aside: their names in the
        control tables and their new names.
    :param is_unknown: whether the control tables are about another table.
    """

    table: str
    changes: tuple[Change, ...] = ()
    columns: tuple[Column, ...] = field(default=(), repr=False)
    adopted: tuple[Column, ...] = field(default=(), repr=False)
    moved: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    is_unknown: bool = field(default=False, repr=False)

    @property
    def creates(self) -> bool:
        """Whether the table is created."""
        return any(change.kind is ChangeKind.CREATED for change in self.changes)

    @property
    def to_fill(self) -> tuple[Column, ...]:
        """The columns that have to be filled in all rows."""
        filled = (item for item in self.changes if item.is_of_field and item.kind in _FILLED)
        return tuple(item.column for item in filled if item.column)

    @property
    def made_own(self) -> frozenset[str]:
        """The project's own columns that the mirror creates or takes over."""
        return frozenset(change.column.name for change in self.changes if change.column and not change.is_of_field)

    @property
    def is_read_again(self) -> bool:
        """Whether the origin of the table's rows is not known, so that all of them are read again."""
        return self.is_unknown or names.WRITE_DATE in self.made_own


_FILLED = frozenset(
    {
        ChangeKind.ADDED,
        ChangeKind.ADOPTED,
        ChangeKind.SET_ASIDE,
        ChangeKind.RETURNED,
        ChangeKind.WIDENED,
        ChangeKind.REPLACED,
    }
)

# The conversions for `ALTER COLUMN … TYPE … USING` that lose nothing.
_WIDENING: dict[tuple[str, ColumnType], LiteralString] = {
    (ColumnType.BIGINT, ColumnType.NUMERIC): "{column}::numeric",
    (ColumnType.DOUBLE, ColumnType.NUMERIC): "{column}::text::numeric",  # the direct cast keeps 15 digits only
    (ColumnType.DATE, ColumnType.TIMESTAMPTZ): "{column}::timestamp AT TIME ZONE 'UTC'",
    **{(str(kind), ColumnType.TEXT): "{column}::text" for kind in ColumnType if kind is not ColumnType.TEXT},
}


def can_widen(old: str, new: ColumnType) -> bool:
    """Say whether one type can be converted to the other without loss."""
    return (old, new) in _WIDENING


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
    """Return the statement that adds a column that is not there."""
    return sql.SQL("ALTER TABLE {table} ADD COLUMN {column} {type}").format(
        table=table, column=sql.Identifier(column.name), type=sql.SQL(column.type.value)
    )


def create_statement(schema: str, table: str, columns: Sequence[Column]) -> sql.Composed:
    """Return the statement that creates a table, without its index on `_odoo_write_date`; twice does no harm."""
    lines = [sql.SQL("{} bigint PRIMARY KEY").format(sql.Identifier(names.ID))]
    lines += [sql.SQL("{} {}").format(sql.Identifier(item.name), sql.SQL(item.type.value)) for item in columns]
    lines += [
        sql.SQL("{} timestamptz").format(sql.Identifier(names.WRITE_DATE)),
        sql.SQL("{} timestamptz DEFAULT now()").format(sql.Identifier(names.SYNCED_AT)),
        sql.SQL("{} text").format(sql.Identifier(names.HASH)),
    ]
    return sql.SQL("CREATE TABLE IF NOT EXISTS {} (\n    {}\n)").format(
        sql.Identifier(schema, table), sql.SQL(",\n    ").join(lines)
    )


def create_statements(schema: str, table: str, columns: Sequence[Column]) -> list[sql.Composed]:
    """Return the statements that create a table and its index; running them twice does no harm."""
    return [
        create_statement(schema, table, columns),
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({} DESC)").format(
            sql.Identifier(names.index_name(table)), sql.Identifier(schema, table), sql.Identifier(names.WRITE_DATE)
        ),
    ]
