"""Changes to a running stand-in: bulk rows, fields, models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from odoo_stand_in import ddl, reflecting
from odoo_stand_in.declaring import default_relation
from odoo_stand_in.models import Registry
from odoo_stand_in.query import column_type
from odoo_stand_in.schema import Declaration, Field, Flavour, Model

Connection = psycopg.Connection[Any]


def company_properties(connection: Connection, registry: Registry) -> None:
    """Up to 17: company-dependent values of half of the records, kept in a table of their own."""
    for model in registry.models.values():
        for field in model.fields.values():
            if not field.company_dependent or field.store or field.inherited or not model.has_table:
                continue
            target = registry.models.get(field.relation or "")
            if field.type == "many2one" and target is not None:
                value: sql.Composable = sql.SQL("(1 + r.id % (SELECT count(*) FROM {}))::text").format(
                    sql.Identifier(target.table)
                )
            elif field.type in ("integer", "float", "monetary"):
                value = sql.SQL("(r.id % 90 + c.id)::text")
            elif field.type == "boolean":
                value = sql.SQL("(r.id % 4 = 0)::text")
            elif field.selection:
                value = sql.Literal(field.selection[0])
            elif field.type in ("date", "datetime"):
                value = sql.SQL("(date '2024-02-28' + r.id + c.id)::text")
            else:
                value = sql.SQL("'V' || r.id || '-' || c.id")
            connection.execute(
                sql.SQL(
                    "INSERT INTO ir_property (fields_name, model, company_id, res_id, value)"
                    " SELECT {}, {}, c.id, r.id, {} FROM {} r, res_company c WHERE r.id % 2 = 0"
                ).format(sql.Literal(field.name), sql.Literal(model.name), value, sql.Identifier(model.table))
            )


def fill(connection: Connection, registry: Registry, name: str, count: int, like: Mapping[str, Any]) -> None:
    """INSERT … SELECT generate_series: every column gets a value made from the row's number."""
    model = registry.models[name]
    # The rows point only to what is there: checking each of millions of keys would take minutes.
    connection.execute("SET LOCAL session_replication_role = replica")
    names, values = [], []
    for field in model.columns:
        names.append(field.column_name)
        values.append(_like(field, like[field.name]) if field.name in like else _series(connection, registry, field))
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {}) AS n").format(
            sql.Identifier(model.table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(values),
            sql.Literal(count),
        )
    )
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(model.table)))


def _like(field: Field, value: Any) -> sql.Composable:
    if isinstance(value, dict | list):
        value = Jsonb(value)
    elif field.translate and value is not None:
        value = Jsonb({"en_US": value})
    return sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(column_type(field)))


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
    if field.selection:
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


def add_field(
    connection: Connection, registry: Registry, model_name: str, name: str, kind: str, attrs: Mapping[str, Any]
) -> None:
    """ALTER TABLE … ADD COLUMN (or a relation table) and the field's description."""
    model = registry.models[model_name]
    field = _field(registry.flavour, model_name, name, kind, attrs)
    if field.type == "many2many" and field.store:
        connection.execute(ddl.create_relation(field))
    elif field.column and model.has_table:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(sql.Identifier(model.table), ddl.column(field))
        )
        if field.default is not None:
            connection.execute(
                sql.SQL("UPDATE {} SET {} = {}").format(
                    sql.Identifier(model.table), sql.Identifier(field.column_name), _like(field, field.default)
                )
            )
    registry.put_field(model, field)
    _reflect(connection, registry, model)


def _field(flavour: Flavour, model: str, name: str, kind: str, attrs: Mapping[str, Any]) -> Field:
    given = dict(attrs)
    given.setdefault("manual", name.startswith("x_"))
    if given.get("company_dependent"):
        given.setdefault("store", flavour == "19")
    if kind == "monetary":
        given.setdefault("currency_field", "currency_id")
    for key in ("digits", "selection"):
        if given.get(key):
            given[key] = tuple(one if isinstance(one, int | str) else one[0] for one in given[key])
    if kind == "many2many" and "rel_table" not in given:
        given.update(default_relation(model, given["relation"]))
    return Field(name=name, type=kind, **given)


def remove_field(connection: Connection, registry: Registry, model_name: str, name: str) -> None:
    """Drop the column and the description."""
    model = registry.models[model_name]
    field = model.fields[name]
    if field.column and model.has_table:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP COLUMN {} CASCADE").format(
                sql.Identifier(model.table), sql.Identifier(field.column_name)
            )
        )
    registry.drop_field(model, name)
    _reflect(connection, registry, model)


def _reflect(connection: Connection, registry: Registry, model: Model) -> None:
    """Write down what changed in a model and in those that inherit its fields."""
    heirs = [one for one in registry.models.values() if model.name in one.inherits]
    reflecting.reflect(connection, registry, [model, *heirs])


def add_model(
    connection: Connection,
    registry: Registry,
    name: str,
    fields: Mapping[str, str | Mapping[str, Any]],
    label: str | None = None,
) -> None:
    """CREATE TABLE, and a row in ir_model."""
    rec_name = next((one for one in ("name", "x_name") if one in fields), "")
    shown = name.replace(".", " ").title() if label is None else label
    (model,) = registry.declare([Declaration(name, shown, "", rec_name=rec_name)])
    for field_name, given in fields.items():
        attrs = {"type": given} if isinstance(given, str) else dict(given)
        kind = attrs.pop("type")
        field = _field(registry.flavour, name, field_name, kind, attrs)
        model.fields[field_name] = field
        if field.type == "many2many" and field.store:
            connection.execute(ddl.create_relation(field))
    connection.execute(ddl.create_table(model))
    keys = list(ddl.foreign_keys(registry, model))
    if keys:
        connection.execute(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(model.table), sql.SQL(", ").join(keys)))
    reflecting.reflect(connection, registry, [model])


def add_view(connection: Connection, registry: Registry, name: str, view_sql: str, fields: Mapping[str, str]) -> None:
    """CREATE VIEW, and a row in ir_model."""
    lines = "\n".join(f"{field}: {kind} manual" for field, kind in fields.items())
    rec_name = next((one for one in ("name", "x_name") if one in fields), "")
    declaration = Declaration(name, name, lines, rec_name=rec_name, kind="view", view_sql=view_sql)
    (model,) = registry.declare([declaration])
    connection.execute(sql.SQL("CREATE VIEW {} AS {}").format(sql.Identifier(model.table), sql.SQL(view_sql)))
    reflecting.reflect(connection, registry, [model])


def uninstall(connection: Connection, registry: Registry, name: str) -> None:
    """Forget the model; its table goes with whatever pointed at it."""
    model = registry.remove(name)
    for other in registry.models.values():
        gone = [one for one in other.fields.values() if one.relation == name and one.type != "many2one"]
        for field in gone:
            registry.drop_field(other, field.name)
        if gone:
            _reflect(connection, registry, other)
    kind = "VIEW" if model.kind == "view" else "TABLE"
    connection.execute(sql.SQL("DROP {} IF EXISTS {} CASCADE").format(sql.SQL(kind), sql.Identifier(model.table)))
    reflecting.forget(connection, name)
