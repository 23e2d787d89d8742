"""What Odoo fills in when a record is created without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from odoo_stand_in.declared.schema import Model
from odoo_stand_in.orm.environment import Environment

_NOW = "sql:SELECT date_trunc('second', now() AT TIME ZONE 'UTC')::text"
_TODAY = "sql:SELECT (now() AT TIME ZONE 'UTC')::date::text"
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "res.partner": {"type": "contact", "lang": "en_US", "autopost_bills": "ask"},
    "res.users": {"notification_type": "email"},
    "res.company": {"currency_id": "1", "fiscalyear_last_day": "31", "fiscalyear_last_month": "12"},
    "product.template": {
        "type": "consu",
        "detailed_type": "consu",
        "uom_id": "1",
        "uom_po_id": "1",
        "categ_id": "1",
        "list_price": "1",
        "purchase_line_warn": "no-message",
        "sale_line_warn": "no-message",
        "service_tracking": "no",
    },
    "sale.order": {
        "name": "sql:SELECT 'S' || lpad((COALESCE(max(id), 0) + 1)::text, 5, '0') FROM sale_order",
        "state": "draft",
        "date_order": _NOW,
    },
    "sale.order.line": {"name": "/", "product_uom_qty": "1", "price_unit": "0", "customer_lead": "0"},
    "purchase.order": {
        "name": "sql:SELECT 'P' || lpad((COALESCE(max(id), 0) + 1)::text, 5, '0') FROM purchase_order",
        "state": "draft",
        "date_order": _NOW,
    },
    "purchase.order.line": {"name": "/", "product_qty": "1", "price_unit": "0"},
    "account.move": {"state": "draft", "move_type": "entry", "auto_post": "no", "journal_id": "1", "date": _TODAY},
    "account.move.line": {"display_type": "product"},
    "account.account": {"account_type": "asset_current"},
    "project.project": {
        "privacy_visibility": "employees",
        "last_update_status": "to_define",
        "rating_status": "stage",
        "rating_status_period": "monthly",
    },
    "project.task": {"state": "01_in_progress", "priority": "0"},
}
# The invoice and delivery address of a new order are those of its customer.
FOLLOWING = {"sale.order": ("partner_id", ("partner_invoice_id", "partner_shipping_id"))}


def fill(env: Environment, model: Model, own: dict[str, Any]) -> None:
    """Put the values that Odoo would choose where the caller gave none."""
    company = model.fields.get("company_id")
    if company is not None and company.required and own.get("company_id") is None:
        own["company_id"] = env.company_id
    for name, value in DEFAULTS.get(model.name, {}).items():
        if own.get(name) is None and name in model.fields and model.fields[name].column:
            own[name] = env.rows(sql.SQL(value[4:]))[0][0] if value.startswith("sql:") else value
    leader, followers = FOLLOWING.get(model.name, ("", ()))
    for name in followers:
        if own.get(name) is None:
            own[name] = own.get(leader)
    currency = model.fields.get("currency_id")
    if currency is not None and currency.required and currency.column and own.get("currency_id") is None:
        rows = env.rows(
            sql.SQL("SELECT currency_id FROM res_company WHERE id = {}").format(
                sql.Literal(own.get("company_id") or env.company_id)
            )
        )
        own["currency_id"] = rows[0][0] if rows else 1
