"""Odoo's types → PostgreSQL's: which column a field gets, and how its values are converted.

Values are converted by the field's declared type, never by their shape: `false` means empty for one type and no for
another, and an id may look like a list.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Callable
from typing import TypeAlias

from airflow_provider_odoo_shadow.source.answers import is_id
from airflow_provider_odoo_shadow.source.fields import Field
from airflow_provider_odoo_shadow.source.types import Json
from airflow_provider_odoo_shadow.target.merge import Cell
from airflow_provider_odoo_shadow.target.tables import ColumnType

Convert: TypeAlias = Callable[[Json], Cell]

_MOST_DIGITS = 20
"""Of a whole number that comes as a text; PostgreSQL's bigint has 19 and a sign."""


def text(value: Json) -> Cell:
    """Convert char, text, html, selection and reference."""
    if value is False or value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def integer(value: Json) -> Cell:
    """Convert integer and many2one_reference. An empty company-dependent integer is `false`."""
    if value is False or value is None:
        return None
    whole = int(value) if isinstance(value, float) and value.is_integer() else value  # so come those beyond 2**31 - 1
    number = int(whole) if isinstance(whole, str) and len(whole) <= _MOST_DIGITS else whole
    if not is_id(number):
        raise ValueError("no whole number that a bigint holds")
    return number


def many2one(value: Json) -> Cell:
    """Convert a many2one: an id, or `[id, name]` from servers that do not know `load`."""
    return integer(value[0] if isinstance(value, list) and value else value)


def ids(value: Json) -> Cell:
    """Convert a many2many: the ids, sorted, as PostgreSQL writes an array; an empty one is an empty array."""
    if value is False or value is None:
        return None
    found = [item for item in value if is_id(item)] if isinstance(value, list) else None
    if found is None or found != value:
        raise TypeError("no list of ids")
    return "{" + ",".join(map(str, sorted(set(found)))) + "}"


def boolean(value: Json) -> Cell:
    """Convert a boolean, whose `false` is a value."""
    return bool(value)


def number(value: Json) -> Cell:
    """Convert float and monetary. Python's shortest form of a double is exact enough for any `digits`."""
    if not isinstance(value, int | float | str) or value is False:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number


def timestamp(value: Json) -> Cell:
    """Convert a datetime, which Odoo gives in UTC without saying so."""
    return f"{value}+00" if isinstance(value, str) else None


def jsonb(value: Json) -> Cell:
    """Convert json, properties and every type that is not known."""
    return None if value is False or value is None else _as_json(value)


def properties(value: Json) -> Cell:
    """Convert properties to an object by the properties' names, as Odoo stores them.

    Odoo sends each with its definition, which may change without a trace in the record; it is mirrored where it stands,
    in the container's `properties_definition` field. Names of linked records are left out for the same reason.
    """
    if not isinstance(value, list):
        return jsonb(value)
    items = [item for item in value if isinstance(item, dict) and "value" in item]
    return jsonb({str(item["name"]): _property(item) for item in items})


def _property(item: dict[str, Json]) -> Json:
    value = item["value"]
    if item.get("type") == "many2one" and isinstance(value, list):
        return value[0] if value else False
    if item.get("type") == "many2many" and isinstance(value, list):
        return [each[0] if isinstance(each, list) and each else each for each in value]
    return value


def _as_json(value: object) -> str:
    """Return JSON that PostgreSQL takes: without `NaN` and `Infinity`."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


_BY_TYPE: dict[str, tuple[ColumnType, Convert]] = {
    "char": (ColumnType.TEXT, text),
    "text": (ColumnType.TEXT, text),
    "html": (ColumnType.TEXT, text),
    "selection": (ColumnType.TEXT, text),
    "reference": (ColumnType.TEXT, text),
    "integer": (ColumnType.BIGINT, integer),
    "many2one": (ColumnType.BIGINT, many2one),
    "many2many": (ColumnType.BIGINT_ARRAY, ids),
    "many2one_reference": (ColumnType.BIGINT, integer),
    "boolean": (ColumnType.BOOLEAN, boolean),
    "date": (ColumnType.DATE, text),
    "datetime": (ColumnType.TIMESTAMPTZ, timestamp),
    "monetary": (ColumnType.NUMERIC, number),
    "float": (ColumnType.DOUBLE, number),
    "properties": (ColumnType.JSONB, properties),
}


def column_type(field: Field) -> tuple[ColumnType, Convert]:
    """Return the type of a field's column, and how values get there."""
    kind, convert = _BY_TYPE.get(field.type, (ColumnType.JSONB, jsonb))
    if field.type == "float" and field.has_digits:
        kind = ColumnType.NUMERIC
    return kind, convert


def by_label(convert: Convert) -> Convert:
    """Return the conversion of an object of values by language or company."""

    def convert_all(value: Json) -> Cell:
        if not isinstance(value, dict):
            raise TypeError("no values by label")
        return _as_json({label: convert(item) for label, item in value.items()})

    return convert_all


def keyed_hash(secret: str, field: str, convert: Convert) -> Convert:
    """Return the conversion to a hash (HMAC-SHA-256, as hex) that nobody can make without the secret.

    The field's name is hashed before the value: fields of one name can be joined, whatever their models, and equal
    values of two fields do not show as equal.
    """
    keyed = hmac.new(secret.encode(errors="surrogatepass"), f"{field}\0".encode(errors="surrogatepass"), hashlib.sha256)

    def hashed(value: Json) -> Cell:
        cell = convert(value)
        if cell is None:
            return None
        made = keyed.copy()
        made.update(str(cell).encode(errors="surrogatepass"))
        return made.hexdigest()

    return hashed
