"""The schema as SQL files, for `psql -f` and `supabase db push`: the same statements that a sync runs.

What the files cannot do, because the database holds something else than they expect, they leave to the next sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.database import SEARCH_PATH
from odoo_shadow.shadow.descriptions import storable
from odoo_shadow.shadow.foreign_query import foreign_in_schemas
from odoo_shadow.shadow.relations import FIELD, META
from odoo_shadow.shadow.state.schema_statements import base_statements
from odoo_shadow.shadow.tables.tables import create_statements
from odoo_shadow.shadow.views.catalogue import column_statements, comments_statement, relations_statement
from odoo_shadow.shadow.views.public_views import BOOKS, function_statements, view_statements
from odoo_shadow.shadow.views.view_query import (
    NamedTable,
    Place,
    Shown,
    find_lookup,
    finishing_statements,
    view_statement,
)

BASE_FILE = "0001_odoo_shadow_base.sql"
TABLES_FILE = "0002_odoo_shadow_tables.sql"

_REGISTERED: LiteralString = (
    "INSERT INTO {meta} (table_name, odoo_model, field_count) VALUES ({table}, {model}, {count}) ON CONFLICT DO NOTHING"
)
_NAMED: LiteralString = (
    "UPDATE {meta} SET label = coalesce(nullif({label}, ''), label), name_path = coalesce(name_path, {path})"
    " WHERE odoo_model = {model}"
)
# A view is made once, and only with all names that a sync would show; changing it is for the sync.
_NAMED_VIEW: LiteralString = """
BEGIN
    UPDATE {meta} SET view_is_due = false
        WHERE table_name = {table} AND odoo_model = {model} AND view_is_due
        AND NOT EXISTS (SELECT FROM {field}
            WHERE table_name = {table} AND relation_table IS NOT NULL AND relation_table <> ALL ({related}::text[]));
    IF FOUND THEN
        {made};
    END IF;
EXCEPTION WHEN duplicate_table OR undefined_table OR undefined_column OR wrong_object_type THEN
    NULL;
END
"""


@dataclass(frozen=True)
class ModelTable:
    """A model and the columns of its table.

    :param label: what Odoo calls the model; empty where that is not known, nor what its fields are called.
    :param name_path: how a record is called: `name`, `partner_id.name` through an `_inherits` parent, None if nothing.
    """

    model: str
    columns: tuple[Column, ...]
    label: str = field(default="", kw_only=True)
    name_path: str | None = field(default=None, kw_only=True)

    @property
    def plain_table(self) -> str:
        """The table's name, if no other model has it."""
        return names.table_name(self.model)


def base_migration(schema: str) -> str:
    """Return the text of the file that makes the schema, its own tables and functions. May run twice."""
    views = [statement for table in BOOKS for statement in view_statements(schema, table)]
    return _file(
        schema,
        f"The books of the Odoo shadow in schema {schema}.",
        base_statements(schema),
        [*views, *function_statements(schema)],
    )


def tables_migration(schema: str, models: Iterable[ModelTable]) -> str:
    """Return the text of the file that makes the models' tables, by model name. May run twice."""
    tables = _named(models)
    statements: list[sql.Composed] = []
    for table, item in tables.items():
        statements += create_statements(schema, table, item.columns)
        statements += _registration(schema, table, item)
        statements += column_statements(schema, item.model, item.columns, overwrite=bool(item.label))
    # Tables of earlier files and syncs learn of the new ones, too; their views are renewed by the next sync.
    statements += [relations_statement(schema), comments_statement(schema)]
    named_tables = _named_tables(tables)
    statements += [_named_view(schema, table, tables, named_tables) for table in tables]
    views = [statement for table in tables for statement in view_statements(schema, table)]
    return _file(schema, f"The mirrored tables of the Odoo shadow in schema {schema}.", statements, views)


def _named(models: Iterable[ModelTable]) -> dict[str, ModelTable]:
    tables: dict[str, ModelTable] = {}
    for item in sorted(models, key=lambda item: item.model):
        candidates = names.table_names(item.model, item.plain_table)
        tables[next(name for name in candidates if name not in tables)] = item
    return tables


