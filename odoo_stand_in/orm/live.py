"""Changes to a running stand-in: fields and models come and go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from odoo_stand_in.declared.declaring import complete_field
from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Declaration, Field, Flavour, Model
from odoo_stand_in.orm import ddl, reflecting
from odoo_stand_in.orm.query import column_type

Connection = psycopg.Connection[Any]


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
                    sql.Identifier(model.table), sql.Identifier(field.column_name), constant(field, field.default)
                )
            )
    registry.put_field(model, field)
    _reflect(connection, registry, model)


def _field(flavour: Flavour, model: str, name: str, kind: str, attrs: Mapping[str, Any]) -> Field:
    given = {"manual": name.startswith("x_"), **attrs}
    for key in ("digits", "selection"):
        if given.get(key):
            given[key] = tuple(one if isinstance(one, int | str) else one[0] for one in given[key])
    return complete_field(flavour, model, name, kind, given)


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


def constant(field: Field, value: Any) -> sql.Composable:
    """Return a value as the column of the field takes it."""
    if isinstance(value, dict | list):
        value = Jsonb(value)
    elif field.translate and value is not None:
        value = Jsonb({"en_US": value})
    return sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(column_type(field)))
