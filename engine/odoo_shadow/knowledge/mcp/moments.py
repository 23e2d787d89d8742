"""Moments as a language model writes them: a day will do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema

_DAY = "2026-10-31"


def _start(given: object) -> object:
    """Return the moment at which a day begins in UTC; whatever is no day as it is."""
    return datetime.combine(day, time.min, UTC) if (day := _day(given)) else given


def _end(given: object) -> object:
    """Return the moment at which a day ends in UTC; whatever is no day as it is."""
    day = _day(given)
    return datetime.combine(day, time.min, UTC) + timedelta(days=1) if day and day < date.max else given


def _day(given: object) -> date | None:
    if not isinstance(given, str) or len(given.strip()) != len(_DAY):
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        return None


def _schema(description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description})


Since = Annotated[
    AwareDatetime, BeforeValidator(_start), _schema("Dated from this day in UTC, or moment with a time zone, on.")
]
"""The first moment; a day means its beginning in UTC."""

Until = Annotated[
    AwareDatetime, BeforeValidator(_end), _schema("Dated before this moment, or on this day at the latest.")
]
"""The moment before which it has to be; a day means its end in UTC."""
