"""fields_get: what a server tells of its fields."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from odoo_stand_in.declared.schema import NUMBERS, RELATIONAL, TEXTS, X2MANY, Field, Model
from odoo_stand_in.orm import access
from odoo_stand_in.orm.environment import Environment

SANITIZING = ("sanitize", "sanitize_tags", "sanitize_attributes")
KEEPING = ("sanitize_style", "strip_style", "strip_classes")


def fields_get(
    env: Environment, model: Model, allfields: Collection[str] | None, attributes: Collection[str] | None
) -> dict[str, dict[str, Any]]:
    """Descriptions of the fields that the user may read, by name."""
    result = {}
    for name, field in model.fields.items():
        if (allfields and name not in allfields) or not access.readable(env, field):
            continue
        described = describe(field, env.newer)
        if name == "display_name":
            described["depends"] = _named_by(model)
        if attributes is not None:
            described = {key: value for key, value in described.items() if key in attributes}
        result[name] = described
    return result


def _named_by(model: Model) -> list[str]:
    """Return the fields that a record's name is made of."""
    words = (word.strip("[]") for word in model.rec_name.split())
    return [word for word in words if word in model.fields]


def describe(field: Field, newer: bool) -> dict[str, Any]:
    searchable = (
        field.store
        or bool(field.related)
        or field.company_dependent
        or field.mirror_of is not None
        or (newer and field.name == "display_name")
    )
    description: dict[str, Any] = {
        "name": field.name,
        "type": field.type,
        "string": field.label,
        "store": field.store,
        "manual": field.manual,
        "company_dependent": field.company_dependent,
        "readonly": field.readonly,
        "required": field.required,
        "change_default": False,
        "default_export_compatible": False,
        "depends": list(field.depends) or ([field.related] if field.related else []),
        "exportable": True,
        "searchable": searchable,
        "sortable": (field.column or field.inherited) and field.type not in X2MANY,
    }
    if newer:
        description["groupable"] = description["sortable"] and field.type != "binary"
    for key in ("related", "groups", "definition_record", "definition_record_field", "model_field"):
        value = getattr(field, key)
        if value is not None and (key != "model_field" or newer):
            description[key] = value
    _relation(field, newer, description)
    _text(field, description)
    _number(field, newer, description)
    if field.type in ("selection", "reference"):
        description["selection"] = [[key, label] for key, label in field.choices()]
    if field.type == "binary":
        description["attachment"] = True
    return {**description, **field.told}


def _relation(field: Field, newer: bool, description: dict[str, Any]) -> None:
    if field.type not in RELATIONAL:
        return
    description.update(relation=field.relation, context={}, domain=[])
    if newer:
        # Odoo's own spelling.
        description["allow_hierachy_operators"] = True
    if field.type == "one2many" and not field.inherited:
        description["relation_field"] = field.relation_field


def _text(field: Field, description: dict[str, Any]) -> None:
    if field.type in TEXTS:
        description["translate"] = field.translate
    if field.type == "char":
        description["trim"] = True
    if field.type == "html":
        description.update(dict.fromkeys(SANITIZING, True) | dict.fromkeys(KEEPING, False))


def _number(field: Field, newer: bool, description: dict[str, Any]) -> None:
    if field.type == "monetary":
        description["currency_field"] = field.currency_field
    if field.type == "float" and field.digits is not None:
        description["digits"] = list(field.digits) if field.digits else field.digits
        if field.digits is False:
            description["min_display_digits"] = 2
    if field.type in NUMBERS and field.name != "id":
        description["aggregator" if newer else "group_operator"] = "sum"
