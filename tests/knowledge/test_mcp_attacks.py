"""Whoever steers the model that asks gains nothing: each attack meets the gate, and without it the role."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString, cast

import anyio
import psycopg
import pytest
from mcp.client import Client
from mcp_types import CallToolResult

from odoo_shadow.knowledge.mcp import exchange
from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.knowledge.mcp.exchange import Exchange
from odoo_shadow.knowledge.mcp.gate import Relations, let_pass
from odoo_shadow.knowledge.mcp.limits import Limits
from odoo_shadow.knowledge.mcp.query import query, run_bounded
from odoo_shadow.knowledge.mcp.server import ShadowServer
from odoo_shadow.knowledge.mcp.session import ReadOnlyDatabase, Sessions
from odoo_shadow.knowledge.mcp.statement_text import read_statement
from odoo_shadow.shadow.errors import ShadowPermissionError
from tests.support.mcp_site import Site
from tests.support.roles import as_role, new_role

pytestmark = [pytest.mark.one_flavour, pytest.mark.attack]

READABLE = Relations(
    "odoo_shadow",
    {"odoo_shadow": frozenset({"odoo_shadow_res_partner"}), "odoo_marts": frozenset({"mart_sales"})},
)
SCHEMAS = tuple(READABLE.by_schema)


def sessions_of(site: Site, url: str | None = None, seconds: float = 1.0) -> Sessions:
    return Sessions(lambda: ReadOnlyDatabase.from_url(url or site.reader), Limits(seconds=seconds))


def without_gate(site: Site, statement: str, most_rows: int = 10, seconds: float = 1.0) -> list[list[object]]:
    """Run what has deceived the gate, with the role's rights."""
    sessions = sessions_of(site, seconds=seconds)
    with sessions.open() as tx:
        return cast("list[list[object]]", run_bounded(tx, statement, SCHEMAS, most_rows, sessions.limits)["rows"])


