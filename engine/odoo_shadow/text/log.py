"""Loggers whose lines hold neither credentials nor anything that a terminal or a log viewer would obey."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from odoo_shadow.text.shown import shown, shown_block

_FORMATTER = logging.Formatter()


class Block(str):
    """An argument of a log line that has several lines of its own, such as a table."""

    __slots__ = ()


def logger(name: str) -> logging.Logger:
    """Return a module's logger; arguments of its records are passed through `shown`."""
    found = logging.getLogger(name)
    if not any(isinstance(item, _AsText) for item in found.filters):
        found.addFilter(_AsText())
    return found


def as_text(handler: logging.Handler) -> logging.Handler:
    """Make a handler show other libraries' records as text on one line, too: they may quote what a server has sent."""
    handler.addFilter(_foreign_as_text)
    return handler


def _foreign_as_text(record: logging.LogRecord) -> bool:
    if not any(isinstance(item, _AsText) for item in logging.getLogger(record.name).filters):
        record.msg, record.args = shown(record.getMessage()), None
        record.exc_info = record.exc_text = record.stack_info = None
    return True


class _AsText(logging.Filter):
    """Makes the arguments of a record safe; the message itself is this project's own."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, Mapping):
            record.args = {name: _safe(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(map(_safe, record.args))
        if record.exc_info:
            record.exc_text = shown_block(_FORMATTER.formatException(record.exc_info))
        return True


def _safe(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    return shown_block(value) if isinstance(value, Block) else shown(value)
