"""Counts, lists and removes the rows of a table by their ids.

A range is `low < id <= high`; a bound that no id can have, or None, does not limit it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString, assert_never

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.relations import META, TABLE_STATE
from odoo_shadow.shadow.state.due_rows import note_removed
from odoo_shadow.shadow.state.due_views import mark_view
from odoo_shadow.shadow.state.rows_version import change_rows, note_changed
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.tables.present import (
    PresentColumn,
    PresentTable,
    columns_with_values,
    note_own_columns,
)
from odoo_shadow.shadow.tables.structure import set_aside
from odoo_shadow.shadow.views.public_views import publish
from odoo_shadow.text.log import logger

log = logger(__name__)


_MOST = 2**63 - 1

_SAMPLED_PAGES = 500
"""Pages of 8 kB: some thousand rows of most tables."""

_PAGES: LiteralString = "(pg_relation_size({}::regclass)::numeric / current_setting('block_size')::numeric)"


def id_between(low: int | None, high: int | None, *alias: str) -> sql.Composed:
    """Return the condition of a range."""
    conditions: list[sql.Composable] = [sql.SQL("true")]
    column = sql.Identifier(*alias, names.ID)
    if low is not None and low >= names.LEAST_ID:
        conditions.append(sql.SQL("{} > {}").format(column, low))
    if high is not None and high < _MOST:
        conditions.append(sql.SQL("{} <= {}").format(column, high))
    return sql.SQL(" AND ").join(conditions)


@dataclass(frozen=True)
class Block:
    """Live rows with successive ids, from where the block before it ends.

    :param up_to_id: no id is higher; None for the last block.
    """

    up_to_id: int | None
    rows: int


@dataclass(frozen=True)
class LiveIds:
    """The ids of a table's rows that are not marked as deleted.

    :param has_marks: whether the table has the mirror's own column `_deleted_at`.
    """

    table: str
    has_marks: bool

    @classmethod
    def of(cls, tx: Transaction, table: str) -> LiveIds:
        """Find out whether the table marks deleted rows; somebody else's column of that name marks nothing."""
        rows = tx.run(
            "SELECT 1 FROM pg_attribute a JOIN {state} s ON s.table_id = a.attrelid AND s.table_name = {table}"
            " WHERE a.attrelid = to_regclass({name}) AND a.attname = {column} AND NOT a.attisdropped"
            " AND (s.own_columns ->> {column})::int = a.attnum",
            state=tx.internal(TABLE_STATE),
            table=table,
            name=tx.own(table).as_string(tx.cursor),
            column=names.DELETED_AT,
        )
        return cls(table, bool(rows))

    def highest(self, tx: Transaction) -> int | None:
        """Return the highest id, None when there are no rows."""
        ((highest,),) = tx.run("SELECT max(id) FROM {table}", table=tx.own(self.table))
        return None if highest is None else int(highest)

    def lowest(self, tx: Transaction) -> int | None:
        """Return the lowest id, None when there are no rows."""
        ((lowest,),) = tx.run("SELECT min(id) FROM {table}", table=tx.own(self.table))
        return None if lowest is None else int(lowest)

    def blocks(self, tx: Transaction, rows_per_block: int, at_most: int) -> list[Block]:
        """Count the live rows in blocks of about the same size, by ascending id: reads the whole table once."""
        edges = self._edges(tx, rows_per_block, at_most)
        up_to = [sql.SQL(", count(*) FILTER (WHERE id <= {})").format(edge) for edge in edges]
        ((total, *counts),) = tx.run(
            "SELECT count(*){up_to} FROM {table} WHERE {live}",
            up_to=sql.Composed(up_to),
            table=tx.own(self.table),
            live=self._live(),
        )
        ends = [*zip(edges, counts, strict=True), (None, total)]
        return [Block(edge, int(end - begin)) for (edge, end), begin in zip(ends, [0, *counts], strict=True)]

    def _edges(self, tx: Transaction, rows_per_block: int, at_most: int) -> list[int]:
        """Return the ids at which to divide the table, as a sample of its pages has them."""
        ((rows, quantiles),) = tx.run(
            "SELECT ceil(count(*) * greatest(1, {pages} / {sampled})),"
            " percentile_disc({shares}::float8[]) WITHIN GROUP (ORDER BY id)"
            " FROM {table} TABLESAMPLE SYSTEM (100 * least(1, {sampled} / greatest(1, {pages}))) REPEATABLE (0)"
            " WHERE {live}",
            pages=sql.SQL(_PAGES).format(tx.own(self.table).as_string(tx.cursor)),
            sampled=_SAMPLED_PAGES,
            shares=[at / at_most for at in range(1, at_most)],
            table=tx.own(self.table),
            live=self._live(),
        )
        number = min(at_most, math.ceil(rows / rows_per_block))
        return sorted({int(quantiles[at * at_most // number - 1]) for at in range(1, number)})

    def absent(self, tx: Transaction, ids: Sequence[int]) -> list[int]:
        """Return those ids that no live row has."""
        rows = tx.run(
            "SELECT id FROM {table} WHERE id = ANY({ids}) AND {live}",
            table=tx.own(self.table),
            ids=list(ids),
            live=self._live(),
        )
        return sorted(set(ids) - {int(row[0]) for row in rows})

    def total(self, tx: Transaction) -> int:
        """Return the number of live rows from the registry, without reading the table."""
        rows = tx.run("SELECT row_count FROM {meta} WHERE table_name = {name}", meta=tx.own(META), name=self.table)
        return int(rows[0][0]) if rows else 0

    def count_all(self, tx: Transaction) -> int:
        """Count the live rows: reads the whole table."""
        ((count,),) = tx.run("SELECT count(*) FROM {table} WHERE {live}", table=tx.own(self.table), live=self._live())
        return int(count)

    def count(self, tx: Transaction, low: int | None, high: int | None) -> int:
        """Return how many live rows a range has."""
        ((count,),) = tx.run(
            "SELECT count(*) FROM {table} WHERE {between} AND {live}",
            table=tx.own(self.table),
            between=id_between(low, high),
            live=self._live(),
        )
        return int(count)

    def listed(self, tx: Transaction, low: int | None, high: int | None) -> set[int]:
        """Return the ids of a range's live rows."""
        rows = tx.run(
            "SELECT id FROM {table} WHERE {between} AND {live}",
            table=tx.own(self.table),
            between=id_between(low, high),
            live=self._live(),
        )
        return {int(row[0]) for row in rows}

    def remove(self, tx: Transaction, ids: Sequence[int], on_delete: OnDelete) -> int:
        """Delete or mark rows, or leave them; record what may point to them; return how many were removed."""
        parts = {"table": tx.own(self.table), "ids": list(ids), "live": self._live()}
        match on_delete:
            case OnDelete.MARK:
                statement: LiteralString = "UPDATE {table} SET {column} = now() WHERE id = ANY({ids}) AND {live}"
            case OnDelete.DELETE:
                statement = "DELETE FROM {table} WHERE id = ANY({ids}) AND {live}"
            case OnDelete.IGNORE:
                return 0
            case _:
                assert_never(on_delete)
        removed = change_rows(tx, self.table, statement, column=_MARK, **parts)
        note_removed(tx, self.table, ids)
        return removed

    def _live(self) -> sql.Composable:
        return sql.SQL("{} IS NULL").format(_MARK) if self.has_marks else sql.SQL("true")


_MARK = sql.Identifier(names.DELETED_AT)


def add_mark_column(tx: Transaction, table: str) -> None:
    """Give a table the column that marks deleted rows, and show it in the views.

    Somebody else's column of that name is kept under another one, unless it is empty and nothing but a column.
    """
    if LiveIds.of(tx, table).has_marks:
        return
    lock_schema(tx)
    there = PresentTable.of(tx, table)
    present = there.columns.get(names.DELETED_AT)
    oddity = _oddity(tx, table, present) if present is not None else ""
    if present is not None and oddity:
        kept_as = names.name_set_aside(names.DELETED_AT, there.columns)
        set_aside(tx, table, names.DELETED_AT, kept_as)
        log.warning(
            "%s: %s is not the mirror's own, because %s, and becomes %s",
            f"{tx.schema}.{table}",
            names.DELETED_AT,
            oddity,
            kept_as,
        )
    if present is None or oddity:
        tx.run("ALTER TABLE {table} ADD COLUMN {column} timestamptz", table=tx.own(table), column=_MARK)
        note_changed(tx, table)
    note_own_columns(tx, table, {names.DELETED_AT, *there.own_numbers})
    mark_view(tx, table)
    publish(tx, (table,))


def _oddity(tx: Transaction, table: str, present: PresentColumn) -> str:
    """Return what keeps somebody else's column from becoming the mark, in words; empty for nothing."""
    if present.oddity or present.type != names.OWN_COLUMNS[names.DELETED_AT]:
        return present.oddity or f"it is {present.type}"
    return "it holds values" if columns_with_values(tx, table, [names.DELETED_AT]) else ""
