"""A table's columns, as PostgreSQL knows them and as Odoo's fields ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from odoo_shadow.shadow import names
from odoo_shadow.shadow.descriptions import UNDESCRIBED, Description


class ColumnType(StrEnum):
    """PostgreSQL types that the shadow uses, spelled as `format_type` does."""

    TEXT = "text"
    BIGINT = "bigint"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMPTZ = "timestamp with time zone"
    NUMERIC = "numeric"
    DOUBLE = "double precision"
    JSONB = "jsonb"
    BIGINT_ARRAY = "bigint[]"


@dataclass(frozen=True)
class Column:
    """A column that holds an Odoo field.

    :param field: the field's name.
    :param odoo_type: Odoo's type, such as `many2one`.
    """

    name: str
    type: ColumnType
    field: str = ""
    odoo_type: str = ""
    description: Description = UNDESCRIBED


OWN_COLUMNS = tuple(
    Column(name, ColumnType(names.OWN_COLUMNS[name])) for name in (names.WRITE_DATE, names.SYNCED_AT, names.HASH)
)
"""The project's own columns that every table has in addition to `id`."""
