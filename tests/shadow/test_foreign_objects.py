"""A schema, a table or code of somebody else is not used, however it is called: it would run with the sync's rights."""

from __future__ import annotations

from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.owners.ownership import list_foreign
from odoo_shadow.shadow.trust import Trust
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.hostile_database import Hostile
from tests.support.roles import as_role
from tests.support.running import StoppedError, mirror

pytestmark = pytest.mark.attack

TABLE = "odoo_shadow.odoo_shadow_res_company"
ONE_MODEL = ("--models", "res.company")

# What a hostile role makes of its own code: it notes whose rights it runs with.
CODE: tuple[LiteralString, ...] = (
    "CREATE SEQUENCE public.ran",
    "GRANT USAGE ON SEQUENCE public.ran TO PUBLIC",
    "CREATE FUNCTION public.steal() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM pg_catalog.nextval('public.ran'); RETURN NEW; END $$",
    "CREATE FUNCTION public.steal_value() RETURNS text LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM pg_catalog.nextval('public.ran'); RETURN 'x'; END $$",
)


def ran(hostile: Hostile) -> bool:
    return bool(hostile.as_owner("SELECT is_called FROM public.ran")[0][0])


def refused(hostile: Hostile, odoo: StandIn, *words: str) -> None:
    """No command uses what is there, each says why, and doctor lists it."""
    for arguments in (("status",), ("sync", *ONE_MODEL), ("sync", "--dry-run", *ONE_MODEL), ("verify",)):
        outcome = hostile.run(odoo, *arguments)
        assert outcome.code in (1, 2), (arguments, outcome.out)
        for word in words:
            assert word in outcome.err, (arguments, outcome.err)
    outcome = hostile.run(odoo, "doctor", *ONE_MODEL)
    assert outcome.code == 1
    for word in words:
        assert word in " ".join(outcome.out.split()), outcome.out


def test_a_ready_made_schema_is_refused(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is not None:
        hostile.as_owner("DROP SCHEMA odoo_shadow")
    hostile.as_owner("CREATE SCHEMA odoo_shadow AUTHORIZATION {mallory}")
    refused(hostile, odoo, "schema odoo_shadow ", hostile.mallory)
    assert hostile.as_owner("SELECT count(*) FROM pg_class WHERE relnamespace = 'odoo_shadow'::regnamespace") == [(0,)]


def test_a_ready_made_internal_schema_is_refused(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is not None:
        hostile.as_owner("DROP SCHEMA odoo_shadow_internal")
    hostile.as_owner("CREATE SCHEMA odoo_shadow_internal AUTHORIZATION {mallory}")
    hostile.as_mallory("CREATE TABLE odoo_shadow_internal.mirror (schema_version int, hash_key bytea)")
    refused(hostile, odoo, "schema odoo_shadow_internal", hostile.mallory)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE odoo_shadow.odoo_shadow_meta (table_name text, last_error text DEFAULT public.steal_value())",
        "CREATE VIEW odoo_shadow.odoo_shadow_meta AS SELECT public.steal_value() AS table_name",
        "CREATE TABLE odoo_shadow.odoo_shadow_res_company (id bigint PRIMARY KEY, _odoo_write_date timestamptz,"
        " _sync_hash text, name text GENERATED ALWAYS AS ('theirs') STORED)",
    ],
    ids=["control table", "control view", "mirror table"],
)
def test_a_ready_made_table_in_an_own_schema_is_refused(
    hostile: Hostile, odoo: StandIn, statement: LiteralString
) -> None:
    if hostile.role is None:
        hostile.as_owner("CREATE SCHEMA odoo_shadow")
    hostile.as_owner("GRANT CREATE, USAGE ON SCHEMA odoo_shadow TO {mallory}")
    hostile.as_mallory(*CODE, statement)
    refused(hostile, odoo, "odoo_shadow.odoo_shadow_", hostile.mallory)
    assert not ran(hostile)


