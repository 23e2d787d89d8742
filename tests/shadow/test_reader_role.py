"""Reading as `odoo_shadow_reader`, to whom views are granted where it is used, and row-level security for an API."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from odoo_shadow.mirror.run.for_readers import AS_BEFORE, begin_for_readers, update_for_readers
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.ddl_files import ModelTable, base_migration, tables_migration
from odoo_shadow.shadow.state.registry import register_table
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.tables.apply_changes import apply_change
from odoo_shadow.shadow.tables.changes import plan_change
from odoo_shadow.shadow.take_over import find_left_behind, move_left_behind
from tests.support.companies import api_roles, caller, let_users_read, one_value
from tests.support.roles import as_role, run_as_owner
from tests.support.tables import NAME, make_base, make_table, merge, row

pytestmark = pytest.mark.attack

PARTNERS, USERS = "odoo_shadow_res_partner", "odoo_shadow_res_users"
HOLDERS = (
    "SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, ' ')"
    " FROM pg_class c, aclexplode(c.relacl) a WHERE a.grantee <> c.relowner AND c.oid = '{}'::regclass"
)
SECURED = (
    "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
    " WHERE relnamespace = 'odoo_shadow'::regnamespace AND {}"
)


@pytest.fixture(autouse=True)
def roles(postgres: str, database: str) -> Iterator[None]:
    """The API's roles, gone before anything else: the database, which is emptied last, may not name them then."""
    with api_roles(postgres):
        yield
        run_as_owner(database, "DROP OWNED BY anon, authenticated CASCADE")
        with psycopg.connect(database, autocommit=True) as owner:
            if owner.execute("SELECT FROM pg_roles WHERE rolname = 'odoo_shadow_reader'").fetchall():
                owner.execute("DROP OWNED BY odoo_shadow_reader CASCADE")


def ask(database: str, question: str) -> object:
    with psycopg.connect(database) as owner:
        return one_value(owner, question)


def test_the_role_reads_what_is_there_and_what_comes_and_nothing_internal(
    shadow: ShadowDatabase, database: str
) -> None:
    merge(shadow, make_table(shadow), row(1, "Ada"))
    update_for_readers(shadow)
    for _ in range(2):
        let_users_read(database)
    merge(shadow, make_table(shadow, "res.users"), row(1, "Bob"))
    update_for_readers(shadow)
    with caller(database) as user:
        for name in (PARTNERS, USERS, f"{PARTNERS}_named", "odoo_shadow_meta", "odoo_shadow_field"):
            assert one_value(user, f"SELECT count(*) FROM odoo_shadow.{name}")  # noqa: S608
        assert one_value(user, f"SELECT name FROM public.{USERS}") == "Bob"  # noqa: S608
        with pytest.raises(errors.InsufficientPrivilege):
            user.execute("SELECT FROM odoo_shadow_internal.mirror")
        with pytest.raises(errors.InsufficientPrivilege):
            user.execute(f"DELETE FROM public.{USERS}")  # noqa: S608


@pytest.mark.parametrize("schema", ["odoo_shadow", "public"])
def test_the_role_reads_no_table_of_somebodys_own_beside_the_mirror(database: str, schema: str) -> None:
    with ShadowDatabase.from_url(database, schema=schema) as shadow:
        make_table(shadow)
        run_as_owner(database, "CREATE TABLE {schema}.invoices ()", schema=schema)
        let_users_read(database, schema=schema)
        make_table(shadow, "res.users")
        run_as_owner(database, "CREATE TABLE {schema}.keep ()", schema=schema)
        update_for_readers(shadow)
    held = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = '{}'"
    held += "::regnamespace AND has_table_privilege('odoo_shadow_reader', oid, 'SELECT')"
    control = "odoo_shadow_company_access odoo_shadow_document_model odoo_shadow_embedding_model odoo_shadow_field"
    control += " odoo_shadow_left_out odoo_shadow_mart_verification odoo_shadow_meta"
    control += f" {PARTNERS} {USERS} odoo_shadow_schema_log odoo_shadow_selection"
    control += " odoo_shadow_stored_document odoo_shadow_sync_log"
    assert ask(database, held.format(schema)) == f"{control} odoo_shadow_verification odoo_shadow_watermark"


