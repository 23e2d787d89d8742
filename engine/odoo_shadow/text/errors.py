"""The base of every error whose message people see."""

from __future__ import annotations

from odoo_shadow.text.shown import shown


class ShownError(Exception):
    """An error with a message that may be printed, logged and stored: see `shown`."""

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))


def class_of(error: BaseException) -> str:
    """Return what everybody may know of an error: its class."""
    return type(error).__name__


def text_of(error: BaseException) -> str:
    """Return what may be stored of an error: the message of this project's own, of others only the class.

    A message that somebody else wrote may repeat values of rows.
    """
    return str(error) if isinstance(error, ShownError) else class_of(error)
