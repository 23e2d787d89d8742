"""Each file of the schema leads to the version of its number, once, whoever else is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.ddl_files import base_migration
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.state import schema_statements
from odoo_shadow.shadow.state.schema_statements import VERSION, opening_statement, upgrade_statements
from tests.support.catalog import structure
from tests.support.tables import make_base
from tests.support.waiting import wait_until_blocked

MIGRATIONS = Path(schema_statements.__file__).parent / "migrations"
FIRST = 4
"""What 0.1.0 had."""
NEWER = ("odoo_shadow", "odoo_shadow_verification", "newer")
"""A column of version 8."""


def version_in(connection: psycopg.Connection) -> int:
    ((version,),) = connection.execute("SELECT schema_version FROM odoo_shadow_internal.mirror").fetchall()
    return int(version)


def test_each_file_notes_its_version(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(opening_statement("odoo_shadow"))
        versions = [version_in(connection)]
        for statement in upgrade_statements("odoo_shadow"):
            connection.execute(statement)
            versions.append(version_in(connection))
    numbers = sorted(int(item.name[:4]) for item in MIGRATIONS.glob("0*.sql"))
    assert versions == [*numbers, VERSION] and numbers[:2] == [0, FIRST]


def test_a_file_that_fails_leaves_nothing(database: str) -> None:
    first, second, *_ = upgrade_statements("odoo_shadow")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(opening_statement("odoo_shadow"))
        connection.execute(first)
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_watermark DROP held_until")
        before = structure(database)
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute(second)
        assert version_in(connection) == FIRST
    assert structure(database) == before


@pytest.mark.parametrize("has_files", [False, True], ids=["by a sync", "by the files"])
def test_only_what_is_missing_is_run(shadow: ShadowDatabase, database: str, has_files: bool) -> None:
    make_base(shadow)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_verification DROP newer")
        connection.execute("ALTER TABLE odoo_shadow_internal.table_state DROP rests_on")
        connection.execute("UPDATE odoo_shadow_internal.mirror SET schema_version = 7")
        if has_files:
            connection.execute(base_migration("odoo_shadow").encode())
    if not has_files:
        make_base(shadow)
    columns = {(row[0], row[1], row[3]) for row in structure(database)["columns"]}
    assert NEWER in columns
    assert ("odoo_shadow_internal", "table_state", "rests_on") not in columns


def test_the_files_leave_a_newer_schema_alone(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow_internal.mirror SET schema_version = 999")
        connection.execute(base_migration("odoo_shadow").encode())
        assert version_in(connection) == 999


@pytest.mark.parametrize("has_files", [False, True], ids=["by a sync", "by the files"])
def test_who_waits_for_anothers_upgrade_finds_it_done(shadow: ShadowDatabase, database: str, has_files: bool) -> None:
    def upgrade() -> None:
        if has_files:
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(base_migration("odoo_shadow").encode())
            return
        with ShadowDatabase.from_url(database) as other, other.transaction() as tx:
            assert not ensure_base(tx)

    make_base(shadow)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_verification DROP newer")
        connection.execute("UPDATE odoo_shadow_internal.mirror SET schema_version = 7")
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(database) as first:
            first.execute("SELECT 1 FROM odoo_shadow_internal.mirror FOR UPDATE")
            second = pool.submit(upgrade)
            wait_until_blocked(database)
            first.execute("UPDATE odoo_shadow_internal.mirror SET schema_version = %s", [VERSION])
        second.result()
    assert NEWER not in {(row[0], row[1], row[3]) for row in structure(database)["columns"]}
