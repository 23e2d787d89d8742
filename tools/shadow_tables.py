"""What a shadow schema holds: its tables, and which field each of their columns is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from psycopg import sql

from odoo_shadow.shadow import names
from tools.odoo_models import Connection, OdooField, OdooModel, columns_of

_OWN = frozenset({names.ID, names.SYNCED_AT, names.HASH, names.DELETED_AT})
_SUFFIXES = ("__translations", "__companies")
_JSON_TYPES = ("json", "serialized", "properties", "properties_definition")


class Holds(StrEnum):
    """What a column holds of its field."""

    VALUE = "value"
    TRANSLATIONS = "value by language"
    COMPANIES = "value by company"


@dataclass(frozen=True)
class ShadowColumn:
    """A column of a mirror table and its field."""

    name: str
    field: OdooField
    holds: Holds = Holds.VALUE


@dataclass(frozen=True)
class ShadowTable:
    """A mirror table: the columns that can be compared, and the others with the reason."""

    columns: tuple[ShadowColumn, ...]
    not_compared: Mapping[str, str]
    marks_deleted: bool


def mirrored_tables(shadow: Connection, schema: str) -> list[tuple[str, str]]:
    """Return the models that have been mirrored, each with its table."""
    query = sql.SQL("SELECT odoo_model, table_name FROM {} WHERE last_sync_at IS NOT NULL ORDER BY odoo_model")
    rows = shadow.execute(query.format(sql.Identifier(schema, "odoo_shadow_meta")))
    return [(str(model), str(table)) for model, table in rows]


def synced_until(shadow: Connection, schema: str, table: str) -> datetime:
    """Return the moment, by Odoo's clock, up to which a table has been mirrored."""
    query = sql.SQL("SELECT last_write_date FROM {} WHERE table_name = %s")
    rows = shadow.execute(query.format(sql.Identifier(schema, "odoo_shadow_watermark")), [table]).fetchall()
    return rows[0][0] if rows and isinstance(rows[0][0], datetime) else datetime.max.replace(tzinfo=UTC)


def read_table(shadow: Connection, schema: str, table: str, model: OdooModel) -> ShadowTable:
    """Find the fields of a mirror table's columns."""
    present, registered = columns_of(shadow, schema, table), _registered(shadow, schema, table)
    columns: list[ShadowColumn] = []
    not_compared: dict[str, str] = {}
    for name, kind in present.items():
        if name in _OWN or (name == names.WRITE_DATE and "write_date" not in model.fields):
            continue
        field_name, has_vanished = registered.get(name, (_field_of(name), False))
        field = model.fields.get(field_name)
        if has_vanished:
            not_compared[name] = "no longer mirrored"
        elif field is None:
            not_compared[name] = "no field of Odoo's"
        else:
            columns.append(ShadowColumn(name, field, _holds(field, kind)))
    return ShadowTable(tuple(columns), not_compared, names.DELETED_AT in present)


def _registered(shadow: Connection, schema: str, table: str) -> dict[str, tuple[str, bool]]:
    query = sql.SQL("SELECT column_name, field_name, vanished_at IS NOT NULL FROM {} WHERE table_name = %s")
    rows = shadow.execute(query.format(sql.Identifier(schema, "odoo_shadow_field")), [table])
    return {str(column): (str(field), bool(has_vanished)) for column, field, has_vanished in rows}


def _field_of(column: str) -> str:
    if column == names.WRITE_DATE:
        return "write_date"
    for suffix in _SUFFIXES:
        column = column.removesuffix(suffix)
    return column


def _holds(field: OdooField, column_type: str) -> Holds:
    if column_type != "jsonb" or field.type in _JSON_TYPES:
        return Holds.VALUE
    return Holds.COMPANIES if field.is_company_dependent else Holds.TRANSLATIONS
