"""Amounts in words."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

_UNITS = ("B", "kB", "MB", "GB", "TB")
_UNIT = 1000


def in_bytes(size: float) -> str:
    """Return a size in words."""
    for unit in _UNITS:
        if size < _UNIT or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _UNIT
    raise AssertionError("the last unit takes everything")


def first_of(items: Collection[object], most: int, between: str = ", ") -> str:
    """List the first of some things, with … for the others."""
    return between.join(map(str, islice(items, most))) + (" …" if len(items) > most else "")


def counted(number: int, what: str, several: str | None = None) -> str:
    """Return a number and what is counted, as English has it: 1 row, 2 rows.

    :param several: the plural, where it is not made by an s.
    """
    return f"{number} {what if number == 1 else several or what + 's'}"
