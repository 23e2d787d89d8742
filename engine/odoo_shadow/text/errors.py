"""The base of every error whose message people see."""

from __future__ import annotations

from odoo_shadow.text.shown import shown


class ShownError(Exception):
    """An error with a message that may be printed, logged and stored: see `shown`."""

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))


def class_of(error: BaseException) -> str:
    """Return what any reader may know about an error: its class."""
    return type(error).__name__


def text_of(error: BaseException) -> str:
    """Return what may be stored about an error: the message of one of this project's, only the class of any other.

    A message from elsewhere may repeat values of rows.
    """
    return str(error) if isinstance(error, ShownError) else class_of(error)
