"""The statements that `docs/reference/contract.md` promises, for a role that has its grants and no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors as pg

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import registry, sync_log, watermarks
from odoo_shadow.shadow.state.lease import Lease, take_lease
from odoo_shadow.shadow.state.watermarks import Scan
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import NOON, make_table, merge, row
from tools.embedded_postgres import drop_database, new_database

RUN = uuid4()
GRANTS: tuple[LiteralString, ...] = (
    "GRANT USAGE ON SCHEMA odoo_shadow TO anon, authenticated;",
    "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO anon, authenticated;",
)
OF_THE_SCHEMA: tuple[LiteralString, ...] = (
    "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'odoo_shadow';",
    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'odoo_shadow';",
)
OF_THE_CONTROL_TABLES: tuple[LiteralString, ...] = (
    "SELECT table_name, status, rows_inserted, duration_ms, started_at"
    " FROM odoo_shadow_sync_log ORDER BY started_at DESC LIMIT 20;",
    "SELECT table_name, last_write_date, rows_synced, updated_at FROM odoo_shadow_watermark ORDER BY updated_at DESC;",
    "SELECT * FROM odoo_shadow_meta ORDER BY row_count DESC;",
    "SELECT table_name, row_count FROM odoo_shadow_meta;",
    "SELECT * FROM odoo_shadow_watermark WHERE last_write_date < NOW() - INTERVAL '1 day';",
)
# As PostgREST asks, and as people do.
OF_THE_ROWS: tuple[LiteralString, ...] = (
    "SELECT * FROM odoo_shadow_res_partner LIMIT 10",
    "SELECT * FROM public.odoo_shadow_res_partner LIMIT 10",
    "SELECT * FROM odoo_shadow.odoo_shadow_res_partner",
)


@pytest.mark.parametrize("statement", [*GRANTS, *OF_THE_SCHEMA, *OF_THE_CONTROL_TABLES])
def test_the_contract_has_them_as_they_are_here(statement: str) -> None:
    contract = Path(__file__).parents[2] / "docs" / "reference" / "contract.md"
    assert statement in contract.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def mirrored(postgres: str) -> Iterator[str]:
    """The URL of a database with one mirrored partner, Supabase's two roles with these grants, and others without."""
    database = new_database(postgres)
    with ShadowDatabase.from_url(database) as shadow:
        table = make_table(shadow)
        merge(shadow, table, row(1, "Zoë"))
        scan = Scan(run_id=RUN, full=False, low=None, high=NOON, up_to_id=1, last_id=1)
        with shadow.transaction() as tx:
            take_lease(tx, table, Lease("test", RUN))
            entry = sync_log.open_entry(tx, RUN, table, {})
            registry.count_rows(tx, table, 1)
            watermarks.save_scan(tx, table, scan, 1)
            watermarks.finish_scan(tx, table, scan)
            sync_log.close_success(tx, entry, RowCounts(inserted=1), 5)
    with ExitStack() as roles:
        for role in ("anon", "authenticated", "stranger", "with_usage_only"):
            roles.enter_context(new_role(database, role))
        run_as_owner(database, *GRANTS, "GRANT USAGE ON SCHEMA odoo_shadow TO with_usage_only")
        yield database
    drop_database(postgres, database)


@pytest.fixture(params=["anon", "authenticated"])
def reader(request: pytest.FixtureRequest, mirrored: str) -> Iterator[psycopg.Connection]:
    """A connection of a role with these grants."""
    with psycopg.connect(as_role(mirrored, request.param), autocommit=True) as connection:
        yield connection


@pytest.fixture
def stranger(mirrored: str) -> Iterator[psycopg.Connection]:
    """A connection of a role without grants."""
    with psycopg.connect(as_role(mirrored, "stranger"), autocommit=True) as connection:
        yield connection


def test_readers_see_the_schema(reader: psycopg.Connection) -> None:
    ((schema,),) = reader.execute(OF_THE_SCHEMA[0]).fetchall()
    ((tables,),) = reader.execute(OF_THE_SCHEMA[1]).fetchall()
    assert schema == "odoo_shadow"
    assert tables == 14  # the mirror's own thirteen and one model's


def test_readers_see_the_log(reader: psycopg.Connection) -> None:
    ((table, status, inserted, duration, started),) = reader.execute(OF_THE_CONTROL_TABLES[0]).fetchall()
    assert (table, status, inserted, duration) == ("odoo_shadow_res_partner", "success", 1, 5)
    assert started is not None


def test_readers_see_the_watermarks(reader: psycopg.Connection) -> None:
    ((table, last_write_date, rows_synced, _),) = reader.execute(OF_THE_CONTROL_TABLES[1]).fetchall()
    assert (table, last_write_date, rows_synced) == ("odoo_shadow_res_partner", NOON, 1)
    assert len(reader.execute(OF_THE_CONTROL_TABLES[4]).fetchall()) == 1


def test_readers_see_the_registry(reader: psycopg.Connection) -> None:
    assert len(reader.execute(OF_THE_CONTROL_TABLES[2]).fetchall()) == 1
    assert reader.execute(OF_THE_CONTROL_TABLES[3]).fetchall() == [("odoo_shadow_res_partner", 1)]


@pytest.mark.parametrize("statement", OF_THE_ROWS)
def test_readers_see_the_rows(reader: psycopg.Connection, statement: LiteralString) -> None:
    cursor = reader.execute(statement)
    assert [column.name for column in cursor.description or ()] == [
        *("id", "name", "_odoo_write_date", "_synced_at", "_sync_hash")
    ]
    assert [found[:2] for found in cursor] == [(1, "Zoë")]


def test_readers_may_ask_for_a_watermark_by_either_name(reader: psycopg.Connection) -> None:
    for statement in (
        "SELECT get_shadow_watermark('odoo_shadow_res_partner')",
        "SELECT odoo_shadow.get_shadow_watermark('odoo_shadow_res_partner')",
    ):
        assert reader.execute(statement).fetchall() == [(NOON,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT update_shadow_watermark('odoo_shadow_res_partner', now())",
        "DELETE FROM odoo_shadow_res_partner",
        "UPDATE odoo_shadow_meta SET row_count = 0",
        "INSERT INTO odoo_shadow_watermark (table_name) VALUES ('x')",
        "TRUNCATE odoo_shadow.odoo_shadow_res_partner",
    ],
)
def test_readers_may_not_write(reader: psycopg.Connection, statement: LiteralString) -> None:
    with pytest.raises(pg.InsufficientPrivilege):
        reader.execute(statement)


@pytest.mark.parametrize("statement", OF_THE_SCHEMA)
def test_strangers_do_not_see_the_schema(stranger: psycopg.Connection, statement: LiteralString) -> None:
    assert stranger.execute(statement).fetchall() in ([], [(0,)])


@pytest.mark.parametrize(
    "statement", [*OF_THE_CONTROL_TABLES, *OF_THE_ROWS, "SELECT get_shadow_watermark('odoo_shadow_res_partner')"]
)
def test_strangers_see_nothing_through_the_views(stranger: psycopg.Connection, statement: LiteralString) -> None:
    with pytest.raises(pg.InsufficientPrivilege):
        stranger.execute(statement)


def test_usage_of_the_schema_alone_shows_nothing(mirrored: str) -> None:
    with psycopg.connect(as_role(mirrored, "with_usage_only")) as connection, pytest.raises(pg.InsufficientPrivilege):
        connection.execute("SELECT * FROM odoo_shadow_res_partner")


def test_the_grants_can_be_given_again(mirrored: str) -> None:
    run_as_owner(mirrored, *GRANTS, *GRANTS)
