"""What an answer must look like. Every shape is checked here, and what does not fit becomes one sentence.

Odoo is outside: a proxy, another service behind the same URL or a module's override may answer anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeGuard

from odoo_shadow.source.errors import OdooRecordIdError, OdooServerError
from odoo_shadow.source.types import Json, Record
from odoo_shadow.text.shown import shown

MOST_LEVELS = 64
"""Lists within lists; what is made of an answer later calls itself for each."""

LARGEST_NUMBER = 2**63 - 1
"""Of an id or a count: PostgreSQL's bigint."""

EXACT_BELOW = 2**53
"""From there on a double stands for several whole numbers, and nothing tells which of them is meant."""
_LONGEST_ID = 40

LONGEST_NAME = 255
"""Characters of a field's name. Odoo's own fit PostgreSQL's 63 bytes; a module's may be longer."""

NUL_SHOWN_AS = "\u2400"  # SYMBOL FOR NULL
SURROGATE_SHOWN_AS = "\ufffd"  # REPLACEMENT CHARACTER

_MOMENT = re.compile(
    r"(\d{1,4})-(\d{1,2})-(\d{1,2})"  # Odoo writes years below 1000 without zeros
    r"(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)? ?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def is_flat_enough(value: object) -> bool:
    """Say whether a value has at most `MOST_LEVELS`. Does not call itself."""
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return True
    return False


def is_json(value: object) -> TypeGuard[Json]:
    """Say whether a value is made of what JSON has, and flat enough; XML-RPC has more types.

    Infinity and NaN are none of JSON's numbers, but Odoo sends them over every protocol.
    """
    if not is_flat_enough(value):
        return False
    level = [value]
    while level:
        if not all(map(_is_of_json, level)):
            return False
        if not all(isinstance(key, str) for item in level if isinstance(item, dict) for key in item):
            return False
        level = [child for item in level for child in _children(item)]
    return True


def _is_of_json(value: object) -> bool:
    return value is None or isinstance(value, dict | list | str | int | float)


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def is_id(value: Json) -> TypeGuard[int]:
    """Say whether a value can be a record's id: a whole number, and neither yes or no nor beyond PostgreSQL's."""
    return type(value) is int and -LARGEST_NUMBER - 1 <= value <= LARGEST_NUMBER


def storable(text: str) -> str:
    """Return a text with visible stand-ins for what PostgreSQL cannot store."""
    text = text.replace("\x00", NUL_SHOWN_AS)
    return "".join(SURROGATE_SHOWN_AS if "\ud800" <= char <= "\udfff" else char for char in text)


def whole_number(value: Json) -> Json:
    """Return a whole number that comes as a float as what it is, anything else as it is.

    So come integers beyond 2**31 - 1, and the ids of SQL views that count in `numeric` or `double precision`.
    """
    return int(value) if type(value) is float and value.is_integer() and abs(value) < EXACT_BELOW else value


def moment_in(written: str) -> datetime | None:
    """Read a datetime as Odoo gives it, which is UTC without saying so; None when it is none.

    A date alone is its midnight. Years are as they are written: `24` is the year 24.
    """
    found = _MOMENT.fullmatch(written)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
            UTC if zone is None else _zone(zone),
        )
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February; the first and the last day of all, elsewhere
        return None


def _zone(written: str) -> timezone:
    if written == "Z":
        return UTC
    minutes = int(written[1:3]) * 60 + int(written[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if written[0] == "-" else minutes))


