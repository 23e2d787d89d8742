"""With `row_level_security: company`, whoever queries the shadow sees the rows of their companies, and no others."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors, sql

from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.trust import Trust
from tests.support.companies import ONE, RESTRICTED, TWO, caller, each, ids, one_value, seen
from tests.support.memory_source import MemorySource
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.attack

ALL = [1, 2, 3]


def test_who_sees_what(unchanged: str) -> None:
    with caller(unchanged, sub="ada") as user:
        assert seen(user, RESTRICTED) == each([ONE, 3])
        assert ids(user, "res.company") == [ONE] and ids(user, "res.country") == [1]
        assert ids(user, "mail.note") == [3]  # what it points to may be anybody's
        assert ids(user, "sale.subline", "public") == ids(user, "sale.subline", ending="_named") == [ONE, 3]
    with caller(unchanged, app_metadata={"company_ids": [TWO]}) as user:
        assert seen(user, RESTRICTED) == each([TWO, 3])
    with caller(unchanged, sub="ada", company_ids=TWO) as user:
        assert ids(user, "sale.subline") == ALL and ids(user, "res.company") == [ONE, TWO]
    with caller(unchanged, sub="nobody") as user:
        assert seen(user, RESTRICTED) == each([])
        assert ids(user, "mail.note") == [] and ids(user, "res.country") == [1]
    with caller(unchanged, "anon", company_ids=[ONE]) as user, pytest.raises(errors.InsufficientPrivilege):
        ids(user, "res.country", "public")
    with psycopg.connect(unchanged) as owner:
        assert seen(owner, RESTRICTED) == each(ALL)


@pytest.mark.parametrize(
    "claims",
    [
        {"user_metadata": {"company_ids": [ONE]}},  # which users write themselves
        {"app_metadata": {"company_ids": "1"}},
        {"app_metadata": [{"company_ids": [ONE]}], "company_ids": {"1": 1}},
        {"company_ids": [None, "1", 1.5, True, [ONE], 10**30, -1]},
    ],
)
def test_what_is_no_claim_of_companies_gives_none(unchanged: str, claims: dict[str, object]) -> None:
    with caller(unchanged, "authenticated", **claims) as user:
        assert one_value(user, "SELECT odoo_shadow.odoo_shadow_companies()") == []
        assert ids(user, "res.partner") == []


def test_a_session_that_is_not_the_apis_cannot_claim_companies(unchanged: str) -> None:
    with new_role(unchanged) as role:
        run_as_owner(unchanged, "GRANT odoo_shadow_reader TO {role}", role=role)
        with psycopg.connect(as_role(unchanged, role), autocommit=True) as session:
            session.execute("""SELECT set_config('request.jwt.claims', '{"sub": "ada", "company_ids": [1]}', false)""")
            assert ids(session, "sale.order") == []


def test_a_role_has_the_companies_of_the_roles_that_it_is_a_member_of(restricted: str) -> None:
    run_as_owner(
        restricted,
        "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES"
        " ('odoo_shadow_reader', 2), ('there is no such role', 1), ('postgres', 1)",
    )
    with new_role(restricted) as role:
        run_as_owner(restricted, "GRANT odoo_shadow_reader TO {role}", role=role)
        with psycopg.connect(as_role(restricted, role), autocommit=True) as session:
            assert ids(session, "sale.subline") == [TWO, 3]


def test_readers_see_their_own_entries_only_and_write_none(restricted: str) -> None:
    run_as_owner(
        restricted, "INSERT INTO odoo_shadow.odoo_shadow_company_access (user_id, company_id) VALUES ('bob', 2)"
    )
    with caller(restricted, sub="ada") as user:
        assert one_value(user, "SELECT string_agg(user_id, ',') FROM odoo_shadow.odoo_shadow_company_access") == "ada"
        with pytest.raises(errors.InsufficientPrivilege):
            user.execute("INSERT INTO odoo_shadow.odoo_shadow_company_access (user_id, company_id) VALUES ('ada', 2)")


QUESTIONS = {
    "SELECT count(*) FROM odoo_shadow_res_partner": 2,
    "SELECT max(id) FROM odoo_shadow_res_partner WHERE id < 3": ONE,
    "SELECT EXISTS (SELECT FROM odoo_shadow_res_partner WHERE name ILIKE '%of 2')": False,
    "SELECT count(*) FROM odoo_shadow_sale_order o JOIN odoo_shadow_res_partner p ON p.id > 0": 4,
    "SELECT count(*) FROM odoo_shadow_res_partner WHERE 1 / (id - 2) <> 7": 2,  # its row of Two would divide by zero
    "SELECT count(*) FROM odoo_shadow.odoo_shadow_sale_line_named WHERE id = 2": 0,
}
"""What a user of company One asks, and learns."""


def test_no_count_error_join_or_function_shows_other_rows(restricted: str) -> None:
    run_as_owner(
        restricted,
        "CREATE SCHEMA spying AUTHORIZATION authenticated",
        "CREATE TABLE spying.heard (name text)",
        "GRANT ALL ON spying.heard TO authenticated",
        "CREATE FUNCTION spying.hear(name text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN INSERT INTO spying.heard VALUES (name); RETURN true; END $$",
    )
    for schema in ("odoo_shadow", "public"):
        with caller(restricted, sub="ada") as user:
            user.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
            for question, answer in QUESTIONS.items():
                assert one_value(user, question) == answer, question
            assert one_value(user, "SELECT count(*) FROM odoo_shadow_res_partner WHERE spying.hear(name)") == 2
            heard = {name for (name,) in user.execute("SELECT name FROM spying.heard")}
            assert heard == {"Partner of 1", "A partner"}


def test_a_reader_asks_for_the_status_and_the_sync_proves_all_rows(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    trust = Trust(frozenset({"postgres"}), frozenset())
    with new_role(restricted) as role:
        run_as_owner(restricted, "GRANT odoo_shadow_reader TO {role}", role=role)
        with ShadowDatabase.from_url(as_role(restricted, role), trust=trust) as reader, reader.transaction() as tx:
            assert {item.model: item.row_count for item in list_tables(tx, with_errors=False)}["sale.order"] == 3
            assert tx.run("SELECT count(*) FROM odoo_shadow.odoo_shadow_sale_order") == [(0,)]
    for model in RESTRICTED:
        assert found_by(verify(odoo, shadow, model=model)) == {}


def test_who_may_read_a_column_only_asks_for_their_companies(shadow: ShadowDatabase, restricted: str) -> None:
    """Nobody has granted the table of companies to a role that may read two columns."""
    with new_role(restricted) as role:
        run_as_owner(
            restricted,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT (id, company_id) ON odoo_shadow.odoo_shadow_sale_order TO {role}",
            role=role,
        )
        with shadow.transaction() as tx:
            tx.run(
                "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES ({role}, 2)",
                role=role,
            )
        assert update_for_readers(shadow) == ()
        with psycopg.connect(as_role(restricted, role), autocommit=True) as session:
            assert ids(session, "sale.order") == [TWO, 3]
