"""Related rows as PostgREST embeds them: along functions in `public`, which the catalogue says and the sync keeps.

No PostgREST runs here. What it looks for is asked of PostgreSQL's catalogue: a function with one argument, the row type
of a relation, that returns rows of another; for at most one row it must say ROWS 1. What it runs is a join with a call
of that function on the row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.health.exposures import examine_exposures
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.columns import Column
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.views.relationships import renew_relationships
from tests.support.catalog import structure
from tests.support.named_tables import CUSTOMER, SELLER, bigint, many2one, orders, partners, text, users
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_table

MINE = "odoo_shadow"
ORDER, PARTNER, USER = "odoo_shadow_sale_order", "odoo_shadow_res_partner", "odoo_shadow_res_users"
COUNTRY = "odoo_shadow_res_country"
# Facts of PostgREST's schema cache (SchemaCache.hs, allComputedRels), asked in another way.
SEEN: LiteralString = """
    SELECT p.proname::text, taken.relname::text, given.relname::text, p.proretset AND p.prorows = 1,
        taken.relkind = 'v' AND given.relkind = 'v', n.nspname = 'public'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_class taken ON taken.reltype = p.proargtypes[0] AND p.pronargs = 1
    JOIN pg_class given ON given.reltype = p.prorettype
    WHERE n.nspname !~ '^pg_'"""
EMBEDDED: LiteralString = """
    SELECT o.name, p.name, c.name FROM public.odoo_shadow_sale_order AS o
    LEFT JOIN LATERAL public.partner_id(o::public.odoo_shadow_sale_order) AS p ON true
    LEFT JOIN LATERAL public.country_id(p::public.odoo_shadow_res_partner) AS c ON true ORDER BY o.id"""
LISTED: LiteralString = """
    SELECT p.name, (SELECT array_agg(o.name ORDER BY o.id)
        FROM public.odoo_shadow_sale_order_by_partner_id(p::public.odoo_shadow_res_partner) AS o)
    FROM public.odoo_shadow_res_partner AS p ORDER BY p.id"""
NAMED: LiteralString = """
    SELECT o.partner_id_name, p.country_id_name FROM public.odoo_shadow_sale_order_named AS o
    LEFT JOIN LATERAL public.partner_id(o::public.odoo_shadow_sale_order_named) AS p ON true ORDER BY o.id"""


@pytest.fixture
def rows(shadow: ShadowDatabase, database: str) -> Iterator[psycopg.Connection]:
    """A person's connection; the mirror has a country, two partners, a user and three orders."""
    make_table(shadow, "res.country", [text("name")], name_path="name")
    partners(shadow, text("name"), many2one("country_id", "res.country"))
    users(shadow)
    orders(shadow, text("name"), CUSTOMER, SELLER, many2one("create_uid", "res.users"))
    update_for_readers(shadow)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_res_country (id, name) VALUES (7, 'Chile');"
            "INSERT INTO odoo_shadow.odoo_shadow_res_partner (id, name, country_id)"
            " VALUES (5, 'Zoë', 7), (6, 'Ann', NULL);"
            "INSERT INTO odoo_shadow.odoo_shadow_sale_order (id, name, partner_id)"
            " VALUES (1, 'S1', 5), (2, 'S2', NULL), (3, 'S3', 5)"
        )
        yield connection


def seen(database: str) -> dict[tuple[str, str, str], bool]:
    """The relationships that PostgREST would see, and whether it takes each to lead to one row at most."""
    with psycopg.connect(database) as connection:
        found = connection.execute(SEEN).fetchall()
    assert all(are_views and in_public for *_, are_views, in_public in found)
    return {(name, taken, given): is_one for name, taken, given, is_one, *_ in found}


def query(connection: psycopg.Connection, statement: LiteralString) -> list[tuple[object, ...]]:
    return connection.execute(statement).fetchall()


def test_postgrest_sees_each_link_in_both_directions(rows: psycopg.Connection, database: str) -> None:
    forward = [("partner_id", ORDER, PARTNER), ("user_id", ORDER, USER), ("create_uid", ORDER, USER)]
    forward += [("partner_id", USER, PARTNER), ("country_id", PARTNER, COUNTRY)]
    back = [(f"{ORDER}_by_partner_id", PARTNER, ORDER), (f"{ORDER}_by_user_id", USER, ORDER)]
    back += [(f"{USER}_by_partner_id", PARTNER, USER), (f"{PARTNER}_by_country_id", COUNTRY, PARTNER)]
    named = [(name, f"{taken}_named", f"{given}_named") for name, taken, given in forward]
    assert seen(database) == {**dict.fromkeys(forward + named, True), **dict.fromkeys(back, False)}


