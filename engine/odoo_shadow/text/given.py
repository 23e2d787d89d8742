"""How a message names a value that a person has given, without repeating what may be a credential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def given(value: object) -> str:
    """Return what kind of value it is; text, and what contains it, is not repeated: it may be a credential."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return "text" if value else "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else f"a {type(value).__name__}"
