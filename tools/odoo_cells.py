"""What Odoo's API should say of each record's fields, worked out from the tables of Odoo's own database."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from psycopg import sql

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.errors import OdooAccessError
from odoo_shadow.source.types import Context
from tools.odoo_company_values import from_jsonb, from_properties
from tools.odoo_models import Connection, OdooField, OdooModel, columns_of, table_of
from tools.odoo_properties import expected_properties, plain_properties
from tools.shadow_tables import Holds, ShadowColumn

Cells: TypeAlias = Mapping[int, object]

NOTHING_HIDDEN: Context = {**ARCHIVED_TOO, "ir.ui.menu.full_list": True}
"""The context in which a search finds all that record rules allow; without it Odoo leaves out menus, too."""

_NUMBERS = ("integer", "float", "monetary", "many2one_reference")
_JSON_COLUMNS = ("json", "serialized", "properties", "properties_definition")


class NotComparableError(Exception):
    """Odoo's tables do not tell what the API should say of a field."""


@dataclass(frozen=True)
class Reading:
    """Odoo's database, and as whom and how it was mirrored.

    :param login: the login that mirrored, None when it is not known.
    """

    odoo: Connection
    lang: str
    company: int
    login: OdooClient | None = None

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages that are active."""
        return tuple(str(row[0]) for row in self.odoo.execute("SELECT code FROM res_lang WHERE active ORDER BY code"))

    @cached_property
    def companies(self) -> tuple[int, ...]:
        """The companies that were read: those of the connection, or all that the login is allowed, or all there are."""
        if self.login is not None and self.login.connection.company_ids:
            return tuple(self.login.connection.company_ids)
        if self.login is None:
            rows = self.odoo.execute("SELECT id FROM res_company ORDER BY id").fetchall()
        else:
            query = "SELECT cid FROM res_company_users_rel WHERE user_id = %s ORDER BY cid"
            rows = self.odoo.execute(query, [self.login.user_id()]).fetchall()
        return tuple(int(row[0]) for row in rows)


def expected_cells(reading: Reading, model: OdooModel, column: ShadowColumn, ids: Collection[int]) -> Cells:
    """Return what a mirror's column should hold of these records.

    :raises NotComparableError: Odoo's tables do not tell.
    """
    field = column.field
    if field.type == "many2many":
        linked = _linked(reading, field)
        return {record_id: linked.get(record_id, []) for record_id in ids}
    if field.type == "properties":
        properties = expected_properties(reading.odoo, model, field)
        if properties is None:
            raise NotComparableError("where the properties are defined is not known")
        return properties
    if column.holds is Holds.COMPANIES:
        return _by_company(reading, model, field, ids)
    if field.is_company_dependent or field.name not in model.columns:
        return _of_company(reading, model, field, reading.company)
    cells = _stored(reading.odoo, model, field.name)
    if column.holds is Holds.TRANSLATIONS:
        return {record_id: _translations(cells[record_id], reading.languages) for record_id in ids}
    if model.columns[field.name] == "jsonb" and field.type not in _JSON_COLUMNS:
        return {record_id: as_api(field.type, _translated(cells[record_id], reading.lang)) for record_id in ids}
    return {record_id: as_api(field.type, cells[record_id]) for record_id in ids}


def plain_cell(column: ShadowColumn, value: object) -> object:
    """Bring a mirror's cell, or an expected one, into a form that can be compared."""
    if column.field.type == "properties":
        value = plain_properties(value)
    elif column.holds is not Holds.VALUE and isinstance(value, dict):
        value = {key: item for key, item in value.items() if item is not None and item is not False}
        value = {key: str(plain(item)) for key, item in value.items() if item != 0}
    return None if column.holds is not Holds.VALUE and not value else plain(value)