def test_a_function_of_theirs_in_an_own_schema_is_refused(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is None:
        hostile.as_owner("CREATE SCHEMA odoo_shadow")
    hostile.as_owner("GRANT CREATE, USAGE ON SCHEMA odoo_shadow TO {mallory}")
    hostile.as_mallory(
        "CREATE FUNCTION odoo_shadow.get_shadow_watermark(p_table_name text) RETURNS timestamptz LANGUAGE sql"
        " AS 'SELECT now()'"
    )
    refused(hostile, odoo, "function odoo_shadow.get_shadow_watermark", hostile.mallory)


@pytest.mark.parametrize("table", [TABLE, "odoo_shadow.odoo_shadow_meta", "odoo_shadow.odoo_shadow_watermark"])
def test_a_trigger_of_theirs_does_not_run(hostile: Hostile, odoo: StandIn, table: str) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_mallory(*CODE)
    with psycopg.connect(hostile.url, autocommit=True) as connection:
        connection.execute(f'GRANT USAGE ON SCHEMA odoo_shadow TO "{hostile.mallory}"')
        connection.execute(f'GRANT TRIGGER ON {table} TO "{hostile.mallory}"')
    hostile.as_mallory(
        f"CREATE TRIGGER theirs BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION public.steal()"
    )
    refused(hostile, odoo, "trigger theirs on odoo_shadow_", hostile.mallory)
    assert not ran(hostile)


def test_a_trusted_function_in_a_trigger_of_theirs_does_not_run(hostile: Hostile, odoo: StandIn) -> None:
    # It may call their code in its WHEN, or change what is written.
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_mallory(*CODE)
    hostile.as_owner(
        "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}",
        "GRANT TRIGGER ON odoo_shadow.odoo_shadow_res_company TO {mallory}",
    )
    hostile.as_mallory(
        "CREATE TRIGGER theirs BEFORE UPDATE ON odoo_shadow.odoo_shadow_res_company FOR EACH ROW"
        " WHEN (public.steal_value() IS NOT NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    )
    refused(hostile, odoo, "trigger theirs on odoo_shadow_res_company")
    assert not ran(hostile)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE odoo_shadow.odoo_shadow_res_company ADD own text DEFAULT public.steal_value()",
        "ALTER TABLE odoo_shadow.odoo_shadow_res_company ADD CHECK (public.steal_value() = 'x') NOT VALID",
        "CREATE RULE theirs AS ON UPDATE TO odoo_shadow.odoo_shadow_res_company DO ALSO SELECT public.steal_value()",
        "CREATE POLICY theirs ON odoo_shadow.odoo_shadow_res_company USING (public.steal_value() = 'x')",
    ],
    ids=["default", "constraint", "rule", "policy"],
)
def test_code_of_theirs_in_a_table_that_was_handed_over_does_not_run(
    hostile: Hostile, odoo: StandIn, statement: LiteralString
) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_mallory(*CODE)
    hostile.as_owner(statement)
    before = hostile.as_owner("SELECT last_value, is_called FROM public.ran")  # ADD COLUMN fills rows with its default
    refused(hostile, odoo, "odoo_shadow_res_company")
    assert hostile.as_owner("SELECT last_value, is_called FROM public.ran") == before


