"""With `row_level_security: company`, whoever queries the shadow sees the rows of their companies, and no others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from odoo_shadow.mirror.health.readers import examine_readers
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.source.fields import Field
from tests.support.companies import (
    ONE,
    TWO,
    api_roles,
    caller,
    ids,
    let_users_read,
    one_value,
    seen,
    sync,
    two_companies,
)
from tests.support.memory_source import MemorySource
from tests.support.roles import as_role, run_as_owner
from tests.support.verifying import found_by, verify
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.attack

COMPANY, NONE = RowLevelSecurity.COMPANY, RowLevelSecurity.NONE
RESTRICTED = ("res.partner", "account.account", "sale.order", "sale.line", "sale.subline")
ALL = [1, 2, 3]
OF_ONE = "INSERT INTO odoo_shadow.odoo_shadow_company_access (user_id, company_id) VALUES ('ada', 1)"


def each(numbers: list[int]) -> dict[str, list[int]]:
    return dict.fromkeys(RESTRICTED, numbers)


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[str]:
    """The URL of a server's maintenance database; the server has the roles of an API."""
    with api_roles(postgres):
        yield postgres


@pytest.fixture(scope="module")
def project(server: str) -> Iterator[tuple[str, MemorySource]]:
    """A database whose rows are restricted, as `init supabase` sets it up, to be copied; and its Odoo."""
    url, odoo = new_database(server), two_companies()
    with ShadowDatabase.from_url(url) as shadow:
        assert sync(odoo, shadow, mode=COMPANY) == ()
        let_users_read(url)
        run_as_owner(url, OF_ONE)
        assert sync(odoo, shadow) == ()
    yield url, odoo
    drop_database(server, url)


@pytest.fixture
def odoo(project: tuple[str, MemorySource]) -> MemorySource:
    return deepcopy(project[1])


@pytest.fixture
def restricted(server: str, project: tuple[str, MemorySource]) -> Iterator[str]:
    """The URL of this test's copy."""
    url = new_database(server, template=project[0])
    yield url
    drop_database(server, url)


@pytest.fixture
def shadow(restricted: str) -> Iterator[ShadowDatabase]:
    """This test's copy, as the sync's role."""
    with ShadowDatabase.from_url(restricted, name="shadow_db") as opened:
        yield opened


@pytest.fixture
def empty_shadow(server: str, database: str) -> Iterator[ShadowDatabase]:
    with ShadowDatabase.from_url(database, name="shadow_db") as opened:
        yield opened


def test_who_sees_what(restricted: str) -> None:
    with caller(restricted, sub="ada") as user:
        assert seen(user, RESTRICTED) == each([ONE, 3])
        assert ids(user, "res.company") == [ONE] and ids(user, "res.country") == [1]
        assert ids(user, "mail.note") == [3]  # what it points to may be anybody's
        assert ids(user, "sale.subline", "public") == ids(user, "sale.subline", ending="_named") == [ONE, 3]
    with caller(restricted, app_metadata={"company_ids": [TWO]}) as user:
        assert seen(user, RESTRICTED) == each([TWO, 3])
    with caller(restricted, sub="ada", company_ids=TWO) as user:
        assert ids(user, "sale.subline") == ALL and ids(user, "res.company") == [ONE, TWO]
    with caller(restricted, sub="nobody") as user:
        assert seen(user, RESTRICTED) == each([])
        assert ids(user, "mail.note") == [] and ids(user, "res.country") == [1]
    with caller(restricted, "anon", company_ids=[ONE]) as user, pytest.raises(errors.InsufficientPrivilege):
        ids(user, "res.country", "public")
    with psycopg.connect(restricted) as owner:
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
def test_what_is_no_claim_of_companies_gives_none(restricted: str, claims: dict[str, object]) -> None:
    with caller(restricted, "authenticated", **claims) as user:
        assert one_value(user, "SELECT odoo_shadow.odoo_shadow_companies()") == []
        assert ids(user, "res.partner") == []


def test_a_session_that_is_not_the_apis_cannot_claim_companies(restricted: str) -> None:
    run_as_owner(restricted, "GRANT odoo_shadow_reader TO anon")
    with psycopg.connect(as_role(restricted, "anon"), autocommit=True) as session:
        session.execute("""SELECT set_config('request.jwt.claims', '{"sub": "ada", "company_ids": [1]}', false)""")
        assert ids(session, "sale.order") == []


def test_a_role_has_the_companies_of_the_roles_that_it_is_a_member_of(restricted: str) -> None:
    run_as_owner(
        restricted,
        "GRANT odoo_shadow_reader TO anon",
        "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES"
        " ('odoo_shadow_reader', 2), ('there is no such role', 1), ('postgres', 1)",
    )
    with psycopg.connect(as_role(restricted, "anon"), autocommit=True) as session:
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