@contextmanager
def little_memory() -> Iterator[None]:
    """See to it that a block takes no more than some megabytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


WRITING = [
    "INSERT INTO odoo_marts.mart_sales VALUES (1)",
    "WITH d AS (DELETE FROM odoo_marts.mart_sales RETURNING 1) SELECT * FROM d",
    "UPDATE odoo_shadow.odoo_shadow_res_partner SET name = 'x'",
    "SELECT 1 AS one INTO odoo_marts.copied",
    "SELECT 1; DROP TABLE odoo_marts.mart_sales",
    "CREATE TABLE odoo_marts.mine AS SELECT 1",
    "SELECT * FROM odoo_marts.mart_sales FOR UPDATE",
    "SELECT nextval('odoo_shadow.odoo_shadow_sync_log_id_seq')",
    "SELECT odoo_shadow.update_shadow_watermark('odoo_shadow_res_partner', now())",
    "DO $$ BEGIN DELETE FROM odoo_marts.mart_sales; END $$",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT lo_from_bytea(0, 'x'), txid_current()::text::int / 0",
    "TRUNCATE odoo_marts.mart_sales",
    "CALL odoo_shadow_internal.protect_table('x')",
]
SERVER = [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "COPY odoo_marts.mart_sales TO PROGRAM 'id'",
    "COPY odoo_marts.mart_sales TO STDOUT",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT current_setting('data_directory')",
    "SELECT pg_reload_conf()",
    "SELECT set_config('role', 'postgres', false)",
    "SELECT set_config('session_authorization', 'postgres', false)",
    "SELECT set_config('log_statement', 'none', false)",
    "SET ROLE postgres",
    "EXPLAIN ANALYZE SELECT 1",
    "LISTEN x",
    "PREPARE x AS SELECT 1",
]
OTHERS = [
    "SELECT * FROM hr.salary",
    "SELECT * FROM odoo_shadow_internal.mirror",
    "SELECT * FROM odoo_shadow_internal.hash_secret",
    "SELECT query_to_xml('SELECT * FROM hr.salary', true, true, '')",
    "SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM hr.salary')",
    "SELECT * FROM pg_largeobject",
]
ENDLESS = [
    "SELECT pg_sleep(3600)",
    "SELECT set_config('statement_timeout', '0', false), pg_sleep(3600)",
    "SELECT sum(n) FROM generate_series(1, 1000000000000) n",
    "SELECT n FROM generate_series(1, 1000000000000) n WHERE n < 0",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT max(n) FROM t",
    "SELECT count(*) FROM odoo_marts.mart_sales a, odoo_marts.mart_sales b, odoo_marts.mart_sales c",
]
ONLY_THE_GATE = [
    "SELECT * FROM extras.answers",
    "SELECT * FROM extras.salaries()",
    "SELECT repeat('x', 1000000000)",
    "SELECT usename, query FROM pg_stat_activity",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_notify('a', 'b')",
    "SELECT * FROM dblink('dbname=x', 'SELECT 1') AS (a int)",
    "SELECT table_name FROM information_schema.tables",
    "SELECT current_setting('request.jwt.claims')",
    "SELECT n::regrole FROM generate_series(1, 20000) n",
    'SELECT CAST(n AS "regnamespace") FROM generate_series(1, 20000) n',
    "SELECT set_config('request.jwt.claims', '{}', true)",
]
DECEIVING = [
    # Two readers of one text: what only one of them takes for the end of a string, a comment or a name.
    r"SELECT e'\'', pg_sleep(1) --'",
    "SELECT /* /* */ pg_sleep(1) */ 1",
    "SELECT $$x$$, $a$ ' $a$",
    r"SELECT U&'\0027', pg_sleep(1) --'",
    "SELECT\u00a0pg_sleep(1)",
    # Names that hide what is called or read.
    'SELECT "pg_sleep"(1)',
    "SELECT pg_catalog.pg_sleep(1)",
    "SELECT pg_sleep/**/(1)",
    "SELECT DISTINCT ON (order_id) pg_sleep(1) FROM mart_sales",
    "SELECT 1 OPERATOR(pg_catalog.+) pg_sleep(1)",
    "WITH dblink(x) AS (SELECT 1) SELECT * FROM dblink('x') AS (a int)",
    "WITH pg_authid AS (SELECT 1) SELECT * FROM pg_authid",
    "SELECT * FROM ROWS FROM (pg_ls_dir('.')) AS f(a)",
    "SELECT * FROM mart_sales TABLESAMPLE pg_sleep(1)",
    'SELECT * FROM "in"(1)',
    "SELECT * FROM postgres.odoo_marts.mart_sales",
    "SELECT '1'::hr.domain",
    "SELECT * FROM mart_sales WHERE order_id = $1",
    "SELECT (SELECT amount FROM hr.salary) FROM mart_sales",
    "TABLE hr.salary",
    f"SELECT {'(' * 3000}1{')' * 3000}",
    f"SELECT {'1,' * 20000}1",
    f"SELECT {'NOT ' * 3900}true",
]
NAMING = [
    # Numbers that become names of the catalogue, by casts of every form.
    "SELECT n::regclass::text FROM generate_series(1, 9) n",
    "SELECT array_agg(n)::regclass[] FROM generate_series(1, 9) n",
    "SELECT CAST(n AS regconfig) FROM generate_series(1, 9) n",
    "SELECT CAST((SELECT 1 AS x) AS pg_lsn)",
    "SELECT regclass '1259'",
    "SELECT pg_catalog.regprocedure '33'",
    """SELECT "regrole" '10'""",
    "SELECT '1'::\"char\"",
    "SELECT '=r/postgres'::aclitem",
    "SELECT n::oid FROM generate_series(1, 9) n",
    "SELECT n::name FROM generate_series(1, 9) n",
    "SELECT n::tinyint FROM generate_series(1, 9) n",  # another database's, and here somebody's own
    "SELECT CASE WHEN true THEN n ELSE pg_typeof(1) END FROM generate_series(16384, 17000) n",
    "SELECT to_regclass('hr.salary')",
]
LIKE_COLUMNS = [
    # What PostgreSQL takes for pg_sleep(n), current_setting(q) and casts.
    "SELECT n.pg_sleep FROM generate_series(0, 0) n",
    "SELECT (q).current_setting FROM unnest(ARRAY['work_mem']) q",
    "SELECT q.\"to_regclass\" FROM unnest(ARRAY['hr.salary']) q",
    "SELECT (ARRAY[16384])[1].regtypeout",
    "WITH w AS (SELECT 1 AS txid_current) SELECT n.pg_notify FROM w, generate_series(0, 0) n",
    "SELECT p.record_out FROM odoo_shadow_res_partner p",
    "SELECT q.pg_lsn FROM unnest(ARRAY['0/0']) q",
    "SELECT n.oid FROM generate_series(1, 9) n",
]


@pytest.mark.parametrize("statement", [*WRITING, *SERVER, *OTHERS, *ONLY_THE_GATE, *DECEIVING, *NAMING, *ENDLESS[:2]])
def test_the_gate_refuses(statement: str) -> None:
    with pytest.raises(RefusedError):
        let_pass(statement, READABLE, Limits.statement_characters)


@pytest.mark.parametrize(
    "statement",
    [r"SELECT e'\'' --'", "SELECT U&'a'", "SELECT 'a'\"b\"", "SELECT 1_000", "SELECT 1a", "SELECT 'a", "SELECT \\d"],
)
def test_what_could_be_read_in_two_ways_is_not_even_parsed(statement: str) -> None:
    with pytest.raises(RefusedError, match="cannot be read"):
        read_statement(statement, 1_000)


@pytest.mark.parametrize("statement", LIKE_COLUMNS)
def test_a_function_that_is_written_like_a_column_is_not_called(site: Site, statement: str) -> None:
    with pytest.raises(RefusedError, match="No table here has a column"):
        query(sessions_of(site), statement, 10)


def test_columns_of_any_name_can_be_read(site: Site) -> None:
    statement = (
        "WITH s AS (SELECT date '2026-01-31', count(*) FROM mart_sales)"
        " SELECT p.name, p.id, d.date, d.count, p.row_to_json FROM odoo_shadow_res_partner p, s d WHERE p.id = 1"
    )
    found = query(sessions_of(site), statement, 10)
    (row,) = cast("list[list[object]]", found["rows"])
    assert row[:4] == ["Azure Interior", 1, "2026-01-31", 3000]


@pytest.mark.parametrize("statement", [*WRITING, *SERVER, *OTHERS])
def test_what_deceives_the_gate_meets_a_role_that_can_only_read(site: Site, statement: str) -> None:
    with pytest.raises(RefusedError):
        without_gate(site, statement)


@pytest.mark.parametrize("statement", ENDLESS)
def test_nothing_runs_for_ever(site: Site, statement: str) -> None:
    with pytest.raises(RefusedError, match=r"longer than|timeout"):
        without_gate(site, statement, seconds=0.3)


def test_postgresql_itself_is_told_to_end_it_and_to_write_nothing(site: Site) -> None:
    settings = ("statement_timeout", "max_parallel_workers_per_gather", "work_mem", "transaction_read_only")
    asked = ", ".join(f"current_setting('{name}')" for name in settings)
    assert without_gate(site, f"SELECT {asked}") == [["1s", "0", "16MB", "on"]]


def test_a_statement_is_cancelled_that_postgresql_does_not_end(site: Site) -> None:
    with psycopg.connect(site.reader) as connection:
        with pytest.raises(RefusedError, match="longer than"):
            Exchange.begin(connection, Limits(seconds=0.2)).run("SELECT pg_sleep(60)")
        assert not connection.closed


def test_the_connection_is_cut_where_that_does_not_help(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_GRACE", 0.1)
    with psycopg.connect(site.owner) as connection:
        monkeypatch.setattr(connection, "cancel_safe", lambda **_: None)
        with pytest.raises(RefusedError, match="longer than"):
            Exchange.begin(connection, Limits(seconds=0.2)).run("SELECT pg_sleep(2)")
        assert connection.closed


def test_nothing_stays_of_a_statement(site: Site) -> None:
    without_gate(site, "SELECT pg_advisory_lock(1), pg_notify('a', 'b'), set_config('work_mem', '1GB', false)")
    with pytest.raises(RefusedError):
        without_gate(site, "SELECT pg_sleep(3600)", seconds=0.1)
    assert site.as_owner("SELECT count(*) FROM odoo_marts.mart_sales") == [(3000,)]
    assert site.as_owner("SELECT name FROM odoo_shadow.odoo_shadow_res_partner WHERE id = 1") == [("Azure Interior",)]
    assert site.as_owner("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]
    assert site.as_owner("SELECT to_regclass('odoo_marts.copied'), to_regclass('odoo_marts.mine')") == [(None, None)]
    # A backend ends some moments after its client has gone.
    while site.as_owner("SELECT 1 FROM pg_stat_activity WHERE usename LIKE 'role%' AND datname = current_database()"):
        time.sleep(0.02)
    assert site.as_owner("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT repeat('x', 60000000)",
        "SELECT array_agg(repeat('x', 1000)) FROM generate_series(1, 50000)",
        "SELECT repeat('x', 2000) FROM generate_series(1, 50000)",
        "SELECT jsonb_agg(repeat('x', 1000)) FROM generate_series(1, 50000)",
    ],
)
def test_values_are_cut_before_they_are_sent(site: Site, statement: str) -> None:
    with little_memory():
        rows = without_gate(site, statement, most_rows=1000, seconds=20)
    assert len(str(rows)) < 70_000


def test_an_error_that_repeats_a_huge_value_is_cut_before_it_is_sent(site: Site) -> None:
    with little_memory(), pytest.raises(RefusedError) as refused:
        without_gate(site, "SELECT repeat('x', 60000000)::int", seconds=20)
    assert len(str(refused.value)) < 700


def test_few_statements_run_at_once_also_of_callers_that_do_not_wait(site: Site) -> None:
    limits = Limits(seconds=0.5, at_once=1, waiting=1)
    server = ShadowServer(Sessions(lambda: ReadOnlyDatabase.from_url(site.reader), limits)).protocol()
    slow = "SELECT count(*) FROM mart_sales a, mart_sales b, mart_sales c"

    async def ask_and_leave(client: Client) -> list[CallToolResult]:
        for _ in range(2):
            with anyio.move_on_after(0.05):
                await client.call_tool("query", {"sql": slow})
        refused = await client.call_tool("query", {"sql": "SELECT 1"})
        while (answer := await client.call_tool("query", {"sql": "SELECT 1"})).is_error:
            await anyio.sleep(0.05)
        return [refused, answer]

    async def play() -> list[CallToolResult]:
        async with Client(server) as client:
            return await ask_and_leave(client)

    refused, answer = anyio.run(play)
    assert "Too many requests" in str(refused.content) and not answer.is_error


def test_companies_cannot_be_forged(site: Site) -> None:
    claims = (
        """SELECT set_config('request.jwt.claims', '{"company_ids": [1]}', false), odoo_shadow.odoo_shadow_claims()"""
    )
    ((_, found),) = without_gate(site, claims)
    assert found is None


@pytest.mark.parametrize(
    ("grant", "revoke", "reason"),
    [
        ("ALTER ROLE {role} SUPERUSER", "ALTER ROLE {role} NOSUPERUSER", "is a superuser"),
        ("ALTER ROLE {role} BYPASSRLS", "ALTER ROLE {role} NOBYPASSRLS", "BYPASSRLS"),
        ("ALTER ROLE {role} CREATEROLE", "ALTER ROLE {role} NOCREATEROLE", "CREATEROLE"),
        ("GRANT pg_read_server_files TO {role}", "REVOKE pg_read_server_files FROM {role}", "pg_read_server_files"),
        ("GRANT pg_read_all_data TO {role}", "REVOKE pg_read_all_data FROM {role}", "pg_read_all_data"),
        (
            "GRANT pg_signal_backend TO odoo_shadow_reader",
            "REVOKE pg_signal_backend FROM odoo_shadow_reader",
            "pg_signal",
        ),
        (
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "REVOKE USAGE ON SCHEMA odoo_shadow_internal FROM {role}",
            "only the sync may",
        ),
        (
            "GRANT INSERT ON odoo_marts.mart_sales TO {role}",
            "REVOKE INSERT ON odoo_marts.mart_sales FROM {role}",
            "has INSERT on odoo_marts.mart_sales",
        ),
        (
            "GRANT UPDATE (name) ON odoo_shadow.odoo_shadow_res_partner TO PUBLIC",
            "REVOKE UPDATE (name) ON odoo_shadow.odoo_shadow_res_partner FROM PUBLIC",
            "has UPDATE on odoo_shadow.odoo_shadow_res_partner",
        ),
        (
            "GRANT SELECT ON hr.salary TO odoo_shadow_reader",
            "REVOKE SELECT ON hr.salary FROM odoo_shadow_reader",
            "may read hr.salary",
        ),
        ("GRANT CREATE ON SCHEMA odoo_marts TO PUBLIC", "REVOKE CREATE ON SCHEMA odoo_marts FROM PUBLIC", "may create"),
        (
            "ALTER TABLE hr.salary OWNER TO {role}",
            "ALTER TABLE hr.salary OWNER TO CURRENT_USER",
            "owns table hr.salary",
        ),
        (
            "GRANT EXECUTE ON FUNCTION extras.salaries() TO {role}",
            "REVOKE EXECUTE ON FUNCTION extras.salaries() FROM {role}",
            "with its owner's rights",
        ),
    ],
)
def test_a_role_that_could_do_more_is_not_served(
    site: Site, grant: LiteralString, revoke: LiteralString, reason: str
) -> None:
    site.as_owner(grant, role=site.role)
    try:
        with pytest.raises(ShadowPermissionError) as refused, sessions_of(site).open():
            pass
        assert reason in str(refused.value) and "CREATE ROLE odoo_shadow_mcp LOGIN" in str(refused.value)
        assert reason != "is a superuser" or "may act as" not in str(refused.value)
    finally:
        site.as_owner(revoke, role=site.role)
    with sessions_of(site).open():
        pass


def test_a_role_that_cannot_read_is_told_what_it_lacks(site: Site) -> None:
    with new_role(site.owner) as role:
        sessions = sessions_of(site, as_role(site.owner, role))
        with pytest.raises(ShadowPermissionError, match=f"GRANT odoo_shadow_reader TO {role}"), sessions.open():
            pass
