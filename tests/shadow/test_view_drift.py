"""The views with readable names survive what happens to tables, and never stand in a run's way."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.views.named_views import _renew, drop_views_on, renew_due_views
from tests.support.catalog import structure
from tests.support.named_tables import (
    CUSTOMER,
    ORDERS,
    SELLER,
    bigint,
    columns_of,
    due,
    many2one,
    orders,
    partners,
    text,
    users,
)
from tests.support.roles import run_as_owner
from tests.support.tables import make_table
from tests.support.waiting import wait_until_blocked

CHANGES = {
    "added": [bigint("code"), text("name"), CUSTOMER, text("new")],
    "added within": [text("a_new"), bigint("code"), text("name"), CUSTOMER],
    "widened": [text("code"), text("name"), CUSTOMER],
    "replaced": [bigint("code"), bigint("name"), CUSTOMER],
    "vanished": [text("name"), CUSTOMER],
    "another relation": [bigint("code"), text("name"), many2one("partner_id", "res.users")],
}


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("stands_on", "schema"),
    [("nothing", ""), ("table", "public"), ("table", "odoo_shadow"), ("public", "public"), ("named", "public")],
)
@pytest.mark.parametrize("change", CHANGES)
def test_views_survive_drift(
    shadow: ShadowDatabase, database: str, change: str, stands_on: str, schema: str, caplog: pytest.LogCaptureFixture
) -> None:
    partners(shadow)
    users(shadow)
    orders(shadow, bigint("code"), text("name"), CUSTOMER)
    renew_due_views(shadow)
    if stands_on != "nothing":
        run_as_owner(
            database,
            "CREATE VIEW {mine}.mine AS SELECT code, name FROM {schema}.{source}",
            mine=schema,
            schema="public" if stands_on == "public" else "odoo_shadow",
            source=f"{ORDERS}_named" if stands_on == "named" else ORDERS,
        )
    wanted = CHANGES[change]
    orders(shadow, *wanted)
    with caplog.at_level(logging.WARNING):
        renew_due_views(shadow)
    if due(shadow):
        assert stands_on == "named"
        assert f"The named view of {ORDERS} stays as it was" in caplog.text
        run_as_owner(database, "DROP VIEW {schema}.mine", schema=schema)
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


def test_a_view_that_was_dropped_for_a_change_is_made_again(shadow: ShadowDatabase, database: str) -> None:
    table = partners(shadow)
    orders(shadow)
    renew_due_views(shadow)
    with shadow.transaction() as tx:
        drop_views_on(tx, table, "name")
    assert not columns_of(database)
    assert due(shadow) == {table, ORDERS}


def test_names_follow_another_way_to_name_records(shadow: ShadowDatabase, database: str) -> None:
    columns = [text("name"), text("ref")]
    make_table(shadow, "res.partner", columns)
    orders(shadow)
    renew_due_views(shadow)
    assert "partner_id_name" not in columns_of(database)
    make_table(shadow, "res.partner", columns, name_path="ref")
    renew_due_views(shadow)
    assert "r1.ref AS partner_id_name" in " ".join(str(row) for row in structure(database)["views"])


@pytest.mark.parametrize("columns", [[bigint("name")], [text("ref")]], ids=["replaced", "vanished"])
def test_names_follow_a_field_that_changes(shadow: ShadowDatabase, database: str, columns: list[Column]) -> None:
    partners(shadow)
    orders(shadow)
    renew_due_views(shadow)
    partners(shadow, *columns)
    renew_due_views(shadow)
    found = {row[3]: row[4] for row in structure(database)["columns"] if row[1] == f"{ORDERS}_named"}
    assert found.get("partner_id_name") == (ColumnType.BIGINT if columns[0].name == "name" else None)


@pytest.mark.timeout(20)  # it would wait for half a minute
def test_a_view_in_use_delays_nobody_and_is_renewed_next_time(
    shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    partners(shadow)
    users(shadow)
    orders(shadow)
    renew_due_views(shadow)
    with shadow.transaction() as tx:
        tx.run("UPDATE odoo_shadow.odoo_shadow_meta SET view_is_due = true")
    with caplog.at_level(logging.INFO), psycopg.connect(database) as report:
        report.execute("SELECT * FROM odoo_shadow.odoo_shadow_res_users_named")
        renew_due_views(shadow)
    assert due(shadow) == {"odoo_shadow_res_users"}  # the others were done
    assert "The named view of odoo_shadow_res_users is renewed next time" in caplog.text
    renew_due_views(shadow)
    assert due(shadow) == set()


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
