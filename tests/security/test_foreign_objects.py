"""A schema, a table or code of somebody else is not used, however it is called: it would run with the sync's rights."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from airflow_provider_odoo_shadow.target.errors import ShadowOwnershipError
from airflow_provider_odoo_shadow.target.ownership import list_foreign
from airflow_provider_odoo_shadow.target.trust import Trust
from odoo_stand_in import StandIn
from tests.conftest import Flavour, client_of
from tests.engine.running import StoppedError, mirror
from tests.security.hostile import Hostile

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


@pytest.fixture
def odoo(shared_odoos: dict[Flavour, StandIn]) -> StandIn:
    return shared_odoos["19"]


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
    with client_of(odoo) as client, hostile.shadow() as shadow:
        mirror(client, shadow)
        hostile.as_mallory(*CODE)
        hostile.as_owner(
            "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}",
            "GRANT TRIGGER ON odoo_shadow.odoo_shadow_res_partner TO {mallory}",
        )
        pages = 0

        def meanwhile(_: object) -> None:
            nonlocal pages
            pages += 1
            if pages == 1:
                hostile.as_mallory(
                    "CREATE TRIGGER theirs BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_partner"
                    " FOR EACH ROW EXECUTE FUNCTION public.steal()"
                )

        with pytest.raises(ShadowOwnershipError, match="trigger theirs on odoo_shadow_res_partner"):
            mirror(client, shadow, full=True, batch_size=100, on_progress=meanwhile)
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
    with client_of(odoo) as client, hostile.shadow() as shadow:
        mirror(client, shadow)
        hostile.as_mallory(*CODE)
        hostile.as_owner(
            "GRANT USAGE ON SCHEMA odoo_shadow TO {mallory}",
            "GRANT TRIGGER ON odoo_shadow.odoo_shadow_res_partner TO {mallory}",
        )
        hostile.as_mallory(
            "CREATE TRIGGER audit BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_partner"
            " FOR EACH ROW EXECUTE FUNCTION public.steal()"
        )
        with shadow.transaction() as tx:
            (found,) = list_foreign(tx)
    agreed = Trust(objects=frozenset({found.agreement}))
    with client_of(odoo) as client, hostile.shadow(agreed) as shadow:
        mirror(client, shadow, full=True)
        hostile.as_mallory(
            "CREATE OR REPLACE FUNCTION public.steal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"
        )
        with pytest.raises(ShadowOwnershipError, match="trigger audit"):
            mirror(client, shadow, full=True)


def test_triggers_of_the_sync_role_itself_and_of_superusers_are_no_ones_business(
    hostile: Hostile, odoo: StandIn
) -> None:
    with client_of(odoo) as client, hostile.shadow() as shadow:
        mirror(client, shadow)
        hostile.as_owner(
            "CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
            "CREATE TRIGGER audit BEFORE INSERT OR UPDATE ON odoo_shadow.odoo_shadow_res_partner"
            " FOR EACH ROW EXECUTE FUNCTION public.audit()",
        )
        mirror(client, shadow, full=True)


def test_an_unfinished_run_is_told_too(hostile: Hostile, odoo: StandIn) -> None:
    with client_of(odoo) as client, hostile.shadow() as shadow:

        def stop(_: object) -> None:
            raise StoppedError("in the middle")

        with pytest.raises(StoppedError):
            mirror(client, shadow, batch_size=50, on_progress=stop)
    hostile.as_owner("ALTER TABLE odoo_shadow.odoo_shadow_res_partner OWNER TO {mallory}")
    refused(hostile, odoo, "table odoo_shadow.odoo_shadow_res_partner", hostile.mallory)
