"""Odoo's own analyses as SQL views: what they add up, with their signs, units and rounding.

A view tells amounts in the currency of the record's company, as Odoo does when it is asked for one company alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from odoo_stand_in.declared.schema import Flavour

_INVOICES = """
SELECT l.id, l.move_id, m.journal_id, m.company_id, c.currency_id AS company_currency_id, m.partner_id,
    l.partner_id AS commercial_partner_id, p.country_id, m.invoice_user_id, m.move_type, m.state, m.payment_state,
    m.invoice_date, (l.quantity * coalesce({units}, 1))::float8 * d.sign AS quantity, l.product_id,
    t.uom_id AS product_uom_id, t.categ_id AS product_categ_id, m.invoice_date_due, l.account_id,
    -l.balance::float8 AS price_subtotal, l.price_total::float8 * d.sign AS price_total,
    l.price_unit::float8 AS price_average,
    NULL::float8 AS price_margin, NULL::float8 AS inventory_value, m.currency_id, m.team_id,
    l.price_subtotal::float8 * d.sign AS price_subtotal_currency, l.price_total::float8 * d.sign AS price_total_currency
FROM account_move_line l
JOIN account_move m ON m.id = l.move_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN m.move_type IN ('in_invoice', 'out_refund', 'in_receipt') THEN -1 ELSE 1 END AS sign
) d
JOIN res_company c ON c.id = m.company_id
LEFT JOIN res_partner p ON p.id = l.partner_id
LEFT JOIN product_product v ON v.id = l.product_id
LEFT JOIN product_template t ON t.id = v.product_tmpl_id
LEFT JOIN uom_uom u ON u.id = l.product_uom_id
LEFT JOIN uom_uom own ON own.id = t.uom_id
WHERE m.move_type IN ('out_invoice', 'out_refund', 'in_invoice', 'in_refund', 'out_receipt', 'in_receipt')
    AND l.account_id IS NOT NULL AND l.display_type = 'product'
"""
_SALES = """
SELECT l.id, l.product_id, v.product_tmpl_id, t.categ_id, t.uom_id AS {unit}, o.name, o.date_order AS date, o.state,
    o.invoice_status, l.invoice_status AS line_invoice_status, o.partner_id, p.commercial_partner_id, p.country_id,
    o.user_id, o.team_id, o.company_id, c.currency_id, 1 AS nbr, l.price_unit::float8 AS price_unit,
    'sale.order,' || o.id AS order_reference, coalesce(l.product_uom_qty * r.units, 0)::float8 AS product_uom_qty,
    coalesce(l.qty_delivered * r.units, 0)::float8 AS qty_delivered,
    coalesce(l.qty_invoiced * r.units, 0)::float8 AS qty_invoiced,
    coalesce((l.product_uom_qty - l.qty_delivered) * r.units, 0)::float8 AS qty_to_deliver,
    CASE WHEN l.product_id IS NULL THEN 0 ELSE l.price_subtotal / r.rate END::float8 AS price_subtotal,
    CASE WHEN l.product_id IS NULL THEN 0 ELSE l.price_total / r.rate END::float8 AS price_total,
    CASE WHEN l.product_id IS NULL AND l.is_downpayment IS NOT TRUE THEN 0
        ELSE l.untaxed_amount_invoiced / r.rate END::float8 AS untaxed_amount_invoiced,
    CASE WHEN l.product_id IS NULL AND l.is_downpayment IS NOT TRUE THEN 0
        ELSE l.untaxed_amount_to_invoice / r.rate END::float8 AS untaxed_amount_to_invoice
FROM sale_order_line l
JOIN sale_order o ON o.id = l.order_id
JOIN res_partner p ON p.id = o.partner_id
JOIN res_company c ON c.id = o.company_id
LEFT JOIN product_product v ON v.id = l.product_id
LEFT JOIN product_template t ON t.id = v.product_tmpl_id
LEFT JOIN uom_uom u ON u.id = l.{unit}
LEFT JOIN uom_uom own ON own.id = t.uom_id
CROSS JOIN LATERAL (
    SELECT {units} AS units, CASE coalesce(o.currency_rate, 0) WHEN 0 THEN 1.0 ELSE o.currency_rate END AS rate
) r
WHERE l.display_type IS NULL
"""
_PURCHASES = """
SELECT l.id, l.order_id, o.date_order, o.date_approve, o.state, o.partner_id, p.commercial_partner_id, p.country_id,
    o.user_id, o.company_id, c.currency_id, l.product_id, v.product_tmpl_id, t.categ_id AS category_id,
    t.uom_id AS {unit}, 1 AS nbr_lines, (l.product_qty * r.units)::float8 AS qty_ordered,
    (l.qty_received * r.units)::float8 AS qty_received, (l.qty_invoiced * r.units)::float8 AS qty_billed,
    ((CASE t.purchase_method WHEN 'purchase' THEN l.product_qty ELSE l.qty_received END - l.qty_invoiced)
        * r.units)::float8 AS qty_to_be_billed,
    round((l.price_subtotal / coalesce(o.currency_rate, 1.0))::numeric, 2)::float8 AS untaxed_total,
    round((l.price_total / coalesce(o.currency_rate, 1.0))::numeric, 2)::float8 AS price_total
FROM purchase_order_line l
JOIN purchase_order o ON o.id = l.order_id
JOIN res_partner p ON p.id = o.partner_id
JOIN res_company c ON c.id = o.company_id
LEFT JOIN product_product v ON v.id = l.product_id
LEFT JOIN product_template t ON t.id = v.product_tmpl_id
LEFT JOIN uom_uom u ON u.id = l.{unit}
LEFT JOIN uom_uom own ON own.id = t.uom_id
CROSS JOIN LATERAL (SELECT {units} AS units) r
WHERE l.display_type IS NULL
"""
# Up to 18 a unit's factor says how many of it make the reference unit, from 19 on how many reference units it is.
_WORDS: Mapping[Flavour, Mapping[str, str]] = {
    "17": {"unit": "product_uom", "units": "own.factor / nullif(u.factor, 0)"},
    "19": {"unit": "product_uom_id", "units": "u.factor / nullif(own.factor, 0)"},
}
INVOICES: Mapping[Flavour, str] = {flavour: _INVOICES.format_map(words) for flavour, words in _WORDS.items()}
SALES: Mapping[Flavour, str] = {flavour: _SALES.format_map(words) for flavour, words in _WORDS.items()}
PURCHASES: Mapping[Flavour, str] = {flavour: _PURCHASES.format_map(words) for flavour, words in _WORDS.items()}
