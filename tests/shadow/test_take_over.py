"""`odoo-shadow take-over`: what another mirror left in `public` makes room for the shadow's views, whole."""

from __future__ import annotations

from typing import LiteralString

import pytest

from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.take_over import find_left_behind, move_left_behind
from odoo_stand_in import StandIn
from tests.support.hostile_database import Hostile

pytestmark = pytest.mark.attack

ONE_MODEL = ("--models", "res.company")
# As other mirrors make them.
LEFT: tuple[LiteralString, ...] = (
    "CREATE TABLE public.odoo_shadow_res_company (id serial PRIMARY KEY, name text)",
    "CREATE INDEX idx_company_name ON public.odoo_shadow_res_company (name)",
    "INSERT INTO public.odoo_shadow_res_company (name) SELECT 'old' FROM generate_series(1, 5)",
    "ALTER TABLE public.odoo_shadow_res_company ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON public.odoo_shadow_res_company USING (id > 0)",
    "CREATE TABLE public.odoo_shadow_meta (id bigint PRIMARY KEY, table_name text)",
    "CREATE TABLE public.odoo_shadow_x_gone (id bigint PRIMARY KEY)",
    "CREATE VIEW public.odoo_shadow_res_users AS SELECT 1 AS id",
    "CREATE MATERIALIZED VIEW public.odoo_shadow_totals AS SELECT count(*) AS n FROM public.odoo_shadow_res_company",
    "CREATE SEQUENCE public.odoo_shadow_numbers",
    "CREATE TYPE public.odoo_shadow_sale_order AS ENUM ('a')",
    "CREATE FUNCTION public.get_shadow_watermark(p_table_name text) RETURNS timestamptz LANGUAGE sql"
    " AS 'SELECT NULL::timestamptz'",
    "CREATE VIEW public.of_an_analyst AS SELECT name FROM public.odoo_shadow_res_company",
)
IN_SCHEMAS: LiteralString = (
    "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('public', 'odoo_shadow_before') AND c.relkind IN ('r', 'v', 'm', 'S')"
)
MOVED = {
    *("odoo_shadow_res_company", "odoo_shadow_meta", "odoo_shadow_x_gone", "odoo_shadow_res_users"),
    *("odoo_shadow_totals", "odoo_shadow_numbers", "odoo_shadow_res_company_id_seq"),
}


NEWEST = pytest.mark.parametrize("database_server", ["18"], indirect=True)


def leave_behind(hostile: Hostile, *more: LiteralString) -> None:
    """Make what another mirror makes, as the role that mirrors."""
    as_role: LiteralString = "SET ROLE {role}"
    hostile.as_owner(as_role, *LEFT, *more)


def names(hostile: Hostile, schema: str) -> set[str]:
    return {name for found, name in hostile.as_owner(IN_SCHEMAS) if found == schema}


