"""Rows due: rows that must be read again although their `write_date` does not say so.

Most of them point to records that are gone. Odoo empties references by `ON DELETE SET NULL`, and rewrites them by SQL
when two contacts are merged: the rows that pointed to a removed record then have other values, and the old
`write_date`. When rows leave a table, each table that may point to them gets an entry in the same transaction; the
entry is removed once that table's rows have been read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import DUE_ROW, FIELD, META, TABLE_STATE

_OF_ANY_MODEL = ("reference", "many2one_reference", "properties")
"""Odoo types whose values do not say in the catalogue which model they point to."""

_POINTING: dict[str, LiteralString] = {
    "bigint": "shadow.{column} IN (SELECT id FROM gone WHERE {source})",
    "bigint[]": "EXISTS (SELECT FROM unnest(shadow.{column}) AS linked WHERE linked IN"
    " (SELECT id FROM gone WHERE {source}))",
    "text": "shadow.{column} IN (SELECT model || ',' || id FROM gone)",
    # A number may be something other than an id: then a row is read once more than necessary.
    "jsonb": "EXISTS (SELECT FROM jsonb_path_query(shadow.{column}, '$.*[*] ? (@.type() == \"number\")') AS linked"
    " WHERE (linked #>> '{{}}')::numeric IN (SELECT id FROM gone))",
}
"""By a column's type: whether a row points to one that is gone."""


@dataclass(frozen=True)
class DueRows:
    """Rows of one table that must be read again.

    :param entries: the ids of the entries to forget afterwards.
    :param ids: in ascending order.
    """

    entries: tuple[int, ...]
    ids: tuple[int, ...]


def note_removed(tx: Transaction, table: str, ids: Sequence[int]) -> None:
    """Record which tables may point to rows that leave their table, in the transaction that removes them."""
    if not ids:
        return
    tx.run(
        "INSERT INTO {due} (table_name, removed_from, ids) SELECT DISTINCT f.table_name, {table}, {ids}::bigint[]"
        " FROM {field} f WHERE f.vanished_at IS NULL AND (f.relation_table = {table}"
        " OR f.odoo_type = ANY({any_model}) OR f.odoo_type = 'many2one' AND f.column_type = 'jsonb')",
        due=tx.internal(DUE_ROW),
        table=table,
        ids=list(ids),
        field=tx.own(FIELD),
        any_model=list(_OF_ANY_MODEL),
    )


def note_due(tx: Transaction, table: str, ids: Sequence[int], *, after: timedelta = timedelta(0)) -> None:
    """Record rows of the table itself that must be read again, but not before some time has passed."""
    if ids:
        tx.run(
            "INSERT INTO {due} (table_name, ids, due_from) VALUES ({table}, {ids}::bigint[], now() + {after})",
            due=tx.internal(DUE_ROW),
            table=table,
            ids=list(ids),
            after=after,
        )


def models_with_due_rows(tx: Transaction) -> list[str]:
    """Return the models of the tables that have entries, by name.

    Tables that may be from another database than the others are left out: reading them now proves nothing for the rest.
    """
    rows = tx.run(
        "SELECT DISTINCT m.odoo_model FROM {due} d JOIN {meta} m USING (table_name)"
        " LEFT JOIN {state} s USING (table_name) WHERE d.due_from <= now() AND s.is_doubted IS NOT TRUE ORDER BY 1",
        due=tx.internal(DUE_ROW),
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
    )
    return [str(row[0]) for row in rows]


def due_rows(tx: Transaction, table: str) -> DueRows:
    """Find the rows of a table that are due: reads the whole table if something is gone that they may point to."""
    entries = tx.run(
        "SELECT id, removed_from IS NOT NULL FROM {due} WHERE table_name = {table} AND due_from <= now() ORDER BY id",
        due=tx.internal(DUE_ROW),
        table=table,
    )
    if not entries:
        return DueRows((), ())
    numbers = [int(number) for number, _ in entries]
    found = tx.run(
        "SELECT unnest(ids) FROM {due} WHERE id = ANY({numbers}) AND removed_from IS NULL",
        due=tx.internal(DUE_ROW),
        numbers=numbers,
    )
    pointing = _pointing_conditions(tx, table) if any(is_reference for _, is_reference in entries) else []
    if pointing:
        found += tx.run(
            "WITH gone AS MATERIALIZED (SELECT DISTINCT m.odoo_model AS model, d.removed_from, g.id FROM {due} d"
            " JOIN {meta} m ON m.table_name = d.removed_from CROSS JOIN unnest(d.ids) AS g (id)"
            " WHERE d.id = ANY({numbers}))"
            " SELECT shadow.id FROM {table} AS shadow WHERE {pointing}",
            due=tx.internal(DUE_ROW),
            meta=tx.own(META),
            numbers=numbers,
            table=tx.own(table),
            pointing=sql.SQL(" OR ").join(pointing),
        )
    return DueRows(tuple(numbers), tuple(sorted({int(row[0]) for row in found})))


def _pointing_conditions(tx: Transaction, table: str) -> list[sql.Composed]:
    columns = tx.run(
        "SELECT f.column_name, f.column_type, f.relation_table FROM {field} f JOIN pg_attribute a"
        " ON a.attrelid = to_regclass({name}) AND a.attname = f.column_name AND NOT a.attisdropped"
        " WHERE f.table_name = {table} AND f.vanished_at IS NULL AND format_type(a.atttypid, NULL) = f.column_type"
        " AND (f.relation_table IN (SELECT removed_from FROM {due} WHERE table_name = {table})"
        " OR f.odoo_type = ANY({any_model}) OR f.odoo_type = 'many2one' AND f.column_type = 'jsonb')",
        field=tx.own(FIELD),
        name=tx.own(table).as_string(tx.cursor),
        table=table,
        due=tx.internal(DUE_ROW),
        any_model=list(_OF_ANY_MODEL),
    )
    return [
        sql.SQL(_POINTING[str(kind)]).format(
            column=sql.Identifier(str(column)),
            source=sql.SQL("true") if target is None else sql.SQL("removed_from = {}").format(str(target)),
        )
        for column, kind, target in columns
        if kind in _POINTING
    ]


def forget_all_due(tx: Transaction, model: str) -> None:
    """Forget the entries of a model that Odoo no longer has: its rows stay as they are."""
    tx.run(
        "DELETE FROM {due} d USING {meta} m WHERE m.table_name = d.table_name AND m.odoo_model = {model}",
        due=tx.internal(DUE_ROW),
        meta=tx.own(META),
        model=model,
    )


def forget_due(tx: Transaction, due: DueRows) -> None:
    """Forget entries whose rows have been read again."""
    tx.run("DELETE FROM {due} WHERE id = ANY({entries})", due=tx.internal(DUE_ROW), entries=list(due.entries))