def test_a_view_in_the_place_of_a_mirrored_table_is_refused(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_mallory(*CODE)
    hostile.as_owner(
        "DROP TABLE odoo_shadow.odoo_shadow_res_company CASCADE",
        "GRANT CREATE, USAGE ON SCHEMA odoo_shadow TO {mallory}",
    )
    hostile.as_mallory(
        "CREATE VIEW odoo_shadow.odoo_shadow_res_company AS SELECT 1::bigint AS id, public.steal_value()"
    )
    refused(hostile, odoo, "view odoo_shadow.odoo_shadow_res_company", hostile.mallory)
    assert not ran(hostile)


def test_a_trigger_that_comes_while_a_run_is_under_way_does_not_run(hostile: Hostile, odoo: StandIn) -> None:
    with source_of(odoo) as source, hostile.shadow() as shadow:
        mirror(source, shadow)
        hostile.as_mallory(*CODE)
        pages = 0

        def meanwhile(_: object) -> None:
            nonlocal pages
            pages += 1
            if pages == 1:
                hostile.as_owner(
                    "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}",
                    "GRANT TRIGGER ON odoo_shadow.odoo_shadow_res_partner TO {mallory}",
                )
                hostile.as_mallory(
                    "CREATE TRIGGER theirs BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_partner"
                    " FOR EACH ROW EXECUTE FUNCTION public.steal()"
                )

        with pytest.raises(ShadowOwnershipError, match="trigger theirs on odoo_shadow_res_partner"):
            mirror(source, shadow, full=True, batch_size=100, on_progress=meanwhile)
    assert pages == 1
    assert not ran(hostile)


def test_who_is_trusted_by_name_may_own_the_schema(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner(
        "ALTER SCHEMA odoo_shadow OWNER TO {mallory}",
        "ALTER TABLE odoo_shadow.odoo_shadow_res_company OWNER TO {mallory}",
        "GRANT ALL ON SCHEMA odoo_shadow TO {role}",
        "GRANT ALL ON odoo_shadow.odoo_shadow_res_company TO {role}",
    )
    refused(hostile, odoo, hostile.mallory)
    outcome = hostile.run(odoo, "sync", *ONE_MODEL, TRUSTED_ROLES=f"somebody, {hostile.mallory}")
    assert outcome.code == 0, outcome.err
    assert hostile.run(odoo, "status", "--trusted-roles", hostile.mallory).code == 0


def test_a_trigger_that_was_agreed_to_runs_until_it_changes(hostile: Hostile, odoo: StandIn) -> None:
    with source_of(odoo) as source, hostile.shadow() as shadow:
        mirror(source, shadow)
        hostile.as_mallory(*CODE)
        hostile.as_owner(
            "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}",
            "GRANT TRIGGER ON odoo_shadow.odoo_shadow_res_partner TO {mallory}",
        )
        hostile.as_mallory(
            "CREATE TRIGGER audit BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_partner"
            " FOR EACH ROW EXECUTE FUNCTION public.steal()"
        )
        hostile.as_owner("REVOKE TRIGGER ON odoo_shadow.odoo_shadow_res_partner FROM {mallory}")
        with shadow.transaction() as tx:
            (found,) = list_foreign(tx)
    agreed = Trust(objects=frozenset({found.agreement}))
    with source_of(odoo) as source, hostile.shadow(agreed) as shadow:
        mirror(source, shadow, full=True)
        hostile.as_mallory(
            "CREATE OR REPLACE FUNCTION public.steal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"
        )
        with pytest.raises(ShadowOwnershipError, match="trigger audit"):
            mirror(source, shadow, full=True)


def test_triggers_of_the_sync_role_itself_and_of_superusers_are_no_ones_business(
    hostile: Hostile, odoo: StandIn
) -> None:
    with source_of(odoo) as source, hostile.shadow() as shadow:
        mirror(source, shadow)
        hostile.as_owner(
            "CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
            "CREATE TRIGGER audit BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_partner"
            " FOR EACH ROW EXECUTE FUNCTION public.audit()",
        )
        mirror(source, shadow, full=True)


def test_an_unfinished_run_is_told_too(hostile: Hostile, odoo: StandIn) -> None:
    with source_of(odoo) as source, hostile.shadow() as shadow:

        def stop(_: object) -> None:
            raise StoppedError("in the middle")

        with pytest.raises(StoppedError):
            mirror(source, shadow, batch_size=50, on_progress=stop)
    hostile.as_owner("ALTER TABLE odoo_shadow.odoo_shadow_res_partner OWNER TO {mallory}")
    refused(hostile, odoo, "table odoo_shadow.odoo_shadow_res_partner", hostile.mallory)


def test_a_policy_that_hides_rows_from_the_sync_role_is_an_error(hostile: Hostile, odoo: StandIn) -> None:
    """Rows that the mirror does not see would count as missing, or as never there."""
    if hostile.role is None:
        pytest.skip("a superuser sees all rows")
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner(
        "ALTER TABLE odoo_shadow.odoo_shadow_res_company OWNER TO {mallory}",
        "GRANT ALL ON odoo_shadow.odoo_shadow_res_company TO {role}",
        "ALTER TABLE odoo_shadow.odoo_shadow_res_company ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY only_some ON odoo_shadow.odoo_shadow_res_company USING (id > 1)",
    )
    for arguments in (("verify",), ("sync", "--full", *ONE_MODEL)):
        outcome = hostile.run(odoo, *arguments, TRUSTED_ROLES=hostile.mallory)
        assert outcome.code == 1 and "row-level security" in outcome.err, (outcome.out, outcome.err)


RIGHTS: dict[str, LiteralString] = {
    "TRIGGER": "GRANT TRIGGER ON odoo_shadow.odoo_shadow_sync_log TO {mallory}",
    "REFERENCES": "GRANT REFERENCES ON odoo_shadow.odoo_shadow_res_company TO {mallory}",
    "REFERENCES on id": "GRANT REFERENCES (id) ON odoo_shadow.odoo_shadow_res_company TO {mallory}",
    "all": "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow TO PUBLIC",
    "USAGE": "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {mallory}",
}


@pytest.mark.parametrize("statement", RIGHTS.values(), ids=RIGHTS)
def test_a_right_by_which_code_could_come_in_is_refused(
    hostile: Hostile, odoo: StandIn, statement: LiteralString
) -> None:
    """A trigger could come between a look and a use; a foreign key runs casts as the owner of the table."""
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner(statement)
    refused(hostile, odoo, "right ", "revoke")


def test_a_foreign_key_of_theirs_is_refused(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner(
        "CREATE SCHEMA theirs AUTHORIZATION {mallory}",
        "CREATE TABLE theirs.pointing (x bigint REFERENCES odoo_shadow.odoo_shadow_res_company (id))",
        "ALTER TABLE theirs.pointing OWNER TO {mallory}",
    )
    refused(hostile, odoo, "foreign key", "theirs.pointing")


def test_a_child_table_is_refused(hostile: Hostile, odoo: StandIn) -> None:
    """Its rows would count as the mirrored table's."""
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner("CREATE TABLE public.child () INHERITS (odoo_shadow.odoo_shadow_res_company)")
    refused(hostile, odoo, "child table", "odoo_shadow_res_company")


def test_a_when_that_calls_their_code_cannot_be_agreed_to(hostile: Hostile, odoo: StandIn) -> None:
    with source_of(odoo) as source, hostile.shadow() as shadow:
        mirror(source, shadow)
        hostile.as_mallory(*CODE)
        hostile.as_owner(
            "CREATE TRIGGER audit BEFORE UPDATE ON odoo_shadow.odoo_shadow_res_partner FOR EACH ROW"
            " WHEN (public.steal_value() = 'x') EXECUTE FUNCTION public.steal()"
        )
        with shadow.transaction() as tx:
            (found,) = list_foreign(tx)
    assert found.digest is None


def test_default_privileges_do_not_open_the_internal_schema(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is not None:
        hostile.as_owner("DROP SCHEMA odoo_shadow_internal", "GRANT CREATE ON DATABASE {database} TO {role}")
    hostile.as_owner("ALTER DEFAULT PRIVILEGES FOR ROLE {role} GRANT USAGE ON SCHEMAS TO {mallory}")
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        hostile.as_mallory("TABLE odoo_shadow_internal.mirror")


def test_the_files_of_ddl_look_before_they_use_anything(hostile: Hostile, odoo: StandIn, tmp_path: Path) -> None:
    assert hostile.run(odoo, "ddl", "--models", "res.company", "--output", str(tmp_path)).code == 0
    if hostile.role is not None:
        hostile.as_owner("DROP SCHEMA odoo_shadow")
    hostile.as_owner("CREATE SCHEMA odoo_shadow AUTHORIZATION {mallory}")
    hostile.as_mallory(
        *CODE,
        "CREATE TABLE odoo_shadow.odoo_shadow_meta (table_name text PRIMARY KEY, odoo_model text UNIQUE)",
        "CREATE TRIGGER theirs BEFORE INSERT ON odoo_shadow.odoo_shadow_meta FOR EACH ROW"
        " EXECUTE FUNCTION public.steal()",
    )
    for file in sorted(tmp_path.glob("*.sql")):
        with (
            psycopg.connect(hostile.mirror_url) as connection,
            pytest.raises(psycopg.errors.RaiseException, match="other roles own or control"),
        ):
            connection.execute(file.read_bytes())
    assert not ran(hostile)


@pytest.mark.nightly
def test_a_name_that_is_under_way_in_public_costs_the_view_only(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    with psycopg.connect(as_role(hostile.url, hostile.mallory)) as theirs:
        theirs.execute("CREATE TABLE public.odoo_shadow_res_country (id bigint)")
        outcome = hostile.run(odoo, "sync", "--models", "res.country")
        assert outcome.code == 0, outcome.err
        theirs.rollback()
    assert hostile.as_owner("SELECT count(*) > 0 FROM odoo_shadow.odoo_shadow_res_country") == [(True,)]
    hostile.as_owner("UPDATE odoo_shadow.odoo_shadow_res_country SET name = 'x'")
    assert hostile.run(odoo, "sync", "--full", "--models", "res.country").code == 0
    assert hostile.as_owner("SELECT count(*) > 0 FROM public.odoo_shadow_res_country") == [(True,)]
