"""Properties: the values are in the record, what they mean in the record's container.

Odoo merges both when it reads a record; this does the same with what its tables have (`convert_to_read_multi` and
`_parse_json_types` of Odoo 16.0, 17.0 and 19.0).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.definitions import OfModel
from odoo_shadow.source.database.links import ROW
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.types import Json, Record

FIRST_TO_OMIT = 18
"""From this version on, the answer has no value for a property that the record has none for; before, an empty one."""

_LINKS = ("many2one", "many2many")
_BASE = "properties_base_definition"
"""Odoo 19's table of definitions that hold for all records of a model."""

Existing = Callable[[str, Collection[int]], set[int] | None]
"""Returns which ids of a model exist; None for a model that Odoo does not have."""


@dataclass(frozen=True)
class Definition:
    """Where the definition of a properties field is.

    :param of_row: the SQL of the definition for a row.
    """

    table: str
    of_row: sql.Composable


def find_definition(tx: Transaction, model: StoredModel, field: StoredField, tables: Mapping[str, str]) -> Definition:
    """Return where a properties field's definition is.

    :param tables: the tables of all models, by model.
    :raises OdooConfigurationError: its table is missing.
    """
    place = field.definition
    if place is None:
        raise AssertionError("properties whose definition is not known are not there")
    if isinstance(place, OfModel):
        of_model = sql.SQL("(SELECT c.properties_definition FROM {} c WHERE c.properties_field_id = {})")
        return Definition(_BASE, of_model.format(tx.odoos(_BASE), field.id))
    table = tables.get(place.relation)
    if table is None:
        raise OdooConfigurationError(
            f"{model.name}: the table of {place.relation}, which defines '{field.name}', is missing."
        )
    of_row = sql.SQL("(SELECT c.{} FROM {} c WHERE c.id = {}.{})").format(
        sql.Identifier(place.name), tx.odoos(table), ROW, sql.Identifier(place.link)
    )
    return Definition(table, of_row)


def merge_properties(records: Sequence[Record], names: Collection[str], existing: Existing, *, omits: bool) -> None:
    """Replace `{own, definition}` in records by the list that Odoo's API gives.

    :param omits: whether a property without a value is left out; otherwise it is empty.
    """
    lists = [items for record in records for name in names for items in [_merged(record[name], omits)]]
    wanted: dict[str, set[int]] = {}
    for items in lists:
        for model, ids in _linked(items):
            wanted.setdefault(model, set()).update(ids)
    there = {model: existing(model, ids) for model, ids in wanted.items()}
    for items in lists:
        for item in items:
            if "value" in item:
                item["value"] = _meant(item, there, omits)
    for at, record in enumerate(records):
        for nth, name in enumerate(names):
            record[name] = list(lists[at * len(names) + nth])


def _merged(cell: Json, omits: bool) -> list[dict[str, Json]]:
    parts = cell if isinstance(cell, dict) else {}
    definition, own = parts.get("definition"), parts.get("own")
    values = own if isinstance(own, dict) else {}
    merged: list[dict[str, Json]] = []
    for item in definition if isinstance(definition, list) else []:
        if not isinstance(item, dict):
            continue
        found = {key: part for key, part in item.items() if key != "value"}
        name = item.get("name")
        if isinstance(name, str) and name in values:
            found["value"] = values[name]
        elif not omits:
            found["value"] = None
        merged.append(found)
    return merged


def _linked(items: Sequence[Mapping[str, Json]]) -> Iterator[tuple[str, list[int]]]:
    for item in items:
        model, value = item.get("comodel"), item.get("value")
        if item.get("type") in _LINKS and isinstance(model, str):
            ids = value if isinstance(value, list) else [value]
            yield model, [one for one in ids if isinstance(one, int) and not isinstance(one, bool)]


def _meant(item: Mapping[str, Json], there: Mapping[str, set[int] | None], omits: bool) -> Json:
    """Return what Odoo makes of a property's value: options and records that are gone do not count."""
    value, kind = item.get("value"), item.get("type")
    if value is None and omits:
        return None
    if kind == "boolean":
        return bool(value)
    if kind in ("char", "text") and not isinstance(value, str):
        return False
    if kind == "html":
        return value if str(item.get("name")).endswith("_html") else False
    if not value:
        of_links: dict[str, Json] = {"many2one": False, "many2many": []}
        return of_links.get(str(kind), value) if omits else value
    if kind == "selection":
        return value if value in _first_of(item.get("selection")) else False
    if kind == "tags":
        tags = _first_of(item.get("tags"))
        return [tag for tag in value if tag in tags] if isinstance(value, list) else value
    if kind in _LINKS:
        return _existing_of(value, kind == "many2one", there.get(str(item.get("comodel"))))
    return value


def _existing_of(value: Json, is_one: bool, ids: set[int] | None) -> Json:
    if is_one:
        return value if isinstance(value, int) and (ids is None or value in ids) else False
    items = value if isinstance(value, list) else []
    return [one for one in dict.fromkeys(one for one in items if isinstance(one, int)) if ids is None or one in ids]


def _first_of(pairs: Json) -> list[Json]:
    return [pair[0] for pair in pairs if isinstance(pair, list) and pair] if isinstance(pairs, list) else []