def test_what_is_in_the_way_is_moved_whole_and_the_shadow_has_the_names(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is not None:
        hostile.as_owner("GRANT CREATE ON DATABASE {database} TO {role}")
    leave_behind(hostile)
    doctor = hostile.run(odoo, "doctor", *ONE_MODEL)
    assert doctor.code == 1 and "odoo-shadow take-over" in " ".join(doctor.out.replace("│", "").split())
    stopped = hostile.run(odoo, "sync", *ONE_MODEL)
    assert stopped.code == 2 and "odoo-shadow take-over moves them" in stopped.last_error

    shown = hostile.run(odoo, "take-over")
    assert shown.code == 1 and "give --yes" in shown.err and "Nothing was moved." in shown.last_error
    assert all(name in shown.out for name in MOVED - {"odoo_shadow_res_company_id_seq"})
    assert names(hostile, "odoo_shadow_before") == set()

    moved = hostile.run(odoo, "take-over", "--yes")
    assert (moved.code, moved.err) == (0, "")
    assert "Moved 1 function, 1 materialized view, 1 sequence, 3 tables, 1 type, 1 view" in moved.out
    assert names(hostile, "odoo_shadow_before") == MOVED
    assert names(hostile, "public") == {"of_an_analyst"}
    assert hostile.as_owner("SELECT * FROM public.of_an_analyst LIMIT 1") == [("old",)]
    assert hostile.as_owner(
        "SELECT relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid),"
        " (SELECT count(*) FROM pg_index WHERE indrelid = c.oid) FROM pg_class c"
        " WHERE oid = 'odoo_shadow_before.odoo_shadow_res_company'::regclass"
    ) == [(True, 1, 2)]

    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    assert hostile.as_owner("SELECT count(*) FROM public.odoo_shadow_res_company WHERE name <> 'old'") == [(3,)]
    again = hostile.run(odoo, "take-over")
    assert again.code == 0 and "there is nothing to move" in again.out
    assert "odoo_shadow_res_company" in names(hostile, "public")


def test_it_also_makes_room_for_a_shadow_that_is_there(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_owner("DROP VIEW public.odoo_shadow_res_company, public.odoo_shadow_sync_log CASCADE")
    hostile.as_owner(
        "CREATE SCHEMA IF NOT EXISTS odoo_shadow_before AUTHORIZATION {role}",
        "SET ROLE {role}",
        "CREATE TABLE public.odoo_shadow_res_company (id bigint)",
        "CREATE TABLE public.odoo_shadow_sync_log (id bigint)",
    )
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 1
    moved = hostile.run(odoo, "take-over", "--yes")
    assert moved.code == 0 and "Moved 2 tables" in moved.out
    assert hostile.as_owner("SELECT count(*) FROM public.odoo_shadow_res_company") == [(3,)]
    assert hostile.as_owner("SELECT count(*) > 0 FROM public.odoo_shadow_sync_log") == [(True,)]
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0


@NEWEST
def test_nothing_that_was_moved_before_is_overwritten(hostile: Hostile, odoo: StandIn) -> None:
    leave_behind(hostile)
    hostile.as_owner(
        "CREATE SCHEMA odoo_shadow_before AUTHORIZATION {role}",
        "CREATE TABLE odoo_shadow_before.other (id bigint)",
        "CREATE INDEX idx_company_name ON odoo_shadow_before.other (id)",
    )
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 2 and "already contains these names: idx_company_name" in outcome.last_error
    assert names(hostile, "odoo_shadow_before") == {"other"}


def test_what_another_role_owns_is_moved_by_an_administrator(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is None:
        pytest.skip("a superuser may move everything")
    hostile.as_mallory("CREATE TABLE public.odoo_shadow_res_company (id bigint)")
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 2 and f"belong to other roles ({hostile.mallory})" in outcome.last_error
    statements = [line for line in outcome.out.splitlines() if line.startswith(("CREATE", "ALTER"))]
    assert statements[1] == "ALTER TABLE public.odoo_shadow_res_company SET SCHEMA odoo_shadow_before;"
    hostile.run_text(*statements)
    assert hostile.run(odoo, "take-over", "--yes").code == 0
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0


@NEWEST
def test_a_schema_that_somebody_else_owns_takes_nothing(hostile: Hostile, odoo: StandIn) -> None:
    leave_behind(hostile)
    hostile.as_owner("CREATE SCHEMA odoo_shadow_before AUTHORIZATION {mallory}")
    hostile.as_owner("GRANT ALL ON SCHEMA odoo_shadow_before TO PUBLIC")
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 2 and "ALTER SCHEMA odoo_shadow_before OWNER TO" in outcome.last_error


@NEWEST
def test_a_role_that_may_make_no_schema_is_told_the_statement(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is None:
        pytest.skip("a superuser may make schemas")
    leave_behind(hostile)
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 2 and "CREATE SCHEMA odoo_shadow_before AUTHORIZATION" in outcome.last_error
    assert "odoo_shadow_x_gone" in names(hostile, "public")


@NEWEST
def test_what_goes_with_a_table_of_another_name_is_told(hostile: Hostile, odoo: StandIn) -> None:
    hostile.as_owner("CREATE TABLE public.other (id bigint)", "CREATE INDEX odoo_shadow_meta ON public.other (id)")
    stopped = hostile.run(odoo, "sync", *ONE_MODEL)
    assert stopped.code == 2 and "public.odoo_shadow_meta" in stopped.last_error
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 2 and "ALTER INDEX public.odoo_shadow_meta RENAME TO" in outcome.last_error


@NEWEST
def test_a_second_mirror_keeps_its_views(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is not None:
        hostile.as_owner(
            "CREATE SCHEMA second AUTHORIZATION {role}", "CREATE SCHEMA second_internal AUTHORIZATION {role}"
        )
    assert hostile.run(odoo, "sync", "--schema", "second", *ONE_MODEL).code == 0
    before = names(hostile, "public")
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 0 and "there is nothing to move" in outcome.out
    assert names(hostile, "public") == before


@NEWEST
def test_a_type_of_a_views_name_costs_the_view_only(hostile: Hostile, odoo: StandIn) -> None:
    assert hostile.run(odoo, "sync", *ONE_MODEL).code == 0
    hostile.as_mallory("CREATE TYPE public.odoo_shadow_res_users AS ENUM ('a')")
    outcome = hostile.run(odoo, "sync", "--models", "res.company,res.users")
    assert outcome.code == 1 and "public.odoo_shadow_res_users" in outcome.err
    assert hostile.as_owner("SELECT count(*) > 0 FROM odoo_shadow.odoo_shadow_res_users") == [(True,)]


@NEWEST
@pytest.mark.parametrize("schema", ["public", "elsewhere"])
def test_what_has_the_names_of_the_shadows_own_tables_stops_a_first_run(
    hostile: Hostile, odoo: StandIn, schema: str
) -> None:
    if hostile.role is not None:
        pytest.skip("a mirror in public is an administrator's")
    hostile.as_owner(
        "CREATE SCHEMA elsewhere", "CREATE VIEW {schema}.odoo_shadow_meta AS SELECT 1 AS id", schema=schema
    )
    for arguments in (("sync", *ONE_MODEL), ("doctor", *ONE_MODEL)):
        outcome = hostile.run(odoo, *arguments, "--schema", schema)
        told = " ".join((outcome.out + outcome.err).replace("│", "").split())
        assert outcome.code in (1, 2) and f"({schema}.odoo_shadow_meta)" in told, told
    if schema == "public":
        assert hostile.run(odoo, "take-over", "--yes", "--schema", schema).code == 0
        assert hostile.run(odoo, "sync", *ONE_MODEL, "--schema", schema).code == 0
        # A second mirror leaves the first one's tables alone, and says so.
        outcome = hostile.run(odoo, "sync", *ONE_MODEL)
        assert outcome.code == 0 and "the others show the mirror in schema 'public'" in outcome.err
        refused = hostile.run(odoo, "take-over", "--yes")
        assert refused.code == 2 and "Schema public holds a mirror of this project itself" in refused.last_error


@NEWEST
def test_what_was_not_shown_is_not_moved(hostile: Hostile) -> None:
    leave_behind(hostile)
    with hostile.shadow() as shadow:
        with shadow.transaction() as tx:
            shown = find_left_behind(tx)
        hostile.as_owner("SET ROLE {role}", "CREATE TABLE public.odoo_shadow_x_new (id bigint)")
        with pytest.raises(ShadowConflictError, match="have changed since they were shown"), shadow.transaction() as tx:
            move_left_behind(tx, shown)
    assert names(hostile, "odoo_shadow_before") == set()


@NEWEST
def test_where_old_tables_go_is_no_mirrors_schema(hostile: Hostile, odoo: StandIn) -> None:
    leave_behind(hostile)
    outcome = hostile.run(odoo, "take-over", "--yes", "--schema", "odoo_shadow_before")
    assert outcome.code == 2 and "is where old tables go" in outcome.last_error
    assert names(hostile, "odoo_shadow_before") == set()


@NEWEST
def test_what_came_to_be_in_the_way_since_it_was_shown_stops_all(hostile: Hostile) -> None:
    leave_behind(hostile)
    with hostile.shadow() as shadow:
        with shadow.transaction() as tx:
            shown = find_left_behind(tx)
        hostile.as_owner(
            "CREATE SCHEMA odoo_shadow_before AUTHORIZATION {role}",
            "CREATE TABLE odoo_shadow_before.odoo_shadow_meta (id bigint)",
        )
        with (
            pytest.raises(ShadowConflictError, match="contains these names: odoo_shadow_meta"),
            shadow.transaction() as tx,
        ):
            move_left_behind(tx, shown)
    assert names(hostile, "odoo_shadow_before") == {"odoo_shadow_meta"}


@NEWEST
def test_a_role_that_may_not_create_where_old_tables_go_is_told_the_statement(hostile: Hostile, odoo: StandIn) -> None:
    if hostile.role is None:
        pytest.skip("a superuser may create anywhere")
    leave_behind(hostile)
    hostile.as_owner("CREATE SCHEMA odoo_shadow_before")
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 2 and "GRANT USAGE, CREATE ON SCHEMA odoo_shadow_before TO" in outcome.last_error
    hostile.run_text(outcome.last_error.partition("administrator run: ")[2])
    assert hostile.run(odoo, "take-over", "--yes").code == 0


@NEWEST
def test_what_goes_with_a_table_of_another_name_and_is_in_nobodys_way_stays(hostile: Hostile, odoo: StandIn) -> None:
    hostile.as_owner("CREATE TABLE public.other (id bigint)", "CREATE INDEX odoo_shadow_mine ON public.other (id)")
    outcome = hostile.run(odoo, "take-over", "--yes")
    assert outcome.code == 0 and "there is nothing to move" in outcome.out
