"""Moments as a language model writes them: a day will do."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema

from odoo_shadow.knowledge.search.period import Period


def _start(given: object) -> object:
    day = _day(given)
    return day.start if day else given


def _end(given: object) -> object:
    day = _day(given)
    return day.end if day else given


def _day(given: object) -> Period | None:
    """Return a day; None for whatever is none, such as a moment, which must say its time zone here."""
    try:
        period = Period.parse(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return period if period and period.is_day else None


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
