"""Compares rows from Odoo with those in a mirror table, cell by cell, inside PostgreSQL.

PostgreSQL itself compares the typed values, so neither the project's hashes nor its books are trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from psycopg import sql

from airflow_provider_odoo_shadow.target import names
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.ids import LiveIds
from airflow_provider_odoo_shadow.target.merge import STAGING, Row, stage_rows


class Difference(StrEnum):
    """How a row of the shadow differs from Odoo's."""

    MISSING = "missing"
    EXTRA = "extra"
    STALE = "stale"
    DIFFERING = "differing"


def compare_rows(
    tx: Transaction, live: LiveIds, columns: Sequence[str], rows: Iterable[Row], *, low: int, high: int | None
) -> dict[int, Difference]:
    """Compare all rows that Odoo has with `low < id <= high` with the shadow's; return what differs, by id.

    One call per transaction.

    :param columns: the rows' columns, `id` first; those besides `_odoo_write_date` and `_sync_hash` are the cells.
    :param high: None for no upper end.
    """
    stage_rows(tx, live.table, columns, rows)
    found = tx.run(
        "SELECT staged.id, CASE WHEN shadow.id IS NULL THEN 'missing'"
        " WHEN staged.{write_date} > shadow.{write_date} THEN 'stale' ELSE 'differing' END"
        " FROM {staging} AS staged LEFT JOIN {table} AS shadow ON shadow.id = staged.id AND {alive}"
        " WHERE shadow.id IS NULL OR ({theirs}) IS DISTINCT FROM ({ours})"
        " UNION ALL"
        " SELECT shadow.id, 'extra' FROM {table} AS shadow WHERE {alive} AND shadow.id > {low} AND {below}"
        " AND NOT EXISTS (SELECT FROM {staging} AS staged WHERE staged.id = shadow.id)",
        staging=STAGING,
        table=tx.own(live.table),
        write_date=sql.Identifier(names.WRITE_DATE),
        alive=sql.SQL("shadow.{} IS NULL").format(sql.Identifier(names.DELETED_AT))
        if live.has_marks
        else sql.SQL("true"),
        theirs=_cells("staged", columns),
        ours=_cells("shadow", columns),
        low=low,
        below=sql.SQL("true") if high is None else sql.SQL("shadow.id <= {}").format(high),
    )
    return {int(record_id): Difference(kind) for record_id, kind in found}


def _cells(side: str, columns: Sequence[str]) -> sql.Composed:
    compared = [name for name in columns if name != names.HASH]
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.Identifier(side, name) for name in compared))
