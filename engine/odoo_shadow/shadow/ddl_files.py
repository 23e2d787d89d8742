"""The schema as SQL files, for `psql -f` and `supabase db push`: the same statements that a sync runs.

What the files cannot do, because the database does not contain what they expect, they leave to the next sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.protection import protect_statement
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import SEARCH_PATH
from odoo_shadow.shadow.descriptions import storable
from odoo_shadow.shadow.owners.foreign_query import foreign_in_schemas
from odoo_shadow.shadow.relations import FIELD
from odoo_shadow.shadow.state.due_views import take_on_statement
from odoo_shadow.shadow.state.registry import pointing_statement, registration_statement
from odoo_shadow.shadow.state.schema_statements import base_statements
from odoo_shadow.shadow.tables.tables import create_statements
from odoo_shadow.shadow.views.catalogue import column_statements, comments_statement, name_statement
from odoo_shadow.shadow.views.public_views import PUBLIC, PUBLIC_TABLES, function_statements, view_statements
from odoo_shadow.shadow.views.view_query import NamedTable, ViewColumn, ViewedTable, named_view_statements

BASE_FILE = "0001_odoo_shadow_base.sql"
TABLES_FILE = "0002_odoo_shadow_tables.sql"

# A view is created once, and only with all names that a sync would show; changing it is left to the sync.
_NAMED_VIEW: LiteralString = """
BEGIN
    {taken_on};
    IF FOUND THEN
        {made};
    END IF;
EXCEPTION WHEN duplicate_table OR undefined_table OR undefined_column OR wrong_object_type
    OR invalid_table_definition THEN
    NULL;
END
"""
_HAS_ALL_NAMES: LiteralString = """odoo_model = {model}
        AND NOT EXISTS (SELECT FROM {field}
            WHERE table_name = {table} AND relation_table IS NOT NULL AND relation_table <> ALL ({related}::text[]))"""


@dataclass(frozen=True)
class ModelTable:
    """A model and the columns of its table.

    :param label: what Odoo calls the model; empty where its label and those of its fields are not known.
    :param name_path: the field with a record's name: `name`, `partner_id.name` through an `_inherits` parent, or None.
    """

    model: str
    columns: tuple[Column, ...]
    label: str = field(default="", kw_only=True)
    name_path: str | None = field(default=None, kw_only=True)

    @property
    def plain_table(self) -> str:
        """The table's name, unless another model has it."""
        return names.table_name(self.model)


def base_migration(schema: str) -> str:
    """Return the text of the file that makes the schema, its own tables and functions. May run twice."""
    views = [statement for table in PUBLIC_TABLES for statement in view_statements(schema, table)]
    return _file(
        schema,
        f"The control tables of the Odoo shadow in schema {schema}.",
        [*_names_check(schema), *base_statements(schema)],
        [*views, *function_statements(schema)],
    )


def tables_migration(schema: str, models: Iterable[ModelTable]) -> str:
    """Return the text of the file that makes the models' tables, by model name. May run twice."""
    tables = _by_table(models)
    statements: list[sql.Composed] = []
    for table, item in tables.items():
        statements += create_statements(schema, table, item.columns)
        statements += _registration(schema, table, item)
        statements.append(protect_statement(schema, table))
        statements += column_statements(schema, item.model, item.columns, overwrite=bool(item.label))
    # Tables of earlier files and syncs point to the new ones, too; the next sync renews their views.
    statements += [pointing_statement(schema), comments_statement(schema)]
    statements += _named_views(schema, tables)
    views = [statement for table in tables for statement in view_statements(schema, table)]
    return _file(schema, f"The mirrored tables of the Odoo shadow in schema {schema}.", statements, views)


def _by_table(models: Iterable[ModelTable]) -> dict[str, ModelTable]:
    tables: dict[str, ModelTable] = {}
    for item in sorted(models, key=lambda item: item.model):
        candidates = names.table_names(item.model, item.plain_table)
        tables[next(name for name in candidates if name not in tables)] = item
    return tables


def _registration(schema: str, table: str, item: ModelTable) -> list[sql.Composed]:
    registered = registration_statement(schema, table, item.model, len(item.columns))
    if not item.label and not item.name_path:
        return [registered]
    named = name_statement(schema, item.model, storable(item.label), item.name_path, overwrite=False)
    return [registered, named]


