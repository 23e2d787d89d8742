"""Values between PostgreSQL and Odoo's wire: how a column is read, how a written value is stored."""

from __future__ import annotations

import base64
from collections.abc import Callable, Container
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import Buffer, Loader
from psycopg.types.json import Jsonb
from psycopg.types.numeric import FloatLoader

from odoo_stand_in.declared.schema import NUMBERS, Field

_SECOND = len("2000-01-01 00:00:00")
_DAY = len("2000-01-01")
_MOST_WHOLE = 2**31 - 1


class _SecondLoader(Loader):
    """A timestamp as Odoo tells it: text, cut (not rounded) to the second, a short year without zeros before it."""

    def load(self, data: Buffer) -> str:
        return bytes(data[:_SECOND]).decode().lstrip("0")


class _DayLoader(Loader):
    """A date as Odoo tells it."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode().lstrip("0")


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Let rows of this connection arrive as the wire wants them: dates as text, numerics as floats."""
    connection.adapters.register_loader("timestamp", _SecondLoader)
    connection.adapters.register_loader("date", _DayLoader)
    connection.adapters.register_loader("numeric", FloatLoader)


def select_term(field: Field, expression: sql.Composable) -> sql.Composable:
    """Return what to SELECT for a field, given the SQL expression of its value; NULL is left for "empty"."""
    if field.type == "boolean":
        return sql.SQL("COALESCE({}, FALSE)").format(expression)
    if field.type in NUMBERS and field.name != "id":
        return sql.SQL("COALESCE({}, 0)").format(expression)
    if field.type == "many2one_reference":
        return sql.SQL("COALESCE({}, 0)").format(expression)
    return expression


def read_whole(value: Any) -> Any:
    """How an integer is told: beyond what XML-RPC has as a float, over the other protocols as well."""
    return float(value) if value > _MOST_WHOLE else value


def read_reference(value: Any, models: Container[str]) -> Any:
    """How a reference is told: its id as a number, whatever spaces or zeros are stored; none to the id 0.

    :raises ValueError: it is no reference.
    :raises KeyError: there is no such model.
    """
    if not value:
        return False
    model, number = value.split(",")
    if model not in models:
        raise KeyError(model)
    return f"{model},{int(number)}" if int(number) else False


def read_binary(sizes: bool) -> Callable[[Any], Any]:
    """How a bytea is told: base64, or its size as text when the context has `bin_size`."""

    def convert(value: Any) -> Any:
        if value is None or value is False:
            return False
        data = bytes(value)
        return human_size(len(data)) if sizes else base64.b64encode(data).decode()

    return convert


def human_size(size: float) -> str:
    """Return a size in Odoo's words, such as `12.34 Kb`."""
    for unit in ("bytes", "Kb", "Mb", "Gb"):
        if size < 1024:
            return f"{size:0.2f} {unit}"
        size /= 1024
    return f"{size:0.2f} Tb"


def stored(model: str, field: Field, value: Any, lang: str = "en_US") -> Any:
    """Return a value from a `create` or `write` as the column takes it."""
    if field.type == "boolean":
        return bool(value)
    if value is None or value is False:
        return None if not (field.type in NUMBERS and value is False) else 0
    plain = _plain(field, value, model)
    if field.translate:
        return Jsonb({"en_US": plain, lang: plain})
    return plain


def _plain(field: Field, value: Any, model: str) -> Any:
    kind = field.type
    if kind in ("integer", "many2one", "many2one_reference"):
        return int(value[0] if isinstance(value, list) else value)
    if kind in ("float", "monetary"):
        return round(float(value), field.digits[1]) if field.digits else float(value)
    if kind in ("date", "datetime"):
        return str(value)[: _SECOND if kind == "datetime" else _DAY]
    if kind == "selection" and field.selection and value not in field.selection:
        raise ValueError(f"Wrong value for {model}.{field.name}: {value!r}")
    if kind in ("char", "text", "html", "selection", "reference"):
        return _text(kind, str(value))[: field.size]
    if kind == "binary":
        return base64.b64decode(value)
    return Jsonb(_property_values(value) if kind == "properties" else value)


def _text(kind: str, text: str) -> str:
    if "\x00" in text:
        raise ValueError("A string literal cannot contain NUL (0x00) characters.")
    if kind == "html" and text and not text.startswith("<"):
        # A faint likeness of Odoo's sanitizer: plain text becomes a paragraph.
        return f"<p>{text}</p>"
    return text


def _property_values(value: Any) -> Any:
    """Properties may be written as a dict of values or as the list that a read gives."""
    if isinstance(value, list):
        return {one["name"]: one.get("value", False) for one in value}
    return value
