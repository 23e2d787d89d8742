"""The views with readable names: what they show, how they are called, and who may read them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.descriptions import Description
from odoo_shadow.shadow.tables.ids import add_mark_column
from odoo_shadow.shadow.views.named_views import renew_due_views
from tests.support.catalog import structure
from tests.support.named_tables import (
    CUSTOMER,
    ORDERS,
    SELLER,
    columns_of,
    due,
    languages,
    many2one,
    orders,
    partners,
    text,
    users,
)
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_base, make_table

OTHERS_OBJECTS: list[LiteralString] = [
    "CREATE TABLE odoo_shadow.odoo_shadow_sale_order_named (mine int)",
    "CREATE VIEW odoo_shadow.odoo_shadow_sale_order_named AS SELECT 1 AS mine",
    "CREATE TYPE odoo_shadow.odoo_shadow_sale_order_named AS ENUM ('mine')",
]


@pytest.fixture
def rows(shadow: ShadowDatabase, database: str) -> Iterator[psycopg.Connection]:
    """A person's connection; the mirror has a partner, a user and an order."""
    partners(shadow)
    users(shadow)
    orders(shadow, text("name"), CUSTOMER, SELLER)
    with shadow.transaction() as tx:
        tx.run("INSERT INTO odoo_shadow.odoo_shadow_res_partner (id, name) VALUES (5, 'Zoë')")
        tx.run("INSERT INTO odoo_shadow.odoo_shadow_res_users (id, login, partner_id) VALUES (2, 'zoe', 5)")
        tx.run(
            "INSERT INTO odoo_shadow.odoo_shadow_sale_order (id, name, partner_id, user_id)"
            " VALUES (1, 'S1', 5, 2), (2, 'S2', 6, NULL)"
        )
    renew_due_views(shadow)
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def test_names_stand_beside_ids(rows: psycopg.Connection, database: str) -> None:
    assert columns_of(database) == [
        *("id", "name", "partner_id", "partner_id_name", "user_id", "user_id_name", "_odoo_write_date")
    ]
    query = "SELECT id, partner_id, partner_id_name, user_id_name FROM odoo_shadow.odoo_shadow_sale_order_named"
    assert sorted(rows.execute(query).fetchall()) == [(1, 5, "Zoë", "Zoë"), (2, 6, None, None)]


def test_a_relation_that_is_not_mirrored_has_no_name(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow)
    renew_due_views(shadow)
    assert columns_of(database) == ["id", "name", "partner_id", "_odoo_write_date"]
    make_table(shadow, "res.partner", [text("ref")], name_path="name")  # its name is not mirrored
    renew_due_views(shadow)
    assert columns_of(database) == ["id", "name", "partner_id", "_odoo_write_date"]


def test_the_names_of_a_model_that_comes_later_are_shown(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow, SELLER)
    renew_due_views(shadow)
    users(shadow)
    renew_due_views(shadow)
    assert "user_id_name" not in columns_of(database)  # the parent with the name is missing still
    partners(shadow)
    assert ORDERS in due(shadow)
    renew_due_views(shadow)
    assert "user_id_name" in columns_of(database)


def test_the_mark_of_deleted_rows_is_shown(shadow: ShadowDatabase, database: str) -> None:
    table = orders(shadow)
    renew_due_views(shadow)
    with shadow.transaction() as tx:
        add_mark_column(tx, table)
    renew_due_views(shadow)
    assert columns_of(database)[-1] == "_deleted_at"


