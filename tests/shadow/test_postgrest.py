"""What PostgREST is told and shows: one reload per run that changed what it sees, and Odoo's labels as comments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.descriptions import Description
from tests.support.named_tables import CUSTOMER, ORDERS, orders, partners, text
from tests.support.roles import run_as_owner
from tests.support.tables import make_table, merge, row


@pytest.fixture
def heard(database: str) -> Iterator[Callable[[], list[str]]]:
    """Ask what was announced to PostgREST since the last time; an announcement of one's own says that this is all."""
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute("LISTEN pgrst")

        def hear() -> list[str]:
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("NOTIFY pgrst, 'end'")
            payloads: list[str] = []
            for notify in listener.notifies(timeout=30):
                if notify.payload == "end":
                    return payloads
                payloads.append(notify.payload)
            raise AssertionError("nothing was heard, not even the end")

        yield hear


RELOAD = ["reload schema"]
NEWS: dict[str, LiteralString] = {
    "a column of somebody": "ALTER TABLE odoo_shadow.odoo_shadow_sale_order RENAME COLUMN theirs TO mine",
    "a view was dropped": "DROP VIEW public.odoo_shadow_sale_order CASCADE",
    "a function was dropped": "DROP FUNCTION public.partner_id(public.odoo_shadow_sale_order)",
    "a comment": "COMMENT ON COLUMN odoo_shadow.odoo_shadow_sale_order.name IS 'new'",
}


def test_a_run_that_changed_nothing_announces_nothing(
    shadow: ShadowDatabase, heard: Callable[[], list[str]], database: str
) -> None:
    partners(shadow)
    orders(shadow)
    assert heard() == []  # what a killed run has changed is announced by the next
    update_for_readers(shadow)
    assert heard() == RELOAD
    partners(shadow)
    merge(shadow, orders(shadow), row(1, "a"))
    with shadow.transaction() as tx:
        tx.run("UPDATE odoo_shadow.odoo_shadow_meta SET view_is_due = true")  # views are made anew, and are the same
    update_for_readers(shadow)
    assert heard() == []
    orders(shadow, text("name"), CUSTOMER, text("more"))
    update_for_readers(shadow)
    assert heard() == RELOAD
    update_for_readers(shadow)
    run_as_owner(database, "CREATE TABLE public.theirs (id int)")  # not this project's to announce
    update_for_readers(shadow)
    assert heard() == []


@pytest.mark.parametrize("news", NEWS)
def test_what_others_did_to_it_is_announced(
    shadow: ShadowDatabase, heard: Callable[[], list[str]], database: str, news: str
) -> None:
    partners(shadow)
    orders(shadow)
    run_as_owner(
        database,
        "ALTER TABLE odoo_shadow.odoo_shadow_sale_order ADD COLUMN theirs int",
        "COMMENT ON COLUMN odoo_shadow.odoo_shadow_sale_order.name IS 'old'",
    )
    update_for_readers(shadow)
    heard()
    run_as_owner(database, NEWS[news])
    with shadow.transaction() as tx:
        tx.run("UPDATE odoo_shadow.odoo_shadow_meta SET view_is_due = true")
    update_for_readers(shadow)
    # A function that was made again is what it was.
    assert heard() == ([] if "dropped" in news else RELOAD)


def test_views_have_the_labels_as_comments(shadow: ShadowDatabase, database: str) -> None:
    partners(shadow)
    customer = Column("partner_id", ColumnType.BIGINT, "partner_id", "many2one", Description("Kunde", "res.partner"))
    make_table(shadow, "sale.order", [text("name"), customer], label="Sales\nOrder", name_path="name")
    update_for_readers(shadow)
    assert comments(database, ORDERS) == {None: f"Sales Order (sale.order)\n{KEPT}", "partner_id": "Kunde"}
    assert comments(database, f"{ORDERS}_named") == {
        None: f"Sales Order (sale.order), with names beside ids\n{KEPT}",
        "partner_id": "Kunde",
        "partner_id_name": "Kunde",
    }
    again = Column("partner_id", ColumnType.BIGINT, "partner_id", "many2one", Description("Cliente", "res.partner"))
    make_table(shadow, "sale.order", [text("name"), again], label="Orden", name_path="name")
    update_for_readers(shadow)
    assert comments(database, ORDERS) == {None: f"Orden (sale.order)\n{KEPT}", "partner_id": "Cliente"}


def test_a_label_is_no_instruction(shadow: ShadowDatabase, database: str) -> None:
    """pg_graphql takes `@graphql(…)` in a comment for one."""
    label = '@graphql({"name": "Other"}) it\'s $body$ ' + "x" * 5000
    name = Column("name", ColumnType.TEXT, "name", "char", Description(label))
    table = make_table(shadow, "sale.order", [name], label=label)
    update_for_readers(shadow)
    for found in (comments(database, table), comments(database, table, "odoo_shadow")):
        for comment in found.values():
            assert comment.startswith('@ graphql({"name": "Other"}) it\'s $body$ x') and len(comment) < 1100
    make_table(shadow, "sale.order", [name], label=label)
    with shadow.transaction() as tx:
        assert tx.run("SELECT view_is_due FROM odoo_shadow.odoo_shadow_meta") == [(False,)]  # not written every time


KEPT = "Kept by odoo-shadow for schema odoo_shadow"


def comments(database: str, name: str, schema: str = "public") -> dict[str | None, str]:
    """The comments of a relation, under None, and of its columns."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT a.attname, d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid"
            " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0"
            " WHERE d.classoid = 'pg_class'::regclass AND c.relname = %s AND c.relnamespace = to_regnamespace(%s)",
            (name, schema),
        ).fetchall()
    return dict(found)
