"""Rows → staging → table: one COPY and one statement, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.rows_version import note_changed
from odoo_shadow.shadow.tables.row_hash import RowHash
from odoo_shadow.shadow.tables.staging import ALL_STAGED, STAGING, CopyText, Refused, Row, listed, write_staged


class Overwrite(StrEnum):
    """Which rows of the table a page may replace.

    By default not those with a later `_odoo_write_date`, so that a lagging replica cannot bring back old values; unless
    that date was in the future when the row was written: then a clock was wrong, and later edits have earlier dates.
    """

    CHANGED = "changed rows"
    EVEN_YOUNGER = "changed rows, even younger ones"  # a restored backup, or an edit by SQL, may set write_date back
    ALL = "all rows"  # a repair does not trust the hashes either


@dataclass(frozen=True)
class Merged:
    """What merging one page changed in its table.

    :param revived: rows that had been marked as deleted.
    :param oldest: the oldest `_odoo_write_date` among the rows that were written.
    :param refused: rows that PostgreSQL does not take.
    :param older: ids of rows with other values and an earlier `_odoo_write_date` than the table has or had.
    """

    counts: RowCounts
    revived: int = 0
    oldest: datetime | None = None
    refused: tuple[Refused, ...] = ()
    older: tuple[int, ...] = ()

    def __add__(self, other: Merged) -> Merged:
        known = [moment for moment in (self.oldest, other.oldest) if moment is not None]
        return Merged(
            self.counts + other.counts,
            self.revived + other.revived,
            min(known, default=None),
            (*self.refused, *other.refused),
            (*self.older, *other.older),
        )


def merge_rows(
    tx: Transaction,
    row_hash: RowHash,
    columns: Sequence[str],
    rows: Sequence[Row] | CopyText,
    *,
    overwrite: Overwrite = Overwrite.CHANGED,
    revive: bool = False,
    tells_older: bool = False,
) -> Merged:
    """Write rows into a mirror table, inserting new ones, updating changed ones, leaving equal ones alone.

    :param row_hash: how the table's rows are hashed.
    :param columns: the rows' columns: `id`, `_odoo_write_date`, and at least those that are hashed.
    :param rows: no id twice. One call per transaction: the staging table exists until its end.
    :param revive: whether the table marks deleted rows, so that rows that are back lose their marks.
    :param tells_older: whether to find rows with an earlier `_odoo_write_date` than the table's.
    """

    def write(scope: sql.Composable) -> Merged:
        if scope is ALL_STAGED and overwrite is Overwrite.EVEN_YOUNGER:
            lowest, highest, oldest = _edges_of_staged(tx)
            if _is_free(tx, row_hash.table, lowest, highest):
                return Merged(RowCounts(_append_staged(tx, row_hash, columns)), oldest=oldest)
        return _merge_staged(tx, row_hash, columns, scope, overwrite=overwrite, revive=revive, tells_older=tells_older)

    done, refused = write_staged(tx, row_hash.table, columns, rows, write)
    merged = sum(done, Merged(RowCounts()))
    note_changed(tx, row_hash.table, merged.counts.written)
    return replace(merged, refused=tuple(refused))


def _edges_of_staged(tx: Transaction) -> tuple[int | None, int | None, datetime | None]:
    """Return the lowest id that is staged, the highest one and the oldest `_odoo_write_date`; None without rows."""
    ((lowest, highest, oldest),) = tx.run(
        "SELECT min({id}), max({id}), min({write_date}) FROM {staging}",
        id=sql.Identifier(names.ID),
        write_date=sql.Identifier(names.WRITE_DATE),
        staging=STAGING,
    )
    return lowest, highest, oldest


def _is_free(tx: Transaction, table: str, lowest: int | None, highest: int | None) -> bool:
    """Say whether a table has no rows from one id to another, as in a first load, or if there are none to write."""
    ((is_free,),) = tx.run(
        "SELECT NOT EXISTS (SELECT FROM {target} WHERE {id} BETWEEN {lowest} AND {highest})",
        target=tx.own(table),
        id=sql.Identifier(names.ID),
        lowest=lowest,
        highest=highest,
    )
    return bool(is_free)


def _append_staged(tx: Transaction, row_hash: RowHash, columns: Sequence[str]) -> int:
    """Insert all staged rows, none of which is in the table: that takes a quarter less of the server's time.

    Should somebody else insert one of them meanwhile, the primary key refuses all, and they are merged in parts.
    """
    tx.run(
        "INSERT INTO {target} ({listed}, {hash}) SELECT {listed}, {made} FROM {staging} AS staged",
        target=tx.own(row_hash.table),
        listed=listed(columns),
        hash=sql.Identifier(names.HASH),
        made=row_hash.expression(tx, "staged"),
        staging=STAGING,
    )
    return tx.cursor.rowcount


def _merge_staged(
    tx: Transaction,
    row_hash: RowHash,
    columns: Sequence[str],
    scope: sql.Composable,
    *,
    overwrite: Overwrite,
    revive: bool,
    tells_older: bool,
) -> Merged:
    """Merge those staged rows that meet a condition."""
    table, revived = row_hash.table, 0
    changes = [_change(name) for name in (*columns, names.HASH) if name != names.ID]
    is_marked: sql.Composable = sql.SQL("false")
    if revive:
        changes.append(sql.SQL("{} = NULL").format(sql.Identifier(names.DELETED_AT)))
        revived = _count_marked(tx, table, scope)
        is_marked = sql.SQL("shadow.{} IS NOT NULL").format(sql.Identifier(names.DELETED_AT))
    ((staged, inserted, written, oldest, older),) = tx.run(
        "WITH merged AS ("
        " INSERT INTO {target} AS shadow ({listed}, {hash})"
        " SELECT {listed}, {made} FROM {staging} AS staged WHERE {scope}"
        " ON CONFLICT ({id}) DO UPDATE SET {changes}, {synced_at} = now()"
        " WHERE {all} OR {is_marked} OR shadow.{hash} IS DISTINCT FROM excluded.{hash}"
        " AND ({even_younger} OR (excluded.{write_date} < shadow.{write_date}) IS NOT TRUE"
        " OR shadow.{write_date} > shadow.{synced_at})"
        " RETURNING xmax = 0 AS is_new, {write_date} AS written_at)"  # xmax is 0 in a row that this statement inserted
        " SELECT (SELECT count(*) FROM {staging} AS staged WHERE {scope}),"
        " count(*) FILTER (WHERE is_new), count(*), min(written_at),"
        " (SELECT array_agg(staged.{id}) FROM {staging} AS staged JOIN {target} AS shadow USING ({id})"
        " WHERE {tells_older} AND {scope} AND staged.{write_date} < shadow.{write_date}"
        " AND shadow.{hash} IS DISTINCT FROM {made})"
        " FROM merged",
        target=tx.own(table),
        listed=listed(columns),
        made=row_hash.expression(tx, "staged"),
        staging=STAGING,
        scope=scope,
        changes=sql.SQL(", ").join(changes),
        id=sql.Identifier(names.ID),
        synced_at=sql.Identifier(names.SYNCED_AT),
        hash=sql.Identifier(names.HASH),
        write_date=sql.Identifier(names.WRITE_DATE),
        is_marked=is_marked,
        tells_older=tells_older,
        all=overwrite is Overwrite.ALL,
        even_younger=overwrite is Overwrite.EVEN_YOUNGER,
    )
    counts = RowCounts(inserted, written - inserted, staged - written)
    return Merged(counts, revived, oldest, older=tuple(older or ()))


@dataclass(frozen=True)
class Filled:
    """What writing some columns of one page changed in its table.

    :param changed: how many rows changed.
    :param refused: rows that PostgreSQL does not take.
    """

    changed: int
    refused: list[Refused]


def fill_columns(tx: Transaction, row_hash: RowHash, columns: Sequence[str], rows: Sequence[Row]) -> Filled:
    """Fill columns of existing rows.

    Nothing changed in Odoo, so `_synced_at` stays; the hash now includes the new columns. One call per transaction.

    :param columns: `id` first.
    """
    filled = [name for name in columns if name != names.ID]
    made = row_hash.expression(tx, "shadow", from_other=filled, other_side="staged")
    return _update(tx, row_hash.table, columns, rows, sql.SQL("{} = {}").format(sql.Identifier(names.HASH), made))


def refresh_columns(tx: Transaction, table: str, columns: Sequence[str], rows: Sequence[Row]) -> Filled:
    """Update columns that are not part of the hash in existing rows.

    One call per transaction.

    :param columns: `id` first.
    """
    return _update(tx, table, columns, rows, sql.SQL("{} = now()").format(sql.Identifier(names.SYNCED_AT)))


def _update(tx: Transaction, table: str, columns: Sequence[str], rows: Sequence[Row], also: sql.Composed) -> Filled:
    """Write the values of some columns where they differ, and `also` a change of another column in the same rows."""
    filled = [name for name in columns if name != names.ID]

    def update(scope: sql.Composable) -> int:
        tx.run(
            "UPDATE {target} AS shadow SET {changes} FROM {staging} AS staged"
            " WHERE shadow.{id} = staged.{id} AND {scope} AND ROW({ours}) IS DISTINCT FROM ROW({theirs})",
            target=tx.own(table),
            changes=sql.SQL(", ").join([*(_change(name, "staged") for name in filled), also]),
            ours=sql.SQL(", ").join(sql.Identifier("shadow", name) for name in filled),
            theirs=sql.SQL(", ").join(sql.Identifier("staged", name) for name in filled),
            staging=STAGING,
            scope=scope,
            id=sql.Identifier(names.ID),
        )
        return tx.cursor.rowcount

    done, refused = write_staged(tx, table, columns, rows, update)
    note_changed(tx, table, sum(done))
    return Filled(sum(done), refused)


def _count_marked(tx: Transaction, table: str, scope: sql.Composable) -> int:
    ((count,),) = tx.run(
        "SELECT count(*) FROM {staging} AS staged JOIN {table} AS shadow USING (id)"
        " WHERE shadow.{mark} IS NOT NULL AND {scope}",
        staging=STAGING,
        table=tx.own(table),
        mark=sql.Identifier(names.DELETED_AT),
        scope=scope,
    )
    return int(count)


def _change(column: str, side: str = "excluded") -> sql.Composed:
    return sql.SQL("{} = {}").format(sql.Identifier(column), sql.Identifier(side, column))
