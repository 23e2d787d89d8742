"""Rows → staging → table: one COPY and one statement, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.database import Transaction

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = tuple[Cell, ...]

_STAGING = sql.Identifier("pg_temp", "odoo_shadow_staging")


@dataclass(frozen=True)
class MergeCounts:
    """How many rows a page brought, by what became of them."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: MergeCounts) -> MergeCounts:
        return MergeCounts(
            self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged
        )

    def __str__(self) -> str:
        """Return the counts in words."""
        return f"{self.inserted} inserted, {self.updated} updated, {self.unchanged} unchanged"

    @property
    def written(self) -> int:
        """Rows that were inserted or updated."""
        return self.inserted + self.updated


def merge_rows(
    tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[Row], *, even_older: bool = False
) -> MergeCounts:
    """Write rows into a mirror table, inserting new ones, updating changed ones, leaving equal ones alone.

    A row does not replace one with a younger `_odoo_write_date`, so that a lagging replica cannot turn time back.

    :param columns: the rows' columns, `id`, `_odoo_write_date` and `_sync_hash` among them.
    :param even_older: replace younger rows, too: a restored backup or an edit by SQL may set `write_date` back.
    :param rows: no id twice. One call per transaction: the staging table lives until its end.
    """
    _stage(tx, table, columns, rows)
    target = tx.own(table)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns if name != names.ID
    )
    ((staged, inserted, written),) = tx.run(
        "WITH merged AS ("
        " INSERT INTO {target} AS shadow ({listed}) SELECT {listed} FROM {staging}"
        " ON CONFLICT ({id}) DO UPDATE SET {changes}, {synced_at} = now()"
        " WHERE shadow.{hash} IS DISTINCT FROM excluded.{hash}"
        " AND ({even_older} OR (excluded.{write_date} < shadow.{write_date}) IS NOT TRUE)"
        " RETURNING xmax = 0 AS is_new)"  # xmax is 0 in a row that this statement inserted
        " SELECT (SELECT count(*) FROM {staging}), count(*) FILTER (WHERE is_new), count(*) FROM merged",
        target=target,
        listed=listed,
        staging=_STAGING,
        changes=changes,
        id=sql.Identifier(names.ID),
        synced_at=sql.Identifier(names.SYNCED_AT),
        hash=sql.Identifier(names.HASH),
        write_date=sql.Identifier(names.WRITE_DATE),
        even_older=even_older,
    )
    return MergeCounts(inserted=inserted, updated=written - inserted, unchanged=staged - written)


def _stage(tx: Transaction, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    tx.run(
        "CREATE TEMPORARY TABLE odoo_shadow_staging ON COMMIT DROP AS SELECT {listed} FROM {target} WITH NO DATA",
        listed=listed,
        target=tx.own(table),
    )
    copy_in = sql.SQL("COPY {staging} ({listed}) FROM STDIN").format(staging=_STAGING, listed=listed)
    with tx.cursor.copy(copy_in) as copy:
        for row in rows:
            copy.write_row(row)
