"""SQL expressions for what Odoo's API says of each field, by the field's type.

Each comes in two forms: typed, for COPY from one PostgreSQL to the other, and as JSON like the API's, for whatever has
to be looked at on this side. Tried cell by cell against the API of Odoo 16.0, 17.0, 18.0 and 19.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.database import documents
from odoo_shadow.source.database.catalogue import StoredField, StoredModel
from odoo_shadow.source.database.defaults import Defaults
from odoo_shadow.source.database.definitions import OfModel
from odoo_shadow.source.database.links import ROW, Links
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.reading import COMPANIES, TRANSLATIONS, Variant

_TEXTS = ("char", "text", "html", "selection")
_INTEGERS = ("integer", "many2one_reference")
_DOCUMENTS = ("json", "serialized", "properties", "properties_definition")
_DOUBLES = ("double precision", "real")
_TEXT_COLUMNS = ("text", "character varying")
PROPERTIES = "ir_property"
"""Where values are that differ by company, up to Odoo 17."""

_PROPERTY_COLUMNS = {
    "char": "value_text",
    "text": "value_text",
    "html": "value_text",
    "selection": "value_text",
    "float": "value_float",
    "boolean": "value_integer",
    "integer": "value_integer",
    "date": "value_datetime",
    "datetime": "value_datetime",
    "many2one": "value_reference",
}
"""Where `ir_property` has the values of a type (`TYPE2FIELD` of Odoo 16.0 and 17.0)."""


@dataclass(frozen=True)
class Cell:
    """A field's value.

    :param typed: of the type that the shadow's column has; NULL where the API says that it is empty.
    :param as_json: as the API sends it, but NULL where the API sends `false` for empty.
    """

    typed: sql.Composable
    as_json: sql.Composable


def is_there(model: StoredModel, name: str) -> bool:
    """Say whether Odoo's tables have a field's values."""
    field = model.fields.get(name)
    if field is None:
        return False
    if field.type == "many2many":
        return field.store and field.link is not None
    if field.type == "properties" and not _is_defined(model, field):
        return False
    return (field.store and model.column_of(name) is not None) or field.by_property


def _is_defined(model: StoredModel, field: StoredField) -> bool:
    place = field.definition
    return isinstance(place, OfModel) or (place is not None and model.column_of(place.link) is not None)


@dataclass(frozen=True)
class Cells:
    """Makes the expressions for one model's fields.

    :param company: whose values count where they differ by company.
    :param comodels: the tables of models that many2one fields point to, by model.
    """

    model: StoredModel
    schema: str
    lang: str
    company: int
    defaults: Defaults
    comodels: Mapping[str, str]

    def of(self, name: str) -> Cell:
        """Return the value of a field.

        :raises OdooConfigurationError: the tables do not have it.
        """
        return self._cell(self._field(name), self.lang, self.company)

    def of_variant(self, name: str, variant: Variant) -> sql.Composable:
        """Return the value of a field in another language or company, as JSON."""
        lang = variant.label if variant.kind == TRANSLATIONS else self.lang
        company = int(variant.label) if variant.kind == COMPANIES else self.company
        return self._cell(self._field(name), lang, company).as_json

    def tables_of(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the tables in which some fields' values are, the model's own first."""
        if self.model.table is not None:
            yield self.model.table.name
        for name in names:
            field = self._field(name)
            if field.link is not None:
                yield field.link[0]
            if field.by_property:
                yield PROPERTIES
            comodel = self.comodels.get(field.relation or "")
            if comodel is not None and field.company_dependent:
                yield comodel

    def _field(self, name: str) -> StoredField:
        if not is_there(self.model, name):
            raise OdooConfigurationError(
                f"{self.model.name}: Odoo computes the field '{name}' when it is read, so its tables do not have it: "
                "give the API's address and login as well, or leave the field out."
            )
        return self.model.fields[name]

    def _cell(self, field: StoredField, lang: str, company: int) -> Cell:
        links = self.links_of(field.name)
        if links is not None:
            ids = links.of_record()
            return Cell(ids, ids)
        if field.by_property:
            is_double = _PROPERTY_COLUMNS.get(field.type) == "value_float"
            return _cell(field.type, self._property(field, company), is_double=is_double)
        column, kind = sql.SQL("{}.{}").format(ROW, sql.Identifier(field.name)), self.model.column_of(field.name)
        if field.type in _DOCUMENTS and kind in _TEXT_COLUMNS:
            column = documents.from_text(column)
        if kind == "real":  # as Odoo reads it: the shortest number that it may be
            column = sql.SQL("{}::text::float8").format(column)
        if kind != "jsonb" or field.type in _DOCUMENTS:
            return _cell(field.type, column, is_double=kind in _DOUBLES)
        if field.company_dependent:
            return _cell(field.type, self._of_company(field, column, company))
        if field.type in _TEXTS:
            return _cell(field.type, sql.SQL("coalesce({0} ->> {1}, {0} ->> 'en_US')").format(column, lang))
        return _cell(field.type, column)

    def _of_company(self, field: StoredField, column: sql.Composable, company: int) -> sql.Composable:
        """Return a company's value out of `{company: value}` (from Odoo 18 on); without one the default counts."""
        default = self.defaults.of(field.name, company)
        value = sql.SQL("coalesce({} -> {}, {}::jsonb)").format(column, str(company), json.dumps(default))
        empty = sql.SQL("'null'::jsonb") if field.type == "boolean" else sql.SQL("'null'::jsonb, 'false'::jsonb")
        text = sql.SQL("(SELECT j.value #>> '{{}}' FROM (SELECT {} AS value) j WHERE j.value NOT IN ({}))").format(
            value, empty
        )
        return self._existing(field, text)

    def _existing(self, field: StoredField, text: sql.Composable) -> sql.Composable:
        """Return a value that is kept as text in its type; a many2one only if its record exists."""
        if field.type != "many2one":
            return sql.SQL("{}::{}").format(text, sql.SQL(_CASTS.get(field.type, "text")))
        comodel = self.comodels.get(field.relation or "")
        if comodel is None:
            return sql.SQL("{}::bigint").format(text)
        table = sql.Identifier(self.schema, comodel)
        return sql.SQL("(SELECT o.id FROM {} o WHERE o.id = {}::bigint)").format(table, text)

    def _property(self, field: StoredField, company: int) -> sql.Composable:
        """Return a value of `ir_property` (up to Odoo 17): the record's own, or else the default.

        Of several, that of the company comes before one for all companies.
        """
        kind = _PROPERTY_COLUMNS.get(field.type)
        if kind is None:
            return sql.SQL("NULL::text")
        value: sql.Composable = sql.SQL("p.{}").format(sql.Identifier(kind))
        if kind == "value_text":  # here an empty text is none (TYPE2CLEAN)
            value = sql.SQL("nullif({}, '')").format(value)
        if field.type == "many2one":
            value = self._existing(field, sql.SQL("nullif(split_part({}, ',', 2), '')").format(value))
        # A row without a value is a value, too, hence the arrays: it says that there is none.
        found = sql.SQL(
            "(SELECT ARRAY[{value}] FROM {table} p WHERE p.fields_id = {field} AND {whose}"
            " AND (p.company_id = {company} OR p.company_id IS NULL) ORDER BY p.company_id IS NULL, p.id LIMIT 1)"
        )
        own, default = (
            found.format(
                value=value,
                table=sql.Identifier(self.schema, PROPERTIES),
                field=field.id,
                company=company,
                whose=whose,
            )
            for whose in (
                sql.SQL("p.res_id = {} || {}.id").format(f"{self.model.name},", ROW),
                sql.SQL("p.res_id IS NULL"),
            )
        )
        return sql.SQL("(coalesce({}, {}))[1]").format(own, default)

    def links_of(self, name: str) -> Links | None:
        """Return where the links of a many2many are; None for a field of another type."""
        link = self._field(name).link
        if link is None:
            return None
        table, own, other = link
        return Links(sql.Identifier(self.schema, table), sql.Identifier(own), sql.Identifier(other))


