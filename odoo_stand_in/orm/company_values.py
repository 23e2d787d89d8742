"""Values that differ by company: where each flavour keeps them, how they are read, and what a write leaves behind.

Up to 17 a value is a row of `ir_property`, and a default is such a row without a record. From 18 on the values of a
record are `{company: value}` in a column of its own table, and defaults are rows of `ir_default`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import NUMBERS, Field, Model

Connection = psycopg.Connection[Any]
# What is the same as the default is not kept, and follows it from then on; what does not change is not touched.
_PUT: tuple[LiteralString, ...] = (
    "DELETE FROM ir_property WHERE fields_id = {field} AND company_id = {company} AND res_id = ANY({records})"
    " AND {value} IS NOT DISTINCT FROM {default}",
    "UPDATE ir_property SET {column} = {value}, write_uid = 2, write_date = {now} WHERE fields_id = {field}"
    " AND company_id = {company} AND res_id = ANY({records}) AND {column} IS DISTINCT FROM {value}",
    "INSERT INTO ir_property (name, type, fields_id, company_id, res_id, {column},"
    " create_uid, write_uid, create_date, write_date)"
    " SELECT {name}, {type}, {field}, {company}, r.id, {value}, 2, 2, {now}, {now}"
    " FROM unnest({records}::text[]) AS r(id)"
    " WHERE {value} IS DISTINCT FROM {default} AND NOT EXISTS (SELECT FROM ir_property p"
    " WHERE p.fields_id = {field} AND p.company_id = {company} AND p.res_id = r.id)",
)


def property_column(field: Field) -> str:
    """Return the column of `ir_property` that has the field's values."""
    if field.type == "many2one":
        return "value_reference"
    if field.type in ("float", "binary"):
        return f"value_{field.type}"
    if field.type in ("integer", "boolean"):
        return "value_integer"
    return "value_datetime" if field.type in ("date", "datetime") else "value_text"


def field_id(model: Model, field: Field) -> sql.Composable:
    """Return the id of the field's row in `ir_model_fields`."""
    return sql.SQL("(SELECT f.id FROM ir_model_fields f WHERE f.model = {} AND f.name = {})").format(
        sql.Literal(model.name), sql.Literal(field.name)
    )


def value(
    registry: Registry, model: Model, field: Field, alias: str, company: int, kind: sql.Composable
) -> sql.Composable:
    """Return what a record has for a company, NULL for empty: a many2one whose record is gone is empty."""
    if field.store:
        return _of_column(registry, model, field, alias, company, kind)
    own = sql.SQL("{} || {}::text").format(sql.Literal(f"{model.name},"), sql.Identifier(alias, "id"))
    return sql.SQL("(SELECT v.value FROM ({} UNION ALL {}) AS v ORDER BY v.of_record DESC, v.company LIMIT 1)").format(
        _of_property(registry, model, field, company, own), _of_property(registry, model, field, company, None)
    )


def _of_property(
    registry: Registry, model: Model, field: Field, company: int, record: sql.Composable | None
) -> sql.Composable:
    """Return the rows of `ir_property` that may count: those of the company come before those of none."""
    return sql.SQL(
        "SELECT {} AS value, {} AS of_record, p.company_id AS company FROM ir_property p WHERE p.fields_id = {}"
        " AND (p.company_id = {} OR p.company_id IS NULL) AND {}"
    ).format(
        _from_property(registry, field),
        sql.Literal(record is not None),
        field_id(model, field),
        sql.Literal(company),
        sql.SQL("p.res_id IS NULL") if record is None else sql.SQL("p.res_id = {}").format(record),
    )


def _from_property(registry: Registry, field: Field) -> sql.Composable:
    column = sql.Identifier("p", property_column(field))
    if field.type == "many2one":
        return _still_there(registry, field, sql.SQL("split_part({}, ',', 2)::int4").format(column))
    if field.type == "boolean":
        return sql.SQL("{} <> 0").format(column)
    if field.type == "date":
        return sql.SQL("{}::date").format(column)
    if field.type == "float" and field.digits:
        return sql.SQL("round({}::numeric, {})").format(column, sql.Literal(field.digits[1]))
    if property_column(field) == "value_text":
        return sql.SQL("nullif({}, '')").format(column)
    return column


def _of_column(
    registry: Registry, model: Model, field: Field, alias: str, company: int, kind: sql.Composable
) -> sql.Composable:
    given = sql.SQL("({}->{}::text)").format(sql.Identifier(alias, field.name), sql.Literal(company))
    default = sql.SQL(
        "(SELECT {} FROM ir_default d WHERE d.field_id = {} AND (d.user_id IS NULL OR d.user_id = 1)"
        " AND (d.company_id IS NULL OR d.company_id = {}) AND d.condition IS NULL"
        " ORDER BY d.user_id, d.company_id, d.id LIMIT 1)"
    ).format(
        # No value of any other type is false: there it is how a default says "empty".
        sql.SQL("d.json_value::jsonb" if field.type == "boolean" else "nullif(d.json_value::jsonb, 'false')"),
        field_id(model, field),
        sql.Literal(company),
    )
    found = sql.SQL("(COALESCE({}, {})->>0)::{}").format(given, default, kind)
    return _still_there(registry, field, found) if field.type == "many2one" else found


def _still_there(registry: Registry, field: Field, target: sql.Composable) -> sql.Composable:
    comodel = registry.models.get(field.relation or "")
    if comodel is None:
        return target
    return sql.SQL("(SELECT t.id FROM {} AS t WHERE t.id = {})").format(sql.Identifier(comodel.table), target)


