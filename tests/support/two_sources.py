"""One stand-in read in two ways, by API and from its own database, and what differs between them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import EVERYWHERE, Where
from odoo_stand_in import StandIn
from tests.support.clients import source_of

NAME = "odoo_db"
"""How messages call the database."""

Rows: TypeAlias = dict[int, dict[str, Any]]

EVERYTHING = ModelSettings(all_languages=True, all_companies=True)


def odoo_database(dsn: str, **changed: Any) -> OdooDatabase:
    """Return where a stand-in's own database is, and how its administrator would see it."""
    return OdooDatabase.from_url(dsn, **{"name": NAME, "login": StandIn.login, **changed})


@contextmanager
def database_source_of(odoo: StandIn, beside: Source | None = None, **changed: Any) -> Iterator[DatabaseSource]:
    """Open a stand-in's own database as a source.

    :param changed: parameters of `OdooDatabase.from_url`, such as `lang`.
    """
    with DatabaseSource(odoo_database(odoo.dsn, **changed), beside) as source:
        yield source


@dataclass(frozen=True)
class Both:
    """A stand-in and its two sources.

    :param database: its own database, without the API beside.
    :param helped: the same with the API beside.
    """

    odoo: StandIn
    api: ApiSource
    database: DatabaseSource
    helped: DatabaseSource


@contextmanager
def both_sources_of(odoo: StandIn, **changed: Any) -> Iterator[Both]:
    """Open both sources of a stand-in, for the same language."""
    with (
        source_of(odoo, **({"extras": changed} if changed else {})) as api,
        database_source_of(odoo, **changed) as database,
        database_source_of(odoo, api, **changed) as helped,
    ):
        yield Both(odoo, api, database, helped)


def layout_of(source: Source, model: str, settings: ModelSettings = EVERYTHING) -> Layout:
    """Return how a model is mirrored."""
    return read_layout(source, model, settings)


def rows_of(source: Source, layout: Layout, where: Where = EVERYWHERE, page_size: int = 2000) -> Rows:
    """Read all records of a model, and return the cells that the shadow would hold by id and column."""
    builder, found = RowBuilder(layout), Rows()
    highest = source.highest_id(layout.reading, where)
    for page in source.pages(layout.reading, where, up_to_id=highest, page_size=page_size):
        assert page.unreadable is None and len(page.records) <= page_size
        built = builder.build(page.records)
        assert not built.refused
        found.update({int(str(row[0])): dict(zip(builder.columns, row, strict=True)) for row in built.rows})
    return found


def differing(one: Rows, other: Rows) -> dict[tuple[int, str], tuple[Any, Any]]:
    """Return the cells that differ, in value or type, by id and column."""
    assert one.keys() == other.keys(), f"other records: {sorted(one.keys() ^ other.keys())}"
    return {
        (number, name): (cell, other[number].get(name))
        for number, row in one.items()
        for name, cell in row.items()
        if name not in other[number] or repr(cell) != repr(other[number][name])
    }


def hidden_targets(odoo: StandIn, model: str, field: str) -> dict[int, set[int]]:
    """Return the archived records that a many2many leads to, which the API does not list, by record."""
    described = odoo.registry.models[model].fields[field]
    comodel = odoo.registry.models[described.relation or ""]
    if "active" not in comodel.fields:
        return {}
    statement = sql.SQL("SELECT l.{}, l.{} FROM {} l JOIN {} c ON c.id = l.{} WHERE c.active IS NOT TRUE").format(
        *(sql.Identifier(str(name)) for name in (described.rel_own, described.rel_other, described.rel_table)),
        sql.Identifier(comodel.table),
        sql.Identifier(str(described.rel_other)),
    )
    found: dict[int, set[int]] = {}
    with psycopg.connect(odoo.dsn) as connection:
        for own, other in connection.execute(statement).fetchall():
            found.setdefault(own, set()).add(other)
    return found


def without_hidden_targets(odoo: StandIn, layout: Layout, rows: Rows) -> Rows:
    """Take what the API does not list out of rows of the database: the one difference between equal cells."""
    links = [item.column for item in layout.columns if item.column.odoo_type == "many2many"]
    hidden = {column.name: hidden_targets(odoo, layout.model, column.field) for column in links}
    return {
        number: {name: _less(cell, hidden[name].get(number, ())) if name in hidden else cell
                 for name, cell in row.items()}
        for number, row in rows.items()
    }  # fmt: skip


def _less(cell: Any, ids: Collection[int]) -> Any:
    kept = [one for one in str(cell).strip("{}").split(",") if one and int(one) not in ids]
    return "{" + ",".join(kept) + "}"


def only(layout: Layout, names: Collection[str]) -> Layout:
    """Return a layout with the columns of some fields."""
    return replace(layout, columns=tuple(item for item in layout.columns if item.column.field in names))
