"""Where the definition of a properties field is: `fields_get` tells that, and no table of Odoo's does.

Names tell it for all properties of Odoo's own modules (16.0 to 19.0). Where they do not, nothing is guessed: another
record's definition would give other values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

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
    model: str, field: str, fields: Collection[str], links: Mapping[str, str], definitions: Collection[tuple[str, str]]
) -> Place | None:
    """Return where the definition of a properties field is; None if names do not tell.

    :param fields: the names of all fields of the model.
    :param links: its stored many2one fields, and the models that they lead to.
    :param definitions: the fields that hold definitions: model and name.
    """
    if field == _OF_ALL_RECORDS and _BASE_LINK in fields:
        return OfModel()
    candidates = [
        OfRecord(link, relation, name)
        for link, relation in links.items()
        for model_of, name in definitions
        if model_of == relation
    ]
    own_name = model.rpartition(".")[2]
    for found in (
        [item for item in candidates if item.name == f"{field}_definition"],
        [item for item in candidates if item.name == f"{own_name}_{field}_definition"],
        [item for item in candidates if f"{item.relation}.".startswith(f"{model}.")],
    ):
        if found:
            return found[0] if len(found) == 1 else None
    return None
