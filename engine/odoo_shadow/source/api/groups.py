"""Grouped reads: `read_group` up to Odoo 18, `formatted_read_group` from 19 on, with the same answer from both.

Up to 16, `read_group` fails when it is to group by `id` (its ORDER BY is ambiguous then): records are read instead.

Seen on 17.0 and 19.0: a month of a time comes as the moment, in UTC, at which it begins in the zone of the context; a
zone that the server does not know is taken for UTC without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from zoneinfo import ZoneInfo

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO, id_range
from odoo_shadow.source.errors import OdooRequestError, OdooServerError, misfit
from odoo_shadow.source.groups import MOST_GROUPS, By, Grouping, GroupKey, KeyPart, Sums
from odoo_shadow.source.types import Argument, Json
from odoo_shadow.source.values import is_id, moment_in, storable, whole_number

FIRST_WITH_FORMATTED = 19
FIRST_WITH_GROUPS_OF_IDS = 17
GROUPS_AT_ONCE = 5_000
"""How many groups one call may give; a question with more of them is asked of ranges of ids, and the sums are added:
unlike pages of groups, that does not depend on an order in which names may be equal."""

_COUNT = "__count"
_ID = "id"


def read_groups(client: OdooClient, grouping: Grouping, *, at_once: int = GROUPS_AT_ONCE) -> dict[GroupKey, Sums]:
    """Return the sums of each group.

    :param at_once: how many groups one call may give.
    :raises OdooRequestError: there are more groups than can be held.
    """
    question = _Question(client, grouping, at_once)
    found = question.ask()
    if found is None:
        found = {}
        _ask_ranges(question, found, *_outermost(client, grouping))
    return found


def _ask_ranges(question: _Question, found: dict[GroupKey, Sums], low: int, high: int) -> None:
    """Add up the sums of records with `low <= id <= high`, in as many calls as it takes."""
    middle = (low + high) // 2
    for first, last in ((low, middle), (middle + 1, high)):
        part = question.ask(first, last) if first <= last else {}
        if part is None and first == last:
            raise misfit(question.asked, f"more than {question.at_once} groups of one record")
        if part is None:
            _ask_ranges(question, found, first, last)
            continue
        for key, sums in part.items():
            found[key] = found[key] + sums if key in found else sums
        if len(found) > MOST_GROUPS:
            raise OdooRequestError(f"{question.asked} has more than {MOST_GROUPS:,} groups: ask for fewer at a time.")


def _outermost(client: OdooClient, grouping: Grouping) -> tuple[int, int]:
    context = _context(grouping)
    ends = [
        client.search(grouping.model, grouping.domain, limit=1, order=order, context=context)
        for order in ("id", "id desc")
    ]
    return (ends[0][0], ends[1][0]) if all(ends) else (0, -1)


def _context(grouping: Grouping) -> dict[str, Argument]:
    context: dict[str, Argument] = {**ARCHIVED_TOO, "tz": grouping.time_zone}
    if grouping.company_id is not None:
        context["allowed_company_ids"] = [grouping.company_id]
    return context


class _Question:
    """A grouping as this server takes it."""

    def __init__(self, client: OdooClient, grouping: Grouping, at_once: int) -> None:
        self._client = client
        self._grouping = grouping
        self._is_formatted = client.version.major >= FIRST_WITH_FORMATTED
        self._by = [f"{by.field}:month" if by.month else by.field for by in grouping.by]
        self._is_of_records = client.version.major < FIRST_WITH_GROUPS_OF_IDS and self._by == [_ID]
        in_groups = "formatted_read_group" if self._is_formatted else "read_group"
        self._method = "search_read" if self._is_of_records else in_groups
        self.at_once = at_once
        self.asked = f"{client.connection}: {grouping.model}.{self._method}"

    def ask(self, low: int | None = None, high: int | None = None) -> dict[GroupKey, Sums] | None:
        """Ask of a range of ids, or of all records; None if there are too many groups for one call."""
        ids = [] if low is None else id_range(low - 1, high)
        named: dict[str, Argument] = {
            "domain": [*ids, *self._grouping.domain],
            "limit": self.at_once + 1,
            "context": _context(self._grouping),
            **self._wanted(),
        }
        answer = self._client.execute_kw(self._grouping.model, self._method, [], named)
        rows = answer if isinstance(answer, list) else [None]
        if len(rows) > self.at_once + 1:
            raise misfit(self.asked, f"{len(rows)} groups where at most {self.at_once + 1} were asked for")
        groups = dict(map(self._group, rows))
        if len(groups) != len(rows):
            raise misfit(self.asked, "one group twice")
        return groups if len(rows) <= self.at_once else None

    def _wanted(self) -> dict[str, Argument]:
        if self._is_of_records:
            return {"fields": [_ID, *self._grouping.sums], "order": _ID}
        sums = [f"{name}:sum" for name in self._grouping.sums]
        if self._is_formatted:
            return {"groupby": self._by, "aggregates": [*sums, _COUNT]}
        return {"groupby": self._by, "fields": sums, "lazy": False}

    def _group(self, row: Json) -> tuple[GroupKey, Sums]:
        if not isinstance(row, dict):
            raise misfit(self.asked, "not a list of groups")
        records = 1 if self._is_of_records else whole_number(row.get(_COUNT))
        if not is_id(records) or records < 0:
            raise misfit(self.asked, "a group without a number of records")
        key = tuple(self._part(row, by, spec) for by, spec in zip(self._grouping.by, self._by, strict=True))
        suffix = ":sum" if self._is_formatted else ""
        return key, Sums(records, tuple(self._sum(row, name + suffix) for name in self._grouping.sums))

    def _sum(self, row: Mapping[str, Json], name: str) -> Decimal:
        value = row.get(name)
        if name not in row or not (value is None or isinstance(value, bool | int | float)) or value is True:
            raise misfit(self.asked, f"a group whose '{name}' is not a number")
        if not isfinite(value or 0):
            raise misfit(self.asked, f"a group whose '{name}' is {value}")
        return Decimal(repr(value)) if value else Decimal(0)

    def _part(self, row: Mapping[str, Json], by: By, spec: str) -> KeyPart:
        if spec not in row:
            raise misfit(self.asked, f"a group without '{spec}'")
        value = row[spec]
        if value is False or value is None:
            return None
        if by.month:
            return self._month(row, spec)
        if isinstance(value, list) and value:  # a many2one, with its name
            value = value[0]
        value = whole_number(value)
        if is_id(value):
            return value
        if isinstance(value, str):
            return storable(value)
        raise misfit(self.asked, f"a group whose '{spec}' is neither an id nor text")

    def _month(self, row: Mapping[str, Json], spec: str) -> date:
        begins = _begins_formatted(row[spec]) if self._is_formatted else _begins(row.get("__range"), spec)
        moment = moment_in(begins) if isinstance(begins, str) else None
        if moment is None or not isinstance(begins, str):
            raise misfit(self.asked, f"a group whose '{spec}' does not say when it begins")
        has_time = ":" in begins
        first = moment.astimezone(ZoneInfo(self._grouping.time_zone)) if has_time else moment
        if first.replace(tzinfo=UTC) != datetime(first.year, first.month, 1, tzinfo=UTC):
            raise self._unknown_zone(begins)
        return first.date()

    def _unknown_zone(self, begins: str) -> OdooServerError:
        return misfit(
            self.asked,
            f"months that begin at {storable(begins)[:30]} UTC, as if it did not know the time zone "
            f"'{self._grouping.time_zone}'",
        )


def _begins_formatted(value: Json) -> Json:
    return value[0] if isinstance(value, list) and value else None


def _begins(ranges: Json, spec: str) -> Json:
    bounds = ranges.get(spec) if isinstance(ranges, dict) else None
    return bounds.get("from") if isinstance(bounds, dict) else None