def test_a_reader_gets_related_rows(rows: psycopg.Connection, database: str) -> None:
    with new_role(database) as role:
        run_as_owner(database, "GRANT USAGE ON SCHEMA odoo_shadow TO {role}", role=role)
        run_as_owner(database, "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}", role=role)
        with psycopg.connect(as_role(database, role), autocommit=True) as reader:
            assert query(reader, EMBEDDED) == [("S1", "Zoë", "Chile"), ("S2", None, None), ("S3", "Zoë", "Chile")]
            assert query(reader, LISTED) == [("Zoë", ["S1", "S3"]), ("Ann", None)]
            assert query(reader, NAMED) == [("Zoë", "Chile"), (None, None), ("Zoë", "Chile")]
            run_as_owner(database, "REVOKE SELECT ON odoo_shadow.{table} FROM {role}", table=PARTNER, role=role)
            for statement in (EMBEDDED, LISTED, NAMED):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    query(reader, statement)
            # A policy counts as in a plain query of the table.
            run_as_owner(
                database,
                "GRANT SELECT ON odoo_shadow.{table} TO {role}",
                "ALTER TABLE odoo_shadow.{table} ENABLE ROW LEVEL SECURITY",
                "CREATE POLICY no_zoe ON odoo_shadow.{table} FOR SELECT USING (name <> 'Zoë')",
                table=PARTNER,
                role=role,
            )
            assert query(reader, EMBEDDED) == [("S1", None, None), ("S2", None, None), ("S3", None, None)]


