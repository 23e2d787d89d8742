"""Properties as a read tells them: the definition of the record that keeps it, with the record's own values put in.

What a value means is looked at each time: an option that is no longer defined and a record that is gone are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from psycopg import sql

from odoo_stand_in.orm.environment import Environment

Item = dict[str, Any]
Cell = tuple[list[Item] | None, dict[str, Any] | None]
"""A definition, and the record's own values."""


def read(env: Environment, cells: Iterable[Cell]) -> list[list[Item]]:
    """Return the lists that a read tells; 19 leaves the value out where a record has none."""
    told = [[_item(one, values or {}, env.newer) for one in definition or []] for definition, values in cells]
    there = _existing(env, [item for items in told for item in items])
    for items in told:
        for item in items:
            if "value" in item:
                item["value"] = (_newer if env.newer else _older)(item, there)
    return told


def _item(definition: Item, values: dict[str, Any], newer: bool) -> Item:
    name = definition["name"]
    if newer and name not in values:
        return dict(definition)
    return {**definition, "value": values.get(name)}


def add_names(told: Iterable[Sequence[Item]], names: Callable[[str, set[int]], dict[int, str]]) -> None:
    """Put the display name beside each id of a linked record, of values and of defaults.

    :param names: the display names of records of a model.
    """
    parts = [(model, item, key) for items in told for model, item in _linked(items) for key in ("value", "default")]
    wanted: dict[str, set[int]] = {}
    for model, item, key in parts:
        wanted.setdefault(model, set()).update(_ids(item.get(key)))
    shown = {model: names(model, ids) for model, ids in wanted.items()}
    for model, item, key in parts:
        pairs = [[one, shown[model][one]] for one in _ids(item.get(key)) if one in shown[model]]
        if item.get(key):
            item[key] = pairs if item["type"] == "many2many" else pairs[0] if pairs else False


def _linked(items: Sequence[Item]) -> Iterator[tuple[str, Item]]:
    """Return the properties that point to other records, with their model."""
    return ((item["comodel"], item) for item in items if item["type"] in ("many2one", "many2many"))


def _existing(env: Environment, items: Sequence[Item]) -> dict[str, set[int]]:
    wanted: dict[str, set[int]] = {}
    for model, item in _linked(items):
        wanted.setdefault(model, set()).update(_ids(item.get("value")))
    found = {}
    for name, ids in wanted.items():
        known = env.registry.models.get(name)
        if known is not None:
            query = sql.SQL("SELECT id FROM {} WHERE id = ANY({})")
            rows = env.rows(query.format(sql.Identifier(known.table), sql.Literal(sorted(ids))))
            found[name] = {row[0] for row in rows}
    return found


def _ids(value: Any) -> list[int]:
    given = value if isinstance(value, list) else [value]
    return [one for one in given if isinstance(one, int) and not isinstance(one, bool)]


def _older(item: Item, there: dict[str, set[int]]) -> Any:
    """Return what up to 18 is made of a value: of a model that is not known, everything is kept."""
    value, kind = item["value"], item["type"]
    if kind in ("many2one", "many2many") and value and item["comodel"] in there:
        return _links(value, kind, there[item["comodel"]])
    return _common(item, value, kind)


def _newer(item: Item, there: dict[str, set[int]]) -> Any:
    value, kind = item["value"], item["type"]
    if value is None:
        return None
    if kind in ("many2one", "many2many"):
        return _links(value, kind, there.get(item["comodel"], set()))
    if kind == "html":
        return item["name"].endswith("_html") and value
    return _common(item, value, kind)


def _common(item: Item, value: Any, kind: str) -> Any:
    if kind == "boolean":
        return bool(value)
    if kind in ("char", "text"):
        return value if isinstance(value, str) else False
    if kind == "selection" and value:
        return value if value in [key for key, _ in item.get("selection", [])] else False
    if kind == "tags" and value:
        known = [tag[0] for tag in item.get("tags", [])]
        return [tag for tag in value if tag in known]
    return value


def _links(value: Any, kind: str, there: set[int]) -> Any:
    if kind == "many2one":
        return value if value in there else False
    return [one for one in dict.fromkeys(_ids(value)) if one in there]
