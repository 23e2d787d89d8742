"""Odoo field → PostgreSQL column: which fields are mirrored, as what type, and how a value is converted.

Values are converted by the field's declared type, never by their shape: `false` means empty for one type and no for
another, and an id may look like a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from airflow_provider_odoo_shadow.job.secrets import is_secret
from airflow_provider_odoo_shadow.source.fields import Field
from airflow_provider_odoo_shadow.source.types import Json
from airflow_provider_odoo_shadow.target.merge import Cell
from airflow_provider_odoo_shadow.target.names import column_name
from airflow_provider_odoo_shadow.target.tables import Column, ColumnType

Convert: TypeAlias = Callable[[Json], Cell]

WRITE_DATE_FIELD = "write_date"

_NOT_COLUMNS = frozenset({"binary", "image", "one2many"})
_OWN_PLACE = frozenset({"id", WRITE_DATE_FIELD})


def text(value: Json) -> Cell:
    """Convert char, text, html, selection and reference."""
    if value is False or value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def integer(value: Json) -> Cell:
    """Convert integer and many2one_reference. An empty company-dependent integer is `false`."""
    if value is False or value is None:
        return None
    return int(str(value)) if not isinstance(value, int) else value


def many2one(value: Json) -> Cell:
    """Convert a many2one: an id, or `[id, name]` from servers that do not know `load`."""
    return integer(value[0] if isinstance(value, list) and value else value)


def ids(value: Json) -> Cell:
    """Convert a many2many: the ids, sorted, as PostgreSQL writes an array; an empty one is an empty array."""
    if value is False or value is None:
        return None
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise TypeError("no list of ids")
    return "{" + ",".join(map(str, sorted(set(value)))) + "}"  # type: ignore[type-var]  # all are integers


def boolean(value: Json) -> Cell:
    """Convert a boolean, whose `false` is a value."""
    return bool(value)


def number(value: Json) -> Cell:
    """Convert float and monetary. Python's shortest form of a double is exact enough for any `digits`."""
    return float(value) if isinstance(value, int | float | str) and value is not False else None


def timestamp(value: Json) -> Cell:
    """Convert a datetime, which Odoo gives in UTC without saying so."""
    return f"{value}+00" if isinstance(value, str) else None


def jsonb(value: Json) -> Cell:
    """Convert json, properties and every type that is not known."""
    return None if value is False or value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


_BY_TYPE: dict[str, tuple[ColumnType, Convert]] = {
    "char": (ColumnType.TEXT, text),
    "text": (ColumnType.TEXT, text),
    "html": (ColumnType.TEXT, text),
    "selection": (ColumnType.TEXT, text),
    "reference": (ColumnType.TEXT, text),
    "integer": (ColumnType.BIGINT, integer),
    "many2one": (ColumnType.BIGINT, many2one),
    "many2many": (ColumnType.BIGINT_ARRAY, ids),
    "many2one_reference": (ColumnType.BIGINT, integer),
    "boolean": (ColumnType.BOOLEAN, boolean),
    "date": (ColumnType.DATE, text),
    "datetime": (ColumnType.TIMESTAMPTZ, timestamp),
    "monetary": (ColumnType.NUMERIC, number),
    "float": (ColumnType.DOUBLE, number),
}


@dataclass(frozen=True)
class FieldColumn:
    """A mirrored field, its column, and how its values get there."""

    field: str
    column: Column
    convert: Convert


@dataclass(frozen=True)
class Layout:
    """How a model's records become rows.

    :param columns: in the order of the fields' names.
    :param has_write_date: whether changes can be found by `write_date`.
    """

    model: str
    columns: tuple[FieldColumn, ...]
    has_write_date: bool

    @property
    def fields(self) -> list[str]:
        """The fields to read."""
        names = [item.field for item in self.columns]
        return ["id", *([WRITE_DATE_FIELD] if self.has_write_date else []), *names]

    @classmethod
    def of(cls, model: str, fields: Iterable[Field]) -> Layout:
        """Choose the fields that are mirrored: stored or company-dependent, no binary, no secret."""
        chosen = sorted(fields, key=lambda field: field.name)
        return cls(
            model,
            tuple(_field_column(field) for field in chosen if _is_mirrored(field)),
            any(field.name == WRITE_DATE_FIELD and field.store for field in chosen),
        )


def _is_mirrored(field: Field) -> bool:
    has_value = field.store or field.company_dependent
    return has_value and field.type not in _NOT_COLUMNS and field.name not in _OWN_PLACE and not is_secret(field)


def _field_column(field: Field) -> FieldColumn:
    kind, convert = _BY_TYPE.get(field.type, (ColumnType.JSONB, jsonb))
    if field.type == "float" and field.has_digits:
        kind = ColumnType.NUMERIC
    return FieldColumn(field.name, Column(column_name(field.name), kind, field.name, field.type), convert)
