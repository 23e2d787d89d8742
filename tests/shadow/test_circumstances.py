"""Databases in which no mirror can work, or that are set in their own way: one true sentence, or no difference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import (
    ShadowConfigurationError,
    ShadowError,
    ShadowPermissionError,
    ShadowRetriableError,
    ShadowUnreachableError,
)
from tests.support.fake_postgres import refusing, telling
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_base, make_table, merge, row, rows_of
from tools.embedded_postgres import database_url


def failure(url: str, statement: LiteralString = "SELECT 1") -> ShadowError:
    with (
        ShadowDatabase.from_url(url, name="shadow_db") as shadow,
        pytest.raises(ShadowError) as raised,
        shadow.transaction() as tx,
    ):
        tx.run(statement)
    assert "\n" not in str(raised.value)
    return raised.value


@contextmanager
def set_for_database(url: str, **settings: str) -> Iterator[None]:
    """Set what everybody who connects gets; undone by whoever does not get it."""
    with psycopg.connect(url, autocommit=True) as admin:
        name = sql.Identifier(admin.info.dbname)
        for setting, value in settings.items():
            admin.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(name, sql.Identifier(setting), value))
        yield
        admin.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_character_is_refused(postgres: str, encoding: str) -> None:
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE 'C'")
        admin.execute(made.format(sql.Identifier(name), encoding))
        try:
            error = failure(database_url(postgres, name))
            assert isinstance(error, ShadowConfigurationError)
            assert f"the database's encoding is {encoding}" in str(error) and "ENCODING 'UTF8'" in str(error)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize(("version", "spelled"), [("14.19", "14.19"), ("9.6.24", "9.6")])
def test_an_old_server_is_refused(version: str, spelled: str) -> None:
    with telling(server_version=version, server_encoding="UTF8") as port:
        error = failure(f"postgresql://shadow@127.0.0.1:{port}/shadow?sslmode=disable")
    assert isinstance(error, ShadowConfigurationError)
    assert f"its PostgreSQL is {spelled}, but must be 15 or later" in str(error)


def test_a_read_only_database_is_told_with_a_cure_that_works(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with set_for_database(database, default_transaction_read_only="on"):
        error = failure(database, "CREATE TABLE public.x ()")
        assert isinstance(error, ShadowPermissionError)
        assert "is read-only" in str(error) and "when the disk is full" in str(error)
        cure = str(error).partition("by itself: ")[2].partition(". Nothing")[0]
        with psycopg.connect(database, autocommit=True) as person:
            for statement in cure.split("; "):
                person.execute(statement.encode())
        with ShadowDatabase.from_url(database) as again, again.transaction() as tx:
            tx.run("CREATE TABLE public.x ()")


def test_what_is_made_read_only_on_the_way_is_told_as_that(database: str) -> None:
    def connect() -> psycopg.Connection[TupleRow]:
        connection = psycopg.connect(database)
        connection.read_only = True
        return connection

    with (
        ShadowDatabase(connect) as shadow,
        pytest.raises(ShadowPermissionError, match="accepts no writes through this connection"),
        shadow.transaction() as tx,
    ):
        tx.run("CREATE TABLE public.x ()")


@pytest.mark.parametrize(
    ("state", "wanted", "told"),
    [
        ("53100", ShadowRetriableError, "its disk is full"),
        ("53200", ShadowRetriableError, "reported trouble of its own"),
        ("53400", ShadowRetriableError, "reported trouble of its own"),
        ("08006", ShadowUnreachableError, "the connection was lost"),
        ("57P01", ShadowUnreachableError, "the connection was lost"),
    ],
)
def test_what_is_no_lost_connection_is_not_told_as_one(
    shadow: ShadowDatabase, state: LiteralString, wanted: type[ShadowError], told: str
) -> None:
    with pytest.raises(wanted, match=told), shadow.transaction() as tx:
        tx.cursor.execute("DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '" + state + "'; END $$")


def test_a_used_up_quota_is_a_full_disk(shadow: ShadowDatabase) -> None:
    with pytest.raises(ShadowRetriableError, match="its disk is full"), shadow.transaction() as tx:
        tx.cursor.execute(
            "DO $$ BEGIN RAISE 'could not extend file: Disk quota exceeded' USING ERRCODE = 'XX000'; END $$"
        )


@pytest.mark.parametrize("said", ["could not write init file", 'could not open file "x": No space left on device'])
def test_a_disk_so_full_that_nobody_may_connect_is_told_as_such(said: str) -> None:
    with refusing("XX000", said) as port:
        error = failure(f"postgresql://shadow@127.0.0.1:{port}/shadow?sslmode=disable")
    assert isinstance(error, ShadowUnreachableError) and "because its disk is full" in str(error)


def test_row_level_security_is_told_with_table_and_right(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "ALTER TABLE odoo_shadow.{table} ENABLE ROW LEVEL SECURITY",
            "GRANT USAGE ON SCHEMA odoo_shadow, odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow, odoo_shadow_internal TO {role}",
            table=table,
            role=role,
        )
        error = failure(as_role(database, role), "SELECT * FROM odoo_shadow.odoo_shadow_res_partner")
        assert isinstance(error, ShadowPermissionError)
        hidden = f"odoo_shadow.{table}, odoo_shadow.odoo_shadow_stored_document"  # whose policy is there from birth
        assert f"hides rows of {hidden} from the role '{role}'" in str(error)
        assert f'ALTER ROLE "{role}" BYPASSRLS' in str(error) and f'{table} OWNER TO "{role}"' in str(error)
        run_as_owner(
            database,
            "ALTER TABLE odoo_shadow.{table} OWNER TO {role}",
            "ALTER TABLE odoo_shadow.{table} FORCE ROW LEVEL SECURITY",
            table=table,
            role=role,
        )
        error = failure(as_role(database, role), "SELECT * FROM odoo_shadow.odoo_shadow_res_partner")
        assert f"{table} NO FORCE ROW LEVEL SECURITY" in str(error)
        run_as_owner(database, "ALTER TABLE odoo_shadow.{table} OWNER TO postgres", table=table)


def test_row_level_security_on_a_table_that_only_the_sync_sees(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "ALTER TABLE odoo_shadow_internal.lease ENABLE ROW LEVEL SECURITY",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT SELECT ON odoo_shadow_internal.lease TO {role}",
            role=role,
        )
        error = failure(as_role(database, role), "SELECT * FROM odoo_shadow_internal.lease")
    assert "odoo_shadow_internal.lease from the role" in str(error)


def test_other_settings_of_a_database_make_no_difference(database: str) -> None:
    settings = {
        "client_encoding": "LATIN1",
        "default_transaction_isolation": "serializable",
        "default_transaction_deferrable": "on",
        "transform_null_equals": "on",
        "array_nulls": "off",
        "intervalstyle": "iso_8601",
        "datestyle": "German",
        "bytea_output": "escape",
        "statement_timeout": "1s",  # less, and a busy machine does not come to the transaction's own
        "lc_numeric": "C",
        "xmloption": "document",
        "check_function_bodies": "off",
        "session_replication_role": "replica",
        "enable_seqscan": "off",
    }
    with set_for_database(database, **settings), ShadowDatabase.from_url(database) as shadow:
        table = make_table(shadow)
        merge(shadow, table, row(1, "日本 ł 😀"), row(2, None))
        assert rows_of(shadow, table, ("name",)) == [("日本 ł 😀",), (None,)]
        with shadow.transaction() as tx:
            assert tx.run("SELECT current_setting('transaction_isolation')") == [("read committed",)]
            assert tx.run("SELECT ARRAY[NULL]::text[]::text, current_setting('statement_timeout')") == [("{NULL}", "0")]


RELIED_ON = {
    "search_path": ("public", "pg_catalog, pg_temp"),
    "client_encoding": ("LATIN1", "UTF8"),
    "row_security": ("on", "off"),
    "datestyle": ("German", "ISO, DMY"),
    "timezone": ("Asia/Tokyo", "UTC"),
    "intervalstyle": ("iso_8601", "postgres"),
    "bytea_output": ("escape", "hex"),
    "extra_float_digits": ("-5", "1"),
    "quote_all_identifiers": ("on", "off"),
    "standard_conforming_strings": ("off", "on"),
    "transform_null_equals": ("on", "off"),
    "array_nulls": ("off", "on"),
    "default_table_access_method": ("columnar", "heap"),
    "statement_timeout": ("1s", "0"),
    "lock_timeout": ("1h", "30s"),
    "idle_in_transaction_session_timeout": ("1h", "1min"),
    "transaction_isolation": (None, "read committed"),
    "default_transaction_isolation": ("serializable", "serializable"),
}
"""What a database may have set, and what counts in the sync's transactions."""


def test_a_transaction_sets_what_it_relies_on(database: str) -> None:
    run_as_owner(database, "CREATE ACCESS METHOD columnar TYPE TABLE HANDLER heap_tableam_handler")
    given = {setting: hostile for setting, (hostile, _) in RELIED_ON.items() if hostile is not None}
    wanted = {setting: counts for setting, (_, counts) in RELIED_ON.items()}
    with psycopg.connect(database) as connection:
        if connection.info.server_version >= 170000:
            given["transaction_timeout"], wanted["transaction_timeout"] = "1h", "0"
    with set_for_database(database, **given), ShadowDatabase.from_url(database) as shadow, shadow.transaction() as tx:
        found = {setting: str(tx.run("SELECT current_setting({it})", it=setting)[0][0]) for setting in wanted}
    assert {setting: value.replace('"', "") for setting, value in found.items()} == wanted
