"""The catalogue: what tables and columns mean, as rows and as comments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, LiteralString, Self

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.descriptions import Description
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.views.catalogue import describe_table
from tests.support.catalog import contents
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.tables import make_table

ORDERS, PARTNERS = "odoo_shadow_sale_order", "odoo_shadow_res_partner"
NAME = Column("name", ColumnType.TEXT, "name", "char", Description("Name", required=True, translated=True))
PARTNER = Column(
    "partner_id", ColumnType.BIGINT, "partner_id", "many2one", Description("Customer", relation="res.partner")
)
STATE = Column(
    "state",
    ColumnType.TEXT,
    "state",
    "selection",
    Description("Status", selection=(("draft", "Quotation"), ("sale", "Sales Order"))),
)
LIMIT = Column(
    "x_limit", ColumnType.DOUBLE, "x_limit", "float", Description("Limit", company_dependent=True, custom=True)
)
COLUMNS = (NAME, PARTNER, STATE, LIMIT)
AWKWARD = [
    "it's",
    'quo"ted',
    "100%s %(x)s",
    "{braces} {} {0}",
    "two\nlines\r\n",
    "$$",
    "\\",
    "größe 😀",
    "';--",
    "/*",
    "",
]


def orders(shadow: ShadowDatabase, columns: tuple[Column, ...] = COLUMNS, label: str = "Sales Order") -> str:
    return make_table(shadow, "sale.order", columns, label=label, name_path="name")


def query(shadow: ShadowDatabase, statement: LiteralString) -> list[tuple[object, ...]]:
    with shadow.transaction() as tx:
        return tx.run(statement)


def comments(shadow: ShadowDatabase, table: str) -> dict[str | None, str]:
    """A table's comments by column; its own under None."""
    with shadow.transaction() as tx:
        rows = tx.run(
            "SELECT a.attname, d.description FROM pg_description d LEFT JOIN pg_attribute a"
            " ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND a.attnum > 0"
            " WHERE d.classoid = 'pg_class'::regclass AND d.objoid = {name}::regclass",
            name=tx.own(table).as_string(tx.cursor),
        )
    return dict(rows)


def relabelled(column: Column, label: str) -> Column:
    return replace(column, description=replace(column.description, label=label))


def test_fields_tell_all_that_odoo_tells(shadow: ShadowDatabase) -> None:
    make_table(shadow, "res.partner", [NAME])
    orders(shadow)
    rows = query(
        shadow,
        "SELECT column_name, odoo_type, label, relation, relation_table, is_translated, is_company_dependent,"
        " is_required, is_custom FROM public.odoo_shadow_field WHERE table_name = 'odoo_shadow_sale_order' ORDER BY 1",
    )
    assert rows == [
        ("name", "char", "Name", None, None, True, False, True, False),
        ("partner_id", "many2one", "Customer", "res.partner", PARTNERS, False, False, False, False),
        ("state", "selection", "Status", None, None, False, False, False, False),
        ("x_limit", "float", "Limit", None, None, False, True, False, True),
    ]
    assert query(shadow, "SELECT label, name_path FROM public.odoo_shadow_meta WHERE odoo_model = 'sale.order'") == [
        ("Sales Order", "name")
    ]


def test_selections_are_in_odoos_order_and_follow_it(shadow: ShadowDatabase) -> None:
    def choices() -> list[tuple[object, ...]]:
        return query(shadow, "SELECT column_name, value, label FROM public.odoo_shadow_selection ORDER BY position")

    orders(shadow)
    assert choices() == [("state", "draft", "Quotation"), ("state", "sale", "Sales Order")]
    other = replace(STATE, description=replace(STATE.description, selection=(("sale", "Order"),)))
    orders(shadow, (NAME, PARTNER, other, LIMIT))
    assert choices() == [("state", "sale", "Order")]
    orders(shadow, (NAME, PARTNER, replace(STATE, odoo_type="char", description=Description("Status")), LIMIT))
    assert choices() == []


def test_labels_are_comments(shadow: ShadowDatabase) -> None:
    orders(shadow)
    assert comments(shadow, ORDERS) == {
        None: "Sales Order (sale.order)",
        "name": "Name",
        "partner_id": "Customer",
        "state": "Status",
        "x_limit": "Limit",
    }
    orders(shadow, (relabelled(NAME, "Number"), PARTNER, STATE, LIMIT), label="Order")
    assert comments(shadow, ORDERS)["name"] == "Number"
    assert comments(shadow, ORDERS)[None] == "Order (sale.order)"


