"""What each cell should hold, worked out a second time, for `verify`.

If `verify` converted values in the way in which they were written, a mistake there would be made on both sides, and
both would agree. So nothing is shared with `columns`: each value is read anew by its field's declared type, by other
means. One that is none of its type makes its record differ, whatever the shadow has.
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
"""What Odoo means by a value: a text, a number, true or false, a document; None for empty."""

MOST_LOGGED = 20
"""Lines about values that are none of their type."""

_NOT_IN_POSTGRESQL = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile("[+-]?[0-9]{1,19}")
_SHORTEST = re.compile(r"[+-]?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]?inf(?:inity)?|nan", re.IGNORECASE)
_DAY = re.compile(r"(?P<year>[0-9]{1,4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")


class DoubtError(Exception):
    """A value is none of its field's type; the message says so without the value."""


class Witness:
    """Says what the rows of one model should be.

    :param hash_secret: the Odoo connection's, for fields that are mirrored as hashes.
    """

    def __init__(self, layout: Layout, hash_secret: str | None) -> None:
        self.columns = [names.ID, names.WRITE_DATE, *(item.column.name for item in layout.columns)]
        self._model = layout.model
        cursor = (WRITE_DATE_FIELD, _as_text(_moment)) if layout.has_write_date else ("id", lambda _: None)
        self._cells = [cursor, *((item.key, _testimony(item, layout, hash_secret)) for item in layout.columns)]
        self._keys = {"id", *(key for key, _ in self._cells)}
        self._told: set[int] = set()

    def rows(self, records: Sequence[Record]) -> tuple[list[Row], list[int]]:
        """Return the rows that records should be, and the ids of those with a value that is none of its type.

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
                if record_id not in self._told and len(self._told) < MOST_LOGGED:
                    self._told.add(record_id)
                    log.error("%s %d: what Odoo sends for '%s' is %s", self._model, record_id, key, doubt)
                return None
        return cells


def _testimony(item: FieldColumn, layout: Layout, hash_secret: str | None) -> Callable[[Json], str | None]:
    """Return what tells the text of a column's cells, as PostgreSQL reads it."""
    field, kind = item.column.field, item.column.odoo_type
    means, is_document = _MEANINGS.get(kind, _document), kind in _WHOLE or kind not in _MEANINGS
    if field in layout.settings.allow_fields:
        means = _WHOLE.get(kind, means)
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
    """Tell what `hashed_fields` keep: the HMAC-SHA-256 of the field's name, a zero byte and the value."""

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
            raise DoubtError("no values by label")
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
            raise DoubtError("a whole number that it has rounded")
        value = exact.numerator if exact.denominator == 1 else value
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise DoubtError("no whole number")
    return int(value)


def _link(value: Json) -> Json:
    return _whole(value[0] if value else "") if isinstance(value, list) else _whole(value)


def _links(value: Json) -> Json:
    if value is None or value is False:
        return None
    if not isinstance(value, list) or not all(type(item) in (int, float) for item in value):
        raise DoubtError("no list of ids")
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
            raise DoubtError("no number") from None
        return _amount(nearest) if not exact.is_finite() or exact == Decimal(str(nearest)) else value
    if isinstance(value, int):
        return _amount(float(value)) if -(2**53) < value < 2**53 else value
    if isinstance(value, float):
        return 0.0 if value == 0 else value
    raise DoubtError("no number")


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
        raise DoubtError("no date and time") from None
    return f"{in_utc.isoformat(sep=' ')}+00"


def _day_of(value: Json) -> tuple[datetime.date, datetime.time]:
    """Read a day and the time behind it; a short year is a year of long ago, whatever PostgreSQL may make of it."""
    head, _, rest = value.replace("T", " ", 1).partition(" ") if isinstance(value, str) else ("", "", "")
    found = _DAY.fullmatch(head)
    try:
        if found is not None and rest[2:3] in ("", ":"):
            day = datetime.date(*(int(found[part]) for part in ("year", "month", "day")))
            return day, datetime.time.fromisoformat(rest.replace(" ", "") or "00:00:00")
    except ValueError:
        pass
    raise DoubtError("no date")


def _document(value: Json) -> Json:
    return None if value is None or value is False else _finite(value)


def _properties(value: Json) -> Json:
    """Properties but for credentials, which their definitions tell by name and label."""
    meant = _all_properties(value)
    if not isinstance(meant, dict):
        return meant
    told = {str(item.get("name")): item for item in value if isinstance(item, dict)} if isinstance(value, list) else {}
    return {name: meant[name] for name in meant if not is_secret_property(told.get(name, {"name": name}))}


def _definitions(value: Json) -> Json:
    """Definitions of properties; a credential has no default value that could be told."""
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
    """Properties come as a list with their definitions; only names and values are the record's own."""
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
    """Write Infinity and NaN in the words of PostgreSQL's own JSON."""
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
_WHOLE: dict[str, Meaning] = {
    "properties": _all_properties,
    "properties_definition": _document,
    "serialized": _document,
}
"""What is meant where the settings let everything in; all of these are documents."""
