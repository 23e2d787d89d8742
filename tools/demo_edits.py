"""What happens in Odoo between the demo's two runs, through Odoo's own API."""

from __future__ import annotations

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.types import Argument, Json

NEW_NAME = "Renamed & Partners"
REPRICED = 40


def edit(odoo: OdooClient) -> list[str]:
    """Rename and archive a customer, sell something, change prices; say what was done. Raises an `OdooError`."""
    customers = odoo.search_read(
        "res.partner", [["is_company", "=", True], ["partner_share", "=", True]], ["name"], limit=2, order="id desc"
    )
    renamed, archived = customers
    odoo.execute_kw("res.partner", "write", [[renamed["id"]], {"name": NEW_NAME}])
    odoo.execute_kw("res.partner", "write", [[archived["id"]], {"active": False}])
    order = _sell(odoo, renamed["id"])
    products = odoo.search("product.template", [["sale_ok", "=", True]], limit=REPRICED, order="id")
    odoo.execute_kw("product.template", "write", [products, {"list_price": 99.5}])
    return [
        f"renamed customer {renamed['name']} to {NEW_NAME}",
        f"archived customer {archived['name']}",
        f"created order {order} with 3 lines",
        f"set one price on {len(products)} products at once",
    ]


def _sell(odoo: OdooClient, customer: Json) -> Json:
    products = odoo.search("product.product", [], limit=3, order="id")
    lines: list[Argument] = [
        [0, 0, {"product_id": product, "name": "Demo", "product_uom_qty": 2, "price_unit": 25}] for product in products
    ]
    created = odoo.execute_kw("sale.order", "create", [[{"partner_id": customer, "order_line": lines}]])
    (order,) = odoo.search_read("sale.order", [["id", "in", created]], ["name"])
    return order["name"]
