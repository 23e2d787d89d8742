"""What each cell should hold, computed a second time and independently, for the proof.

If the proof used the conversions by which values were written, a mistake there would be on both sides, and both would
agree. So nothing is shared with `shape.conversions`: each value is converted again by its field's declared type, by
other means. A value that is not of its type makes its record differ, whatever the shadow has.
"""

from __future__ import annotations

import datetime
import hmac
import json
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TypeAlias

from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD, FieldColumn, Layout
from odoo_shadow.mirror.shape.secrets import is_secret_property
from odoo_shadow.shadow import names
from odoo_shadow.shadow.tables.staging import Cell, Row
from odoo_shadow.source.errors import misfit
from odoo_shadow.source.types import Json, Record
from odoo_shadow.text.log import logger

log = logger(__name__)

Meaning: TypeAlias = Callable[[Json], Json]
"""Returns what Odoo means by a value: a text, a number, true or false, a document; None for empty."""

MOST_LOGGED = 20
"""Log lines about values that are not of their type."""

_NOT_IN_POSTGRESQL = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile("[+-]?[0-9]{1,19}")
_SHORTEST = re.compile(r"[+-]?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?|nan", re.IGNORECASE)
_DAY = re.compile(r"(?P<year>[0-9]{1,4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")


class DoubtError(Exception):
    """A value is not of its field's type; the message says what it is not, without the value."""


class Witness:
    """Computes what the rows of one model should be.

    :param hash_secret: the Odoo connection's, for fields that are mirrored as hashes.
    """

    def __init__(self, layout: Layout, hash_secret: str | None) -> None:
        self.columns = [names.ID, names.WRITE_DATE, *(item.column.name for item in layout.columns)]
        self._model = layout.model
        cursor = (WRITE_DATE_FIELD, _as_text(_moment)) if layout.has_write_date else ("id", lambda _: None)
        self._cells = [cursor, *((item.key, _testimony(item, layout, hash_secret)) for item in layout.columns)]
        self._keys = {"id", *(key for key, _ in self._cells)}
        self._logged: set[int] = set()

    def rows(self, records: Sequence[Record]) -> tuple[list[Row], list[int]]:
        """Return the rows that records should be, and the ids of records with a value that is not of its type.

        :raises OdooServerError: a record lacks a field.
        """
        rows: list[Row] = []
        doubtful: list[int] = []
        for record in records:
            record_id = record.get("id")
            if type(record_id) is not int or not record.keys() >= self._keys:
                lacking = sorted(self._keys - record.keys())
                raise misfit(self._model, f"a record without '{lacking[0] if lacking else 'id'}'")
            cells = self._cells_of(record_id, record)
            if cells is None:
                doubtful.append(record_id)
            else:
                rows.append((record_id, *cells))
        return rows, doubtful

    def _cells_of(self, record_id: int, record: Record) -> list[Cell] | None:
        cells: list[Cell] = []
        for key, testify in self._cells:
            try:
                cells.append(testify(record[key]))
            except DoubtError as doubt:
                if record_id not in self._logged and len(self._logged) < MOST_LOGGED:
                    self._logged.add(record_id)
                    log.error("%s %d: what Odoo sends for '%s' is %s", self._model, record_id, key, doubt)
                return None
        return cells


def _testimony(item: FieldColumn, layout: Layout, hash_secret: str | None) -> Callable[[Json], str | None]:
    """Return the function from a value to the text of its cell, as PostgreSQL reads it."""
    field, kind = item.column.field, item.column.odoo_type
    means, is_document = _MEANINGS.get(kind, _document), kind in _UNFILTERED or kind not in _MEANINGS
    if field in layout.settings.allow_fields:
        means = _UNFILTERED.get(kind, means)
    if item.key != field:
        return _as_text(_by_label(means), is_document=True)
    if hash_secret is not None and layout.settings.hashes(field):
        return _hashed(means, is_document, hash_secret, field)
    return _as_text(means, is_document=is_document)


def _as_text(means: Meaning, *, is_document: bool = False) -> Callable[[Json], str | None]:
    if is_document:
        return lambda value: _written(_storable(means(value)), is_document=True)

    def testify(value: Json) -> str | None:
        meant = means(value)
        if isinstance(meant, str):
            return meant if meant.isascii() and "\0" not in meant else _NOT_IN_POSTGRESQL.sub(_shown, meant)
        return None if meant is None else str(meant)

    return testify


def _written(meant: Json, is_document: bool) -> str | None:
    if meant is None:
        return None
    return json.dumps(meant, sort_keys=True, ensure_ascii=False) if is_document else str(meant)


def _hashed(means: Meaning, is_document: bool, secret: str, field: str) -> Callable[[Json], str | None]:
    """Compute what `hashed_fields` keep: the HMAC-SHA-256 of the field's name, a zero byte and the value."""

    def testify(value: Json) -> str | None:
        written = _written(means(value), is_document)
        if written is None:
            return None
        message = b"\0".join(part.encode(errors="surrogatepass") for part in (field, written))
        return hmac.digest(secret.encode(errors="surrogatepass"), message, "sha256").hex()

    return testify


def _by_label(means: Meaning) -> Meaning:
    def by_label(value: Json) -> Json:
        if not isinstance(value, dict):
            raise DoubtError("not an object of values by label")
        return {label: _finite(means(item)) for label, item in value.items()}

    return by_label


def _storable(meant: Json) -> Json:
    """Put visible characters in the place of those that PostgreSQL cannot store, as the shadow does."""
    if isinstance(meant, str):
        return meant if meant.isascii() and "\0" not in meant else _NOT_IN_POSTGRESQL.sub(_shown, meant)
    if isinstance(meant, list):
        return [_storable(item) for item in meant]
    if isinstance(meant, dict):
        return {str(_storable(key)): _storable(item) for key, item in meant.items()}
    return meant


