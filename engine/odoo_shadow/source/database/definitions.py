"""Where the definition of a properties field is: `fields_get` tells that, and no table of Odoo's does.

For Odoo's own modules `property_definitions.toml` says it. Other modules' are known by their name alone; where that is
not certain, nothing is guessed, since another record's definition would give other values.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LIST = "property_definitions.toml"
_OF_ALL_RECORDS = "properties"
"""The field of Odoo 19's `properties.base.definition.mixin`."""
_BASE_LINK = "properties_base_definition_id"


@dataclass(frozen=True)
class OfModel:
    """The definition is the same for all records of the model (Odoo 19): a row of `properties_base_definition`."""


@dataclass(frozen=True)
class OfRecord:
    """The definition is in the record that a many2one field leads to.

    :param link: the many2one field.
    :param relation: the model of that record.
    :param name: its field with the definition.
    """

    link: str
    relation: str
    name: str


Place = OfModel | OfRecord


def place_of(
    model: str, field: str, links: Mapping[str, str], stored: Collection[str], definitions: Collection[tuple[str, str]]
) -> Place | None:
    """Return where the definition of a properties field is; None if that is not certain.

    :param links: all many2one fields of the model, and the models that they lead to.
    :param stored: those that have a column.
    :param definitions: the fields that hold definitions: model and name.
    """
    if field == _OF_ALL_RECORDS and _BASE_LINK in links:
        return OfModel()
    candidates = [
        OfRecord(link, relation, name)
        for link, relation in links.items()
        for model_of, name in definitions
        if model_of == relation
    ]
    listed = _listed().get(f"{model}.{field}")
    found = [item for item in candidates if f"{item.link}.{item.name}" == listed]
    found = found or [item for item in candidates if item.name == f"{field}_definition"]
    return found[0] if len(found) == 1 and found[0].link in stored else None


@cache
def _listed() -> Mapping[str, str]:
    listed = tomllib.loads(files(__package__).joinpath(_LIST).read_text(encoding="utf-8"))
    return {name: str(place) for name, place in listed.items()}
