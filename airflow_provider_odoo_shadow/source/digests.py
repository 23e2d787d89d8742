"""Whether models' fields are what they were: for each model a text that differs when they are not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooAccessError, OdooFatalError
from airflow_provider_odoo_shadow.source.fields import ATTRIBUTES
from airflow_provider_odoo_shadow.source.types import Json, Record

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
# Fields that are computed when asked have no column. Company-dependent ones are not stored either, up to Odoo 17.
_MAY_HAVE_COLUMN = ["|", ("store", "=", True), ("related", "=", False)]


@dataclass(frozen=True)
class FieldsState:
    """A model's fields at one moment.

    :param digest: differs when a field came, went or changed.
    :param has_write_date: whether changes can be found by `write_date`.
    """

    digest: str
    has_write_date: bool


def read_fields_states(odoo: OdooClient, models: Sequence[str]) -> dict[str, FieldsState]:
    """Look at the fields of many models in one call; a login that may not read `ir.model.fields` takes one each.

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
        if model in wanted:  # a server that follows no rules may tell of others
            about = {"model": None, "id": None, "name": entry.text("name")}
            found.setdefault(model, []).append({**entry.record, **about})
    return {model: _state(fields) for model, fields in found.items()}


def described_state(fields: Mapping[str, Mapping[str, Json]]) -> FieldsState:
    """Return the state of fields as `fields_get` tells them, asked for `ATTRIBUTES`.

    What they are computed from may come in any order, and changes no column.
    """
    return _state([{**_without_origins(details), "name": name} for name, details in fields.items()])


def _without_origins(details: Mapping[str, Json]) -> Record:
    return {key: value for key, value in details.items() if key != "depends"}


def _state_of_one(odoo: OdooClient, model: str) -> FieldsState | None:
    try:
        return described_state(odoo.fields_get(model, ATTRIBUTES))
    except OdooFatalError:
        return None  # the model's own run tells what is wrong


def _state(fields: list[Record]) -> FieldsState:
    listed = sorted(json.dumps(field, sort_keys=True) for field in fields)
    digest = hashlib.blake2b("\n".join(listed).encode(), digest_size=16).hexdigest()
    return FieldsState(digest, any(field["name"] == "write_date" and bool(field.get("store")) for field in fields))
