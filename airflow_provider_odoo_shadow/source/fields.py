"""What fields a model has, as `fields_get` tells."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.types import Json

ATTRIBUTES = ("type", "store", "relation", "digits", "company_dependent")
"""What is asked of each field."""


@dataclass(frozen=True)
class Field:
    """A field of an Odoo model.

    :param type: Odoo's type, such as `char` or `many2one`.
    :param store: whether it has a column of its own (for x2many it says nothing).
    :param relation: the model that a relational field points to.
    :param has_digits: whether a float is stored as an exact numeric (Odoo 17.0 and 19.0, `fields_get`).
    :param company_dependent: one value per company; `store` is false up to Odoo 17, true from 18.
    """

    name: str
    type: str
    store: bool = True
    relation: str | None = None
    has_digits: bool = False
    company_dependent: bool = False

    @classmethod
    def parse(cls, name: str, details: dict[str, Json]) -> Field:
        """Read one entry of `fields_get`."""
        relation = details.get("relation")
        return cls(
            name=name,
            type=str(details.get("type") or "unknown"),
            store=bool(details.get("store")),
            relation=relation if isinstance(relation, str) else None,
            # On 19 many say `digits: false`, some `0` on both; only a double says nothing.
            has_digits="digits" in details,
            company_dependent=bool(details.get("company_dependent")),
        )


def read_fields(client: OdooClient, model: str) -> list[Field]:
    """Ask for a model's fields, by name. Raises an `OdooError`."""
    answer = client.fields_get(model, ATTRIBUTES)
    return [Field.parse(name, answer[name]) for name in sorted(answer)]