def test_a_name_gives_way_to_a_field(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    orders(shadow, CUSTOMER, text("partner_id_name"))
    renew_due_views(shadow)
    shown = columns_of(database)
    assert shown[1] == "partner_id" and shown[3] == "partner_id_name"
    assert str(shown[2]).startswith("partner_id_name_")
    orders(shadow, CUSTOMER, text("partner_id_name"), text("other"))
    renew_due_views(shadow)
    assert shown[2] in columns_of(database)


STATE = Column(
    "state",
    ColumnType.TEXT,
    "state",
    "selection",
    Description(selection=(("draft", "It's a {draft}"), ("sale", "Sold"))),
)


def test_choices_have_their_labels_after_all_other_columns(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow, text("name"), STATE)
    renew_due_views(shadow)
    before = ["id", "name", "state", "_odoo_write_date", "state_label"]
    assert columns_of(database) == before
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_sale_order (id, state) VALUES (1, 'draft'), (2, 'gone'), (3, NULL)"
        )
        query = "SELECT id, state_label FROM odoo_shadow.odoo_shadow_sale_order_named ORDER BY 1"
        assert connection.execute(query).fetchall() == [(1, "It's a {draft}"), (2, None), (3, None)]
        # What others have built on a view must not stop it from being renewed: new columns come last.
        connection.execute("CREATE VIEW public.mine AS SELECT * FROM odoo_shadow.odoo_shadow_sale_order_named")
        partners(shadow)
        renamed = replace(STATE, description=replace(STATE.description, selection=(("draft", "Quotation"),)))
        orders(shadow, text("name"), renamed, CUSTOMER)
        renew_due_views(shadow)
        assert columns_of(database) == [*before, "partner_id", "partner_id_name"]
        assert connection.execute(query).fetchall()[0] == (1, "Quotation")


def test_a_name_of_several_fields_has_that_of_the_rows_company(shadow: ShadowDatabase, database: str) -> None:
    by_company = Column("code__companies", ColumnType.JSONB, "code", "char")
    make_table(shadow, "account.account", [text("code"), by_company, text("name")], name_path="code name")
    lines = [many2one("account_id", "account.account"), many2one("company_id", "res.company")]
    make_table(shadow, "account.move.line", lines, name_path="name")
    make_table(shadow, "res.partner", [many2one("x_account_id", "account.account")], name_path="name")
    renew_due_views(shadow)
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_account_account (id, code, code__companies, name)"
            """ VALUES (7, '101', '{"1": "101", "2": "4711", "3": null}', 'Bank')"""
        )
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_account_move_line (id, account_id, company_id)"
            " VALUES (1, 7, 1), (2, 7, 2), (3, 7, 3), (4, 7, NULL), (5, 8, 1), (6, NULL, 1)"
        )
        connection.execute("INSERT INTO odoo_shadow.odoo_shadow_res_partner (id, x_account_id) VALUES (1, 7)")
        query = "SELECT account_id_name FROM odoo_shadow.odoo_shadow_account_move_line_named ORDER BY id"
        named = [row[0] for row in connection.execute(query)]
        assert named == ["101 Bank", "4711 Bank", "Bank", "101 Bank", None, None]
        query = "SELECT x_account_id_name FROM odoo_shadow.odoo_shadow_res_partner_named"
        assert connection.execute(query).fetchall() == [("101 Bank",)]


