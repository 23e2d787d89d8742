"""Tables for the models, named and typed as Odoo names and types them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Field, Model
from odoo_stand_in.orm import own_tables
from odoo_stand_in.orm.query import column_type
from odoo_stand_in.orm.recording import unique_keys


def create_tables(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """All tables, without the foreign keys (those come when the rows are in)."""
    # Several models may share a table, and a table that extends another one comes after it.
    tables = {one.table: one for one in registry.models.values() if one.has_table}
    ordered = sorted(tables.values(), key=lambda one: one.extends_table is not None)
    statements: list[sql.Composable] = [create_table(one) for one in ordered]
    relations: dict[str, sql.Composable] = {}
    for model in registry.models.values():
        for field in model.fields.values():
            if field.type == "many2many" and field.store and field.rel_table not in tables:
                relations.setdefault(field.rel_table or "", create_relation(field))
    # Columns that the ORM keeps to itself.
    statements += [*relations.values(), sql.SQL("ALTER TABLE res_users ADD COLUMN password varchar")]
    statements.append(
        sql.SQL(
            "ALTER TABLE res_partner ADD CONSTRAINT res_partner_check_name"
            " CHECK ((type = 'contact' AND name IS NOT NULL) OR type <> 'contact')"
        )
    )
    statements.append(sql.SQL("ALTER TABLE res_users_apikeys ADD COLUMN key varchar, ADD COLUMN index varchar(8)"))
    statements.append(sql.SQL(own_tables.DICTIONARY))
    statements += [
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE ({})").format(
            sql.Identifier(model.table), sql.Identifier(name), sql.SQL(columns)
        )
        for model in registry.models.values()
        for name, columns, _ in unique_keys(model)
    ]
    if registry.flavour == "17":
        statements.append(sql.SQL("ALTER TABLE res_users_apikeys ADD COLUMN expiration_date timestamp"))
    statements += map(sql.SQL, own_tables.statements(registry))
    connection.execute(sql.SQL(";\n").join(statements))


def create_views(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Create the models that are SQL views."""
    for model in registry.models.values():
        if model.view_sql is not None and not model.made_of_query:
            connection.execute(
                sql.SQL("CREATE VIEW {} AS {}").format(sql.Identifier(model.table), sql.SQL(model.view_sql))
            )


def create_table(model: Model) -> sql.Composed:
    """CREATE TABLE for one model."""
    columns = [column(field) for field in model.columns]
    if model.extends_table is not None:
        return sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY (id)) INHERITS ({})").format(
            sql.Identifier(model.table), sql.SQL(", ").join(columns), sql.Identifier(model.extends_table)
        )
    columns.insert(0, sql.SQL("id serial PRIMARY KEY"))
    return sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(model.table), sql.SQL(", ").join(columns))


def column(field: Field) -> sql.Composable:
    """One column's name, type and NOT NULL."""
    needed = " NOT NULL" if field.required and not field.company_dependent else ""
    return sql.SQL("{} {}{}").format(sql.Identifier(field.column_name), sql.SQL(column_type(field)), sql.SQL(needed))


def create_relation(field: Field) -> sql.Composed:
    """CREATE TABLE for a many2many."""
    return sql.SQL(
        "CREATE TABLE IF NOT EXISTS {0} ({1} int4 NOT NULL, {2} int4 NOT NULL, PRIMARY KEY ({1}, {2}))"
    ).format(
        sql.Identifier(field.rel_table or ""),
        sql.Identifier(field.rel_own or ""),
        sql.Identifier(field.rel_other or ""),
    )


def finish(connection: psycopg.Connection[Any], registry: Registry) -> None:
    """Foreign keys and the indexes that cascades need, over filled tables."""
    statements: list[sql.Composable] = []
    tables = {one.table: one for one in registry.models.values() if one.has_table}
    for model in tables.values():
        keys = list(foreign_keys(registry, model))
        if keys:
            statements.append(
                sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(model.table), sql.SQL(", ").join(keys))
            )
        statements += [
            sql.SQL("CREATE INDEX ON {} ({})").format(sql.Identifier(model.table), sql.Identifier(field.name))
            for field in model.columns
            if field.ondelete == "cascade" or field.name in ("partner_id", "parent_id", "product_id")
        ]
    for relation, targets in _relation_targets(registry).items():
        if relation in tables:
            continue
        clauses = [
            sql.SQL("ADD FOREIGN KEY ({}) REFERENCES {} ON DELETE CASCADE").format(
                sql.Identifier(name), sql.Identifier(target)
            )
            for name, target in targets.items()
        ]
        statements.append(sql.SQL("ALTER TABLE {} {}").format(sql.Identifier(relation), sql.SQL(", ").join(clauses)))
    connection.execute(sql.SQL(";\n").join(statements))


def foreign_keys(registry: Registry, model: Model, names: Iterable[str] | None = None) -> Iterator[sql.Composable]:
    """ADD FOREIGN KEY clauses of a model's many2one columns."""
    extended = {one.extends_table for one in registry.models.values()}
    for field in model.columns:
        if field.type != "many2one" or field.company_dependent or (names is not None and field.name not in names):
            continue
        target = registry.models.get(field.relation or "")
        # A key would not find the rows of the tables that extend the target.
        if target is not None and target.has_table and target.table not in extended:
            # Named by PostgreSQL, as Odoo leaves it to.
            yield sql.SQL("ADD FOREIGN KEY ({}) REFERENCES {} ON DELETE {}").format(
                sql.Identifier(field.column_name),
                sql.Identifier(target.table),
                sql.SQL(field.ondelete.upper()),
            )


def _relation_targets(registry: Registry) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for model in registry.models.values():
        for field in model.fields.values():
            comodel = registry.models.get(field.relation or "")
            if field.type == "many2many" and field.store and comodel is not None and field.rel_table:
                found.setdefault(field.rel_table, {}).update(
                    {field.rel_own or "": model.table, field.rel_other or "": comodel.table}
                )
    return found
