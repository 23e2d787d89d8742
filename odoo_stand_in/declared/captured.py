"""The models and fields that real servers told of: the files that `tools.capture_declarations` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from odoo_stand_in.declared.declaring import default_relation
from odoo_stand_in.declared.schema import Field, Flavour, Model, magic_fields
from odoo_stand_in.declared.supplement import SUPPLEMENTS, Supplement, of_field

# What `fields_get` calls the attributes that `Field` has under the same name.
SAME = (
    *("type", "string", "store", "relation", "relation_field", "required", "readonly", "company_dependent"),
    *("translate", "currency_field", "implied_currency", "related", "groups"),
    *("definition_record", "definition_record_field"),
)
# What is told as it is, where the rules of `describing` would say something else.
TOLD = ("searchable", "sortable", "groupable", "default_export_compatible", "trim")
# What `ir.model.fields` calls the attributes that `fields_get` does not tell.
DICTIONARY = {"on_delete": "ondelete", "relation_table": "rel_table", "column1": "rel_own", "column2": "rel_other"}
OF_DICTIONARY = frozenset({*DICTIONARY, "implied_currency"})
"""What an entry has that `fields_get` does not tell."""
Entry = dict[str, Any]


def file_of(flavour: Flavour) -> Path:
    """Return the file with what a server of that version told."""
    return Path(__file__).with_name(f"odoo{flavour}.json")


def models(flavour: Flavour) -> Iterator[Model]:
    """Return the models of the file, each with its own fields."""
    entries = json.loads(file_of(flavour).read_text(encoding="utf-8"))
    for name, entry in entries.items():
        model = _model(flavour, name, entry)
        known = {*model.fields, *(field for parent in model.inherits for field in entries[parent]["fields"])}
        terms = map(str.strip, entry["order"].split(","))
        # Fields that no test needs are not in the file.
        model.order = ", ".join(term for term in terms if term.split()[0] in known) or "id"
        yield model


def _model(flavour: Flavour, name: str, entry: Entry) -> Model:
    supplement = SUPPLEMENTS.get(name, Supplement())
    more = {one.name: getattr(supplement, one.name) for one in fields(supplement)}
    if isinstance(supplement.view_sql, Mapping):
        more["view_sql"] = supplement.view_sql[flavour]
    if entry.get("transient"):
        more["kind"] = "transient"
    log_access = entry.get("log_access", True)
    model = Model(name, entry["name"], module=entry["module"], log_access=log_access, **more)
    model.fields = {field.name: field for field in magic_fields(model, flavour)}
    for field_name, attributes in entry["fields"].items():
        model.fields[field_name] = read_field(flavour, name, field_name, attributes)
    return model


def read_field(flavour: Flavour, model: str, name: str, entry: Entry) -> Field:
    """Return the field that an entry of the file describes."""
    attributes: dict[str, Any] = {key: entry[key] for key in SAME if key in entry}
    attributes |= {ours: entry[theirs] for theirs, ours in DICTIONARY.items() if theirs in entry}
    if "digits" in entry:
        attributes["digits"] = tuple(entry["digits"]) if entry["digits"] else entry["digits"]
    if "depends" in entry:
        attributes["depends"] = tuple(entry["depends"])
    if "selection" in entry:
        attributes["selection"] = tuple(key for key, _ in entry["selection"])
        attributes["labels"] = tuple(label for _, label in entry["selection"])
    if entry["type"] == "many2many" and "rel_table" not in attributes:
        attributes |= default_relation(model, entry["relation"])
    # What Odoo keeps as a file it cannot sort by; there is no other sign of it.
    attributes["attached"] = entry["type"] == "binary" and entry.get("sortable") is False
    told = {key: entry[key] for key in TOLD if key in entry}
    return Field(name=name, told=told, **{**attributes, **of_field(flavour, model, name, entry["type"])})