def test_views_are_granted_to_exactly_those_who_may_read_their_table(shadow: ShadowDatabase, database: str) -> None:
    make_table(shadow)
    assert ask(database, HOLDERS.format(f"public.{PARTNERS}")) == "PUBLIC"
    run_as_owner(database, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon")
    let_users_read(database)
    make_table(shadow, "res.users")
    update_for_readers(shadow)
    for view in (f"public.{PARTNERS}", f"public.{USERS}", f"odoo_shadow.{PARTNERS}_named", "public.odoo_shadow_meta"):
        assert ask(database, HOLDERS.format(view)) == "odoo_shadow_reader", view
    run_as_owner(database, "GRANT USAGE ON SCHEMA odoo_shadow TO anon", f"GRANT SELECT ON odoo_shadow.{USERS} TO anon")
    update_for_readers(shadow)
    assert ask(database, HOLDERS.format(f"public.{USERS}")) == "anon odoo_shadow_reader"
    assert ask(database, HOLDERS.format(f"public.{PARTNERS}")) == "odoo_shadow_reader"
    run_as_owner(database, "REVOKE USAGE ON SCHEMA odoo_shadow FROM anon")
    update_for_readers(shadow)
    assert ask(database, HOLDERS.format(f"public.{USERS}")) == "odoo_shadow_reader"


def test_a_table_has_row_level_security_from_birth_and_all_that_an_api_could_show(
    shadow: ShadowDatabase, database: str
) -> None:
    merge(shadow, make_table(shadow), row(1, "Ada"))
    is_open = "relkind = 'r' AND NOT (relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))"
    assert ask(database, SECURED.format(is_open)) is None
    run_as_owner(
        database,
        f"ALTER TABLE odoo_shadow.{PARTNERS} DISABLE ROW LEVEL SECURITY",
        f"DROP POLICY odoo_shadow_readers ON odoo_shadow.{PARTNERS}",
    )
    begin_for_readers(shadow, AS_BEFORE)  # as after an upgrade
    assert ask(database, SECURED.format(is_open)) is None
    run_as_owner(
        database,
        "GRANT USAGE ON SCHEMA odoo_shadow TO anon",
        "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO anon",
    )
    with psycopg.connect(as_role(database, "anon")) as anon:
        assert one_value(anon, f"SELECT name FROM public.{PARTNERS}") == "Ada"  # noqa: S608


def test_the_files_of_ddl_secure_their_tables(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        for _ in range(2):
            owner.execute(base_migration("odoo_shadow").encode())
            owner.execute(tables_migration("odoo_shadow", [ModelTable("res.partner", (NAME,))]).encode())
    assert ask(database, SECURED.format("relkind = 'r' AND NOT relrowsecurity")) is None
    let_users_read(database, RowLevelSecurity.COMPANY)
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(tables_migration("odoo_shadow", [ModelTable("res.users", (NAME,))]).encode())
    assert ask(database, f"SELECT has_table_privilege('odoo_shadow_reader', 'odoo_shadow.{USERS}', 'SELECT')")
    closed = "relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)"
    assert ask(database, SECURED.format(closed)) == f"{PARTNERS} {USERS}"  # until a run knows whose their rows are


def reads(database: str, table: str) -> object:
    return ask(database, f"SELECT has_table_privilege('odoo_shadow_reader', 'odoo_shadow.{table}', 'SELECT')")


def test_the_role_reads_tables_however_they_come_to_be(shadow: ShadowDatabase, database: str) -> None:
    """Others' default privileges fill the list of rights; what is revoked from a known table stays so."""
    make_table(shadow)
    let_users_read(database)
    run_as_owner(
        database,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA odoo_shadow GRANT SELECT ON TABLES TO anon",
        f"DROP TABLE odoo_shadow.{PARTNERS} CASCADE",
        f"CREATE TABLE odoo_shadow.{PARTNERS} (id bigint PRIMARY KEY, name text)",
    )
    make_table(shadow)  # takes over what is there
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(tables_migration("odoo_shadow", [ModelTable("res.users", (NAME,))]).encode())
    make_table(shadow, "res.country")
    for table in (PARTNERS, USERS, "odoo_shadow_res_country"):
        assert reads(database, table), table
    run_as_owner(database, f"REVOKE SELECT ON odoo_shadow.{PARTNERS} FROM odoo_shadow_reader")  # noqa: S608
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(tables_migration("odoo_shadow", [ModelTable("res.partner", (NAME,))]).encode())
    begin_for_readers(shadow, AS_BEFORE)
    make_table(shadow)
    update_for_readers(shadow)
    assert not reads(database, PARTNERS)


def test_take_over_leaves_the_role_what_the_mirror_has(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    let_users_read(database)
    run_as_owner(
        database,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO anon",
        f"CREATE TABLE public.{PARTNERS} AS SELECT 1 AS id, 'of another mirror' AS name",
        f"GRANT SELECT ON public.{PARTNERS} TO authenticated",
    )
    merge(shadow, make_table(shadow), row(1, "Ada"))
    with shadow.transaction() as tx:
        move_left_behind(tx, find_left_behind(tx))
    update_for_readers(shadow)
    with caller(database) as user:
        assert one_value(user, f"SELECT name FROM public.{PARTNERS}") == "Ada"  # noqa: S608
    for view in (f"public.{PARTNERS}", f"public.{PARTNERS}_named"):
        assert ask(database, HOLDERS.format(view)) == "odoo_shadow_reader"


def test_a_table_that_is_registered_while_the_mode_waits_is_protected(shadow: ShadowDatabase, database: str) -> None:
    """Without the roles of an API, a table has no row-level security of its own accord."""
    run_as_owner(database, "ALTER ROLE anon RENAME TO anonymous")
    try:
        make_base(shadow)
        with (
            psycopg.connect(database, autocommit=True) as migration,
            psycopg.connect(database, autocommit=True) as owner,
            ThreadPoolExecutor() as pool,
        ):
            with shadow.transaction() as tx:
                lock_schema(tx)
                mode = pool.submit(migration.execute, "CALL odoo_shadow_internal.set_row_level_security('company')")
                while not one_value(owner, "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                    assert not mode.done()
                table = register_table(tx, "res.partner")
                apply_change(tx, plan_change(tx, table, [NAME], set()), run_id=uuid4())
            mode.result(timeout=60)
        assert ask(database, SECURED.format("relkind = 'r' AND relrowsecurity")) == (
            "odoo_shadow_company_access odoo_shadow_document_model odoo_shadow_embedding_model odoo_shadow_field"
            f" odoo_shadow_left_out odoo_shadow_mart_verification odoo_shadow_meta {PARTNERS}"
            " odoo_shadow_schema_log odoo_shadow_selection odoo_shadow_stored_document odoo_shadow_sync_log"
            " odoo_shadow_verification odoo_shadow_watermark"
        )
    finally:
        run_as_owner(database, "ALTER ROLE anonymous RENAME TO anon")


def test_what_somebody_arranged_on_a_table_is_left_alone(shadow: ShadowDatabase, database: str) -> None:
    """Rows that their own policies hide must not appear because of one of the mirror's."""
    merge(shadow, make_table(shadow), row(1, "Ada"), row(2, "Bob"))
    run_as_owner(
        database,
        f"DROP POLICY odoo_shadow_readers ON odoo_shadow.{PARTNERS}",
        f"CREATE POLICY few ON odoo_shadow.{PARTNERS} FOR SELECT TO PUBLIC USING (id = 1)",
    )
    let_users_read(database)
    begin_for_readers(shadow, AS_BEFORE)
    update_for_readers(shadow)
    with caller(database) as user:
        assert one_value(user, f"SELECT count(*) FROM odoo_shadow.{PARTNERS}") == 1  # noqa: S608
    run_as_owner(database, f"ALTER TABLE odoo_shadow.{PARTNERS} DISABLE ROW LEVEL SECURITY")
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(tables_migration("odoo_shadow", [ModelTable("res.partner", (NAME,))]).encode())
    begin_for_readers(shadow, AS_BEFORE)
    assert ask(database, SECURED.format("relkind = 'r' AND NOT relrowsecurity")) == PARTNERS


def test_without_the_roles_of_an_api_nothing_changes(shadow: ShadowDatabase, database: str) -> None:
    run_as_owner(database, "ALTER ROLE anon RENAME TO anonymous")
    try:
        make_base(shadow)
        make_table(shadow)
        update_for_readers(shadow)
        assert ask(database, SECURED.format("relrowsecurity")) == (
            "odoo_shadow_company_access odoo_shadow_stored_document"
        )
    finally:
        run_as_owner(database, "ALTER ROLE anonymous RENAME TO anon")
