"""Mirrored tables that point to each other, for tests of the views with readable names."""

from __future__ import annotations

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.descriptions import Description
from tests.support.catalog import structure
from tests.support.tables import make_table

ORDERS = "odoo_shadow_sale_order"


def text(name: str) -> Column:
    return Column(name, ColumnType.TEXT, name, "char")


def bigint(name: str) -> Column:
    return Column(name, ColumnType.BIGINT, name, "integer")


def many2one(name: str, model: str) -> Column:
    return Column(name, ColumnType.BIGINT, name, "many2one", Description(relation=model))


CUSTOMER, SELLER = many2one("partner_id", "res.partner"), many2one("user_id", "res.users")


def languages(name: str) -> Column:
    """The languages of a field, which stand beside it under the same field's name."""
    return Column(f"{name}__translations", ColumnType.JSONB, name, "char")


def partners(shadow: ShadowDatabase, *columns: Column) -> str:
    return make_table(shadow, "res.partner", columns or [text("name")], name_path="name")


def users(shadow: ShadowDatabase) -> str:
    return make_table(shadow, "res.users", [text("login"), CUSTOMER], name_path="partner_id.name")


def orders(shadow: ShadowDatabase, *columns: Column) -> str:
    return make_table(shadow, "sale.order", columns or [text("name"), CUSTOMER], name_path="name")


def columns_of(database: str, view: str = f"{ORDERS}_named") -> list[object]:
    found = structure(database)["columns"]
    return [name for _, name in sorted((row[2], row[3]) for row in found if row[:2] == ("odoo_shadow", view))]


def due(shadow: ShadowDatabase) -> set[object]:
    with shadow.transaction() as tx:
        return {row[0] for row in tx.run("SELECT table_name FROM odoo_shadow.odoo_shadow_meta WHERE view_is_due")}
