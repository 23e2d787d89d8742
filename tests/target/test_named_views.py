"""The views with readable names: what they show, how they survive drift, and that they never stand in a run's way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from airflow_provider_odoo_shadow.target import public_views
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from airflow_provider_odoo_shadow.target.descriptions import Description
from airflow_provider_odoo_shadow.target.ids import add_mark_column
from airflow_provider_odoo_shadow.target.named_views import _renew, renew_due_views
from airflow_provider_odoo_shadow.target.tables import Column, ColumnType
from tests.target.catalog import structure
from tests.target.roles import as_role, new_role, run_as_owner
from tests.target.tables import make_base, make_table
from tests.target.waiting import wait_until_blocked

ORDERS = "odoo_shadow_sale_order"
OTHERS_OBJECTS: list[LiteralString] = [
    "CREATE TABLE odoo_shadow.odoo_shadow_sale_order_named (mine int)",
    "CREATE VIEW odoo_shadow.odoo_shadow_sale_order_named AS SELECT 1 AS mine",
    "CREATE TYPE odoo_shadow.odoo_shadow_sale_order_named AS ENUM ('mine')",
]


def text(name: str) -> Column:
    return Column(name, ColumnType.TEXT, name, "char")


def bigint(name: str) -> Column:
    return Column(name, ColumnType.BIGINT, name, "integer")


def many2one(name: str, model: str) -> Column:
    return Column(name, ColumnType.BIGINT, name, "many2one", Description(relation=model))


CUSTOMER, SELLER = many2one("partner_id", "res.partner"), many2one("user_id", "res.users")


def partners(shadow: ShadowDatabase, *columns: Column) -> str:
    return make_table(shadow, "res.partner", columns or [text("name")], name_path="name")


def users(shadow: ShadowDatabase) -> str:
    return make_table(shadow, "res.users", [text("login"), CUSTOMER], name_path="partner_id.name")


def orders(shadow: ShadowDatabase, *columns: Column) -> str:
    return make_table(shadow, "sale.order", columns or [text("name"), CUSTOMER], name_path="name")


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


def columns_of(database: str, view: str = f"{ORDERS}_named") -> list[object]:
    found = structure(database)["columns"]
    return [name for _, name in sorted((row[2], row[3]) for row in found if row[:2] == ("odoo_shadow", view))]


def due(shadow: ShadowDatabase) -> set[object]:
    with shadow.transaction() as tx:
        return {row[0] for row in tx.run("SELECT table_name FROM odoo_shadow.odoo_shadow_meta WHERE view_is_due")}


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


CHANGES = {
    "added": [bigint("code"), text("name"), CUSTOMER, text("new")],
    "added within": [text("a_new"), bigint("code"), text("name"), CUSTOMER],
    "widened": [text("code"), text("name"), CUSTOMER],
    "replaced": [bigint("code"), bigint("name"), CUSTOMER],
    "vanished": [text("name"), CUSTOMER],
    "another relation": [bigint("code"), text("name"), many2one("partner_id", "res.users")],
}


@pytest.mark.parametrize("stands_on", ["nothing", "table", "public", "named"])
@pytest.mark.parametrize("change", CHANGES)
def test_views_survive_drift(
    shadow: ShadowDatabase, database: str, change: str, stands_on: str, caplog: pytest.LogCaptureFixture
) -> None:
    partners(shadow)
    users(shadow)
    orders(shadow, bigint("code"), text("name"), CUSTOMER)
    renew_due_views(shadow)
    if stands_on != "nothing":
        run_as_owner(
            database,
            "CREATE VIEW public.mine AS SELECT code, name FROM {schema}.{source}",
            schema="public" if stands_on == "public" else "odoo_shadow",
            source=f"{ORDERS}_named" if stands_on == "named" else ORDERS,
        )
    wanted = CHANGES[change]
    orders(shadow, *wanted)
    with caplog.at_level(logging.WARNING):
        renew_due_views(shadow)
    if due(shadow):
        assert stands_on == "named"
        assert f"The view of {ORDERS} with readable names stays as it was" in caplog.text
        run_as_owner(database, "DROP VIEW public.mine")
        renew_due_views(shadow)
    elif stands_on != "nothing":
        assert [row[3] for row in structure(database)["columns"] if row[1] == "mine"]  # it is there still
    fields = [name for name in columns_of(database) if name not in ("id", "_odoo_write_date", "partner_id_name")]
    assert sorted(map(str, fields)) == sorted(column.name for column in wanted)
    assert due(shadow) == set()
    types = {row[3]: row[4] for row in structure(database)["columns"] if row[1] == f"{ORDERS}_named"}
    assert {column.name: types[column.name] for column in wanted} == {column.name: column.type for column in wanted}


def test_a_column_that_only_the_projects_views_show_is_widened(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow, bigint("name"))
    orders(shadow)
    renew_due_views(shadow)
    partners(shadow, text("name"))  # the orders' view shows it, too
    found = {row[3]: row[4] for row in structure(database)["columns"] if row[1] == "odoo_shadow_res_partner"}
    assert found["name"] == "text" and "name__bigint" not in found
    assert due(shadow) == {ORDERS, "odoo_shadow_res_partner"}
    renew_due_views(shadow)
    assert "partner_id_name" in columns_of(database)


@pytest.mark.parametrize("columns", [[bigint("name")], [text("ref")]], ids=["replaced", "vanished"])
def test_names_follow_a_field_that_changes(shadow: ShadowDatabase, database: str, columns: list[Column]) -> None:
    partners(shadow)
    orders(shadow)
    renew_due_views(shadow)
    partners(shadow, *columns)
    renew_due_views(shadow)
    found = {row[3]: row[4] for row in structure(database)["columns"] if row[1] == f"{ORDERS}_named"}
    assert found.get("partner_id_name") == (ColumnType.BIGINT if columns[0].name == "name" else None)


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


def test_a_view_in_use_delays_nobody_and_is_renewed_next_time(
    shadow: ShadowDatabase, rows: psycopg.Connection, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with shadow.transaction() as tx:
        tx.run("UPDATE odoo_shadow.odoo_shadow_meta SET view_is_due = true")
    with caplog.at_level(logging.INFO), rows.transaction():
        rows.execute("SELECT * FROM odoo_shadow.odoo_shadow_res_users_named")
        renew_due_views(shadow)
    assert due(shadow) == {"odoo_shadow_res_users"}  # the others were done
    assert "The view of odoo_shadow_res_users with readable names is renewed next time" in caplog.text
    renew_due_views(shadow)
    assert due(shadow) == set()


def test_only_the_tables_that_are_asked_for(shadow: ShadowDatabase) -> None:
    partners(shadow)
    orders(shadow)
    renew_due_views(shadow, [ORDERS])
    assert due(shadow) == {"odoo_shadow_res_partner"}
    renew_due_views(shadow, [])
    assert due(shadow) == {"odoo_shadow_res_partner"}


def test_many_at_once(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    users(shadow)
    orders(shadow, CUSTOMER, SELLER)
    barrier = Barrier(4)

    def renew() -> None:
        with ShadowDatabase.from_url(database) as own:
            barrier.wait()
            for _ in range(10):
                with own.transaction() as tx:
                    tx.run("UPDATE odoo_shadow.odoo_shadow_meta SET view_is_due = true WHERE odoo_model = 'sale.order'")
                renew_due_views(own)

    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(renew) for _ in range(4)]:
            future.result()
    renew_due_views(shadow)
    assert due(shadow) == set()
    assert {"partner_id_name", "user_id_name"} <= set(columns_of(database))


def test_changes_and_renewals_at_once_wait_for_each_other(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    orders(shadow)
    barrier = Barrier(3)

    def change(model: str) -> None:
        with ShadowDatabase.from_url(database) as own:
            barrier.wait()
            for number in range(15):
                make_table(own, model, [text("name"), CUSTOMER, text(f"x_{number}")], name_path="name")

    def renew() -> None:
        with ShadowDatabase.from_url(database) as own:
            barrier.wait()
            for _ in range(15):
                renew_due_views(own)

    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(change, "sale.order"), pool.submit(change, "res.partner"), pool.submit(renew)]
        for job in jobs:
            job.result()
    renew_due_views(shadow)
    assert due(shadow) == set()
    assert columns_of(database)[-1] == "x_14"


def test_a_change_that_comes_during_a_renewal_is_not_lost(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow, text("name"))
    with ThreadPoolExecutor() as pool:
        with shadow.transaction() as tx:
            _renew(tx, ORDERS)
            second = pool.submit(_add_column, database)
            wait_until_blocked(database)
        second.result()
    assert due(shadow) == {ORDERS}
    renew_due_views(shadow)
    assert "code" in columns_of(database)


def _add_column(database: str) -> None:
    with ShadowDatabase.from_url(database) as own:
        orders(own, text("name"), text("code"))


def test_readers_see_what_their_own_rights_show(rows: psycopg.Connection, database: str) -> None:
    query = "SELECT partner_id_name FROM odoo_shadow.odoo_shadow_sale_order_named"
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON odoo_shadow.odoo_shadow_sale_order TO {role}",
            role=role,
        )
        with psycopg.connect(as_role(database, role), autocommit=True) as reader:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(query)
            run_as_owner(database, "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}", role=role)
            assert len(reader.execute(query).fetchall()) == 2


def test_before_postgresql_15_those_read_it_who_may_read_all_its_tables(
    shadow: ShadowDatabase, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_views, "_FIRST_WITH_SECURITY_INVOKER", 990000)
    partners(shadow)
    orders(shadow)
    with new_role(database) as some, new_role(database, 'Quo"ted'):
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {some}, {all}",
            "GRANT SELECT ON odoo_shadow.odoo_shadow_sale_order TO {some}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {all}",
            some=some,
            all='Quo"ted',
        )
        renew_due_views(shadow)
        ((options, rights),) = [row[3:5] for row in structure(database)["relations"] if row[1] == f"{ORDERS}_named"]
        assert options is None
        assert "Quo" in str(rights) and some not in str(rights)


def test_a_role_that_may_not_create_views_does_without(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as as_filler:
            renew_due_views(as_filler)
    assert due(shadow) == {ORDERS}


def test_a_table_that_is_made_anew_gets_its_views_again(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    orders(shadow)
    renew_due_views(shadow)
    with shadow.transaction() as tx:
        tx.run("DROP TABLE {table} CASCADE", table=tx.own("odoo_shadow_res_partner"))
    partners(shadow)
    renew_due_views(shadow)
    assert "partner_id_name" in columns_of(database)
    assert columns_of(database, "odoo_shadow_res_partner_named")


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
