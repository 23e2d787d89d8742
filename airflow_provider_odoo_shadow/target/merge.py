"""Rows → staging → table: one COPY and one statement, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.row_hash import RowHash

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = tuple[Cell, ...]

STAGING = sql.Identifier("pg_temp", "odoo_shadow_staging")
"""Where `stage_rows` puts a page; lives until the transaction ends."""


@dataclass(frozen=True)
class RowCounts:
    """How many rows were read, by what became of them, and how many left the table."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
        )

    def __str__(self) -> str:
        """Return the counts in words."""
        gone = f", {self.deleted} deleted" if self.deleted else ""
        return f"{self.inserted} inserted, {self.updated} updated, {self.unchanged} unchanged{gone}"

    @property
    def written(self) -> int:
        """Rows that were inserted or updated."""
        return self.inserted + self.updated


class Overwrite(StrEnum):
    """Which rows of the table a page may replace.

    By default not those with a younger `_odoo_write_date`, so that a lagging replica cannot turn time back; unless that
    date lay ahead when the row was written: then a clock was wrong, and Odoo's edits since then have earlier ones.
    """

    CHANGED = "changed rows"
    EVEN_YOUNGER = "changed rows, even younger ones"  # a restored backup, or an edit by SQL, may set write_date back
    ALL = "all rows"  # a repair does not trust the hashes either


@dataclass(frozen=True)
class Merged:
    """What one page did to its table.

    :param revived: rows that had been marked as deleted.
    :param oldest: the oldest `_odoo_write_date` among the rows that were written.
    """

    counts: RowCounts
    revived: int = 0
    oldest: datetime | None = None


def merge_rows(
    tx: Transaction,
    row_hash: RowHash,
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    overwrite: Overwrite = Overwrite.CHANGED,
    revive: bool = False,
) -> Merged:
    """Write rows into a mirror table, inserting new ones, updating changed ones, leaving equal ones alone.

    :param row_hash: how the table's rows are hashed.
    :param columns: the rows' columns: `id`, `_odoo_write_date`, and at least those that are hashed.
    :param rows: no id twice. One call per transaction: the staging table lives until its end.
    :param revive: the table marks deleted rows; those that are here again are marked no more.
    """
    table = row_hash.table
    stage_rows(tx, table, columns, rows)
    revived = 0
    changes = [_change(name) for name in (*columns, names.HASH) if name != names.ID]
    is_marked: sql.Composable = sql.SQL("false")
    if revive:
        changes.append(sql.SQL("{} = NULL").format(sql.Identifier(names.DELETED_AT)))
        revived = _count_marked(tx, table)
        is_marked = sql.SQL("shadow.{} IS NOT NULL").format(sql.Identifier(names.DELETED_AT))
    ((staged, inserted, written, oldest),) = tx.run(
        "WITH merged AS ("
        " INSERT INTO {target} AS shadow ({listed}, {hash})"
        " SELECT {listed}, {made} FROM {staging} AS staged"
        " ON CONFLICT ({id}) DO UPDATE SET {changes}, {synced_at} = now()"
        " WHERE {all} OR {is_marked} OR shadow.{hash} IS DISTINCT FROM excluded.{hash}"
        " AND ({even_younger} OR (excluded.{write_date} < shadow.{write_date}) IS NOT TRUE"
        " OR shadow.{write_date} > shadow.{synced_at})"
        " RETURNING xmax = 0 AS is_new, {write_date} AS written_at)"  # xmax is 0 in a row that this statement inserted
        " SELECT (SELECT count(*) FROM {staging}), count(*) FILTER (WHERE is_new), count(*), min(written_at)"
        " FROM merged",
        target=tx.own(table),
        listed=_listed(columns),
        made=row_hash.expression(tx, "staged"),
        staging=STAGING,
        changes=sql.SQL(", ").join(changes),
        id=sql.Identifier(names.ID),
        synced_at=sql.Identifier(names.SYNCED_AT),
        hash=sql.Identifier(names.HASH),
        write_date=sql.Identifier(names.WRITE_DATE),
        is_marked=is_marked,
        all=overwrite is Overwrite.ALL,
        even_younger=overwrite is Overwrite.EVEN_YOUNGER,
    )
    return Merged(RowCounts(inserted, written - inserted, staged - written), revived, oldest)


def fill_columns(tx: Transaction, row_hash: RowHash, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Give rows that are there columns that they lacked; return how many rows changed by it.

    Nothing changed in Odoo, so `_synced_at` stays; the hash is made of the new columns as well. One call per
    transaction.

    :param columns: `id` first.
    """
    stage_rows(tx, row_hash.table, columns, rows)
    filled = [name for name in columns if name != names.ID]
    made = row_hash.expression(tx, "shadow", besides=filled, other_side="excluded")
    return _update(tx, row_hash.table, filled, sql.SQL("{} = {}").format(sql.Identifier(names.HASH), made))


def refresh_columns(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write columns that are no part of the hash into rows that are there; return how many rows changed by it.

    One call per transaction.

    :param columns: `id` first.
    """
    stage_rows(tx, table, columns, rows)
    filled = [name for name in columns if name != names.ID]
    return _update(tx, table, filled, sql.SQL("{} = now()").format(sql.Identifier(names.SYNCED_AT)))


def _update(tx: Transaction, table: str, filled: Sequence[str], besides: sql.Composed) -> int:
    """Take over the staged values of some columns where they differ, and change something besides."""
    tx.run(
        "UPDATE {target} AS shadow SET {changes} FROM {staging} AS excluded"
        " WHERE shadow.{id} = excluded.{id} AND ROW({ours}) IS DISTINCT FROM ROW({theirs})",
        target=tx.own(table),
        changes=sql.SQL(", ").join([*map(_change, filled), besides]),
        ours=sql.SQL(", ").join(sql.Identifier("shadow", name) for name in filled),
        theirs=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in filled),
        staging=STAGING,
        id=sql.Identifier(names.ID),
    )
    return tx.cursor.rowcount


def stage_rows(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Copy rows into `STAGING`, which has a mirror table's columns in these rows' order. Once per transaction."""
    listed = _listed(columns)
    tx.run(
        "CREATE TEMPORARY TABLE odoo_shadow_staging ON COMMIT DROP AS SELECT {listed} FROM {target} WITH NO DATA",
        listed=listed,
        target=tx.own(table),
    )
    copy_in = sql.SQL("COPY {staging} ({listed}) FROM STDIN").format(staging=STAGING, listed=listed)
    with tx.cursor.copy(copy_in) as copy:
        for row in rows:
            copy.write_row(row)


def _count_marked(tx: Transaction, table: str) -> int:
    ((count,),) = tx.run(
        "SELECT count(*) FROM {staging} AS staged JOIN {table} AS shadow USING (id) WHERE shadow.{mark} IS NOT NULL",
        staging=STAGING,
        table=tx.own(table),
        mark=sql.Identifier(names.DELETED_AT),
    )
    return int(count)


def _listed(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _change(column: str) -> sql.Composed:
    return sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column))
