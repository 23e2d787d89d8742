"""Policies are there from the first row on, come back when they are changed, and nothing shows rows beside them."""

from __future__ import annotations

import psycopg
import pytest

from odoo_shadow.mirror.run.for_readers import ForReaders, begin_for_readers, update_for_readers
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.companies import (
    OF_ONE,
    ONE,
    RESTRICTED,
    TWO,
    caller,
    each,
    ids,
    let_users_read,
    one_value,
    seen,
    sync,
    told,
)
from tests.support.memory_source import MemorySource
from tests.support.roles import run_as_owner

pytestmark = pytest.mark.attack

COMPANY, NONE = RowLevelSecurity.COMPANY, RowLevelSecurity.NONE
ALL = [1, 2, 3]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odoo_shadow.shadow.access.protection._PATIENCE", "10ms")


def test_nobody_sees_a_row_before_the_table_has_its_policy(
    odoo: MemorySource, empty_shadow: ShadowDatabase, database: str
) -> None:
    """Lines come before their orders, and the run ends in between."""
    sync(odoo, empty_shadow, ["res.company"], COMPANY)
    let_users_read(database)
    run_as_owner(database, OF_ONE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.companies.update_for_readers", lambda _: ())
        sync(odoo, empty_shadow, ["sale.line", "res.partner"])
        with caller(database, sub="ada") as user:
            assert ids(user, "res.partner") == [ONE, 3]  # it says itself whose its rows are
        with empty_shadow.transaction() as tx:  # planned, and not mirrored yet
            tx.run(
                "INSERT INTO odoo_shadow.odoo_shadow_meta (table_name, odoo_model)"
                " VALUES ('odoo_shadow_sale_order', 'sale.order')"
            )
        run_as_owner(database, "DROP TABLE odoo_shadow.odoo_shadow_sale_line CASCADE")
        sync(odoo, empty_shadow, ["sale.line"], full=True)
    with caller(database, sub="ada") as user:
        assert ids(user, "sale.line") == [] and ids(user, "res.partner") == [ONE, 3]
    sync(odoo, empty_shadow, ["sale.order"])
    with caller(database, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]


def test_what_somebody_changed_is_renewed(shadow: ShadowDatabase, restricted: str) -> None:
    run_as_owner(
        restricted,
        OF_ONE.replace("ada", "bob"),
        "ALTER TABLE odoo_shadow.odoo_shadow_company_access DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE odoo_shadow.odoo_shadow_sale_order DISABLE ROW LEVEL SECURITY",
        "DROP POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_line",
        "ALTER POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_res_partner USING (true)",
        "ALTER POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_account_account TO anon",
    )
    assert "nothing restricts the rows of odoo_shadow_account_account, odoo_shadow_company_access," in told(shadow)
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, RESTRICTED) == each([ONE, 3])
        assert one_value(user, "SELECT string_agg(user_id, ',') FROM odoo_shadow.odoo_shadow_company_access") == "ada"


@pytest.mark.usefixtures("impatient")
def test_a_table_that_cannot_be_restricted_fails_the_run(shadow: ShadowDatabase, restricted: str) -> None:
    with psycopg.connect(restricted) as reader:  # its transaction holds the table
        reader.execute("SELECT FROM odoo_shadow.odoo_shadow_sale_order")
        run_as_owner(
            restricted, "UPDATE odoo_shadow_internal.row_policy SET stored = '' WHERE table_name ~ 'sale_order'"
        )
        (problem,) = update_for_readers(shadow)
    assert problem.startswith("Row-level security of odoo_shadow_sale_order is not up to date: ")
    assert update_for_readers(shadow) == ()


@pytest.mark.usefixtures("impatient")
def test_a_table_in_use_keeps_no_other_from_changing_with_the_mode(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    """Until it is free, its readers see what they saw: the run fails, but its rows come, and the next run goes on."""
    with psycopg.connect(restricted) as reader:
        reader.execute("SELECT FROM odoo_shadow.odoo_shadow_sale_order")
        (problem,) = sync(odoo, shadow, ["uom.uom"], NONE)
        assert problem.startswith("Row-level security of odoo_shadow_sale_order is not up to date: ")
        with caller(restricted, sub="nobody") as user:
            assert ids(user, "sale.order") == [] and ids(user, "res.partner") == ALL
    assert sync(odoo, shadow, ["uom.uom"]) == ()
    with caller(restricted, sub="nobody") as user:
        assert ids(user, "sale.order") == ids(user, "sale.subline") == ALL
    with psycopg.connect(restricted) as reader:
        reader.execute("SELECT FROM odoo_shadow.odoo_shadow_sale_order")
        odoo.write("sale.order", [ONE], name="Written meanwhile")
        odoo.wait()
        (problem,) = sync(odoo, shadow, ["sale.order"], COMPANY)
        assert problem.startswith("Row-level security of odoo_shadow_sale_order is not up to date: ")
        assert "nothing restricts the rows of odoo_shadow_sale_order:" in told(shadow)
        with caller(restricted, sub="ada") as user:
            assert ids(user, "sale.order") == ALL and ids(user, "res.partner") == [ONE, 3]
    assert sync(odoo, shadow, ["uom.uom"]) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, RESTRICTED) == each([ONE, 3])
        assert one_value(user, "SELECT name FROM odoo_shadow.odoo_shadow_sale_order WHERE id = 1").endswith("meanwhile")