def _named_tables(tables: Mapping[str, ModelTable]) -> dict[str, NamedTable]:
    """Return how the records of the tables are called."""
    by_model = {storable(item.model): table for table, item in tables.items()}
    return {
        table: NamedTable(
            item.name_path,
            {column.field: Place(column.name, _relation_table(column, by_model)) for column in _places(item.columns)},
        )
        for table, item in tables.items()
    }


def _places(columns: Iterable[Column]) -> list[Column]:
    """Return the columns in which names and links stand; a field's languages and companies stand beside it as jsonb."""
    return [column for column in columns if column.type in (ColumnType.TEXT, ColumnType.BIGINT)]


def _relation_table(column: Column, by_model: Mapping[str, str]) -> str | None:
    relation = column.description.relation if column.type is ColumnType.BIGINT else None
    return None if relation is None else by_model.get(storable(relation))


def _registration(schema: str, table: str, item: ModelTable) -> list[sql.Composed]:
    registered = _with_books(schema, _REGISTERED, table=table, model=item.model, count=len(item.columns))
    named = _with_books(schema, _NAMED, model=item.model, label=storable(item.label), path=item.name_path)
    return [registered, named] if item.label or item.name_path else [registered]


def _named_view(
    schema: str, table: str, tables: Mapping[str, ModelTable], named_tables: Mapping[str, NamedTable]
) -> sql.Composed:
    item = tables[table]
    places = named_tables[table].places
    shown = [Shown(names.ID)]
    for column in item.columns:
        is_link = column.odoo_type == "many2one" and column.type is ColumnType.BIGINT
        pointed = places[column.field].relation_table if is_link else None
        shown.append(Shown(column.name, find_lookup(named_tables, pointed)))
    shown.append(Shown(names.WRITE_DATE))
    present = [names.ID, *(column.name for column in item.columns), names.WRITE_DATE, names.SYNCED_AT, names.HASH]
    view = next(name for name in names.view_names(table))
    made = [
        view_statement(schema, view, table, shown, present, replace=False),
        *finishing_statements(schema, view, table),
    ]
    relations = {storable(column.description.relation) for column in item.columns if column.description.relation}
    related = sorted(name for name, other in tables.items() if storable(other.model) in relations)
    body = _with_books(
        schema,
        _NAMED_VIEW,
        table=table,
        model=item.model,
        related=related,
        made=sql.SQL(";\n        ").join(made),
    )
    # Quoted as a text, the block cannot end early, whatever its names are.
    return sql.SQL("DO {}").format(body.as_string())


def _with_books(schema: str, template: LiteralString, **parts: object) -> sql.Composed:
    return sql.SQL(template).format(meta=sql.Identifier(schema, META), field=sql.Identifier(schema, FIELD), **parts)


_TRUST_CHECK: LiteralString = """
DECLARE
    found text;
BEGIN
    SELECT string_agg(format('%s (role %s)', what, role), '; ') INTO found FROM ({query}) AS q (what, role, definition);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'This schema holds what other roles own or control: %', left(found, 500);
    END IF;
END
"""


def _trust_check(schema: str) -> str:
    body = sql.SQL(_TRUST_CHECK).format(query=foreign_in_schemas(schema, []))
    return sql.SQL("DO {}").format(body.as_string()).as_string()


def _file(schema: str, title: str, statements: Sequence[sql.Composed], views: Sequence[sql.Composed]) -> str:
    lines = [
        f"-- {' '.join(title.split())}",
        "-- Written by odoo-shadow ddl; running it twice does no harm.",
        "",
        # Whoever may create functions in public must not be called by whoever runs this file.
        f"SET search_path = {SEARCH_PATH};",
        "",
        "-- Nothing is used that belongs to somebody else than who runs this, or a superuser.",
        f"{_trust_check(schema)};",
        "",
    ]
    lines += [f"{statement.as_string()};\n" for statement in (*statements, *views)]
    return "\n".join([*lines, "RESET search_path;", ""])