def plain(value: object) -> object:
    """Bring numbers, times and JSON into a form that can be compared."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float | int):
        return Decimal(repr(value)).normalize()
    if isinstance(value, Decimal):
        return Decimal(repr(float(value))).normalize()  # what fits into the double that the API sends
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value


def as_api(kind: str, value: object) -> object:
    """Turn a cell of Odoo's table into what its API says, by the field's type."""
    if kind == "boolean":
        return bool(value)
    if kind in _NUMBERS and value is None:
        return Decimal(0)
    if kind == "properties_definition":
        return value or []
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    if kind == "datetime" and isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=0, tzinfo=UTC)
    return value or None if kind == "many2one" else value


def _stored(odoo: Connection, model: OdooModel, column: str) -> Cells:
    if model.table is None:
        raise NotComparableError("the model has no table")
    query = sql.SQL("SELECT id, {} FROM {}").format(sql.Identifier(column), sql.Identifier(model.table))
    return {int(record_id): value for record_id, value in odoo.execute(query)}


def _of_company(reading: Reading, model: OdooModel, field: OdooField, company: int) -> Cells:
    if field.name in model.columns:
        of_cell = from_jsonb(reading.odoo, model.name, field.name, company)
        cells = _stored(reading.odoo, model, field.name)
        return {record_id: as_api(field.type, of_cell(cell)) for record_id, cell in cells.items()}
    if reading.login is not None and not field.is_company_dependent:
        raise NotComparableError("Odoo computes it")
    value_of = from_properties(reading.odoo, model.name, field.name, company)
    return {record_id: as_api(field.type, value_of(record_id)) for record_id in _stored(reading.odoo, model, "id")}


def _by_company(reading: Reading, model: OdooModel, field: OdooField, ids: Collection[int]) -> Cells:
    found = {company: _of_company(reading, model, field, company) for company in reading.companies}
    return {record_id: {str(company): cells[record_id] for company, cells in found.items()} for record_id in ids}


def _translated(cell: object, lang: str) -> object:
    return cell.get(lang, cell.get("en_US")) if isinstance(cell, dict) else cell


def _translations(cell: object, languages: Collection[str]) -> object:
    return {lang: _translated(cell, lang) for lang in languages} if isinstance(cell, dict) else None


def _linked(reading: Reading, field: OdooField) -> dict[int, list[int]]:
    """Return the ids behind a many2many; Odoo's `search_read` leaves archived and hidden records out of it."""
    if field.relation_table is None:
        raise NotComparableError("it has no relation table")
    odoo, related = reading.odoo, table_of(field.relation)
    context = field.description.get("context")
    hides_archived = not isinstance(context, dict) or context.get("active_test", True)
    is_visible = "c.active" if hides_archived and "active" in columns_of(odoo, "public", related) else "true"
    rows = odoo.execute(
        sql.SQL(
            "SELECT r.{own}, array_agg(DISTINCT r.{other}) FROM {table} AS r"
            " JOIN {related} AS c ON c.id = r.{other} WHERE r.{own} IS NOT NULL AND {visible} GROUP BY r.{own}"
        ).format(
            own=sql.Identifier(field.own_column),
            other=sql.Identifier(field.other_column),
            table=sql.Identifier(field.relation_table),
            related=sql.Identifier(related),
            visible=sql.SQL(is_visible),
        )
    )
    found = {int(record_id): sorted(int(item) for item in ids) for record_id, ids in rows}
    seen = _seen(reading.login, field, sorted({item for ids in found.values() for item in ids}))
    return {record_id: [item for item in ids if item in seen] for record_id, ids in found.items()}


def _seen(login: OdooClient | None, field: OdooField, ids: list[int]) -> set[int]:
    """Return those records that the login may see; where it may not read the model at all, Odoo shows all ids."""
    if login is None or not ids:
        return set(ids)
    domain = field.description.get("domain")
    narrowed = domain if isinstance(domain, list) else []
    try:
        return set(login.search(field.relation, [*narrowed, ("id", "in", ids)], context=NOTHING_HIDDEN))
    except OdooAccessError:
        return set(ids)
