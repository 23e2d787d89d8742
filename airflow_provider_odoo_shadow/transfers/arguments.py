"""Checks the arguments of a DAG's author: in Python the text "false" is true."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.text.given import given

T = TypeVar("T", bool, int, timedelta)

_WANTED: dict[type, str] = {
    bool: "True or False",
    int: "a whole number",
    timedelta: "a timedelta, such as timedelta(minutes=15)",
}


def of_type(name: str, value: object, kind: type[T]) -> T:
    """Return an argument of the right type.

    :raises MirrorConfigurationError: it is not.
    """
    if isinstance(value, kind) and (kind is not int or not isinstance(value, bool)):
        return value
    raise MirrorConfigurationError(f"{name} is {given(value)}, but must be {_WANTED[kind]}.")


def removal(value: object) -> OnDelete | None:
    """Return what `on_delete` says, None for as before.

    :raises MirrorConfigurationError: it is none of the words that there are.
    """
    if value is None:
        return None
    known = [str(item) for item in OnDelete]
    if str(value) not in known:
        raise MirrorConfigurationError(f"on_delete is {given(value)}, but must be one of {', '.join(known)}.")
    return OnDelete(str(value))
