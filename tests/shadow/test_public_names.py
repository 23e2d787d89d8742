"""What stands in `public` under the shadow's names and belongs to no mirror is never taken for the shadow."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.shadow.install import ensure_base
from odoo_stand_in import StandIn
from tests.support.hostile_database import Hostile

pytestmark = pytest.mark.attack

ONE_MODEL = ("--models", "res.company")
VIEW = "odoo_shadow_res_company"
MARK: LiteralString = "COMMENT ON VIEW public.odoo_shadow_res_company IS 'Kept by odoo-shadow for schema odoo_shadow'"
FAKE: LiteralString = "CREATE VIEW public.odoo_shadow_res_company AS SELECT 666::bigint AS id"


def owner_of(hostile: Hostile, name: str) -> str:
    with psycopg.connect(hostile.url) as connection:
        row = connection.execute(
            "SELECT pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relname = %s",
            [name],
        ).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    "statements",
    [
        (FAKE, MARK),
        ("CREATE TABLE public.odoo_shadow_res_company (id bigint)",),
        ("CREATE VIEW public.odoo_shadow_meta AS SELECT 'x' AS table_name",),
        (
            "CREATE FUNCTION public.get_shadow_watermark(p_table_name text) RETURNS timestamptz LANGUAGE sql"
            " AS 'SELECT now()'",
        ),
    ],
    ids=["view with the mirror's comment", "table", "control view", "function"],
)
def test_a_first_run_stops_before_anything_is_read(
    hostile: Hostile, odoo: StandIn, statements: tuple[LiteralString, ...]
) -> None:
    hostile.as_mallory(*statements)
    odoo.calls.clear()
    foreseen = hostile.run(odoo, "sync", "--dry-run", *ONE_MODEL)
    assert foreseen.code == 1 and "would fail" in foreseen.err and "something else" in foreseen.err
    outcome = hostile.run(odoo, "sync", *ONE_MODEL)
    assert outcome.code == 2
    assert "in schema public belongs to something else (public." in outcome.last_error
    assert "odoo-shadow take-over" in outcome.last_error
    assert ("res.company", "search_read") not in odoo.calls
    tables = (
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname ~ '^odoo_shadow'"
    )
    assert hostile.as_owner(tables) == [(0,)]


@pytest.mark.parametrize("database_server", ["18"], indirect=True)
def test_a_first_run_stops_where_files_of_ddl_have_made_the_schema(hostile: Hostile, odoo: StandIn) -> None:
    with hostile.shadow() as shadow, shadow.transaction() as tx:
        ensure_base(tx)
    hostile.as_mallory(FAKE)
    outcome = hostile.run(odoo, "sync", *ONE_MODEL)
    assert outcome.code == 2 and f"(public.{VIEW})" in outcome.last_error
    assert hostile.as_owner("SELECT count(*) FROM odoo_shadow.odoo_shadow_meta") == [(0,)]


def test_after_the_cure_the_run_goes_on(hostile: Hostile, odoo: StandIn) -> None:
    hostile.as_mallory(FAKE)
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 2
    hostile.as_owner("CREATE SCHEMA before", "ALTER VIEW public.odoo_shadow_res_company SET SCHEMA before")
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    assert hostile.as_owner("SELECT count(*) > 0 FROM public.odoo_shadow_res_company WHERE id <> 666") == [(True,)]


def test_where_it_appears_later_data_are_mirrored_and_the_run_says_so(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_mallory("CREATE VIEW public.odoo_shadow_res_users AS SELECT 666::bigint AS id")
    outcome = hostile.run(odoo, "sync", "--models", "res.company,res.users")
    assert outcome.code == 1
    assert (
        "public.odoo_shadow_res_users" in outcome.err and "The mirrored tables are in schema odoo_shadow" in outcome.err
    )
    assert hostile.as_owner("SELECT count(*) > 0 FROM odoo_shadow.odoo_shadow_res_users") == [(True,)]
    assert owner_of(hostile, "odoo_shadow_res_users") == hostile.mallory
    doctor = hostile.run(odoo, "doctor", *ONE_MODEL)
    assert doctor.code == 1 and "public.odoo_shadow_res_users" in " ".join(doctor.out.split())


def test_a_view_that_was_replaced_is_not_taken_back_by_its_comment(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner("DROP VIEW public.odoo_shadow_res_company CASCADE")
    hostile.as_mallory(FAKE, MARK)
    outcome = hostile.run(odoo, "sync", "--full", *ONE_MODEL)
    assert outcome.code == 1 and "public.odoo_shadow_res_company" in outcome.err
    assert owner_of(hostile, VIEW) == hostile.mallory


def test_a_view_that_was_handed_to_another_role_is_not_replaced(hostile: Hostile, odoo: StandIn) -> None:
    # CREATE OR REPLACE would keep its owner, who could change it later.
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner(
        "ALTER VIEW public.odoo_shadow_res_company OWNER TO {mallory}",
        "ALTER FUNCTION public.get_shadow_watermark OWNER TO {mallory}",
    )
    outcome = hostile.run(odoo, "sync", "--full", *ONE_MODEL)
    assert outcome.code == 1
    assert "public.odoo_shadow_res_company" in outcome.err and "public.get_shadow_watermark" in outcome.err


def test_another_mirror_is_not_in_the_way(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is not None:
        hostile.as_owner(
            "CREATE SCHEMA second AUTHORIZATION {role}", "CREATE SCHEMA second_internal AUTHORIZATION {role}"
        )
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    outcome = hostile.run(odoo, "sync", "--schema", "second", *ONE_MODEL)
    assert outcome.code == 0, outcome.err
    assert hostile.run(odoo, "sync", "--full", *ONE_MODEL).code == 0


def test_after_a_restored_dump_the_views_are_known_again(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    # What a restore does to them: the same definitions under other object ids.
    hostile.as_owner("UPDATE odoo_shadow_internal.made_object SET object_id = 1, definition_digest = 'another'")
    assert hostile.run(odoo, "sync", "--full", *ONE_MODEL).code == 0


def test_a_view_with_names_is_not_known_by_its_comment(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is None:
        hostile.as_owner("CREATE SCHEMA odoo_shadow")
    hostile.as_owner("GRANT CREATE, USAGE ON SCHEMA odoo_shadow TO {mallory}")
    hostile.as_mallory(
        "CREATE VIEW odoo_shadow.odoo_shadow_res_company_named AS SELECT 666 AS id",
        "COMMENT ON VIEW odoo_shadow.odoo_shadow_res_company_named"
        " IS 'Kept by odoo-shadow, with names beside ids: odoo_shadow_res_company'",
    )
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    views = hostile.as_owner(
        "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname LIKE 'odoo\\_shadow\\_res\\_company%named'"
        " AND relnamespace = 'odoo_shadow'::regnamespace"
    )
    assert sorted(str(owner) for (owner,) in views) == sorted([hostile.mallory, hostile.role or "postgres"])


@pytest.mark.parametrize("statement", [FAKE, "CREATE TABLE public.odoo_shadow_res_company_named (id bigint)"])
def test_what_a_trusted_role_made_for_another_purpose_is_not_the_shadow_either(
    hostile: Hostile, odoo: StandIn, statement: LiteralString
) -> None:
    hostile.as_owner(statement)
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 2
