"""What changes what is read of a model: its fields, and what values depend on in addition to their records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.database.catalogue import StoredModel, definition_fields, read_fields, tables_of
from odoo_shadow.source.database.relations import has_table, read_tables
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.fields import FieldsState

_WRITE_DATE = "write_date"
_OF_DEFAULTS: dict[str, LiteralString] = {
    "ir_default": "d.field_id",
    "ir_property": "CASE WHEN d.res_id IS NULL THEN d.fields_id END",
}
"""Tables of defaults, and whose they are."""


def field_state(model: StoredModel, *, has_api: bool) -> FieldsState:
    """Return the state of a model's fields: as Odoo describes them, and the columns that they have.

    :param has_api: whether the API is beside, which gives properties that are defined in no known place.
    """
    columns = dict(model.table.columns) if model.table is not None else {}
    listed = [f"{field!r} {columns.get(name)}" for name, field in sorted(model.fields.items())]
    if has_api and any(field.holds_properties and field.definition is None for field in model.fields.values()):
        listed.append("with the API")
    digest = hashlib.blake2b("\n".join(listed).encode(), digest_size=16).hexdigest()
    names = frozenset(name for name, field in model.fields.items() if field.store or not field.related)
    return FieldsState(digest, _WRITE_DATE in columns and _WRITE_DATE in model.fields, names)


def field_identities(tx: Transaction, models: Sequence[str], lang: str) -> dict[str, dict[str, str]]:
    """Return an identity of each field, the same that the API's source gives."""
    found: dict[str, dict[str, str]] = {model: {} for model in models}
    for model, fields in read_fields(tx, models, lang).items():
        for name, field in fields.items():
            if field.store or not field.related:
                parts = (str(field.id), field.type, field.relation or "", field.related or "")
                found[model][name] = " ".join(parts)
    return found


@dataclass(frozen=True)
class Companies:
    """What values that differ by company depend on.

    :param main: the company whose values count.
    :param tables: the tables of all models: a link is empty when its target is gone, whatever the record still says.
    """

    main: int
    tables: Mapping[str, str]


def foundations(
    tx: Transaction,
    model: StoredModel,
    companies: Companies | None,
    properties: Sequence[str],
    related: Sequence[str],
) -> str:
    """Return a text that differs after a change of what a model's values depend on in addition to their records.

    :param companies: None where no value differs by company.
    :param properties: the names of fields whose definitions are in other records.
    :param related: models whose records are in the names of this one's.
    """
    found: list[object] = []
    if companies is not None:
        found += [companies.main, *_defaults(tx, model), *_targets(tx, model, companies.tables)]
    if properties:
        found += _definitions(tx, model)
    found += [_state(tx, name) for name in related]
    return hashlib.sha256(json.dumps(found, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _defaults(tx: Transaction, model: StoredModel) -> list[object]:
    ids = [field.id for field in model.fields.values()]
    found: list[object] = []
    for table, ofwhich in _OF_DEFAULTS.items():
        if has_table(tx, table):
            found += _lists(
                tx.run(
                    "SELECT to_jsonb(d)::text FROM {table} d WHERE {ofwhich} = ANY({ids}::int[]) ORDER BY d.id",
                    table=tx.odoos(table),
                    ofwhich=sql.SQL(ofwhich),
                    ids=ids,
                )
            )
    return found


def _targets(tx: Transaction, model: StoredModel, tables: Mapping[str, str]) -> list[object]:
    """Return digests of the ids to which links that differ by company may lead."""
    comodels = {
        field.relation or "" for field in model.fields.values() if field.company_dependent and field.type == "many2one"
    }
    there = read_tables(tx, {tables[comodel] for comodel in comodels & tables.keys()})
    found: list[object] = []
    for name in sorted(name for name, table in there.items() if table.may_be_read):
        found += _lists(
            tx.run("SELECT count(*), sum(hashint8extended(id::bigint, 0)) FROM {table}", table=tx.odoos(name))
        )
    return found


def _definitions(tx: Transaction, model: StoredModel) -> list[object]:
    """Return all definitions that records of this model may lead to."""
    relations = {field.relation for field in model.fields.values() if field.relation and field.type == "many2one"}
    fields = definition_fields(tx, relations)
    tables = tables_of(tx, [relation for relation, _ in fields])
    found: list[object] = []
    for relation, name in fields:
        table = tables.get(relation)
        if table is not None and name in table.columns:
            found += _lists(
                tx.run(
                    "SELECT id, {column}::text FROM {table} WHERE {column} IS NOT NULL ORDER BY id",
                    column=sql.Identifier(name),
                    table=tx.odoos(table.name),
                )
            )
    if has_table(tx, "properties_base_definition"):
        found += _lists(
            tx.run(
                "SELECT id, properties_definition::text FROM {table} ORDER BY id",
                table=tx.odoos("properties_base_definition"),
            )
        )
    return found


def _lists(rows: Sequence[Sequence[object]]) -> list[object]:
    return [list(row) for row in rows]


def _state(tx: Transaction, model: str) -> object:
    """Return how many records a model has, and the latest time that one was written; None if it cannot be known."""
    table = tables_of(tx, [model]).get(model)
    if table is None or not table.may_be_read or _WRITE_DATE not in table.columns:
        return None
    rows = tx.run("SELECT count(*), max(write_date)::text FROM {table}", table=tx.odoos(table.name))
    return list(rows[0])
