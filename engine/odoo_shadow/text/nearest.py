"""Finds the known name that somebody may have meant by an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.6
"""How similar two names must be, from 0 to 1."""

_SHORTEST_BEGINNING = 3
_MOST_LISTED = 40
_LONGEST = 100
"""Characters of a name that are compared."""


def nearest(name: str, known: Iterable[str], *, alike: float = _ALIKE) -> str | None:
    """Return the known name that is most similar, or begins the same; capitals and separators do not matter."""
    plain, given = {_plain(item): item for item in sorted(known, reverse=True)}, _plain(name)
    found = get_close_matches(given, plain, n=1, cutoff=alike) or _beginning_alike(given, plain)
    return plain[found[0]] if found else None


def _beginning_alike(given: str, plain: Iterable[str]) -> list[str]:
    if len(given) < _SHORTEST_BEGINNING:
        return []
    alike = [
        item
        for item in plain
        if item.startswith(given) or (given.startswith(item) and len(item) >= _SHORTEST_BEGINNING)
    ]
    return sorted(alike, key=lambda item: (abs(len(item) - len(given)), item))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the nearest known one, or else all of them."""
    names = sorted(known)
    found = nearest(name, names)
    if found is not None:
        return f" (did you mean {found}?)."
    return f"; there are {', '.join(names)}." if len(names) <= _MOST_LISTED else "."


def is_nearly(name: str, other: str) -> bool:
    """Say whether two names differ only by a typing error: capitals, separators, or a letter or two."""
    one, two = _plain(name), _plain(other)
    return _distance(one, two) <= (1 if min(len(one), len(two)) < _SHORT else 2)


_SHORT = 8
"""Names with fewer characters may differ by one letter only."""


def _plain(name: str) -> str:
    return "".join(char for char in name[:_LONGEST].casefold() if char.isalnum())


def _distance(one: str, two: str) -> int:
    """Count the letters that are missing, added or changed."""
    row = list(range(len(two) + 1))
    for place, char in enumerate(one, start=1):
        above, row = row, [place]
        for column, other in enumerate(two, start=1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (char != other)))
    return row[-1]
