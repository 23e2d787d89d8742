"""Who may read the shadow, with the grants that the book shows, learns no address, login, host, error or key."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from odoo_stand_in import StandIn
from tests.support.hostile_database import Hostile
from tests.support.roles import as_role

pytestmark = pytest.mark.attack

ONE_MODEL = ("--models", "res.company")


@pytest.fixture
def read(hostile: Hostile, odoo: StandIn) -> psycopg.Connection:
    """A reader's connection, after a good run, a failed one and one that is under way."""
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    failed = hostile.run(odoo, "sync", "--models", "res.company,mail.thread", ODOO_USER=odoo.login)
    assert failed.code == 1
    hostile.as_owner(
        "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {mallory}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    return psycopg.connect(as_role(hostile.url, hostile.mallory), autocommit=True)


def test_nothing_that_a_reader_sees_tells_where_the_data_come_from(
    hostile: Hostile, odoo: StandIn, read: psycopg.Connection
) -> None:
    tables = read.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('odoo_shadow', 'public') AND c.relkind IN ('r', 'v')"
        " AND c.relname NOT LIKE 'odoo\\_shadow\\_res\\_company%'"
    ).fetchall()
    assert len(tables) > 8
    hosts = {odoo.url, odoo.url.rsplit(":", 1)[1], odoo.database, "process ", "JSON-2 "}
    for schema, table in tables:
        rows = read.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))).fetchall()
        for (text,) in rows:
            assert not any(secret in text for secret in hosts), (table, text)
            assert "'admin'" not in text and "is not allowed to call" not in text, (table, text)


def test_the_log_tells_an_errors_kind(read: psycopg.Connection) -> None:
    rows = read.execute("SELECT error_message FROM public.odoo_shadow_sync_log WHERE status = 'error'").fetchall()
    assert rows and all(str(text).startswith("Odoo") and " " not in str(text) for (text,) in rows)


def test_the_internal_schema_is_closed(read: psycopg.Connection) -> None:
    for table in ("mirror", "table_state", "lease", "sync_detail", "hash_secret", "made_object"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("odoo_shadow_internal", table)))


def test_the_sync_role_still_learns_all(hostile: Hostile, odoo: StandIn, read: psycopg.Connection) -> None:
    outcome = hostile.run(odoo, "status")
    assert outcome.code == 1
    assert odoo.url in outcome.out
    assert "mail.thread" in outcome.err


def test_a_reader_may_ask_for_the_status(hostile: Hostile, odoo: StandIn, read: psycopg.Connection) -> None:
    outcome = hostile.run(
        odoo,
        "status",
        SUPABASE_DB_URL=as_role(hostile.url, hostile.mallory),
        TRUSTED_ROLES=hostile.role or "",
    )
    assert "res.company" in outcome.out and odoo.url not in outcome.out
    assert "only the sync's role can see" in outcome.err


def test_no_reader_can_hold_a_run_up(hostile: Hostile, odoo: StandIn, read: psycopg.Connection) -> None:
    # What every login could hold: the advisory locks that earlier versions took.
    for key in ("odoo_shadow:odoo_shadow", "odoo_shadow/public"):
        read.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
    with read.transaction():
        read.execute("LOCK TABLE odoo_shadow.odoo_shadow_meta, odoo_shadow.odoo_shadow_watermark IN ACCESS SHARE MODE")
        outcome = hostile.run(odoo, "sync", "--full", *ONE_MODEL)
    assert outcome.code == 0, outcome.err