@pytest.mark.parametrize("schema", ["odoo_shadow", "public"])
def test_no_count_error_join_or_function_shows_other_rows(restricted: str, schema: str) -> None:
    run_as_owner(
        restricted,
        "CREATE SCHEMA spying AUTHORIZATION authenticated",
        "CREATE TABLE spying.heard (name text)",
        "GRANT ALL ON spying.heard TO authenticated",
        "CREATE FUNCTION spying.hear(name text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$ BEGIN INSERT INTO spying.heard VALUES (name); RETURN true; END $$",
    )
    with caller(restricted, sub="ada") as user:
        user.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        for question, answer in QUESTIONS.items():
            assert one_value(user, question) == answer, question
        assert one_value(user, "SELECT count(*) FROM odoo_shadow_res_partner WHERE spying.hear(name)") == 2
        heard = {name for (name,) in user.execute("SELECT name FROM spying.heard")}
        assert heard == {"Partner of 1", "A partner"}


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
    sync(odoo, empty_shadow)
    with caller(database, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]


def test_a_reader_asks_for_the_status_and_the_sync_proves_all_rows(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    run_as_owner(restricted, "GRANT odoo_shadow_reader TO anon")
    trust = Trust(frozenset({"postgres"}), frozenset())
    with ShadowDatabase.from_url(as_role(restricted, "anon"), trust=trust) as reader, reader.transaction() as tx:
        assert {item.model: item.row_count for item in list_tables(tx, with_errors=False)}["sale.order"] == 3
        assert tx.run("SELECT count(*) FROM odoo_shadow.odoo_shadow_sale_order") == [(0,)]
    for model in RESTRICTED:
        assert found_by(verify(odoo, shadow, model=model)) == {}


def test_a_policy_keeps_no_column_from_changing(odoo: MemorySource, shadow: ShadowDatabase, restricted: str) -> None:
    """The order's company becomes a text and, as a new column that is filled again, a company once more."""
    fields = odoo.models["sale.order"].fields
    company = fields["company_id"]
    fields["company_id"] = Field("company_id", "char")
    assert sync(odoo, shadow) == ()
    with psycopg.connect(restricted) as owner:
        columns = "SELECT string_agg(attname || ' ' || atttypid::regtype, ', ') FROM pg_attribute WHERE attrelid ="
        found = one_value(owner, f"{columns} 'odoo_shadow.odoo_shadow_sale_order'::regclass AND attname ~ '^company'")
        assert found == "company_id text"  # in place: none is kept beside it
    fields["company_id"] = company
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert seen(user, RESTRICTED) == each([ONE, 3])


def test_a_company_without_values_yet_shows_no_row(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes get a company, and the run ends before it has filled the column: NULL is not "shared" there."""
    odoo.models["mail.note"].fields["company_id"] = Field("company_id", "many2one", relation="res.company")
    for record in odoo.models["mail.note"].records.values():
        record["company_id"] = TWO
    monkeypatch.setattr("odoo_shadow.mirror.sync.model.fill_new_columns", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sync(odoo, shadow)
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "mail.note") == []
    monkeypatch.undo()
    assert sync(odoo, shadow) == ()
    with caller(restricted, company_ids=TWO) as user:
        assert ids(user, "mail.note") == ALL


def test_a_company_that_is_no_longer_mirrored_closes_its_table(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    del odoo.models["sale.order"].fields["company_id"]
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.order") == [] and ids(user, "sale.line") == [3]
    with shadow.transaction() as tx:
        told = " ".join(item.text for item in examine_readers(tx))
    assert "odoo_shadow_sale_order shows no rows to readers, because its model has a company that is not" in told


def _pop(model: str, field: str) -> Callable[[MemorySource], object]:
    return lambda odoo: odoo.models[model].fields.pop(field)


def _becomes(model: str, field: Field) -> Callable[[MemorySource], object]:
    return lambda odoo: odoo.models[model].fields.update({field.name: field})


LOSSES: dict[str, tuple[str, str, Callable[[MemorySource], object] | str]] = {
    "a link vanishes": ("sale.line", "order_id", _pop("sale.line", "order_id")),
    "a link becomes a text": ("sale.line", "order_id", _becomes("sale.line", Field("order_id", "char"))),
    "a link depends on the company": (
        "sale.line",
        "order_id",
        _becomes("sale.line", Field("order_id", "many2one", relation="sale.order", company_dependent=True)),
    ),
    "a link points elsewhere": (
        "sale.line",
        "order_id",
        _becomes("sale.line", Field("order_id", "many2one", relation="res.country")),
    ),
    "a link's column is dropped": (
        "sale.line",
        "order_id",
        "ALTER TABLE odoo_shadow.odoo_shadow_sale_line DROP COLUMN order_id CASCADE",
    ),
    "a record of any model vanishes": ("mail.note", "res_id", _pop("mail.note", "res_id")),
    "a company becomes a text": ("sale.order", "", _becomes("sale.order", Field("company_id", "char"))),
}
"""By what is lost: of which model, which field is told, and how it happens."""


@pytest.mark.parametrize("what", LOSSES)
def test_what_has_lost_what_restricted_it_is_closed(
    what: str, odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    model, field, lose = LOSSES[what]
    if isinstance(lose, str):
        run_as_owner(restricted, lose)
        assert update_for_readers(shadow) == ()
    else:
        lose(odoo)
        assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, model) == []
        assert set(ids(user, "sale.subline")) <= {ONE, 3}
    with shadow.transaction() as tx:
        told = " ".join(item.text for item in examine_readers(tx))
    assert (f"it has lost {field}, which restricted it" if field else "a company that is not mirrored") in told


def test_who_forgets_a_lost_link_has_the_others_restrict(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    del odoo.models["sale.line"].fields["order_id"]
    odoo.write("sale.line", [ONE], partner_id=TWO)
    odoo.wait()
    assert sync(odoo, shadow) == ()
    run_as_owner(restricted, "DELETE FROM odoo_shadow_internal.known_link WHERE field_name = 'order_id'")
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [TWO, 3]


def test_rows_without_a_company_are_hidden_where_another_company_field_is_lost(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    odoo.models["account.account"].fields["company_id"] = Field("company_id", "many2one", relation="res.company")
    for record in odoo.models["account.account"].records.values():
        record["company_id"] = False
    odoo.write("account.account", [ONE], company_id=ONE)
    odoo.wait()
    assert sync(odoo, shadow) == ()
    del odoo.models["account.account"].fields["company_ids"]
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "account.account") == [ONE]


@pytest.mark.parametrize("there", ["", "CREATE VIEW odoo_shadow.odoo_shadow_sale_order AS SELECT 1::bigint AS id"])
def test_what_points_to_a_table_that_is_not_there_is_closed_until_it_is(
    there: str, odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    run_as_owner(restricted, "DROP TABLE odoo_shadow.odoo_shadow_sale_order CASCADE", *[there] * bool(there))
    sync(odoo, shadow, ["sale.line"])
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == []
    with shadow.transaction() as tx:
        told = " ".join(item.text for item in examine_readers(tx))
    assert "it points to odoo_shadow_sale_order, which has yet to be created" in told
    run_as_owner(restricted, *["DROP VIEW odoo_shadow.odoo_shadow_sale_order"] * bool(there))
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]


@pytest.mark.parametrize(
    "link", [Field("order_id", "many2one", relation="sale.order"), Field("order_id", "many2one_reference")]
)
def test_a_link_without_values_yet_shows_no_row(
    link: Field, odoo: MemorySource, shadow: ShadowDatabase, restricted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    odoo.models["res.country"].fields["order_id"] = link
    odoo.models["res.country"].records[1]["order_id"] = False
    monkeypatch.setattr("odoo_shadow.mirror.sync.model.fill_new_columns", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sync(odoo, shadow)
    assert update_for_readers(shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "res.country") == []
    monkeypatch.undo()
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "res.country") == [1]


TAMPERING = {
    "row-level security is disabled": "ALTER TABLE odoo_shadow.odoo_shadow_sale_order DISABLE ROW LEVEL SECURITY",
    "the policy is dropped": "DROP POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order",
    "the policy is another": "ALTER POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order USING (true)",
    "the policy is for others": "ALTER POLICY odoo_shadow_readers ON odoo_shadow.odoo_shadow_sale_order TO anon",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_what_somebody_changed_is_renewed(
    what: str, odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    with psycopg.connect(restricted, autocommit=True) as owner:
        owner.execute(TAMPERING[what].encode())
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.order") == [ONE, 3]


def test_a_table_that_cannot_be_restricted_fails_the_run(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str
) -> None:
    with psycopg.connect(restricted) as reader:  # its transaction holds the table
        reader.execute("SELECT FROM odoo_shadow.odoo_shadow_sale_order")
        with psycopg.connect(restricted, autocommit=True) as owner:
            owner.execute("UPDATE odoo_shadow_internal.row_policy SET stored = '' WHERE table_name ~ 'sale_order'")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("odoo_shadow.shadow.access.protection._PATIENCE", "10ms")
            (problem,) = sync(odoo, shadow)
    assert problem.startswith("Row-level security of odoo_shadow_sale_order is not up to date: ")
    assert sync(odoo, shadow) == ()


def test_a_policy_of_somebodys_own_is_left_alone_and_told(
    odoo: MemorySource, shadow: ShadowDatabase, restricted: str, caplog: pytest.LogCaptureFixture
) -> None:
    run_as_owner(
        restricted,
        "CREATE POLICY everything ON odoo_shadow.odoo_shadow_sale_order USING (true)",
        "CREATE POLICY less ON odoo_shadow.odoo_shadow_sale_order AS RESTRICTIVE USING (id > 0)",
    )
    with caplog.at_level(logging.WARNING):
        assert sync(odoo, shadow) == ()
    assert "show more rows than row-level security: everything on odoo_shadow_sale_order" in caplog.text
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.order") == ALL
    with shadow.transaction() as tx:
        assert "everything on odoo_shadow_sale_order" in " ".join(item.text for item in examine_readers(tx))


def test_the_mode_stays_until_it_is_changed(odoo: MemorySource, shadow: ShadowDatabase, restricted: str) -> None:
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]
    assert sync(odoo, shadow, mode=NONE) == ()
    with caller(restricted, sub="nobody") as user:
        assert ids(user, "sale.line") == ALL
    # Of a migration: rows are hidden until a run has found out whose they are.
    let_users_read(restricted, COMPANY)
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == []
    let_users_read(restricted, COMPANY)
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert ids(user, "sale.line") == [ONE, 3]


def test_the_doctor_tells_what_cannot_be_restricted(odoo: MemorySource, empty_shadow: ShadowDatabase) -> None:
    thread = Field("thread_id", "many2one", relation="mail.thread", required=True)
    odoo.add_model("mail.note", Field("res_id", "many2one_reference"), thread)
    sync(odoo, empty_shadow, [model for model in odoo.models if model != "res.country"], COMPANY)
    with empty_shadow.transaction() as tx:
        told = [item.text for item in examine_readers(tx)]
    assert told == [
        "odoo_shadow_company_access has no entries, so only tokens with the claim company_ids show rows: insert the "
        "companies of users or roles",
        "rows cannot be restricted by models that are not mirrored; mirror those that have a company: "
        "mail.thread (odoo_shadow_mail_note)",
    ]
    sync(odoo, empty_shadow, mode=NONE)
    with empty_shadow.transaction() as tx:
        assert list(examine_readers(tx)) == []


def test_the_table_of_companies_is_guarded(odoo: MemorySource, shadow: ShadowDatabase, restricted: str) -> None:
    run_as_owner(
        restricted,
        OF_ONE.replace("ada", "bob"),
        "ALTER TABLE odoo_shadow.odoo_shadow_company_access DISABLE ROW LEVEL SECURITY",
    )
    assert sync(odoo, shadow) == ()
    with caller(restricted, sub="ada") as user:
        assert one_value(user, "SELECT string_agg(user_id, ',') FROM odoo_shadow.odoo_shadow_company_access") == "ada"


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        (
            "companies",
            "CREATE OR REPLACE FUNCTION odoo_shadow.odoo_shadow_companies() RETURNS bigint[] LANGUAGE sql STABLE"
            " AS $$ SELECT ARRAY[1, 2]::bigint[] $$",
        ),
        (
            "claims",
            "CREATE OR REPLACE FUNCTION odoo_shadow.odoo_shadow_claims() RETURNS jsonb LANGUAGE sql STABLE"
            " AS $$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $$",
        ),
        ("companies", "ALTER FUNCTION odoo_shadow.odoo_shadow_companies() SECURITY DEFINER"),
        ("claims", "DELETE FROM odoo_shadow_internal.row_policy WHERE table_name = 'odoo_shadow_claims()'"),
    ],
)
def test_a_replaced_function_fails_the_run(
    shadow: ShadowDatabase, restricted: str, name: str, statement: LiteralString
) -> None:
    run_as_owner(restricted, statement)
    (problem,) = update_for_readers(shadow)
    assert f"odoo_shadow_{name}(), which says whose rows a reader sees, has been dropped or changed" in problem


def test_what_shows_rows_without_a_policy_is_told(shadow: ShadowDatabase, restricted: str) -> None:
    run_as_owner(restricted, TAMPERING["the policy is another"])
    with shadow.transaction() as tx:
        told = " ".join(item.text for item in examine_readers(tx))
    assert "nothing restricts the rows of odoo_shadow_sale_order:" in told
    run_as_owner(
        restricted,
        "ALTER TABLE odoo_shadow.odoo_shadow_mail_note RENAME TO kept",
        "CREATE VIEW odoo_shadow.odoo_shadow_mail_note AS SELECT * FROM odoo_shadow.kept",
    )
    (problem,) = update_for_readers(shadow)
    assert "the rows of odoo_shadow_mail_note" in problem
