"""What fields a model has, as `fields_get` tells."""

from __future__ import annotations

from dataclasses import dataclass

from odoo_shadow.source.api.answers import storable
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.types import Json

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
"""What is asked of each field."""


@dataclass(frozen=True)
class Field:
    """A field of an Odoo model.

    :param type: Odoo's type, such as `char` or `many2one`.
    :param store: whether it has a column of its own (for x2many it says nothing).
    :param relation: the model that a relational field points to.
    :param has_digits: whether a float is stored as an exact numeric (Odoo 17.0 and 19.0, `fields_get`).
    :param company_dependent: one value per company; `store` is false up to Odoo 17, true from 18.
    :param translate: one value per language.
    :param manual: made by an administrator or Studio, not by a module.
    :param related: where the value comes from, such as `partner_id.name`.
    :param depends: what it is computed from, such as `partner_id.name`.
    :param label: what Odoo shows, in the connection's language.
    :param selection: value and label of each choice; for a `reference` the models that it may point to.
    """

    name: str
    type: str
    store: bool = True
    relation: str | None = None
    has_digits: bool = False
    company_dependent: bool = False
    translate: bool = False
    required: bool = False
    manual: bool = False
    related: str | None = None
    depends: tuple[str, ...] = ()
    label: str = ""
    selection: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, name: str, details: dict[str, Json]) -> Field:
        """Read one entry of `fields_get`."""
        relation, related = details.get("relation"), details.get("related")
        return cls(
            name=name,
            type=storable(str(details.get("type") or "unknown")),
            store=bool(details.get("store")),
            relation=storable(relation) if isinstance(relation, str) else None,
            # On 19 many say `digits: false`, some `0` on both; only a double says nothing.
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


def read_fields(client: OdooClient, model: str) -> list[Field]:
    """Ask for a model's fields, by name. Raises an `OdooError`."""
    answer = client.fields_get(model, ATTRIBUTES)
    return [Field.parse(name, answer[name]) for name in sorted(answer)]
