"""Compares rows from Odoo with those of a table, cell by cell, inside PostgreSQL.

PostgreSQL itself compares the typed values, so neither the row hashes nor the control tables are trusted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.differences import MOST_CHARACTERS, CellDifference, Difference
from odoo_shadow.shadow.tables.ids import LiveIds, id_between
from odoo_shadow.shadow.tables.staging import STAGING, CopyText, Row, stage_rows

Scope: TypeAlias = sql.Composed
"""A condition on rows of the shadow."""


def id_range(low: int, high: int | None) -> Scope:
    """Return the scope `low < id <= high`; None for no upper end."""
    return id_between(low, high, "shadow")


def id_list(ids: Sequence[int]) -> Scope:
    """Return the scope of certain ids."""
    return sql.SQL("shadow.id = ANY({})").format(list(ids))


def compare_rows(
    tx: Transaction,
    live: LiveIds,
    columns: Sequence[str],
    rows: Sequence[Row] | CopyText,
    scope: Scope,
    *,
    beyond: Collection[int] = (),
) -> dict[int, Difference]:
    """Compare all rows that Odoo has in a scope with the shadow's; return the differences by id. Once per transaction.

    :param columns: the rows' columns, `id` first; all are compared.
    :param scope: `id_range` or `id_list`: where the shadow may have no other rows.
    :param beyond: ids of further rows of Odoo's whose values no column can hold: whatever the shadow has differs.
    """
    refused = sorted({*beyond, *(item.id for item in stage_rows(tx, live.table, columns, rows))})
    absent = live.absent(tx, refused) if refused else []
    alive = sql.SQL("shadow.{} IS NULL").format(sql.Identifier(names.DELETED_AT)) if live.has_marks else sql.SQL("true")
    found = tx.run(
        "SELECT staged.id, CASE WHEN shadow.id IS NULL THEN 'missing'"
        " WHEN staged.{write_date} > shadow.{write_date} THEN 'stale' ELSE 'differing' END"
        " FROM {staging} AS staged LEFT JOIN {table} AS shadow ON shadow.id = staged.id AND {alive}"
        " WHERE shadow.id IS NULL OR {theirs} IS DISTINCT FROM {ours}"
        " UNION ALL"
        " SELECT shadow.id, 'extra' FROM {table} AS shadow WHERE {alive} AND {scope}"
        " AND NOT EXISTS (SELECT FROM {staging} AS staged WHERE staged.id = shadow.id)",
        staging=STAGING,
        table=tx.own(live.table),
        write_date=sql.Identifier(names.WRITE_DATE),
        alive=alive,
        theirs=_cells("staged", columns),
        ours=_cells("shadow", columns),
        scope=scope,
    )
    differing = dict.fromkeys(refused, Difference.DIFFERING)  # the query finds them as extra
    missing = dict.fromkeys(absent, Difference.MISSING)
    return {**{int(record_id): Difference(kind) for record_id, kind in found}, **differing, **missing}


@dataclass(frozen=True)
class Lists:
    """What a row's lists of ids differ by, where nothing else of it differs.

    :param theirs_have_all: Odoo's have everything that the shadow's have.
    :param ours_have_all: the shadow's have everything that Odoo's have.
    """

    theirs_have_all: bool
    ours_have_all: bool


def differing_lists(
    tx: Transaction, live: LiveIds, kinds: Mapping[str, ColumnType], rows: Sequence[Row]
) -> dict[int, Lists]:
    """Return those rows that differ in nothing but lists of ids, or digits that no double has. Once per transaction.

    :param kinds: the rows' columns and their types, `id` first.
    """
    stage_rows(tx, live.table, list(kinds), rows)
    lists = [name for name, kind in kinds.items() if kind is ColumnType.BIGINT_ARRAY]
    others = [name for name in kinds if name not in lists]
    found = tx.run(
        "SELECT staged.id, {theirs_have_all}, {ours_have_all}"
        " FROM {staging} AS staged JOIN {table} AS shadow ON shadow.id = staged.id"
        " WHERE ({theirs}) IS NOT DISTINCT FROM ({ours})",
        theirs_have_all=_contain("staged", "shadow", lists),
        ours_have_all=_contain("shadow", "staged", lists),
        staging=STAGING,
        table=tx.own(live.table),
        theirs=_as_doubles("staged", others, kinds),
        ours=_as_doubles("shadow", others, kinds),
    )
    return {int(record_id): Lists(bool(theirs), bool(ours)) for record_id, theirs, ours in found}


def _contain(side: str, other: str, lists: Sequence[str]) -> sql.Composable:
    """Return the condition that one side's lists have everything that the other's have."""
    each = [
        sql.SQL("coalesce({}, '{{}}') @> coalesce({}, '{{}}')").format(
            sql.Identifier(side, name), sql.Identifier(other, name)
        )
        for name in lists
    ]
    return sql.SQL(" AND ").join(each) if each else sql.SQL("true")


def _as_doubles(side: str, columns: Sequence[str], kinds: Mapping[str, ColumnType]) -> sql.Composed:
    """Return a row of cells, with exact numbers as the doubles that Odoo's API sends."""
    cells = (
        sql.SQL("{}::float8" if kinds[name] is ColumnType.NUMERIC else "{}").format(sql.Identifier(side, name))
        for name in columns
    )
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(cells))


def differing_cells(
    tx: Transaction, live: LiveIds, columns: Sequence[str], rows: Sequence[Row], most: int
) -> list[CellDifference]:
    """Return the first cells that differ in rows that both sides have. Once per transaction.

    :param columns: the rows' columns, `id` first.
    :param most: the most cells to return.
    """
    stage_rows(tx, live.table, columns, rows)
    cell = sql.SQL("({number}, {name}, {ours}::text, {theirs}::text, {theirs} IS DISTINCT FROM {ours})")
    compared = [
        cell.format(
            number=number,
            name=name,
            ours=sql.Identifier("shadow", name),
            theirs=sql.Identifier("staged", name),
        )
        for number, name in enumerate(columns)
    ]
    found = tx.run(
        "SELECT staged.id, cell.name, left(cell.ours, {length}), left(cell.theirs, {length})"
        " FROM {staging} AS staged JOIN {table} AS shadow ON shadow.id = staged.id"
        " CROSS JOIN LATERAL (VALUES {cells}) AS cell (number, name, ours, theirs, differs)"
        " WHERE cell.differs ORDER BY staged.id, cell.number LIMIT {most}",
        staging=STAGING,
        table=tx.own(live.table),
        length=MOST_CHARACTERS,
        cells=sql.SQL(", ").join(compared),
        most=most,
    )
    return [CellDifference(int(record_id), *rest) for record_id, *rest in found]


def _cells(side: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(sql.Identifier(side, name) for name in columns))
