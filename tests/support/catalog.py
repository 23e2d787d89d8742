"""What a database holds: its structure as PostgreSQL's own catalogs tell it, and its rows."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase

_OF_USERS = sql.SQL("n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'")
_STRUCTURE: dict[str, LiteralString] = {
    "schemas": "SELECT n.nspname, n.nspacl::text FROM pg_namespace n WHERE {of_users}",
    "relations": (
        "SELECT n.nspname, c.relname, c.relkind::text, c.reloptions, c.relacl::text, obj_description(c.oid, 'pg_class')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {of_users}"
    ),
    "columns": (
        "SELECT n.nspname, c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
        " a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
        " WHERE a.attnum > 0 AND NOT a.attisdropped AND {of_users}"
    ),
    "constraints": (
        "SELECT n.nspname, o.conname, o.conrelid::regclass::text, pg_get_constraintdef(o.oid)"
        " FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE {of_users}"
    ),
    "indexes": "SELECT n.nspname, indexname, indexdef FROM pg_indexes JOIN pg_namespace n ON n.nspname = schemaname"
    " WHERE {of_users}",
    "views": "SELECT n.nspname, viewname, definition FROM pg_views JOIN pg_namespace n ON n.nspname = schemaname"
    " WHERE {of_users}",
    "functions": (
        "SELECT n.nspname, p.proname, pg_get_functiondef(p.oid), p.proacl::text"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {of_users}"
    ),
}


def structure(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that users' schemas hold, rows apart."""
    with psycopg.connect(url) as connection:
        return {
            what: sorted(connection.execute(sql.SQL(query).format(of_users=_OF_USERS)).fetchall(), key=repr)
            for what, query in _STRUCTURE.items()
        }


def without_numbers(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Leave out the columns' numbers: a column that was dropped and added again has another."""
    columns = sorted((row[:2] + row[3:] for row in found["columns"]), key=repr)
    return found | {"columns": columns}


def without_relationships(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Leave out the functions by which PostgREST embeds related rows: the files of `ddl` leave them to the sync."""
    functions = [row for row in found["functions"] if "RETURNS SETOF " not in str(row[2])]
    return found | {"functions": functions}


def contents(url: str, schema: str = "odoo_shadow") -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of a schema's tables, with the transactions that wrote them."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)).fetchall()
        query = sql.SQL("SELECT xmin::text, * FROM {} ORDER BY ctid")
        return {
            str(table): connection.execute(query.format(sql.Identifier(schema, table))).fetchall() for (table,) in found
        }


def registered(database: str, schema: str) -> list[list[tuple[object, ...]]]:
    """What the books say, moments apart."""
    with ShadowDatabase.from_url(database, schema=schema) as shadow, shadow.transaction() as tx:
        return [
            tx.run(query, book=tx.own(book))
            for book, query in (
                (
                    "odoo_shadow_meta",
                    "SELECT odoo_model, table_name, field_count, label, name_path FROM {book} ORDER BY 1",
                ),
                (
                    "odoo_shadow_field",
                    "SELECT table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, label,"
                    " relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at"
                    " FROM {book} ORDER BY 1, 2",
                ),
                ("odoo_shadow_selection", "SELECT * FROM {book} ORDER BY 1, 2, 3"),
            )
        ]
