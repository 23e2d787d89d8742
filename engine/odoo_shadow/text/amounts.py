"""Writes sizes, lists and counts in words."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

_UNITS = ("B", "kB", "MB", "GB", "TB")
_UNIT = 1000


def in_bytes(size: float) -> str:
    """Return a number of bytes in decimal units, such as `1.5 MB`."""
    for unit in _UNITS:
        if size < _UNIT or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _UNIT
    raise AssertionError("the last unit takes everything")


def first_of(items: Collection[object], most: int, between: str = ", ") -> str:
    """List the first `most` of some things, with … for the others."""
    return between.join(map(str, islice(items, most))) + (" …" if len(items) > most else "")


def counted(number: int, what: str, several: str | None = None) -> str:
    """Return a number with the noun that it counts: 1 row, 2 rows.

    :param several: the plural, unless it is formed with an s.
    """
    return f"{number} {what if number == 1 else several or what + 's'}"
