-- Marts as the contract has them, without dbt: what their proof is tried on.
CREATE SCHEMA odoo_marts;
SET search_path = odoo_marts, odoo_shadow;
CREATE TABLE mart_trial_balance AS
SELECT company_id, account_id, date_trunc('month', date)::date AS month, sum(debit) AS debit, sum(credit) AS credit,
    sum(balance) AS balance
FROM odoo_shadow_account_move_line WHERE parent_state = 'posted' GROUP BY 1, 2, 3;
CREATE TABLE mart_receivables AS
SELECT l.company_id, l.partner_id, sum(amount_residual) FILTER (WHERE late <= 0) AS not_due,
    sum(amount_residual) FILTER (WHERE late BETWEEN 1 AND 30) AS days_1_30,
    sum(amount_residual) FILTER (WHERE late BETWEEN 31 AND 60) AS days_31_60,
    sum(amount_residual) FILTER (WHERE late BETWEEN 61 AND 90) AS days_61_90,
    sum(amount_residual) FILTER (WHERE late > 90) AS days_over_90, sum(amount_residual) AS total
FROM odoo_shadow_account_move_line l JOIN odoo_shadow_account_account a ON a.id = l.account_id
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE 'UTC')::date - coalesce(l.date_maturity, l.date) AS late) d
WHERE l.parent_state = 'posted' AND a.account_type = 'asset_receivable' GROUP BY 1, 2;
CREATE TABLE mart_sales AS
SELECT l.id AS line_id, o.id AS order_id, o.company_id, l.product_id, o.state, o.partner_id AS customer_id,
    date_trunc('month', o.date_order AT TIME ZONE 'UTC')::date AS month, l.product_uom_qty AS quantity,
    l.price_subtotal AS amount_untaxed, l.price_subtotal AS amount_untaxed_in_order_currency
FROM odoo_shadow_sale_order_line l JOIN odoo_shadow_sale_order o ON o.id = l.order_id WHERE l.display_type IS NULL;
CREATE TABLE mart_invoices AS
SELECT m.id AS move_id, m.move_type, m.company_id, date_trunc('month', m.invoice_date)::date AS month, m.partner_id,
    l.product_id, CASE WHEN m.move_type LIKE '%refund' THEN -1 ELSE 1 END * l.quantity
        * coalesce(nullif(unit.factor, 0) / nullif(own.factor, 0), 1) AS quantity,
    CASE WHEN m.move_type LIKE 'out%' THEN -1 ELSE 1 END * l.balance AS amount_untaxed
FROM odoo_shadow_account_move_line l JOIN odoo_shadow_account_move m ON m.id = l.move_id
LEFT JOIN odoo_shadow_product_product v ON v.id = l.product_id
LEFT JOIN odoo_shadow_product_template t ON t.id = v.product_tmpl_id
LEFT JOIN odoo_shadow_uom_uom unit ON unit.id = l.product_uom_id
LEFT JOIN odoo_shadow_uom_uom own ON own.id = t.uom_id
WHERE m.state = 'posted' AND l.display_type = 'product' AND m.move_type <> 'entry';
CREATE TABLE mart_freshness AS
SELECT mart, now() AS built_at, (SELECT min(last_write_date) FROM odoo_shadow_watermark) AS as_of,
    NULL::bigint AS row_count, CASE WHEN mart = 'mart_stock' THEN 'stock.quant is not mirrored' END AS left_out_because,
    'odoo_shadow' AS shadow_schema,
    (SELECT jsonb_object_agg(table_name, last_write_date) FROM odoo_shadow_watermark) AS made_of, 'UTC' AS time_zone,
    'the digest' AS definition
FROM unnest(ARRAY['mart_trial_balance', 'mart_receivables', 'mart_sales', 'mart_invoices', 'mart_stock']) mart;
