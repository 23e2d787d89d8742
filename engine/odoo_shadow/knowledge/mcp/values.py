"""Reads what PostgreSQL wrote as text, so that JSON shows numbers as numbers and loses no digit."""

from __future__ import annotations

import json
import math
from decimal import Decimal, InvalidOperation
from typing import cast

from odoo_shadow.knowledge.mcp.answer import Json

_BOOL, _JSON, _JSONB = 16, 114, 3802
_INTEGERS = frozenset({20, 21, 23, 26})
_NUMBERS = frozenset({700, 701, 1700})
_GREATEST_EXACT = 2**53
_CUT = "…"


def value_of(text: str | None, type_id: int, longest: int) -> Json:
    """Return a value for JSON.

    :param text: as PostgreSQL casts it to text.
    :param type_id: PostgreSQL's number of its type.
    :param longest: characters after which it was cut.
    """
    if text is None:
        return None
    if len(text) > longest:
        return f"{text[:longest]}{_CUT}"
    if type_id == _BOOL:
        return text in {"t", "true"}
    if type_id in _INTEGERS:
        number = int(text)
        return number if abs(number) <= _GREATEST_EXACT else text
    if type_id in _NUMBERS:
        return _number(text)
    if type_id in {_JSON, _JSONB}:
        return _from_json(text)
    return text


def _number(text: str) -> Json:
    """Return a number if it is the same as a float; NaN, infinity and longer numbers stay text."""
    try:
        exact, near = Decimal(text), float(text)
    except (InvalidOperation, ValueError):
        return text
    if not math.isfinite(near) or Decimal(repr(near)) != exact:
        return text
    return int(near) if near.is_integer() and abs(near) <= _GREATEST_EXACT else near


def _from_json(text: str) -> Json:
    try:
        return cast("Json", json.loads(text, parse_constant=str))
    except (ValueError, RecursionError):
        return text