@dataclass(frozen=True)
class Entry:
    """A record that this project itself reads, not one that it mirrors: its values must be what they are meant to be.

    :param asked: how messages call what was asked.
    """

    asked: str
    record: Record

    @property
    def id(self) -> int:
        """Its id."""
        return self.whole("id")

    def whole(self, key: str) -> int:
        """Return a whole number, such as an id."""
        value = self.record.get(key)
        if not is_id(value):
            raise self._without(key, "a whole number")
        return value

    def text(self, key: str) -> str:
        """Return a text that can be stored; empty when Odoo has none."""
        value = self.record.get(key)
        if key not in self.record or not (value is None or value is False or isinstance(value, str)):
            raise self._without(key, "a text")
        return storable(value) if isinstance(value, str) else ""

    def flag(self, key: str) -> bool:
        """Return yes or no."""
        value = self.record.get(key)
        if not isinstance(value, bool):
            raise self._without(key, "yes or no")
        return value

    def ids(self, key: str) -> list[int]:
        """Return the ids of an x2many field."""
        value = self.record.get(key)
        found = value if isinstance(value, list) else [None]
        ids = [item for item in found if is_id(item)]
        if len(ids) != len(found):
            raise self._without(key, "a list of ids")
        return ids

    def _without(self, key: str, what: str) -> OdooServerError:
        return misfit(self.asked, f"a record whose '{key}' is not {what}")


@dataclass(frozen=True)
class Answer:
    """What came back from a call. Its methods raise `OdooServerError` when it is something else.

    :param asked: how messages call what was asked: the connection, the model, the method.
    """

    asked: str
    value: Json

    def records(self, limit: int | None = None) -> list[Record]:
        """Read records.

        :param limit: how many were asked for at the most.
        """
        found = self.value if isinstance(self.value, list) else [None]
        records = [item for item in found if isinstance(item, dict)]
        if len(records) != len(found):
            raise misfit(self.asked, "no list of records")
        self._check_number(len(records), limit)
        for record in records:
            if type(record.get("id")) is float:
                record["id"] = whole_number(record["id"])
        return records

    def entries(self) -> list[Entry]:
        """Read records that this project itself needs."""
        return [Entry(self.asked, record) for record in self.records()]

    def ids(self, limit: int | None = None) -> list[int]:
        """Read ids. See `records`."""
        found = self.value if isinstance(self.value, list) else [None]
        for item in found:
            if isinstance(item, str):
                raise text_for_id(self.asked, item)
        ids = [item for item in map(whole_number, found) if is_id(item)]
        if len(ids) != len(found):
            raise misfit(self.asked, "no list of ids")
        self._check_number(len(ids), limit)
        return ids

    def count(self) -> int:
        """Read a number of records."""
        if not is_id(self.value) or self.value < 0:
            raise misfit(self.asked, "no number of records")
        return self.value

    def fields(self, *, typed: bool) -> dict[str, dict[str, Json]]:
        """Read a model's fields: name to attributes.

        :param typed: the types were asked for.
        """
        found = self.value if isinstance(self.value, dict) else {"": None}
        fields = {name: details for name, details in found.items() if isinstance(details, dict) and _is_name(name)}
        if len(fields) != len(found):
            raise misfit(self.asked, "no fields with names and attributes")
        for name, details in fields.items():
            if typed and not isinstance(details.get("type"), str):
                raise misfit(self.asked, f"a field '{name}' without a type")
        return fields

    def _check_number(self, found: int, limit: int | None) -> None:
        if limit is not None and found > limit:
            raise misfit(self.asked, f"{found} records where at most {limit} were asked for")


def _is_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and storable(name) == name


def text_for_id(asked: str, given: str) -> OdooRecordIdError:
    """Build the error for a record whose id is a text."""
    return OdooRecordIdError(
        f"{asked} has a record whose id is not a whole number ('{shown(given, longest=_LONGEST_ID)}'), as SQL views "
        "may: rows of the shadow are known by such ids, so this model cannot be mirrored; leave it out."
    )


def shared_id(asked: str, record_id: int) -> OdooRecordIdError:
    """Build the error for records that have one id together."""
    return OdooRecordIdError(
        f"{asked} has more than one record with the id {record_id}, as SQL views may: rows of the shadow are known by "
        "their ids, so this model cannot be mirrored; leave it out."
    )


def misfit(asked: str, what: str) -> OdooServerError:
    """Build the error for an answer that is not what was asked for."""
    return OdooServerError(
        f"{asked} answered something else than Odoo does: {what}; nothing of it was written.", is_misfit=True
    )
