"""Questions about orders and invoices: Odoo's own analyses, and the lines themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from odoo_shadow.marts.proof.comparison import Behind, Circumstances, Comparison, Figure, Key
from odoo_shadow.source.groups import By, GroupKey
from odoo_shadow.source.types import Domain

_LINES = Figure("lines", "", "1", is_amount=False)
_ORDERED = Figure("amount_untaxed_in_order_currency", "price_subtotal", "m.amount_untaxed_in_order_currency")
"""Of lines in several currencies the sum means nothing, but it is the same on both sides."""
_STATE = Key("state", By("state"), "m.state")
_PRODUCT = Key("product", By("product_id"), "m.product_id")
_TO_CUSTOMERS = ("out_invoice", "out_refund", "out_receipt")
_FROM_VENDORS = ("in_invoice", "in_refund", "in_receipt")


def sales() -> list[Comparison]:
    """Return the questions about sales. Odoo's analysis leaves out lines without a product: the lines have them."""
    return [
        _sold("by month and state", Key("month", By("date", month=True), "m.month", is_time=True), _STATE),
        _sold("by customer and state", Key("customer", By("partner_id"), "m.customer_id"), _STATE),
        _sold("by product and state", _PRODUCT, _STATE),
        Comparison(
            mart="mart_sales",
            name="lines and their amounts by product and state",
            model="sale.order.line",
            keys=(_PRODUCT, _STATE),
            figures=(_ORDERED, _LINES),
            behind=Behind(By("id"), "sale.order.line", "m.line_id", touched=("write_date", "order_id.write_date")),
            domain=_of_orders,
        ),
    ]


def _sold(name: str, *keys: Key) -> Comparison:
    return Comparison(
        mart="mart_sales",
        name=name,
        model="sale.report",
        keys=keys,
        figures=(
            Figure("amount_untaxed", "price_subtotal", "m.amount_untaxed"),
            Figure("quantity", "product_uom_qty", "m.quantity", is_amount=False),
        ),
        behind=Behind(
            By("order_reference"), "sale.order", "m.order_id", touched=("write_date", "order_line.write_date")
        ),
        where="m.product_id IS NOT NULL",
        is_report=True,
        domain=_of_sale_orders,
    )


def _of_sale_orders(about: Circumstances) -> Domain:
    """Leave out what a point of sale adds to the analysis."""
    return [("order_reference", "=like", "sale.order,%")] if "order_reference" in about.fields else []


def _of_orders(_: Circumstances) -> Domain:
    """Leave out sections and notes."""
    return [("display_type", "=", False)]


def purchases() -> list[Comparison]:
    """Return the questions about purchases."""
    return [
        _bought("by vendor and state", Key("vendor", By("partner_id"), "m.vendor_id"), _STATE),
        _bought("by product and state", _PRODUCT, _STATE),
        Comparison(
            mart="mart_purchases",
            name="lines and their amounts by product and state",
            model="purchase.order.line",
            keys=(_PRODUCT, _STATE),
            figures=(_ORDERED, _LINES),
            behind=Behind(By("id"), "purchase.order.line", "m.line_id", touched=("write_date", "order_id.write_date")),
            domain=_of_orders,
        ),
    ]


def _bought(name: str, *keys: Key) -> Comparison:
    return Comparison(
        mart="mart_purchases",
        name=name,
        model="purchase.report",
        keys=keys,
        figures=(
            # Odoo rounds what it adds up of one product in one order.
            Figure("amount_untaxed", "untaxed_total", "m.amount_untaxed", is_rounded=True),
            Figure("quantity", "qty_ordered", "m.quantity", is_amount=False),
            Figure("quantity_received", "qty_received", "m.quantity_received", is_amount=False),
            Figure("quantity_billed", "qty_billed", "m.quantity_billed", is_amount=False),
        ),
        behind=Behind(By("order_id"), "purchase.order", "m.order_id", touched=("write_date", "order_line.write_date")),
        is_report=True,
    )


def invoices() -> list[Comparison]:
    """Return the questions about invoices and bills: Odoo's analysis, and journal items."""
    kind = Key("move_type", By("move_type"), "m.move_type")
    return [
        _invoiced("by month and type", Key("month", By("invoice_date", month=True), "m.month"), kind),
        _invoiced("by partner and type", Key("partner", By("partner_id"), "m.partner_id"), kind),
        _booked("journal items of customers' invoices by product", _TO_CUSTOMERS, "m.move_type LIKE 'out%'", -1),
        _booked("journal items of vendors' bills by product", _FROM_VENDORS, "m.move_type LIKE 'in%'", 1),
    ]


def _invoiced(name: str, *keys: Key) -> Comparison:
    return Comparison(
        mart="mart_invoices",
        name=name,
        model="account.invoice.report",
        keys=keys,
        figures=(
            Figure("amount_untaxed", "price_subtotal", "m.amount_untaxed"),
            Figure("quantity", "quantity", "m.quantity", is_amount=False),
        ),
        behind=Behind(By("move_id"), "account.move", "m.move_id", touched=("write_date", "line_ids.write_date")),
        domain=_posted,
        sign=_turned_around,
        is_report=True,
    )


def _turned_around(key: GroupKey) -> int:
    """Turn bills and their refunds around: Odoo's analysis has bills as negative, and what is refunded as positive."""
    return -1 if str(key[1]).startswith("in_") else 1


def _posted(_: Circumstances) -> Domain:
    return [("state", "=", "posted")]


def _booked(name: str, types: tuple[str, ...], where: LiteralString, sign: int) -> Comparison:
    return Comparison(
        mart="mart_invoices",
        name=name,
        model="account.move.line",
        keys=(_PRODUCT,),
        figures=(Figure("amount_untaxed", "balance", "m.amount_untaxed", sign=sign), _LINES),
        behind=Behind(By("move_id"), "account.move", "m.move_id", touched=("write_date", "line_ids.write_date")),
        domain=_lines_of(types),
        where=where,
    )


def _lines_of(types: tuple[str, ...]) -> Callable[[Circumstances], Domain]:
    def domain(_: Circumstances) -> Domain:
        return [("parent_state", "=", "posted"), ("display_type", "=", "product"), ("move_id.move_type", "in", types)]

    return domain