_CASTS = {
    "integer": "numeric::bigint",
    "many2one_reference": "numeric::bigint",
    "float": "numeric",
    "monetary": "numeric",
    "date": "date",
    "datetime": "timestamp",
}
"""What a company's value is cast to; anything else is text."""


# Infinity is the first and the last day of all, as psycopg2 reads it for Odoo.
_FINITE_DAY: LiteralString = (
    "CASE WHEN isfinite(({0})::date) THEN ({0})::date WHEN ({0})::date > '2000-01-01' THEN '9999-12-31'::date"
    " WHEN ({0})::date < '2000-01-01' THEN '0001-01-01'::date END"
)
_FINITE_SECOND: LiteralString = (
    "CASE WHEN isfinite(({0})::timestamp) THEN date_trunc('second', ({0})::timestamp)"
    " WHEN ({0})::timestamp > '2000-01-01' THEN '9999-12-31 23:59:59'::timestamp"
    " WHEN ({0})::timestamp < '2000-01-01' THEN '0001-01-01'::timestamp END"
)

# Odoo reads the id as Python reads a number, and so finds none in an empty text or in the id 0: demo data of 17.0 have
# "mail.template, 37". Where that is no reference at all the API fails, and the text is left as it is.
_REFERENCE: LiteralString = (
    r"(SELECT CASE WHEN j.value !~ '^[^,]+,\s*[-+]?[0-9]+(_[0-9]+)*\s*$' THEN nullif(j.value, '')"
    " WHEN j.id::numeric <> 0 THEN split_part(j.value, ',', 1) || ',' || j.id::numeric END"
    r" FROM (SELECT t.value, regexp_replace(split_part(t.value, ',', 2), '[\s_]', '', 'g') AS id"
    " FROM (SELECT ({})::text AS value) t) j)"
)


