r"""`_sync_hash`: a hash of a row's values, by which a changed row is distinguished from an unchanged one.

It is an HMAC-SHA-256 (RFC 2104) with the key in `mirror.hash_key`, which only the sync's role can read: without the key
nobody can compute the hash of a guess, or see which rows of two tables are equal. The key never leaves the server,
since a statement with it would appear in `pg_stat_activity` and in the server's log.

It is computed inside PostgreSQL, from values that already have their columns' types: equal values have equal hashes,
wherever they came from. What is hashed is the text of one record: the table's name, `id`, `_odoo_write_date`, and the
mirrored fields' columns by name. That text distinguishes NULL from an empty text and one column from the next, and the
settings of `ShadowDatabase.transaction` determine how values are written in it.

`table_state.hashed_as` records the version, the key and the columns that a table's hashes were made with. A run that
would use others first computes all hashes again from the stored values. So the key is changed by

    UPDATE odoo_shadow_internal.mirror SET hash_key = DEFAULT;

and the next run of each table does the rest; until then, its rows only look changed when they are met.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import MIRROR, TABLE_STATE
from odoo_shadow.shadow.state.hashing import VERSION, hashing_of
from odoo_shadow.shadow.state.rows_version import note_changed
from odoo_shadow.shadow.tables.present import present_columns

_HMAC: LiteralString = (
    "{version} || encode(substr(sha256({outer} || sha256({inner} || convert_to(ROW({cells})::text, 'UTF8'))), 1, 16),"
    " 'hex')"
)
# The key, padded to SHA-256's block of 64 bytes, each byte XOR a constant. It depends on no row, so PostgreSQL computes
# it once per statement.
_PAD: LiteralString = (
    "(SELECT string_agg(set_byte('\\x00', 0, get_byte(padded, at) # {constant}), '' ORDER BY at)"
    " FROM (SELECT short || decode(repeat('00', 64 - length(short)), 'hex') AS padded"
    " FROM (SELECT CASE WHEN length(hash_key) > 64 THEN sha256(hash_key) ELSE hash_key END AS short"
    " FROM {mirror}) AS given) AS filled, generate_series(0, 63) AS at)"
)
_INNER, _OUTER = 0x36, 0x5C


@dataclass(frozen=True)
class RowHash:
    """How the rows of one table are hashed.

    :param columns: the columns that are hashed, in addition to `id` and `_odoo_write_date`.
    :param numeric: those in which 1.0 and 1.00 are the same value.
    :param digest: of the columns' names, types and fields.
    """

    table: str
    columns: tuple[str, ...]
    numeric: frozenset[str]
    digest: str

    @classmethod
    def of(cls, tx: Transaction, table: str, columns: Iterable[Column]) -> RowHash:
        """Return how a table's rows are hashed: by those of these columns that it has already."""
        present = present_columns(tx, table)
        hashed = sorted((item.name, present[item.name], item.field) for item in columns if item.name in present)
        return cls(
            table,
            tuple(name for name, _, _ in hashed),
            frozenset(name for name, kind, _ in hashed if kind == ColumnType.NUMERIC),
            hashlib.sha256(json.dumps(hashed).encode()).hexdigest()[:16],
        )

    def expression(
        self, tx: Transaction, side: str, *, from_other: Collection[str] = (), other_side: str = ""
    ) -> sql.Composed:
        """Return the expression of a row's hash.

        :param side: the row's alias in the statement.
        :param from_other: columns whose values are taken from another row.
        :param other_side: that row's alias.
        """
        cells: list[sql.Composable] = [sql.Literal(self.table)]
        for name in (names.ID, names.WRITE_DATE, *self.columns):
            cell = sql.Identifier(other_side if name in from_other else side, name)
            cells.append(sql.SQL("trim_scale({})").format(cell) if name in self.numeric else cell)
        mirror = tx.internal(MIRROR)
        return sql.SQL(_HMAC).format(
            version=f"{VERSION}:",
            outer=sql.SQL(_PAD).format(constant=_OUTER, mirror=mirror),
            inner=sql.SQL(_PAD).format(constant=_INNER, mirror=mirror),
            cells=sql.SQL(", ").join(cells),
        )

    def outdated(self, tx: Transaction) -> str | None:
        """Return what to pass to `note_hashed` after all hashes are computed again, None if they are up to date."""
        ((hashing, noted),) = tx.run(
            "SELECT {hashing}, (SELECT hashed_as FROM {state} WHERE table_name = {table})",
            hashing=hashing_of(tx),
            state=tx.internal(TABLE_STATE),
            table=self.table,
        )
        wanted = f"{hashing}:{self.digest}"
        return None if noted == wanted else wanted


def rehash_rows(tx: Transaction, row_hash: RowHash, after_id: int | None, limit: int) -> int | None:
    """Compute the hashes of the next rows again; return the last one's id, None when there was none.

    Rows whose hash is right are not written; in the others only the hash is.
    """
    ((last_id, changed),) = tx.run(
        "WITH batch AS MATERIALIZED (SELECT {columns} FROM {table} WHERE {rest} ORDER BY {id} LIMIT {limit}),"
        " made AS MATERIALIZED (SELECT batch.{id}, {made} AS hash FROM batch),"
        " changed AS (UPDATE {table} AS shadow SET {hash} = made.hash FROM made"
        " WHERE shadow.{id} = made.{id} AND shadow.{hash} IS DISTINCT FROM made.hash RETURNING 1)"
        " SELECT max({id}), (SELECT count(*) FROM changed) FROM batch",
        columns=sql.SQL(", ").join(map(sql.Identifier, (names.ID, names.WRITE_DATE, *row_hash.columns))),
        table=tx.own(row_hash.table),
        rest=sql.SQL("true") if after_id is None else sql.SQL("{} > {}").format(sql.Identifier(names.ID), after_id),
        id=sql.Identifier(names.ID),
        limit=limit,
        made=row_hash.expression(tx, "batch"),
        hash=sql.Identifier(names.HASH),
    )
    note_changed(tx, row_hash.table, changed)
    return None if last_id is None else int(last_id)


def note_hashed(tx: Transaction, table: str, hashed_as: str) -> None:
    """Record how all hashes of a table are made."""
    tx.run(
        "INSERT INTO {state} (table_name, hashed_as) VALUES ({table}, {hashed_as})"
        " ON CONFLICT (table_name) DO UPDATE SET hashed_as = excluded.hashed_as",
        state=tx.internal(TABLE_STATE),
        table=table,
        hashed_as=hashed_as,
    )


def forget_hashes(tx: Transaction, table: str) -> None:
    """Let the next run compute a table's hashes again: the present ones may belong to other values."""
    tx.run(
        "UPDATE {state} SET hashed_as = NULL WHERE table_name = {table}", state=tx.internal(TABLE_STATE), table=table
    )