def _named_views(schema: str, tables: Mapping[str, ModelTable]) -> list[sql.Composed]:
    """Return a block for each table that creates its named view, as a sync does."""
    by_model = {storable(item.model): table for table, item in tables.items()}
    named = {table: NamedTable(item.name_path, _field_columns(item, by_model)) for table, item in tables.items()}
    return [_named_view(schema, table, item.model, named, _labels(item)) for table, item in tables.items()]


def _labels(item: ModelTable) -> dict[str, dict[str, str]]:
    chosen = [column for column in item.columns if column.odoo_type == "selection" and column.type == ColumnType.TEXT]
    return {
        column.name: {storable(value): storable(label) for value, label in column.description.selection}
        for column in chosen
    }


def _named_view(
    schema: str,
    table: str,
    model: str,
    tables: Mapping[str, NamedTable],
    labels: Mapping[str, Mapping[str, str]],
) -> sql.Composed:
    columns = {column.name: column for column in tables[table].columns}
    present = [names.ID, *columns, names.WRITE_DATE, names.SYNCED_AT, names.HASH]
    viewed = ViewedTable(table, present, columns, labels=labels)
    view = next(names.view_names(table))
    made = [
        *named_view_statements(schema, view, viewed, tables),
        *view_statements(schema, view),
    ]
    has_all_names = sql.SQL(_HAS_ALL_NAMES).format(
        field=sql.Identifier(schema, FIELD),
        table=table,
        model=model,
        related=sorted({column.relation_table for column in columns.values() if column.relation_table is not None}),
    )
    body = sql.SQL(_NAMED_VIEW).format(
        taken_on=take_on_statement(schema, table, has_all_names), made=sql.SQL(";\n        ").join(made)
    )
    # Quoted as a literal, the block cannot end early, whatever its names are.
    return sql.SQL("DO {}").format(body.as_string())


def _field_columns(item: ModelTable, tables: Mapping[str, str]) -> list[ViewColumn]:
    """Return a model's columns with the tables that they point to.

    :param tables: those of the file, by model.
    """
    columns = []
    for column in item.columns:
        relation = column.description.relation
        pointed = None if relation is None else tables.get(storable(relation))
        columns.append(ViewColumn(column.name, column.field, column.odoo_type, str(column.type), pointed))
    return columns


_NAMES_CHECK: LiteralString = """
DECLARE
    found text;
BEGIN
    SELECT string_agg('public.' || c.relname, ', ' ORDER BY c.relname) INTO found FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('public') AND c.relname = ANY({names}::name[]) AND c.relkind <> 'v';
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'The shadow''s views need names that belong to something else (%): odoo-shadow take-over moves'
            ' them away; or drop or rename them, then run this again.', found;
    END IF;
END
"""


_TRUST_CHECK: LiteralString = """
DECLARE
    found text;
BEGIN
    SELECT string_agg(format('%s (role %s)', what, role), '; ') INTO found FROM ({query}) AS q (what, role, definition);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'This schema contains what other roles own or control: %', left(found, 500);
    END IF;
END
"""


def _names_check(schema: str) -> list[sql.Composed]:
    """Return the block that stops where something else has the name of a view that the file makes."""
    if schema == PUBLIC:
        return []
    return [sql.SQL("DO {}").format(sql.SQL(_NAMES_CHECK).format(names=list(PUBLIC_TABLES)).as_string())]


def _trust_check(schema: str) -> str:
    body = sql.SQL(_TRUST_CHECK).format(query=foreign_in_schemas(schema, []))
    return sql.SQL("DO {}").format(body.as_string()).as_string()


def _file(schema: str, title: str, statements: Sequence[sql.Composed], views: Sequence[sql.Composed]) -> str:
    lines = [
        f"-- {' '.join(title.split())}",
        "-- Written by odoo-shadow ddl; running it twice does no harm.",
        "",
        # Functions that others created in public must not be called by the role that runs this file.
        f"SET search_path = {SEARCH_PATH};",
        "",
        "-- Nothing is used that belongs to a role other than the one that runs this, or a superuser.",
        f"{_trust_check(schema)};",
        "",
    ]
    lines += [f"{statement.as_string()};\n" for statement in (*statements, *views)]
    return "\n".join([*lines, "RESET search_path;", ""])