def _shown(found: re.Match[str]) -> str:
    return "\u2400" if found.group() == "\0" else "\ufffd"


def _text(value: Json) -> Json:
    if isinstance(value, str):
        return value
    if value is None or value is False:
        return None
    meant = _finite(value)
    return meant if isinstance(meant, str) else json.dumps(meant, sort_keys=True, ensure_ascii=False)


def _whole(value: Json) -> Json:
    if value is None or value is False:
        return None
    if type(value) is int and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and math.isfinite(value):
        exact = Fraction(value)
        if abs(exact) >= 2**53:
            raise DoubtError("a whole number that Odoo has rounded")
        value = exact.numerator if exact.denominator == 1 else value
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise DoubtError("not a whole number")
    return int(value)


def _link(value: Json) -> Json:
    return _whole(value[0] if value else "") if isinstance(value, list) else _whole(value)


def _links(value: Json) -> Json:
    if value is None or value is False:
        return None
    if not isinstance(value, list) or not all(type(item) in (int, float) for item in value):
        raise DoubtError("not a list of ids")
    return "{" + ",".join(sorted({str(_whole(item)) for item in value}, key=int)) + "}"


def _truth(value: Json) -> Json:
    if value is None or isinstance(value, int | float):
        return value is not None and value != 0
    raise DoubtError("neither true nor false")


def _amount(value: Json) -> Json:
    if value is None or value is False:
        return None
    if isinstance(value, str) and _SHORTEST.fullmatch(value):
        try:
            exact, nearest = Decimal(value), float(value)
        except (InvalidOperation, ValueError):
            raise DoubtError("not a number") from None
        return _amount(nearest) if not exact.is_finite() or exact == Decimal(str(nearest)) else value
    if isinstance(value, int):
        return _amount(float(value)) if -(2**53) < value < 2**53 else value
    if isinstance(value, float):
        return 0.0 if value == 0 else value
    raise DoubtError("not a number")


def _date(value: Json) -> Json:
    if value is None or value is False or _moment(value) is None:
        return None
    return _day_of(value)[0].isoformat()


def _moment(value: Json) -> Json:
    if value is None or value is False:
        return None
    moment = datetime.datetime.combine(*_day_of(value))
    try:
        in_utc = moment.replace(tzinfo=None) - (moment.utcoffset() or datetime.timedelta())
    except OverflowError:
        raise DoubtError("not a date and time") from None
    return f"{in_utc.isoformat(sep=' ')}+00"


def _day_of(value: Json) -> tuple[datetime.date, datetime.time]:
    """Read a day and the time after it; a year of fewer than four digits is meant literally."""
    head, _, rest = value.replace("T", " ", 1).partition(" ") if isinstance(value, str) else ("", "", "")
    found = _DAY.fullmatch(head)
    try:
        if found is not None and rest[2:3] in ("", ":"):
            day = datetime.date(*(int(found[part]) for part in ("year", "month", "day")))
            return day, datetime.time.fromisoformat(rest.replace(" ", "") or "00:00:00")
    except ValueError:
        pass
    raise DoubtError("not a date")


def _document(value: Json) -> Json:
    return None if value is None or value is False else _finite(value)


def _properties(value: Json) -> Json:
    """Return properties without credentials, which the names and labels of their definitions show."""
    meant = _all_properties(value)
    if not isinstance(meant, dict):
        return meant
    listed = value if isinstance(value, list) else []
    defined = {str(item.get("name")): item for item in listed if isinstance(item, dict)}
    return {name: meant[name] for name in meant if not is_secret_property(defined.get(name, {"name": name}))}


def _definitions(value: Json) -> Json:
    """Return definitions of properties, without the default values of credentials."""
    meant = _document(value)
    for item in meant if isinstance(meant, list) else []:
        if isinstance(item, dict) and is_secret_property(item):
            item.pop("default", None)
    return meant


def _serialized(value: Json) -> Json:
    meant = _document(value)
    if isinstance(meant, dict):
        for name in [name for name in meant if is_secret_property({"name": name})]:
            del meant[name]
    return meant


def _all_properties(value: Json) -> Json:
    """Return the values of properties by name; Odoo sends a list that includes their definitions."""
    if not isinstance(value, list):
        return _document(value)
    meant: dict[str, Json] = {}
    for item in value:
        if isinstance(item, dict) and "value" in item:
            if "name" not in item:
                raise DoubtError("properties without names")
            meant[str(item["name"])] = _unnamed(str(item.get("type")), _finite(item["value"]))
    return meant


def _unnamed(kind: str, value: Json) -> Json:
    """Leave out the names of linked records."""
    if kind == "many2one" and isinstance(value, list):
        return next(iter(value), False)
    if kind == "many2many" and isinstance(value, list):
        return [next(iter(item), item) if isinstance(item, list) else item for item in value]
    return value


def _finite(value: Json) -> Json:
    """Write Infinity and NaN as PostgreSQL's own `to_jsonb` does."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return {key: _finite(item) for key, item in value.items()} if isinstance(value, dict) else value


_MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(("char", "text", "html", "selection", "reference"), _text),
    **dict.fromkeys(("integer", "many2one_reference"), _whole),
    **dict.fromkeys(("float", "monetary"), _amount),
    "many2one": _link,
    "many2many": _links,
    "boolean": _truth,
    "date": _date,
    "datetime": _moment,
    "properties": _properties,
    "properties_definition": _definitions,
    "serialized": _serialized,
}
_UNFILTERED: dict[str, Meaning] = {
    "properties": _all_properties,
    "properties_definition": _document,
    "serialized": _document,
}
"""The same for fields of `allow_fields`, where nothing is left out; all of these are documents."""
