"""Writes sizes, lists and counts in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

from odoo_shadow.text.shown import LONGEST

_UNITS = ("B", "kB", "MB", "GB", "TB")
_UNIT = 1000
_MORE = 50
"""Characters that are kept for how many more there are."""


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


def first_and_more(items: Sequence[object], most: int) -> str:
    """List the first `most` of some things, and say how many more there are."""
    more = len(items) - most
    return ", ".join(map(str, items[:most])) + (f" and {more} more" if more > 0 else "")


def counted(number: int, what: str, several: str | None = None) -> str:
    """Return a number with the noun that it counts: 1 row, 2 rows.

    :param several: the plural, unless it is formed with an s.
    """
    return f"{number} {what if number == 1 else several or what + 's'}"


def as_many_as_fit(sentences: Sequence[str], what: str) -> str:
    """Join sentences, as many as people read, and say how many more there are; the first one always fits.

    :param what: what each of them tells.
    """
    text, *others = sentences
    for number, more in enumerate(others):
        if len(text) + len(more) > LONGEST - _MORE:
            left = len(others) - number
            return f"{text} {counted(left, f'more {what} is', f'more {what}s are')} not shown."
        text = f"{text} {more}"
    return text
