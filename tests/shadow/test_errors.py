"""What goes wrong with PostgreSQL: the class says what to do, the sentence how, and no secret is in it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import (
    ShadowConfigurationError,
    ShadowConflictError,
    ShadowError,
    ShadowFatalError,
    ShadowPermissionError,
    ShadowRetriableError,
    ShadowUnreachableError,
)
from odoo_shadow.shadow.tables.merge import merge_rows
from tests.support.fake_postgres import refusing
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import COLUMNS, hash_of, make_base, make_table, row
from tools.embedded_postgres import database_url

SECRET = "hunter2"


def error_of(url: str) -> ShadowError:
    with (
        ShadowDatabase.from_url(url, name="shadow_db") as shadow,
        pytest.raises(ShadowError) as raised,
        shadow.transaction(),
    ):
        pass
    error = raised.value
    assert str(error).startswith("Shadow database 'shadow_db'")
    assert "\n" not in str(error)
    # A traceback shows no more than the message.
    assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
    return error


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def with_password(database: str) -> Iterator[str]:
    """A role that the server asks for a password, unlike all others."""
    with psycopg.connect(database, autocommit=True) as admin, new_role(database) as role:
        admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal("right")))
        ((file,),) = admin.execute("SHOW hba_file").fetchall()
        rules = Path(file)
        before = rules.read_text()
        rules.write_text(f"local all {role} scram-sha-256\n{before}")
        try:
            admin.execute("SELECT pg_reload_conf()")
            _wait_until_refused(as_role(database, role))
            yield as_role(database, role)
        finally:
            rules.write_text(before)
            admin.execute("SELECT pg_reload_conf()")


def _wait_until_refused(url: str) -> None:
    for _ in range(1000):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return
    raise AssertionError("the server should have read its new rules")


def test_an_unreachable_server_is_worth_another_try(closed_port: int) -> None:
    error = error_of(f"postgresql://shadow:{SECRET}@127.0.0.1:{closed_port}/shadow")
    assert isinstance(error, ShadowUnreachableError)
    assert "check the host, the port" in str(error)
    assert SECRET not in str(error)


def test_a_host_that_does_not_exist_is_worth_another_try() -> None:
    error = error_of(f"postgresql://shadow:{SECRET}@no-such-host.invalid/shadow")
    assert isinstance(error, ShadowUnreachableError)
    assert SECRET not in str(error)


def test_a_wrong_password_is_not(with_password: str) -> None:
    error = error_of(with_password.replace(":@", f":{SECRET}@"))
    assert isinstance(error, ShadowConfigurationError)
    assert "password authentication failed" in str(error)
    assert SECRET not in str(error)


def test_neither_is_a_missing_password(with_password: str) -> None:
    assert isinstance(error_of(with_password), ShadowConfigurationError)


def test_the_right_password_opens(with_password: str) -> None:
    with ShadowDatabase.from_url(with_password.replace(":@", ":right@")) as shadow, shadow.transaction() as tx:
        assert tx.run("SELECT 1") == [(1,)]


def test_an_unknown_database(database: str) -> None:
    error = error_of(database_url(database, "no_such_database"))
    assert isinstance(error, ShadowConfigurationError)
    assert 'database "no_such_database" does not exist' in str(error)


def test_an_unknown_role(database: str) -> None:
    error = error_of(as_role(database, "no_such_role"))
    assert isinstance(error, ShadowConfigurationError)
    assert 'role "no_such_role" does not exist' in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        f"http://shadow:{SECRET}@127.0.0.1/shadow",
        f"postgres//shadow:{SECRET}@127.0.0.1/shadow",
        f"postgresql://shadow:{SECRET}@[::1/shadow",
        f"postgresql://shadow:{SECRET}@127.0.0.1/%zz",
        f"postgresql://shadow:{SECRET}@127.0.0.1/shadow?no_such_option=1",
        f"host=127.0.0.1 password={SECRET} user='shadow",
        f"postgresql://shadow:{SECRET}@127.0.0.1/shadow?sslmode=nonsense",
        f"postgresql://shadow:{SECRET}@127.0.0.1:0/shadow",
        f"postgresql://shadow:{SECRET}@127.0.0.1:99999/shadow",
        f"postgresql://shadow:{SECRET}@127.0.0.1:port/shadow",
        f"postgresql://shadow@127.0.0.1:{SECRET}/shadow",
    ],
)
def test_a_bad_url_must_be_corrected(url: str) -> None:
    error = error_of(url)
    assert SECRET not in str(error)
    assert isinstance(error, ShadowConfigurationError)


@pytest.mark.parametrize("separator", ["@", "/", "?", "#", ":", "%", " ", "%40", "[", "\\"])
def test_a_password_with_special_characters_is_not_told(separator: str, closed_port: int) -> None:
    # People forget to escape it, and then the rest of it is taken for something else.
    for password in (f"pass{separator}{SECRET}", f"{SECRET}{separator}word"):
        assert SECRET not in str(error_of(f"postgresql://shadow:{password}@127.0.0.1:{closed_port}/shadow"))


@pytest.mark.parametrize(
    ("sqlstate", "message", "wanted"),
    [
        ("28P01", 'password authentication failed for user "shadow"', ShadowConfigurationError),
        ("28000", 'no pg_hba.conf entry for host "127.0.0.1", user "shadow"', ShadowConfigurationError),
        ("28000", 'role "shadow" is not permitted to log in', ShadowConfigurationError),
        ("3D000", 'database "shadow" does not exist', ShadowConfigurationError),
        ("42501", 'permission denied for database "shadow"', ShadowFatalError),
        ("08P01", "no such database: shadow", ShadowConfigurationError),  # PgBouncer
        ("08P01", "no such user", ShadowConfigurationError),  # PgBouncer before 1.20
        ("28P01", "SASL authentication failed", ShadowConfigurationError),  # PgBouncer
        ("XX000", "Tenant or user not found", ShadowConfigurationError),  # Supabase's pooler
        ("53300", "sorry, too many clients already", ShadowUnreachableError),
        ("57P03", "the database system is starting up", ShadowUnreachableError),
        ("57P03", "the database system is shutting down", ShadowUnreachableError),
        ("08P01", "no more connections allowed (max_client_conn)", ShadowUnreachableError),
    ],
)
def test_refusals_of_servers_and_poolers(sqlstate: str, message: str, wanted: type[ShadowError]) -> None:
    with refusing(sqlstate, message) as port:
        error = error_of(f"postgresql://shadow:{SECRET}@127.0.0.1:{port}/shadow?sslmode=disable&gssencmode=disable")
    assert message in str(error)
    assert isinstance(error, wanted)
    assert SECRET not in str(error)


STATEMENTS: list[tuple[list[LiteralString], type[ShadowError]]] = [
    (["SET LOCAL statement_timeout = 1", "SELECT pg_sleep(5)"], ShadowRetriableError),
    (["SELECT pg_terminate_backend(pg_backend_pid())"], ShadowUnreachableError),
    (["SET TRANSACTION READ ONLY", "CREATE TABLE x ()"], ShadowError),
    (["SELECT nonsense"], ShadowConflictError),
    (["CREATE TABLE pg_catalog.x ()"], ShadowPermissionError),
]


@pytest.mark.parametrize(("statements", "wanted"), STATEMENTS, ids=lambda item: str(item)[:40])
def test_trouble_in_the_middle(
    shadow: ShadowDatabase, statements: list[LiteralString], wanted: type[ShadowError]
) -> None:
    with pytest.raises(wanted, match=r"^Shadow database 'shadow_db'") as raised, shadow.transaction() as tx:
        tx.run("CREATE TABLE public.half_written ()")
        for statement in statements:
            tx.run(statement)
    assert raised.value.__suppress_context__
    with shadow.transaction() as tx:  # a new connection if need be, and nothing half-written
        assert tx.run("SELECT to_regclass('public.half_written')") == [(None,)]


def test_waiting_in_vain_for_a_lock_is_worth_another_try(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with (
        ShadowDatabase.from_url(database) as other,
        pytest.raises(ShadowRetriableError, match="failed temporarily"),
        shadow.transaction() as tx,
        other.transaction() as blocking,
    ):
        blocking.run("LOCK TABLE odoo_shadow.odoo_shadow_meta")
        tx.run("SET LOCAL lock_timeout = 1")
        tx.run("SELECT * FROM odoo_shadow.odoo_shadow_meta")


def test_a_connection_that_died_in_between_is_replaced(shadow: ShadowDatabase, database: str) -> None:
    with shadow.transaction() as tx:
        ((pid,),) = tx.run("SELECT pg_backend_pid()")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(ShadowUnreachableError), shadow.transaction() as tx:
        tx.run("SELECT 1")
    with shadow.transaction() as tx:
        assert tx.run("SELECT 1") == [(1,)]


def test_a_refused_row_is_not_repeated(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    with shadow.transaction() as tx:
        tx.run("ALTER TABLE {table} ADD CHECK (name <> 'hunter2')", table=tx.own(table))
    with shadow.transaction() as tx:
        (refused,) = merge_rows(tx, hash_of(tx, table), list(COLUMNS), [row(1, SECRET)]).refused
    assert refused.id == 1 and SECRET not in str(refused)


def test_a_role_that_may_not_create_schemas(database: str) -> None:
    with (
        new_role(database) as role,
        ShadowDatabase.from_url(as_role(database, role)) as shadow,
        pytest.raises(ShadowPermissionError) as raised,
    ):
        make_base(shadow)
    assert isinstance(raised.value, ShadowFatalError)
    assert f"The role '{role}' has no right to create schema 'odoo_shadow'" in str(raised.value)


def test_a_role_that_may_not_create_tables(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        said = f"the role '{role}' is not allowed to do that .*schema odoo_shadow"
        with (
            ShadowDatabase.from_url(as_role(database, role)) as as_reader,
            pytest.raises(ShadowPermissionError, match=said),
        ):
            make_table(as_reader)


def test_a_role_that_may_not_use_the_schema(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    with (
        new_role(database) as role,
        ShadowDatabase.from_url(as_role(database, role)) as stranger,
        pytest.raises(ShadowPermissionError, match="permission denied for schema odoo_shadow"),
    ):
        make_base(stranger)
