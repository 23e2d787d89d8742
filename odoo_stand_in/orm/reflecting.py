"""What the registry knows, written down as rows of `ir.model`, `ir.model.fields` and `ir.model.constraint`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Field, Flavour, Model
from odoo_stand_in.orm import recording

# Tables that Odoo makes before its ORM runs, which then finds their keys in place and keeps no record of them.
_BEFORE_THE_ORM = frozenset({"ir.module.module.dependency"})
Connection = psycopg.Connection[Any]
Row = dict[str, Any]
_FOREIGN_KEYS = """
INSERT INTO ir_model_constraint (name, type, model, module, create_uid, write_uid, create_date, write_date)
SELECT k.conname, 'f', m.id, i.id, 1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
FROM pg_constraint AS k
JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS o(relation, attribute, model, module)
    ON o.relation = c.relname AND o.attribute = a.attname
JOIN ir_model AS m ON m.model = o.model
JOIN ir_module_module AS i ON i.name = o.module
WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace
ORDER BY m.id, k.conname
ON CONFLICT DO NOTHING
"""


def reflect(connection: Connection, registry: Registry, models: Iterable[Model]) -> None:
    """Bring the rows about these models up to date. As in Odoo they have no write_date, those of constraints aside."""
    chosen = list(models)
    _upsert(connection, "ir_model", ("model",), [_model(registry.flavour, one) for one in chosen])
    connection.execute(
        "DELETE FROM ir_model_fields WHERE model = ANY(%s) AND (model, name) NOT IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[]))",
        (
            [one.name for one in chosen],
            [one.name for one in chosen for _ in one.fields],
            [name for one in chosen for name in one.fields],
        ),
    )
    ids = dict(connection.execute("SELECT model, id FROM ir_model").fetchall())
    rows = [
        {"model": one.name, "model_id": ids[one.name], **_field(registry.flavour, field)}
        for one in chosen
        for field in one.fields.values()
    ]
    _upsert(connection, "ir_model_fields", ("model", "name"), rows)
    keys = [key for one in chosen if _has_recorded_keys(one) for key in _foreign_keys(one)]
    if keys:
        connection.execute(_FOREIGN_KEYS, [list(column) for column in zip(*keys, strict=True)])
    recording.record(connection, chosen)


def forget(connection: Connection, name: str) -> None:
    """Delete the rows about a model; those of its fields and constraints go with it."""
    connection.execute("DELETE FROM ir_model WHERE model = %s", (name,))
    recording.forget(connection)


def _upsert(connection: Connection, table: str, key: tuple[str, ...], rows: list[Row]) -> None:
    if not rows:
        return
    names = list(map(sql.Identifier, rows[0]))
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, {rows})"
            " ON CONFLICT ({key}) DO UPDATE SET ({names}) = ROW ({new})"
        ).format(
            table=sql.Identifier(table),
            names=sql.SQL(", ").join(names),
            rows=sql.Literal(Jsonb(rows)),
            key=sql.SQL(", ").join(map(sql.Identifier, key)),
            new=sql.SQL(", ").join(sql.SQL("excluded.{}").format(name) for name in names),
        )
    )


def _model(flavour: Flavour, model: Model) -> Row:
    row: Row = {
        "model": model.name,
        "name": {"en_US": model.description},
        "order": model.order,
        "state": "manual" if model.manual else "base",
        "transient": model.kind == "transient",
    }
    return row | {"abstract": model.kind == "abstract"} if flavour == "19" else row


def _field(flavour: Flavour, field: Field) -> Row:
    many2many = field.type == "many2many" and field.store
    row: Row = {
        "name": field.name,
        "field_description": {"en_US": field.label},
        "ttype": field.type,
        "state": "manual" if field.manual else "base",
        "relation": field.relation,
        "relation_field": field.relation_field if field.type == "one2many" and not field.inherited else None,
        "related": field.related,
        "required": field.required,
        "readonly": field.readonly,
        "translate": field.translate,
        "store": field.store,
        "relation_table": field.rel_table if many2many else None,
        "column1": field.rel_own if many2many else None,
        "column2": field.rel_other if many2many else None,
        "currency_field": None if field.implied_currency or field.type != "monetary" else field.currency_field,
        "size": field.size,
        "on_delete": field.ondelete if field.type == "many2one" and field.store and not field.related else None,
        "index": False,
        "copied": field.store and field.type != "one2many",
        "selectable": field.store,
    }
    if flavour == "19":
        terms = "html_translate" if field.type == "html" else "standard"
        row.update(translate=terms if field.translate else None, company_dependent=field.company_dependent)
    return row


def _has_recorded_keys(model: Model) -> bool:
    return model.has_table and model.auto and not model.manual and model.name not in _BEFORE_THE_ORM


def _foreign_keys(model: Model) -> list[tuple[str, str, str, str]]:
    """Table, column, model and module of each key that Odoo keeps a record of: none for custom fields."""
    found = []
    for field in model.fields.values():
        if field.manual or field.inherited:
            continue
        if field.type == "many2one" and field.column:
            found.append((model.table, field.column_name))
        elif field.type == "many2many" and field.store:
            found += [(field.rel_table or "", field.rel_own or ""), (field.rel_table or "", field.rel_other or "")]
    return [(*key, model.name, model.module) for key in found]