def put(
    connection: Connection,
    model: Model,
    field: Field,
    company: int,
    ids: Sequence[int],
    given: Any,
) -> None:
    """Write a company's value of some records; None is empty."""
    if given is None and field.type in NUMBERS:
        given = 0
    if field.store:
        _put_into_column(connection, model, field, company, ids, given)
        return
    parts = {
        "column": sql.Identifier(property_column(field)),
        "name": sql.Literal(field.name),
        "type": sql.Literal(field.type),
        "field": field_id(model, field),
        "company": sql.Literal(company),
        "records": sql.Literal([f"{model.name},{one}" for one in ids]),
        "value": as_property(field, given),
        "default": _default_property(model, field, company),
        "now": sql.SQL("now() AT TIME ZONE 'UTC'"),
    }
    for statement in _PUT:
        connection.execute(sql.SQL(statement).format(**parts))


def put_default(connection: Connection, model: Model, field: Field, company: int | None, given: Any) -> None:
    """Give the records of a company, or of all, a value where they have none of their own."""
    if not field.store:
        insert_properties(connection, model, field, [(company, None, given)])
        return
    now = sql.SQL("now() AT TIME ZONE 'UTC'")
    connection.execute(
        sql.SQL(
            "INSERT INTO ir_default (field_id, company_id, json_value, create_uid, write_uid, create_date, write_date)"
            " VALUES ({}, {}, {}, 1, 1, {now}, {now})"
        ).format(field_id(model, field), sql.Literal(company), sql.Literal(json.dumps(given)), now=now)
    )


def insert_properties(
    connection: Connection, model: Model, field: Field, rows: Sequence[tuple[int | None, int | None, Any]]
) -> None:
    """Make rows of `ir_property` of companies, records and values; None is any company, and any record."""
    given = [
        sql.SQL("({}::int4, {}::text, {})").format(
            sql.Literal(company),
            sql.Literal(None if record is None else f"{model.name},{record}"),
            as_property(field, one),
        )
        for company, record, one in rows
    ]
    if given:
        connection.execute(
            sql.SQL(
                "INSERT INTO ir_property (name, type, fields_id, company_id, res_id, {},"
                " create_uid, write_uid, create_date, write_date)"
                " SELECT {}, {}, {}, v.company, v.record, v.value, 1, 1, {now}, {now}"
                " FROM (VALUES {}) AS v(company, record, value)"
            ).format(
                sql.Identifier(property_column(field)),
                sql.Literal(field.name),
                sql.Literal(field.type),
                field_id(model, field),
                sql.SQL(", ").join(given),
                now=sql.SQL("now() AT TIME ZONE 'UTC'"),
            )
        )


def _default_property(model: Model, field: Field, company: int) -> sql.Composable:
    found = sql.SQL(
        "(SELECT p.{} FROM ir_property p WHERE p.fields_id = {} AND p.res_id IS NULL"
        " AND (p.company_id = {} OR p.company_id IS NULL) ORDER BY p.company_id LIMIT 1)"
    ).format(sql.Identifier(property_column(field)), field_id(model, field), sql.Literal(company))
    return sql.SQL("COALESCE({}, 0)").format(found) if field.type in NUMBERS | {"boolean"} else found


def as_property(field: Field, given: Any) -> sql.Composable:
    """Return a value as its column of `ir_property` takes it."""
    types = {"value_reference": "varchar", "value_float": "float8", "value_integer": "int4"}
    types |= {"value_datetime": "timestamp", "value_binary": "bytea"}
    if field.type == "many2one" and given is not None:
        given = f"{field.relation},{given}"
    if field.type == "boolean":
        given = int(bool(given))
    return sql.SQL("{}::{}").format(sql.Literal(given), sql.SQL(types.get(property_column(field), "text")))


def _put_into_column(
    connection: Connection, model: Model, field: Field, company: int, ids: Sequence[int], given: Any
) -> None:
    kind = sql.SQL("::text" if isinstance(given, str) else "::jsonb" if given is None else "")
    connection.execute(
        sql.SQL(
            "UPDATE {} SET {name} = COALESCE({name}, '{{}}') || jsonb_build_object({}::text, to_jsonb({}))"
            " WHERE id = ANY({})"
        ).format(
            sql.Identifier(model.table),
            sql.Literal(company),
            sql.Literal(given) + kind,
            sql.Literal(list(ids)),
            name=sql.Identifier(field.name),
        )
    )


def forget(connection: Connection, registry: Registry, model: Model, ids: Sequence[int]) -> None:
    """Take away what depends on deleted records: up to 17 their own values, later the values that point to them."""
    if registry.flavour == "17":
        connection.execute("DELETE FROM ir_property WHERE res_id = ANY(%s)", [[f"{model.name},{one}" for one in ids]])
        return
    for other in registry.models.values():
        for field in other.columns if other.has_table else ():
            if field.company_dependent and field.type == "many2one" and field.relation == model.name:
                connection.execute(_emptied(other, field), {"gone": [str(one) for one in ids]})


def _emptied(model: Model, field: Field) -> sql.Composed:
    return sql.SQL(
        "UPDATE {table} AS o SET {name} = (SELECT jsonb_object_agg(c.key,"
        " CASE WHEN c.value::text = ANY(%(gone)s) THEN 'null' ELSE c.value END) FROM jsonb_each(o.{name}) AS c)"
        " WHERE EXISTS (SELECT FROM jsonb_each(o.{name}) AS c WHERE c.value::text = ANY(%(gone)s))"
    ).format(table=sql.Identifier(model.table), name=sql.Identifier(field.name))