def _cell(kind: str, value: sql.Composable, *, is_double: bool = False) -> Cell:
    """Return what the API says of a value.

    :param kind: the field's type.
    :param is_double: whether it is a double precision number.
    """
    if kind in ("float", "monetary"):
        return _double(value) if is_double else _decimal(value)
    if kind == "json":
        return Cell(documents.as_doubles(value), documents.as_json(value))
    if kind == "date":
        day = sql.SQL(_FINITE_DAY).format(value)
        return Cell(day, day)
    if kind == "datetime":
        seconds = sql.SQL(_FINITE_SECOND).format(value)
        return Cell(sql.SQL("({} AT TIME ZONE 'UTC')").format(seconds), sql.SQL("{}::text").format(seconds))
    forms: dict[str, LiteralString] = {
        **dict.fromkeys(_TEXTS, "({})::text"),
        "reference": _REFERENCE,
        **dict.fromkeys(_INTEGERS, "coalesce(({})::bigint, 0)"),
        "many2one": "({})::bigint",
        "boolean": "coalesce(({})::boolean, false)",
        "properties_definition": "coalesce(to_jsonb({}), '[]'::jsonb)",
    }
    typed = sql.SQL(forms[kind]).format(value) if kind in forms else documents.as_json(value)
    return Cell(typed, typed)


def _double(value: sql.Composable) -> Cell:
    """Return a double precision number, never -0, which equals 0 but is written differently."""
    typed = sql.SQL("(coalesce({}, 0::float8) + 0::float8)").format(value)
    return Cell(typed, typed)


def _decimal(value: sql.Composable) -> Cell:
    """Return an exact number, without zeros at its end, so that equal ones are written alike.

    Odoo itself reads it as a double. Where no double is the same number, its digits are sent as text.
    """
    typed = sql.SQL("trim_scale(coalesce(({})::numeric, 0))").format(value)
    as_json = sql.SQL(
        "(SELECT CASE WHEN abs(d.number) < 1e300 AND d.number::float8::text::numeric = d.number"
        " THEN to_json(d.number::float8) ELSE to_json(d.number::text) END FROM (SELECT {} AS number) d)"
    ).format(typed)
    return Cell(typed, as_json)
