"""Detects changes of models' fields: for each model, and for each field, a text that differs after a change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.fields import ATTRIBUTES
from odoo_shadow.source.errors import OdooAccessError, OdooFatalError
from odoo_shadow.source.fields import FieldsState
from odoo_shadow.source.types import Json, Record
from odoo_shadow.source.values import storable

_ATTRIBUTES = (
    "model",
    "name",
    "ttype",
    "store",
    "relation",
    "required",
    "translate",
    "field_description",
    "groups",
    "selection_ids",
)
_IDENTITY = ("model", "name", "ttype", "relation", "related")
# Fields that are computed when they are read have no column. Company-dependent ones are not stored, up to Odoo 17.
_MAY_HAVE_COLUMN = ["|", ("store", "=", True), ("related", "=", False)]


def read_field_states(odoo: OdooClient, models: Sequence[str]) -> dict[str, FieldsState]:
    """Read the state of many models' fields in one call; without the right to read `ir.model.fields`, in one call each.

    Models that the server does not have, or does not show, are not in the answer. Raises an `OdooError`.
    """
    try:
        records = odoo.look_up(
            "ir.model.fields", [("model", "in", list(models)), *_MAY_HAVE_COLUMN], _ATTRIBUTES, order="id"
        )
    except OdooAccessError:
        states = ((model, _state_of_one(odoo, model)) for model in models)
        return {model: state for model, state in states if state is not None}
    found: dict[str, list[Record]] = {}
    wanted = set(models)
    for entry in records:
        model = entry.text("model")
        if model in wanted:  # a server that follows no rules may return others
            about = {"model": None, "id": None, "name": entry.text("name")}
            found.setdefault(model, []).append({**entry.record, **about})
    return {model: _state(fields) for model, fields in found.items()}


def read_field_identities(odoo: OdooClient, models: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return an identity of each field that models have now, by model and field: it differs for another field.

    A field that is removed and created again under the same name, for example by reinstalling a module, gives all rows
    other values and moves no `write_date` (17.0 and 19.0). Raises an `OdooError`.

    :return: no fields for a login that may not read `ir.model.fields`.
    """
    found: dict[str, dict[str, str]] = {model: {} for model in models}
    try:
        entries = odoo.look_up("ir.model.fields", [("model", "in", list(models)), *_MAY_HAVE_COLUMN], _IDENTITY)
    except OdooAccessError:
        return found
    for entry in entries:
        fields = found.get(entry.text("model"))
        if fields is not None:
            parts = (str(entry.id), *(entry.text(part) for part in _IDENTITY[2:]))
            fields[storable(entry.text("name"))] = storable(" ".join(parts))
    return found


def described_state(fields: Mapping[str, Mapping[str, Json]]) -> FieldsState:
    """Return the state of fields as `fields_get` describes them, asked for `ATTRIBUTES`.

    What they are computed from may come in any order and has no effect on columns, so it does not count.
    """
    return _state([{**_without_origins(details), "name": name} for name, details in fields.items()])


def _without_origins(details: Mapping[str, Json]) -> Record:
    return {key: value for key, value in details.items() if key != "depends"}


def _state_of_one(odoo: OdooClient, model: str) -> FieldsState | None:
    try:
        return described_state(odoo.fields_get(model, ATTRIBUTES))
    except OdooFatalError:
        return None  # the model's own run reports what is wrong


def _state(fields: list[Record]) -> FieldsState:
    listed = sorted(json.dumps(field, sort_keys=True) for field in fields)
    digest = hashlib.blake2b("\n".join(listed).encode(), digest_size=16).hexdigest()
    has_write_date = any(field["name"] == "write_date" and bool(field.get("store")) for field in fields)
    return FieldsState(digest, has_write_date, frozenset(str(field["name"]) for field in fields))
