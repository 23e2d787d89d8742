"""The shadow's names in `public`: shown where that is possible, and never in somebody else's place."""

from __future__ import annotations

import logging
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.catalog import structure
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import NAME, make_base, make_table, merge, row, rows_of

TABLE = "odoo_shadow_res_partner"
OBJECTS: list[LiteralString] = [
    "CREATE TABLE public.{name} (mine int)",
    "CREATE VIEW public.{name} AS SELECT 1 AS mine",
    "CREATE MATERIALIZED VIEW public.{name} AS SELECT 1 AS mine",
    "CREATE SEQUENCE public.{name}",
    "CREATE TYPE public.{name} AS (mine int)",
]


def in_public(database: str) -> set[object]:
    return {name for schema, name, kind, *_ in structure(database)["relations"] if schema == "public" and kind == "v"}


def query(database: str, statement: LiteralString, name: str = TABLE) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(sql.SQL(statement).format(name=sql.Identifier(name))).fetchall()


def test_books_and_mirrors_are_in_public(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    books = {
        *("odoo_shadow_meta", "odoo_shadow_watermark", "odoo_shadow_sync_log"),
        *("odoo_shadow_field", "odoo_shadow_selection", "odoo_shadow_left_out"),
    }
    assert in_public(database) == books
    make_table(shadow)
    assert in_public(database) == books | {TABLE}
    functions = {name for schema, name, *_ in structure(database)["functions"] if schema == "public"}
    assert functions == {"get_shadow_watermark", "update_shadow_watermark", "odoo_shadow_read_version"}


def test_the_views_run_with_the_callers_rights(shadow: ShadowDatabase, database: str) -> None:
    make_table(shadow)
    views = [found for found in structure(database)["relations"] if found[0] == "public" and found[2] == "v"]
    assert {str(options) for _, _, _, options, *_ in views} == {"['security_invoker=true']"}


@pytest.mark.sampled
@pytest.mark.parametrize("statement", OBJECTS, ids=lambda text: " ".join(text.split()[1:-3])[:24])
@pytest.mark.parametrize("name", [TABLE, "odoo_shadow_meta"])
def test_somebody_elses_object_is_left_alone(
    shadow: ShadowDatabase, database: str, statement: LiteralString, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    run_as_owner(database, statement, name=name)
    theirs = [found for found in structure(database)["relations"] if found[:2] == ("public", name)]
    with caplog.at_level(logging.WARNING):
        table = make_table(shadow)
    merge(shadow, table, row(1, "a"))
    assert [found for found in structure(database)["relations"] if found[:2] == ("public", name)] == theirs
    assert f"No view public.{name}" in caplog.text
    assert rows_of(shadow, table, ("name",)) == [("a",)]


@pytest.mark.parametrize("returned", ["timestamptz", "integer"])
def test_somebody_elses_function_is_left_alone(shadow: ShadowDatabase, database: str, returned: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            sql.SQL(
                "CREATE FUNCTION public.get_shadow_watermark(p_table_name text) RETURNS {} LANGUAGE sql"
                " AS $$ SELECT NULL::{} -- theirs $$"
            ).format(sql.SQL(returned), sql.SQL(returned))
        )
    make_table(shadow)
    functions = {found[:2]: str(found[2]) for found in structure(database)["functions"]}
    assert "theirs" in functions["public", "get_shadow_watermark"]


def test_a_view_that_got_another_meaning_is_left_alone(shadow: ShadowDatabase, database: str) -> None:
    make_table(shadow)
    run_as_owner(
        database,
        "DROP VIEW public.{name}",
        "CREATE VIEW public.{name} AS SELECT 'theirs' AS mine",
        name=TABLE,
    )
    make_table(shadow, columns=[NAME, Column("email", ColumnType.TEXT)])
    assert query(database, "SELECT mine FROM {name}") == [("theirs",)]


def test_a_column_that_is_added_shows(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, "a"))
    make_table(shadow, columns=[NAME, Column("email", ColumnType.TEXT)])
    make_table(shadow, columns=[Column("active", ColumnType.BOOLEAN), NAME, Column("email", ColumnType.TEXT)])
    assert query(database, "SELECT name, email, active FROM {name}") == [("a", None, None)]


def test_a_role_that_may_not_create_in_public_still_mirrors(database: str) -> None:
    with new_role(database) as role:
        run_as_owner(
            database,
            "CREATE SCHEMA odoo_shadow AUTHORIZATION {role}",
            "CREATE SCHEMA odoo_shadow_internal AUTHORIZATION {role}",
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as shadow:
            table = make_table(shadow)
            merge(shadow, table, row(1, "a"))
            assert rows_of(shadow, table, ("name",)) == [("a",)]
        assert in_public(database) == set()


def test_views_of_another_role_are_left_alone(shadow: ShadowDatabase, database: str) -> None:
    # An administrator made the schema and its views; the role that mirrors owns the tables only.
    table = make_table(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT CREATE ON SCHEMA public TO {role}",
            "GRANT ALL ON SCHEMA odoo_shadow TO {role}",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            "ALTER TABLE odoo_shadow.{table} OWNER TO {role}",
            role=role,
            table=table,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as as_mirror:
            make_table(as_mirror, columns=[NAME, Column("email", ColumnType.TEXT)])
            assert rows_of(as_mirror, table, ("email",)) == []


def test_of_two_mirrors_the_first_has_the_names(shadow: ShadowDatabase, database: str) -> None:
    merge(shadow, make_table(shadow), row(1, "first"))
    with ShadowDatabase.from_url(database, schema="second") as second:
        make_base(second)
        table = make_table(second)
        merge(second, table, row(1, "second"))
        make_table(second, "res.users")
        make_table(second, columns=[NAME, Column("email", ColumnType.TEXT)])
        assert rows_of(second, table, ("name",)) == [("second",)]
    assert query(database, "SELECT name FROM {name}") == [("first",)]
    assert query(database, "SELECT odoo_model FROM odoo_shadow_meta") == [("res.partner",)]
    assert query(database, "SELECT get_shadow_watermark('x') = to_timestamp(0)") == [(True,)]
    assert "odoo_shadow_res_users" in in_public(database)  # a name that was free


def test_a_mirror_in_public_needs_no_views(database: str) -> None:
    with ShadowDatabase.from_url(database, schema="public") as shadow:
        table = make_table(shadow)
        merge(shadow, table, row(1, "a"))
    assert in_public(database) == set()
    assert query(database, "SELECT name FROM {name}") == [("a",)]


def test_a_database_without_public_needs_no_views(shadow: ShadowDatabase, database: str) -> None:
    run_as_owner(database, "DROP SCHEMA public")
    table = make_table(shadow)
    merge(shadow, table, row(1, "a"))
    assert rows_of(shadow, table, ("name",)) == [("a",)]
