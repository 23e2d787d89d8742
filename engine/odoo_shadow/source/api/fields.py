"""Reads a model's fields from `fields_get`."""

from __future__ import annotations

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.fields import Field
from odoo_shadow.source.types import Json
from odoo_shadow.source.values import storable

ATTRIBUTES = (
    "type",
    "store",
    "relation",
    "digits",
    "company_dependent",
    "translate",
    "required",
    "manual",
    "related",
    "depends",
    "string",
    "selection",
)
"""The attributes that are asked for."""


def read_fields(client: OdooClient, model: str) -> list[Field]:
    """Ask for a model's fields, by name. Raises an `OdooError`."""
    answer = client.fields_get(model, ATTRIBUTES)
    return [parse_field(name, answer[name]) for name in sorted(answer)]


def parse_field(name: str, details: dict[str, Json]) -> Field:
    """Read one entry of `fields_get`."""
    relation, related = details.get("relation"), details.get("related")
    return Field(
        name=name,
        type=storable(str(details.get("type") or "unknown")),
        store=bool(details.get("store")),
        relation=storable(relation) if isinstance(relation, str) else None,
        # On 19 many have `digits: false`, some `0` on both versions; only a double has no such key.
        has_digits="digits" in details,
        company_dependent=bool(details.get("company_dependent")),
        translate=bool(details.get("translate")),
        required=bool(details.get("required")),
        manual=bool(details.get("manual")),
        related=storable(related) if isinstance(related, str) else None,
        depends=_paths(details.get("depends")),
        label=storable(str(details.get("string") or "")),
        selection=_selection(details.get("selection")),
    )


def _paths(paths: Json) -> tuple[str, ...]:
    return tuple(storable(path) for path in paths if isinstance(path, str)) if isinstance(paths, list) else ()


def _selection(choices: Json) -> tuple[tuple[str, str], ...]:
    pairs = choices if isinstance(choices, list) else []
    return tuple(
        (storable(str(pair[0])), storable(str(pair[1]))) for pair in pairs if isinstance(pair, list) and len(pair) == 2
    )
