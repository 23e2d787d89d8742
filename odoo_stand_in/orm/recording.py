"""What Odoo writes down besides models and fields: choices, relation tables, modules, keys, and who inherits whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg

from odoo_stand_in.declared.schema import Model

Connection = psycopg.Connection[Any]
UNIQUE_KEYS: Mapping[str, Sequence[tuple[str, str]]] = {
    "ir.config_parameter": [("key_uniq", "key")],
    "ir.model": [("obj_name_uniq", "model")],
    "ir.model.constraint": [("module_name_uniq", "name, module")],
    "ir.model.fields": [("name_unique", "model, name")],
    "ir.model.fields.selection": [("selection_field_uniq", "field_id, value")],
    "ir.model.inherit": [("uniq", "model_id, parent_id")],
    "ir.module.module": [("name_uniq", "name")],
    "res.lang": [("code_uniq", "code"), ("name_uniq", "name")],
}
"""Of Odoo's own tables: how a key is called behind the table's name, and its columns."""

_CHOICES: LiteralString = """
INSERT INTO ir_model_fields_selection (field_id, value, sequence, name)
SELECT f.id, c.value, c.sequence, jsonb_build_object('en_US', c.label)
FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::text[]) AS c(model, field, value, sequence, label)
JOIN ir_model_fields AS f ON f.model = c.model AND f.name = c.field
ORDER BY f.id, c.sequence
ON CONFLICT (field_id, value) DO UPDATE SET sequence = excluded.sequence, name = excluded.name
"""
_CHOICES_GONE: LiteralString = """
DELETE FROM ir_model_fields_selection AS s USING ir_model_fields AS f
WHERE f.id = s.field_id AND f.model = ANY(%s) AND (f.model, f.name, s.value) NOT IN (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])
)
"""
_RELATIONS: LiteralString = """
INSERT INTO ir_model_relation (name, model, module, create_uid, write_uid, create_date, write_date)
SELECT r.name, m.id, i.id, 1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
FROM unnest(%s::text[], %s::text[], %s::text[]) AS r(name, model, module)
JOIN ir_model AS m ON m.model = r.model
JOIN ir_module_module AS i ON i.name = r.module
WHERE NOT EXISTS (SELECT FROM ir_model_relation AS o WHERE o.name = r.name AND o.module = i.id)
"""
# Two models may have names that differ only in their dots: then the second one is named with its id.
_MODULES: LiteralString = """
INSERT INTO ir_model_data (module, name, model, res_id, noupdate)
SELECT d.module, 'model_' || replace(d.model, '.', '_') || {suffix}, 'ir.model', m.id, false
FROM unnest(%s::text[], %s::text[]) AS d(model, module)
JOIN ir_model AS m ON m.model = d.model
WHERE NOT EXISTS (SELECT FROM ir_model_data AS o WHERE o.model = 'ir.model' AND o.res_id = m.id)
ON CONFLICT DO NOTHING
"""
_FIELDS: LiteralString = """
INSERT INTO ir_model_data (module, name, model, res_id, noupdate)
SELECT d.module, 'field_' || replace(d.model, '.', '_') || '__' || f.name, 'ir.model.fields', f.id, false
FROM unnest(%s::text[], %s::text[]) AS d(model, module)
JOIN ir_model_fields AS f ON f.model = d.model AND f.state = 'base'
WHERE NOT EXISTS (SELECT FROM ir_model_data AS o WHERE o.model = 'ir.model.fields' AND o.res_id = f.id)
ON CONFLICT DO NOTHING
"""
_GONE: LiteralString = """
DELETE FROM ir_model_data AS d WHERE CASE d.model
    WHEN 'ir.model' THEN NOT EXISTS (SELECT FROM ir_model AS m WHERE m.id = d.res_id)
    WHEN 'ir.model.fields' THEN NOT EXISTS (SELECT FROM ir_model_fields AS f WHERE f.id = d.res_id)
    ELSE false
END
"""
_KEYS: LiteralString = """
INSERT INTO ir_model_constraint (name, type, definition, model, module, create_uid, write_uid, create_date, write_date)
SELECT k.name, 'u', k.definition, m.id, i.id, 1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
FROM unnest(%s::text[], %s::text[], %s::text[]) AS k(name, definition, model)
JOIN ir_model AS m ON m.model = k.model
JOIN ir_module_module AS i ON i.name = 'base'
ON CONFLICT DO NOTHING
"""
_PARENTS: LiteralString = """
INSERT INTO ir_model_inherit (model_id, parent_id, parent_field_id)
SELECT m.id, p.id, f.id
FROM unnest(%s::text[], %s::text[], %s::text[]) AS i(model, parent, link)
JOIN ir_model AS m ON m.model = i.model
JOIN ir_model AS p ON p.model = i.parent
JOIN ir_model_fields AS f ON f.model = i.model AND f.name = i.link
ON CONFLICT DO NOTHING
"""
Rows = Sequence[tuple[Any, ...]]


def record(connection: Connection, models: Iterable[Model]) -> None:
    """Write down what belongs to these models, whose own rows and those of whose fields are there."""
    chosen = list(models)
    choices = [(one.name, *choice) for one in chosen for choice in _choices(one)]
    connection.execute(_CHOICES_GONE, [[one.name for one in chosen], *_columns(choices, 5)[:3]])
    _insert(connection, _CHOICES, choices)
    relations = {(name, module): model for one in reversed(chosen) for name, model, module in _relations(one)}
    _insert(connection, _RELATIONS, [(name, model, module) for (name, module), model in relations.items()])
    own = [(one.name, one.module) for one in chosen if not one.manual]
    for suffix in ("''", "'_' || m.id"):
        _insert(connection, _MODULES.replace("{suffix}", suffix), own)
    _insert(connection, _FIELDS, own)
    keys = [key for one in chosen for key in unique_keys(one)]
    _insert(connection, _KEYS, [(name, f"unique({columns})", model) for name, columns, model in keys])
    _insert(connection, _PARENTS, [(one.name, *parent) for one in chosen for parent in one.inherits.items()])
    forget(connection)


def forget(connection: Connection) -> None:
    """Delete what is known of models and fields that are gone, as far as no key takes it along."""
    connection.execute(_GONE)


def unique_keys(model: Model) -> Iterator[tuple[str, str, str]]:
    """Return name, columns and model of the keys that one of Odoo's own tables has."""
    for suffix, columns in UNIQUE_KEYS.get(model.name, ()):
        yield f"{model.table}_{suffix}", columns, model.name


def _insert(connection: Connection, statement: LiteralString, rows: Rows) -> None:
    if rows:
        connection.execute(statement, _columns(rows, len(rows[0])))


def _columns(rows: Rows, width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]


def _choices(model: Model) -> Iterator[tuple[str, str, int, str]]:
    """Return field, value, place and label of each choice that is fixed: those of related fields are looked up."""
    for field in model.fields.values():
        if field.type in ("selection", "reference") and not (field.chosen_by_code or field.related):
            for place, (value, label) in enumerate(field.choices()):
                yield field.name, value, place, label


def _relations(model: Model) -> Iterator[tuple[str, str, str]]:
    """Return relation tables, with the model and the module that made them; Odoo keeps no record for custom fields."""
    for field in model.fields.values():
        if field.type == "many2many" and field.store and field.rel_table and not (field.manual or field.inherited):
            yield field.rel_table, model.name, model.module
