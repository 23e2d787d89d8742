"""Checks the shape of every answer; one that does not fit becomes an error of one sentence.

Odoo is outside this project's control: a proxy, another service behind the same URL or a module's override may answer
anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from odoo_shadow.source.errors import OdooServerError, misfit, text_for_id
from odoo_shadow.source.types import Json, Record
from odoo_shadow.source.values import is_id, storable, whole_number

MOST_LEVELS = 64
"""Levels of nesting; code that processes an answer later recurses once for each."""

LONGEST_NAME = 255
"""Characters of a field's name. Odoo's own fit PostgreSQL's 63 bytes; a module's may be longer."""


def is_flat_enough(value: object) -> bool:
    """Say whether a value has at most `MOST_LEVELS`. Not recursive, so it is safe for any depth."""
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list)]
        if not level:
            return True
    return False


def is_json(value: object) -> TypeGuard[Json]:
    """Say whether a value consists of JSON's types only, and is flat enough; XML-RPC has more types.

    Infinity and NaN are not JSON, but Odoo sends them over every protocol.
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


@dataclass(frozen=True)
class Entry:
    """A record that this project itself needs, not one that it mirrors: its values must have the expected types.

    :param asked: how messages call the question.
    """

    asked: str
    record: Record

    @property
    def id(self) -> int:
        """Its id."""
        return self.whole("id")

    def whole(self, key: str) -> int:
        """Return an integer, such as an id."""
        value = self.record.get(key)
        if not is_id(value):
            raise self._without(key, "an integer")
        return value

    def text(self, key: str) -> str:
        """Return text that PostgreSQL can store; empty when Odoo has none."""
        value = self.record.get(key)
        if key not in self.record or not (value is None or value is False or isinstance(value, str)):
            raise self._without(key, "text")
        return storable(value) if isinstance(value, str) else ""

    def flag(self, key: str) -> bool:
        """Return a boolean."""
        value = self.record.get(key)
        if not isinstance(value, bool):
            raise self._without(key, "true or false")
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
    """The answer to a call. Its methods raise `OdooServerError` when it is not what they return.

    :param asked: how messages call the question: the connection, the model, the method.
    """

    asked: str
    value: Json

    def records(self, limit: int | None = None) -> list[Record]:
        """Read records.

        :param limit: the most that were asked for.
        """
        found = self.value if isinstance(self.value, list) else [None]
        records = [item for item in found if isinstance(item, dict)]
        if len(records) != len(found):
            raise misfit(self.asked, "not a list of records")
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
            raise misfit(self.asked, "not a list of ids")
        self._check_number(len(ids), limit)
        return ids

    def count(self) -> int:
        """Read a number of records."""
        if not is_id(self.value) or self.value < 0:
            raise misfit(self.asked, "not a number of records")
        return self.value

    def fields(self, *, typed: bool) -> dict[str, dict[str, Json]]:
        """Read a model's fields: name to attributes.

        :param typed: whether the types were asked for.
        """
        found = self.value if isinstance(self.value, dict) else {"": None}
        fields = {name: details for name, details in found.items() if isinstance(details, dict) and _is_name(name)}
        if len(fields) != len(found):
            raise misfit(self.asked, "not a mapping of fields to attributes")
        for name, details in fields.items():
            if typed and not isinstance(details.get("type"), str):
                raise misfit(self.asked, f"a field '{name}' without a type")
        return fields

    def _check_number(self, found: int, limit: int | None) -> None:
        if limit is not None and found > limit:
            raise misfit(self.asked, f"{found} records where at most {limit} were asked for")


def _is_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and storable(name) == name