def test_no_callers_path_decides_what_they_read(rows: psycopg.Connection) -> None:
    rows.execute("CREATE TEMPORARY TABLE odoo_shadow_res_partner AS SELECT 5 AS id, 'theirs' AS name")
    rows.execute("SET search_path = pg_temp, public")
    assert query(rows, EMBEDDED)[0][1] == "Zoë"
    paths = query(rows, "SELECT DISTINCT proconfig[1] FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
    assert paths == [("search_path=pg_catalog, pg_temp",)]


def test_who_may_read_a_view_may_call_its_functions_and_nobody_else(
    rows: psycopg.Connection, shadow: ShadowDatabase, database: str
) -> None:
    may_call: LiteralString = (
        "SELECT has_function_privilege({role}, 'public.partner_id(public.odoo_shadow_sale_order)', 'EXECUTE'),"
        " has_function_privilege({other}, 'public.partner_id(public.odoo_shadow_sale_order)', 'EXECUTE')"
    )
    with new_role(database) as role, new_role(database) as other:
        run_as_owner(
            database,
            "REVOKE ALL ON public.{view} FROM PUBLIC",
            "GRANT SELECT ON public.{view} TO {role}",
            view=ORDER,
            role=role,
        )
        renew_relationships(shadow)
        asked = sql.SQL(may_call).format(role=role, other=other)
        assert rows.execute(asked).fetchone() == (True, False)
        run_as_owner(database, "GRANT SELECT ON public.{view} TO PUBLIC", view=ORDER)
        renew_relationships(shadow)
        assert rows.execute(asked).fetchone() == (True, True)


CHANGES: dict[str, list[Column]] = {
    "another target": [text("name"), many2one("partner_id", "res.users")],
    "another type": [text("name"), text("partner_id")],
    "vanished": [text("name")],
    "a column more": [text("code"), text("name"), CUSTOMER],
    "a column widened": [text("name"), CUSTOMER, text("number")],
    "a column replaced": [bigint("name"), CUSTOMER],
}


@pytest.mark.sampled
@pytest.mark.parametrize("change", CHANGES)
def test_they_follow_the_tables(shadow: ShadowDatabase, database: str, change: str) -> None:
    partners(shadow)
    users(shadow)
    orders(shadow, text("name"), CUSTOMER, bigint("number"))
    update_for_readers(shadow)
    orders(shadow, *CHANGES[change])
    update_for_readers(shadow)
    found = {key for key in seen(database) if ORDER in key}
    partner = {("partner_id", ORDER, PARTNER), (f"{ORDER}_by_partner_id", PARTNER, ORDER)}
    user = {("partner_id", ORDER, USER), (f"{ORDER}_by_partner_id", USER, ORDER)}
    assert found == {"another target": user, "another type": set(), "vanished": set()}.get(change, partner)
    # They stood in no change's way.
    columns = [row[1:] for row in structure(database)["columns"] if row[1] == ORDER and row[0] == "public"]
    assert columns == [
        (*row[1:5], False, "", None) for row in structure(database)["columns"] if row[:2] == (MINE, ORDER)
    ]
    assert ("name__text" in {row[2] for row in columns}) == (change == "a column replaced")
    assert not {"number__bigint", "partner_id__bigint"} & {row[2] for row in columns}


def test_somebody_elses_function_is_left_alone_and_told(
    shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    partners(shadow)
    table = orders(shadow)
    theirs: LiteralString = (
        "CREATE FUNCTION public.partner_id(public.{table}) RETURNS text LANGUAGE sql AS $$ SELECT 'theirs' $$"
    )
    run_as_owner(database, theirs, table=table)
    with caplog.at_level(logging.WARNING):
        update_for_readers(shadow)
    assert f"public.partner_id({ORDER}): left as they are" in caplog.text
    with shadow.transaction() as tx:
        (finding,) = examine_exposures(tx)
    assert finding.text.startswith(f"public.partner_id({ORDER}): PostgREST calls")
    assert ("partner_id", ORDER, PARTNER) not in seen(database)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO odoo_shadow.odoo_shadow_sale_order (id) VALUES (1)")
        assert query(connection, "SELECT public.partner_id(o) FROM public.odoo_shadow_sale_order o") == [("theirs",)]
    run_as_owner(database, "DROP FUNCTION public.partner_id(public.{table})", table=table)
    update_for_readers(shadow)
    assert ("partner_id", ORDER, PARTNER) in seen(database)
    # What was the mirror's own is theirs once they have changed it.
    run_as_owner(database, "ALTER FUNCTION public.partner_id(public.{table}) ROWS 20", table=table)
    orders(shadow, text("name"))
    update_for_readers(shadow)
    assert seen(database)["partner_id", ORDER, PARTNER] is False


def test_what_is_in_the_way_of_one_stops_no_other(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    orders(shadow, CUSTOMER, many2one("other_id", "res.partner"))
    update_for_readers(shadow)
    run_as_owner(
        database,
        "CREATE VIEW public.theirs AS SELECT (p).name FROM public.odoo_shadow_sale_order o, public.other_id(o) AS p",
    )
    users(shadow)
    orders(shadow, many2one("other_id", "res.users"), many2one("partner_id", "res.users"))
    update_for_readers(shadow)
    assert {("other_id", ORDER, PARTNER), ("partner_id", ORDER, USER)} <= seen(database).keys()
    run_as_owner(database, "DROP VIEW public.theirs")
    update_for_readers(shadow)
    assert ("other_id", ORDER, USER) in seen(database)


def test_no_field_takes_the_place_of_a_function_of_postgresql(shadow: ShadowDatabase, database: str) -> None:
    """For a row of the view, `row_to_json(…)` would be the mirror's: whoever names a field in Odoo would decide."""
    partners(shadow)
    orders(shadow, many2one("row_to_json", "res.partner"), many2one('o"dd(id', "res.partner"))
    update_for_readers(shadow)
    names = {name for name, taken, _ in seen(database) if taken == ORDER}
    assert names == {'o"dd(id'}
    assert (f"{ORDER}_by_row_to_json", PARTNER, ORDER) not in seen(database)


def test_long_names_and_names_of_two_meanings_stay_apart(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    long = "x" * 60 + "_id"
    back: set[tuple[str, str, str]] = set()
    for model in ("x.one.by.two", "x.one", "x." + "long_" * 12):
        columns = [many2one(name, "res.partner") for name in ("two_by_three", "three", long)]
        make_table(shadow, model, columns)
        update_for_readers(shadow)
        now = {key for key, is_one in seen(database).items() if not is_one}
        assert back <= now, "another model has taken the name of one"
        back = now
    assert len(back) == len({name for name, *_ in back}) == 9


def test_a_restored_dump_keeps_them(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    orders(shadow)
    update_for_readers(shadow)
    before = seen(database)
    with psycopg.connect(database) as connection:  # in a restored database, all objects have other ids
        connection.execute("UPDATE odoo_shadow_internal.made_object SET object_id = 1")
    update_for_readers(shadow)
    assert seen(database) == before
    orders(shadow, text("name"))
    update_for_readers(shadow)
    assert seen(database).keys() == {key for key in before if ORDER not in key and f"{ORDER}_named" not in key}
