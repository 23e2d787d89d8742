"""The view that shows a table with readable names: beside each many2one, what the other record is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.made_objects import MadeObject, ObjectKind, record_statement


@dataclass(frozen=True)
class Place:
    """Where a field stands, and the table that it points to, if that is mirrored."""

    column: str
    relation_table: str | None = None


@dataclass(frozen=True)
class NamedTable:
    """A table whose records have names.

    :param name_path: the field with the name; `partner_id.name` when it stands in an `_inherits` parent.
    :param places: the fields, as far as they matter for names.
    """

    name_path: str | None
    places: Mapping[str, Place]


@dataclass(frozen=True)
class Lookup:
    """How to come from an id to a name: tables, and the column of each that leads on or is the name."""

    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shown:
    """A column of the view, and what names the record that it points to."""

    column: str
    lookup: Lookup | None = None


def find_lookup(tables: Mapping[str, NamedTable], table: str | None) -> Lookup | None:
    """Find out how records of a table are called; None when that cannot be told."""
    here = tables.get(table) if table is not None else None
    if here is None or here.name_path is None:
        return None
    steps: list[tuple[str, str]] = []
    for field in here.name_path.split("."):
        place = tables[table].places.get(field) if table is not None and table in tables else None
        if table is None or place is None:
            return None
        steps.append((table, place.column))
        table = place.relation_table
    return Lookup(tuple(steps))


def view_statement(
    schema: str, view: str, table: str, shown: Sequence[Shown], taken: Collection[str], *, replace: bool
) -> sql.Composed:
    """Return the statement that makes a table's view.

    :param taken: the table's columns; the names stand in others.
    """
    listed: list[sql.Composable] = []
    joins: list[sql.Composable] = []
    used = set(taken)
    for item in shown:
        listed.append(sql.SQL("t.{}").format(sql.Identifier(item.column)))
        if item.lookup is None:
            continue
        key: sql.Composable = listed[-1]
        for table_name, column in item.lookup.steps:
            alias = sql.Identifier(f"r{len(joins) + 1}")
            joins.append(
                sql.SQL("\n    LEFT JOIN {} AS {alias} ON {alias}.id = {key}").format(
                    sql.Identifier(schema, table_name), alias=alias, key=key
                )
            )
            key = sql.SQL("{}.{}").format(alias, sql.Identifier(column))
        name = names.name_column(item.column, used)
        used.add(name)
        listed.append(sql.SQL("{} AS {}").format(key, sql.Identifier(name)))
    return sql.SQL("CREATE {replace}VIEW {view} AS SELECT\n    {listed}\nFROM {table} AS t{joins}").format(
        replace=sql.SQL("OR REPLACE " if replace else ""),
        view=sql.Identifier(schema, view),
        listed=sql.SQL(",\n    ").join(listed),
        table=sql.Identifier(schema, table),
        joins=sql.Composed(joins),
    )


def finishing_statements(schema: str, view: str, table: str) -> list[sql.Composed]:
    """Return what follows when a table's view was made.

    Its readers see what their own rights on its tables show (PostgreSQL 15), and the mirror knows it again.
    """
    name = sql.Identifier(schema, view)
    return [
        sql.SQL("COMMENT ON VIEW {} IS {}").format(name, f"Kept by odoo-shadow, with names beside ids: {table}"),
        sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(name),
        sql.SQL("GRANT SELECT ON {} TO PUBLIC").format(name),
        record_statement(schema, MadeObject(schema, view, ObjectKind.VIEW, table)),
    ]