def test_a_policy_of_somebodys_own_that_shows_more_fails_the_run(shadow: ShadowDatabase, restricted: str) -> None:
    run_as_owner(
        restricted,
        "CREATE POLICY everything ON odoo_shadow.odoo_shadow_sale_order USING (true)",
        "CREATE POLICY less ON odoo_shadow.odoo_shadow_sale_order AS RESTRICTIVE USING (id > 0)",
        "CREATE POLICY no_more ON odoo_shadow.odoo_shadow_res_country USING (true)",
        "CREATE POLICY several ON odoo_shadow.odoo_shadow_sale_line FOR SELECT TO authenticated USING (id = 2)",
        "CREATE POLICY listed ON odoo_shadow.odoo_shadow_company_access FOR SELECT TO authenticated USING (true)",
    )
    policies = (
        "listed on odoo_shadow_company_access, everything on odoo_shadow_sale_order, several on odoo_shadow_sale_line"
    )
    (problem,) = update_for_readers(shadow)
    assert (
        all(policy in problem for policy in policies.split(", ")) and "less" not in problem and "no_more" not in problem
    )
    assert all(policy in told(shadow) for policy in policies.split(", "))
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.order") == ALL  # it is left alone


def test_a_policy_of_somebodys_own_on_a_closed_table_is_told_only(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    assert sync(odoo, shadow, ["sale.line"], excluding=["order_id"]) == ()
    run_as_owner(
        restricted,
        "CREATE POLICY our_lines ON odoo_shadow.odoo_shadow_sale_line FOR SELECT TO PUBLIC USING (id = 2)",
        "CREATE POLICY our_notes ON odoo_shadow.odoo_shadow_mail_note FOR SELECT TO PUBLIC USING (true)",
    )
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [TWO] and ids(user, "mail.note") == ALL
    assert told(shadow).split(" | ") == [
        "WARNING odoo_shadow_mail_note shows what somebody's own policies allow (our_notes), because nothing that is "
        "known says whose its rows are",
        "WARNING odoo_shadow_sale_line shows what somebody's own policies allow (our_lines), because it has lost "
        "order_id, which restricted it",
    ]


def test_the_mode_stays_until_it_is_changed(odoo: MemorySource, shadow: ShadowDatabase, restricted: str) -> None:
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]
    assert sync(odoo, shadow, ["uom.uom"], NONE) == ()
    assert told(shadow) == ""
    with caller(restricted, sub="nobody") as user:
        assert ids(user, "sale.line") == ALL
    # Of a migration: rows are hidden until a run has found out whose they are.
    let_users_read(restricted, COMPANY)
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == []
    let_users_read(restricted, COMPANY)
    begin_for_readers(shadow, ForReaders())
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]


FUNCTIONS = {
    "companies": (
        "CREATE OR REPLACE FUNCTION odoo_shadow.odoo_shadow_companies() RETURNS bigint[] LANGUAGE sql STABLE"
        " AS $$ SELECT ARRAY[1, 2]::bigint[] $$",
        "ALTER FUNCTION odoo_shadow.odoo_shadow_companies() SECURITY DEFINER",
    ),
    "claims": (
        "CREATE OR REPLACE FUNCTION odoo_shadow.odoo_shadow_claims() RETURNS jsonb LANGUAGE sql STABLE"
        " AS $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $$",
        "DELETE FROM odoo_shadow_internal.row_policy WHERE table_name = 'odoo_shadow_claims()'",
    ),
}


def test_a_replaced_function_fails_the_run(shadow: ShadowDatabase, restricted: str) -> None:
    with psycopg.connect(restricted, autocommit=True) as owner:
        for name, statements in FUNCTIONS.items():
            made = one_value(owner, f"SELECT pg_get_functiondef('odoo_shadow.odoo_shadow_{name}()'::regprocedure)")
            for statement in statements:
                owner.execute(statement.encode())
                (problem,) = update_for_readers(shadow)
                what = f"odoo_shadow_{name}(), which says whose rows a reader sees, has been dropped or changed"
                assert what in problem, statement
                owner.execute(made.encode())
                if not statement.startswith("DELETE"):
                    assert update_for_readers(shadow) == ()


def test_what_shows_rows_without_a_policy_is_told(shadow: ShadowDatabase, restricted: str) -> None:
    run_as_owner(
        restricted,
        "ALTER TABLE odoo_shadow.odoo_shadow_mail_note RENAME TO kept",
        "CREATE VIEW odoo_shadow.odoo_shadow_mail_note AS SELECT * FROM odoo_shadow.kept",
    )
    problems = update_for_readers(shadow)
    assert "the rows of odoo_shadow_mail_note" in " ".join(problems)
