"""Converts Odoo's values to PostgreSQL's, by type of field.

Values are converted by the field's declared type, never by their shape: `false` means empty for one type and no for
another, and an id may look like a list. A value that cannot be of its type is refused: neither Python nor PostgreSQL
must guess what was meant.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import TypeAlias

from odoo_shadow.mirror.shape.secrets import is_secret_property
from odoo_shadow.shadow.tables.staging import Cell
from odoo_shadow.source.types import Json
from odoo_shadow.source.values import EXACT_BELOW, is_id, moment_in, whole_number

Convert: TypeAlias = Callable[[Json], Cell]

_DIGITS = re.compile(r"[+-]?\d{1,19}", re.ASCII)  # PostgreSQL's bigint has no more digits
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?|[+-]?inf(inity)?|nan", re.ASCII | re.IGNORECASE)
_MOST_DIGITS = 4_000
"""Of a number that comes as text: fewer than Python and PostgreSQL accept."""

_date_signs, _datetime_signs = itemgetter(4, 7), itemgetter(4, 7, 10, 13, 16)
"""They recognize nearly all dates and datetimes, which must be fast. Odoo does not pad short years with zeros."""


class MisfitError(ValueError):
    """A value that is not of its field's type; the message says what it is not, without the value."""


def text(value: Json) -> Cell:
    """Convert char, text, html, selection and reference. Some modules' views send numbers for them."""
    if value is False or value is None:
        return None
    if isinstance(value, str):
        return value
    return _spelled(value) if isinstance(value, float) and not math.isfinite(value) else _as_json(value)


def integer(value: Json) -> Cell:
    """Convert integer and many2one_reference. An empty company-dependent integer is `false`."""
    if value is False or value is None:
        return None
    if is_id(value):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    number = 1 if value is True else whole_number(value)
    if isinstance(number, float) and abs(number) >= EXACT_BELOW:
        raise MisfitError("a whole number beyond 2**53, which Odoo sends rounded, so its exact value is not known")
    if not is_id(number):
        raise MisfitError("not a whole number that fits a bigint")
    return number


def many2one(value: Json) -> Cell:
    """Convert a many2one: an id, or `[id, name]` from servers that do not know `load`."""
    return integer(value[0] if isinstance(value, list) and value else value)


def ids(value: Json) -> Cell:
    """Convert a many2many: the ids, sorted, as PostgreSQL writes an array; an empty one is an empty array."""
    if value is False or value is None:
        return None
    items = [whole_number(item) for item in value] if isinstance(value, list) else [None]
    found = [item for item in items if is_id(item)]
    if len(found) < len(items):
        raise MisfitError("not a list of ids")
    return "{" + ",".join(map(str, sorted(set(found)))) + "}"


def boolean(value: Json) -> Cell:
    """Convert a boolean, whose `false` is a value."""
    if isinstance(value, str | list | dict):
        raise MisfitError("neither true nor false")
    return bool(value)


def number(value: Json) -> Cell:
    """Convert float and monetary. Python's shortest form of a double is exact enough for any `digits`.

    A whole number or text that no double can hold is passed on unchanged: a `numeric` holds it.
    """
    if value is False or value is None:
        return None
    if isinstance(value, float):
        return value + 0.0  # PostgreSQL treats -0.0 as equal to 0.0, but writes and hashes it differently
    if isinstance(value, int):
        return float(value) if abs(value) < EXACT_BELOW else value
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and _NUMBER.fullmatch(value):
        nearest = float(value) + 0.0
        return nearest if not math.isfinite(nearest) or Decimal(value) == Decimal(repr(nearest)) else value
    raise MisfitError("not a number")


def day(value: Json) -> Cell:
    """Convert a date. Of a datetime the day is taken as it is written, as Odoo itself does."""
    if value is False or value is None:
        return None
    if isinstance(value, str):
        if len(value) == 10 and _date_signs(value) == ("-", "-") and _is_read_by(date.fromisoformat, value):
            return value
        midnight = moment_in(value.replace("T", " ").partition(" ")[0])
        if midnight is not None and moment_in(value) is not None:
            return midnight.date().isoformat()
    raise MisfitError("not a date")


def timestamp(value: Json) -> Cell:
    """Convert a datetime, which Odoo gives in UTC without saying so."""
    if value is False or value is None:
        return None
    if isinstance(value, str):
        is_usual = len(value) == 19 and _datetime_signs(value) == ("-", "-", " ", ":", ":")
        if is_usual and _is_read_by(datetime.fromisoformat, value):
            return f"{value}+00"
        if (moment := moment_in(value)) is not None:
            return f"{moment.replace(tzinfo=None).isoformat(' ')}+00"
    raise MisfitError("not a date and time")


def _is_read_by(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def jsonb(value: Json) -> Cell:
    """Convert json and every unknown type. Odoo sends `false` for empty as well as for JSON's own `false`."""
    return None if value is False or value is None else _as_json(value)


def properties(value: Json) -> Cell:
    """Convert properties to an object by the properties' names, as Odoo stores them, without credentials."""
    if isinstance(value, dict):
        return serialized(value)
    if isinstance(value, list):
        value = [item for item in value if not (isinstance(item, dict) and "name" in item and is_secret_property(item))]
    return all_properties(value)


def all_properties(value: Json) -> Cell:
    """Convert properties to an object by the properties' names, as Odoo stores them.

    Odoo sends each with its definition, which may change without a trace in the record; the definition is mirrored in
    the container's `properties_definition` field. Names of linked records are left out for the same reason.
    """
    if not isinstance(value, list):
        return jsonb(value)
    items = [item for item in value if isinstance(item, dict) and "value" in item]
    if not all("name" in item for item in items):
        raise MisfitError("properties without names")
    return jsonb({str(item["name"]): _property(item) for item in items})


def definitions(value: Json) -> Cell:
    """Convert definitions of properties; the default value of a credential is left out, since it is a credential."""
    if isinstance(value, list):
        value = [_without_default(item) if isinstance(item, dict) else item for item in value]
    return jsonb(value)


def _without_default(item: dict[str, Json]) -> dict[str, Json]:
    return {key: part for key, part in item.items() if key != "default"} if is_secret_property(item) else item


def serialized(value: Json) -> Cell:
    """Convert the values of the fields that are stored in another one, by name, without credentials."""
    if isinstance(value, dict):
        value = {name: item for name, item in value.items() if not is_secret_property({"name": name})}
    return jsonb(value)


def _property(item: dict[str, Json]) -> Json:
    value = item["value"]
    if item.get("type") == "many2one" and isinstance(value, list):
        return value[0] if value else False
    if item.get("type") == "many2many" and isinstance(value, list):
        return [each[0] if isinstance(each, list) and each else each for each in value]
    return value


def _as_json(value: object) -> str:
    """Return JSON that PostgreSQL takes: `NaN` and `Infinity` as the texts that its own `to_jsonb` makes of them."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, sort_keys=True, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return _spelled(value)
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return {key: _finite(item) for key, item in value.items()} if isinstance(value, dict) else value


def _spelled(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def by_label(convert: Convert) -> Convert:
    """Return the conversion of an object of values by language or company."""

    def convert_all(value: Json) -> Cell:
        if not isinstance(value, dict):
            raise MisfitError("not an object of values by label")
        return _as_json({label: convert(item) for label, item in value.items()})

    return convert_all


def keyed_hash(secret: str, field: str, convert: Convert) -> Convert:
    """Return the conversion to a hash (HMAC-SHA-256, as hex) that nobody can compute without the secret.

    The field's name is hashed before the value: fields of the same name can be joined, whatever their models, and equal
    values of differently named fields have different hashes.
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
