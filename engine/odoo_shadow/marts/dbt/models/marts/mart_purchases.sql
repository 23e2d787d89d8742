{% call odoo_shadow.mart() %}
select
    o.id as order_id,
    o.name as order_name,
    l.id as line_id,
    o.company_id,
    o.partner_id as vendor_id,
    vendor.name as vendor_name,
    l.product_id,
    product.name as product_name,
    {{ odoo_shadow.in_product_unit('l.product_qty', 'l.product_uom_id') }} as quantity,
    {{ odoo_shadow.in_product_unit('l.qty_received', 'l.product_uom_id') }} as quantity_received,
    {{ odoo_shadow.in_product_unit('l.qty_invoiced', 'l.product_uom_id') }} as quantity_billed,
    {{ odoo_shadow.in_company_currency('l.price_subtotal', 'o.currency_rate') }} as amount_untaxed,
    o.state,
    o.date_order as ordered_at,
    {{ odoo_shadow.month_of(odoo_shadow.day_of('o.date_order')) }} as month,
    o.date_approve as confirmed_at,
    l.date_planned as expected_at,
    l.name as description,
    coalesce(product.unit_name, unit.name) as unit_name,
    vendor.commercial_partner_id as vendor_company_id,
    vendor_company.name as vendor_company_name,
    product.category_id,
    product.category_name,
    product.code as product_code,
    o.user_id as buyer_id,
    buyer.name as buyer_name,
    company.name as company_name,
    company.currency,
    l.price_subtotal as amount_untaxed_in_order_currency,
    order_currency.name as order_currency
    {{- odoo_shadow.own_fields('purchase.order.line', 'l') }}
    {{- odoo_shadow.own_fields('purchase.order', 'o') }}
from {{ ref('stg_purchase_order_line') }} l
join {{ ref('stg_purchase_order') }} o on o.id = l.order_id
left join {{ ref('stg_res_partner') }} vendor on vendor.id = o.partner_id
left join {{ ref('stg_res_partner') }} vendor_company on vendor_company.id = vendor.commercial_partner_id
left join {{ ref('stg_product') }} product on product.id = l.product_id
left join {{ ref('stg_uom_uom') }} unit on unit.id = l.product_uom_id
left join {{ ref('stg_salesperson') }} buyer on buyer.id = o.user_id
left join {{ ref('stg_company') }} company on company.id = o.company_id
left join {{ ref('stg_res_currency') }} order_currency on order_currency.id = o.currency_id
where l.display_type is null  -- sections and notes
{% endcall %}
