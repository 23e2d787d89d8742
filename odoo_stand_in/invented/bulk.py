"""Values made inside PostgreSQL: many rows at once, and what Odoo keeps by company outside of a model's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Field
from odoo_stand_in.orm.company_values import field_id, property_column
from odoo_stand_in.orm.live import constant

Connection = psycopg.Connection[Any]


def company_properties(connection: Connection, registry: Registry) -> None:
    """Up to 17: company-dependent values of half of the records, kept in a table of their own."""
    for model in registry.models.values():
        for field in model.fields.values():
            if field.company_dependent and not field.store and not field.inherited and model.has_table:
                connection.execute(
                    sql.SQL(
                        "INSERT INTO ir_property (name, type, fields_id, company_id, res_id, {},"
                        " create_uid, write_uid, create_date, write_date)"
                        " SELECT {}, {}, {}, c.id, {} || r.id, {}, 1, 1, {now}, {now}"
                        " FROM {} r, res_company c WHERE r.id % 2 = 0 ORDER BY c.id, r.id"
                    ).format(
                        sql.Identifier(property_column(field)),
                        sql.Literal(field.name),
                        sql.Literal(field.type),
                        field_id(model, field),
                        sql.Literal(f"{model.name},"),
                        _property(registry, field),
                        sql.Identifier(model.table),
                        now=sql.SQL("now() AT TIME ZONE 'UTC'"),
                    )
                )


def _property(registry: Registry, field: Field) -> sql.Composable:
    """Return a value for the record `r` and the company `c`."""
    target = registry.models.get(field.relation or "")
    if field.type == "many2one" and target is not None:
        return sql.SQL("{} || (1 + r.id % (SELECT count(*) FROM {}))").format(
            sql.Literal(f"{target.name},"), sql.Identifier(target.table)
        )
    if field.type in ("integer", "float"):
        return sql.SQL("r.id % 90 + c.id")
    if field.type == "boolean":
        return sql.SQL("(r.id % 4 = 0)::int4")
    if field.selection and field.type != "reference":
        return sql.Literal(field.selection[0])
    if field.type in ("date", "datetime"):
        return sql.SQL("date '2024-02-28' + r.id + c.id")
    return sql.SQL("'V' || r.id || '-' || c.id")


def fill(connection: Connection, registry: Registry, name: str, count: int, like: Mapping[str, Any]) -> None:
    """INSERT … SELECT generate_series: every column gets a value made from the row's number."""
    model = registry.models[name]
    # The rows point only to what is there: checking each of millions of keys would take minutes.
    connection.execute("SET LOCAL session_replication_role = replica")
    names, values = [], []
    for field in model.columns:
        names.append(field.column_name)
        values.append(constant(field, like[field.name]) if field.name in like else _series(connection, registry, field))
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {}) AS n").format(
            sql.Identifier(model.table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(values),
            sql.Literal(count),
        )
    )
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(model.table)))


def _series(connection: Connection, registry: Registry, field: Field) -> sql.Composable:
    if field.name in ("create_uid", "write_uid"):
        return sql.SQL("2")
    if field.name in ("create_date", "write_date"):
        # Five hundred rows share a moment, as an import leaves them; the last ones are of just now.
        return sql.SQL("(now() AT TIME ZONE 'UTC') - (n / 500) * interval '1.000217 seconds'")
    label = sql.Literal(field.label)
    if field.name in ("parent_id", "commercial_partner_id") or field.type in ("binary", "properties"):
        return sql.SQL("NULL")
    if field.company_dependent:
        return sql.SQL("NULL::jsonb")
    if field.type == "many2one":
        return _some_id(connection, registry, field)
    if field.translate:
        return sql.SQL("jsonb_build_object('en_US', {} || ' ' || n)").format(label)
    if field.selection and field.type != "reference":
        return sql.SQL("({}::varchar[])[1 + n % {}]").format(
            sql.Literal(list(field.selection)), sql.Literal(len(field.selection))
        )
    return {
        "boolean": sql.SQL("TRUE") if field.name == "active" else sql.SQL("n % 3 = 0"),
        "integer": sql.SQL("n % 1000"),
        "many2one_reference": sql.SQL("n"),
        "float": sql.SQL("round((n % 10000) / 7.0, {})").format(sql.Literal(field.digits[1] if field.digits else 4)),
        "monetary": sql.SQL("round((n % 10000) / 7.0, 2)"),
        "date": sql.SQL("current_date - n % 700"),
        "datetime": sql.SQL("date_trunc('second', now() AT TIME ZONE 'UTC') - (n % 100000) * interval '1 minute'"),
        "text": sql.SQL("{} || ' no. ' || n || ', some words that make a line of usual length'").format(label),
        "html": sql.SQL("'<p>' || {} || ' ' || n || '</p>'").format(label),
        "json": sql.SQL("jsonb_build_object((1 + n % 5)::text, 100.0)"),
        "char": sql.SQL("{} || ' ' || n").format(label),
        "reference": sql.SQL("'res.partner,' || (1 + n % 50)"),
        "selection": sql.SQL("{}").format(sql.Literal("other" if field.required else None)),
    }.get(field.type, sql.SQL("NULL"))


def _some_id(connection: Connection, registry: Registry, field: Field) -> sql.Composable:
    """One of the first records that a many2one can point to, by the number of the row."""
    target = registry.models.get(field.relation or "")
    if target is None or not target.has_table:
        return sql.SQL("NULL")
    rows = connection.execute(sql.SQL("SELECT id FROM {} ORDER BY id LIMIT 50").format(sql.Identifier(target.table)))
    ids = [row[0] for row in rows]
    if not ids:
        return sql.SQL("NULL")
    return sql.SQL("({}::int[])[1 + n % {}]").format(sql.Literal(ids), sql.Literal(len(ids)))
