"""What a message says of a value that a person has given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def given(value: object) -> str:
    """Return what kind of value it is; texts, and what holds them, are not repeated, as they may be a credential."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return "a text" if value else "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) else f"a {type(value).__name__}"
