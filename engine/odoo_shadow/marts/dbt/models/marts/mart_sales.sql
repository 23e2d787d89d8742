{% call odoo_shadow.mart() %}
select
    o.id as order_id,
    o.name as order_name,
    l.id as line_id,
    o.date_order as ordered_at,
    {{ odoo_shadow.month_of(odoo_shadow.day_of('o.date_order')) }} as month,
    o.company_id,
    o.partner_id as customer_id,
    customer.name as customer_name,
    salesperson.name as salesperson_name,
    l.product_id,
    product.name as product_name,
    product.category_name,
    o.state,
    {{ odoo_shadow.in_product_unit('l.product_uom_qty', 'l.product_uom_id') }} as quantity,
    {{ odoo_shadow.in_company_currency('l.price_subtotal', 'o.currency_rate') }} as amount_untaxed,
    l.name as description,
    coalesce(product.unit_name, unit.name) as unit_name,
    {{ odoo_shadow.in_product_unit('l.qty_delivered', 'l.product_uom_id') }} as quantity_delivered,
    {{ odoo_shadow.in_product_unit('l.qty_invoiced', 'l.product_uom_id') }} as quantity_invoiced,
    o.invoice_status,
    customer.commercial_partner_id as customer_company_id,
    customer_company.name as customer_company_name,
    product.category_id,
    product.code as product_code,
    o.user_id as salesperson_id,
    o.team_id,
    team.name as team_name,
    company.name as company_name,
    company.currency,
    l.price_subtotal as amount_untaxed_in_order_currency,
    order_currency.name as order_currency,
    l.is_downpayment
    {{- odoo_shadow.own_fields('sale.order.line', 'l') }}
    {{- odoo_shadow.own_fields('sale.order', 'o') }}
from {{ ref('stg_sale_order_line') }} l
join {{ ref('stg_sale_order') }} o on o.id = l.order_id
left join {{ ref('stg_res_partner') }} customer on customer.id = o.partner_id
left join {{ ref('stg_res_partner') }} customer_company on customer_company.id = customer.commercial_partner_id
left join {{ ref('stg_salesperson') }} salesperson on salesperson.id = o.user_id
left join {{ ref('stg_product') }} product on product.id = l.product_id
left join {{ ref('stg_uom_uom') }} unit on unit.id = l.product_uom_id
left join {{ ref('stg_crm_team') }} team on team.id = o.team_id
left join {{ ref('stg_company') }} company on company.id = o.company_id
left join {{ ref('stg_res_currency') }} order_currency on order_currency.id = o.currency_id
where l.display_type is null  -- sections and notes
{% endcall %}
