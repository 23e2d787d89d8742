"""Reads Odoo's values, whatever the source: ids, integers, moments, text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeGuard

from odoo_shadow.source.types import Json

LARGEST_NUMBER = 2**63 - 1
"""Of an id or a count: PostgreSQL's bigint."""

EXACT_BELOW = 2**53
"""From there on one double represents several integers, and it is not known which one is meant."""

NUL_SHOWN_AS = "\u2400"  # SYMBOL FOR NULL
SURROGATE_SHOWN_AS = "\ufffd"  # REPLACEMENT CHARACTER

_MOMENT = re.compile(
    r"(\d{1,4})-(\d{1,2})-(\d{1,2})"  # Odoo writes years below 1000 without zeros
    r"(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)? ?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def is_id(value: Json) -> TypeGuard[int]:
    """Say whether a value can be a record's id: an integer that fits a bigint, and not a boolean."""
    return type(value) is int and -LARGEST_NUMBER - 1 <= value <= LARGEST_NUMBER


def storable(text: str) -> str:
    """Return text with visible replacements for characters that PostgreSQL cannot store."""
    text = text.replace("\x00", NUL_SHOWN_AS)
    if text.isascii():
        return text
    return "".join(SURROGATE_SHOWN_AS if "\ud800" <= char <= "\udfff" else char for char in text)


def whole_number(value: Json) -> Json:
    """Return an integer that arrives as a float as an integer, anything else as it is.

    Integers beyond 2**31 - 1 arrive so, and the ids of SQL views that count in `numeric` or `double precision`.
    """
    return int(value) if type(value) is float and value.is_integer() and abs(value) < EXACT_BELOW else value


def moment_in(written: str) -> datetime | None:
    """Read a datetime as Odoo writes it, in UTC without a zone; None when it is not a datetime.

    A date without a time means midnight. Years are taken literally: `24` is the year 24.
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