def test_a_comment_that_somebody_removed_comes_back(shadow: ShadowDatabase) -> None:
    orders(shadow)
    query(shadow, "COMMENT ON COLUMN odoo_shadow.odoo_shadow_sale_order.name IS NULL")
    query(shadow, "COMMENT ON TABLE odoo_shadow.odoo_shadow_sale_order IS 'mine'")
    orders(shadow)
    assert comments(shadow, ORDERS)["name"] == "Name"
    assert comments(shadow, ORDERS)[None] == "Sales Order (sale.order)"


@pytest.mark.sampled
@pytest.mark.parametrize("label", AWKWARD, ids=repr)
def test_a_label_may_hold_anything(shadow: ShadowDatabase, label: str) -> None:
    choice = replace(STATE, description=Description(label, selection=((label, label),)))
    table = make_table(shadow, "x.awkward", (relabelled(NAME, label), choice), label=label)
    if label:
        assert comments(shadow, table) == {None: f"{label} (x.awkward)", "name": label, "state": label}
    assert query(shadow, "SELECT value, label FROM odoo_shadow.odoo_shadow_selection") == [(label, label)]


def test_what_postgresql_cannot_store_is_replaced(shadow: ShadowDatabase, database: str) -> None:
    label, stored = "a\0b\ud800c", "a\ufffdb\ufffdc"
    choice = replace(STATE, field=label, description=Description(label, relation=label, selection=((label, label),)))
    table = make_table(shadow, "x.awkward", [choice], label=label, name_path=label)
    assert comments(shadow, table) == {None: f"{stored} (x.awkward)", "state": stored}
    before = contents(database)
    make_table(shadow, "x.awkward", [choice], label=label, name_path=label)
    assert contents(database) == before


def test_when_nothing_differs_two_questions_are_asked_and_nothing_is_written(
    shadow: ShadowDatabase, database: str
) -> None:
    make_table(shadow, "res.partner", [NAME], label="Contact", name_path="name")
    table = orders(shadow)
    before = contents(database)
    with shadow.transaction() as tx:
        cursor = CountingCursor(tx.cursor.connection)
        describe_table(Transaction(cursor, tx.schema), table, "Sales Order", "name", COLUMNS)
        assert cursor.statements == 2
        assert tx.run("SELECT pg_current_xact_id_if_assigned()") == [(None,)]
    assert contents(database) == before


class CountingCursor(psycopg.Cursor[TupleRow]):
    """Counts the ways to the server and back."""

    statements = 0

    def execute(self, *arguments: Any, **options: Any) -> Self:
        self.statements += 1
        return super().execute(*arguments, **options)


def test_a_relation_that_is_registered_later_is_pointed_to(shadow: ShadowDatabase) -> None:
    orders(shadow)

    def pointed() -> list[tuple[object, ...]]:
        return query(shadow, "SELECT relation_table FROM odoo_shadow.odoo_shadow_field WHERE relation = 'res.partner'")

    assert pointed() == [(None,)]
    with shadow.transaction() as tx:
        registry.register_table(tx, "res.partner")
    assert pointed() == [(PARTNERS,)]


def test_a_field_that_points_to_another_model_points_to_its_table(shadow: ShadowDatabase) -> None:
    make_table(shadow, "res.partner", [NAME])
    orders(shadow)
    pointed = "SELECT relation, relation_table FROM odoo_shadow.odoo_shadow_field WHERE column_name = 'partner_id'"
    other = replace(PARTNER, description=Description(relation="crm.lead"))
    orders(shadow, (NAME, other, STATE, LIMIT))
    assert query(shadow, pointed) == [("crm.lead", None)]


def test_a_role_that_does_not_own_the_tables_still_keeps_the_rows(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow_internal TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with ShadowDatabase.from_url(as_role(database, role)) as as_filler:
            orders(as_filler, (relabelled(NAME, "Number"), PARTNER, STATE, LIMIT))
            before = contents(database)
            orders(as_filler, (relabelled(NAME, "Number"), PARTNER, STATE, LIMIT))
            assert contents(database) == before
    assert comments(shadow, ORDERS)["name"] == "Name"
    told = "SELECT label FROM odoo_shadow.odoo_shadow_field WHERE column_name = 'name'"
    assert query(shadow, told) == [("Number",)]


def test_a_user_sees_only_what_the_grants_show(shadow: ShadowDatabase, database: str) -> None:
    orders(shadow)
    with new_role(database) as role, psycopg.connect(as_role(database, role)) as connection:
        for book in ("odoo_shadow_field", "odoo_shadow_selection"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("SELECT * FROM public.{}").format(sql.Identifier(book)))