def test_long_and_awkward_names(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    names = ["x" * 63, 'quo"ted', "'; DROP TABLE x; --", "100%s", "größe 😀", "t", "r1"]
    table = make_table(shadow, "x." + "long_" * 20, [many2one(name, "res.partner") for name in names])
    renew_due_views(shadow)
    (view,) = (
        row[1]
        for row in structure(database)["relations"]
        if row[2] == "v" and str(row[1]).endswith("_named") and row[0] == "odoo_shadow" and "long" in str(row[1])
    )
    assert len(str(view).encode()) <= 63 and str(view)[:40] == table[:40]
    assert len(columns_of(database, str(view))) == 2 * len(names) + 2
    renew_due_views(shadow)
    assert due(shadow) == set()


@pytest.mark.parametrize("statement", OTHERS_OBJECTS, ids=["table", "view", "type"])
def test_somebody_elses_object_is_left_alone(shadow: ShadowDatabase, database: str, statement: LiteralString) -> None:
    make_base(shadow)
    run_as_owner(database, statement)
    theirs = [row for row in structure(database)["relations"] if row[1] == f"{ORDERS}_named"]
    orders(shadow)
    renew_due_views(shadow)
    views = {row[1] for row in structure(database)["relations"] if row[:1] == ("odoo_shadow",) and row[2] == "v"}
    orders(shadow, text("name"))
    renew_due_views(shadow)
    assert {
        row[1] for row in structure(database)["relations"] if row[:1] == ("odoo_shadow",) and row[2] == "v"
    } == views
    assert [row for row in structure(database)["relations"] if row[1] == f"{ORDERS}_named"] == theirs
    assert len([name for name in views if str(name).startswith(ORDERS)]) == len(views)
    assert due(shadow) == set()


def test_only_the_tables_that_are_asked_for(shadow: ShadowDatabase) -> None:
    partners(shadow)
    orders(shadow)
    renew_due_views(shadow, [ORDERS])
    assert due(shadow) == {"odoo_shadow_res_partner"}
    renew_due_views(shadow, [])
    assert due(shadow) == {"odoo_shadow_res_partner"}


def test_readers_see_what_their_own_rights_show(rows: psycopg.Connection, database: str) -> None:
    query = "SELECT partner_id_name FROM odoo_shadow.odoo_shadow_sale_order_named"
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON odoo_shadow.odoo_shadow_sale_order, odoo_shadow.odoo_shadow_sale_order_named TO {role}",
            role=role,
        )
        with psycopg.connect(as_role(database, role), autocommit=True) as reader:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(query)
            run_as_owner(database, "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}", role=role)
            assert len(reader.execute(query).fetchall()) == 2


def test_a_role_that_may_not_create_views_does_without(
    shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    orders(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as as_filler, caplog.at_level(logging.INFO):
            renew_due_views(as_filler)
    assert due(shadow) == {ORDERS}
    assert caplog.text == ""  # not tried again and again


def test_a_database_that_is_gone_fails_no_run(shadow: ShadowDatabase) -> None:
    with ShadowDatabase.from_url("postgresql://nobody@127.0.0.1:1/nothing") as gone:
        renew_due_views(gone)


def test_its_statement_can_be_quoted_in_any_schema(database: str) -> None:
    schema = 'it\'s {a} "%s" schema'
    with ShadowDatabase.from_url(database, schema=schema) as shadow:
        partners(shadow)
        table = orders(shadow)
        renew_due_views(shadow)
        with shadow.transaction() as tx:
            view = sql.Identifier(schema, f"{table}_named")
            assert tx.run("SELECT partner_id_name FROM {view}", view=view) == []


def test_a_name_is_the_field_itself_whatever_languages_stand_beside_it(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow, text("name"), languages("name"))
    orders(shadow)
    renew_due_views(shadow)
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_res_partner (id, name, name__translations)"
            """ VALUES (5, 'Zoë', '{"en_US": "Zoë"}')"""
        )
        connection.execute("INSERT INTO odoo_shadow.odoo_shadow_sale_order (id, name, partner_id) VALUES (1, 'S1', 5)")
        rows = connection.execute("SELECT partner_id_name FROM odoo_shadow.odoo_shadow_sale_order_named").fetchall()
    assert rows == [("Zoë",)]


def test_a_hashed_link_leads_nowhere(shadow: ShadowDatabase, database: str) -> None:
    """Its column is a text, which no id equals; views that would go through it do without the name."""
    hashed = Column("partner_id", ColumnType.TEXT, "partner_id", "many2one", Description(relation="res.partner"))
    partners(shadow)
    make_table(shadow, "res.users", [text("login"), hashed], name_path="partner_id.name")
    orders(shadow, text("name"), hashed, SELLER)
    renew_due_views(shadow)
    assert due(shadow) == set()
    assert columns_of(database) == ["id", "name", "partner_id", "user_id", "_odoo_write_date"]
