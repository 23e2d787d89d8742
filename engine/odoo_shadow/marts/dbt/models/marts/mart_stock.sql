{% call odoo_shadow.mart() %}
select
    coalesce(q.company_id, location.company_id) as company_id,
    q.location_id,
    coalesce(location.display_name, location.complete_name, location.name) as location_name,
    q.product_id,
    product.name as product_name,
    lot.name as lot_name,
    q.quantity,
    q.reserved_quantity,
    q.id as quant_id,
    q.lot_id,
    q.quantity - q.reserved_quantity as available_quantity,
    product.unit_name,
    product.category_id,
    product.category_name,
    product.code as product_code,
    location.warehouse_id,
    warehouse.name as warehouse_name,
    q.owner_id,
    owner.name as owner_name,
    q.in_date as received_at,
    company.name as company_name
    {{- odoo_shadow.own_fields('stock.quant', 'q') }}
from {{ ref('stg_stock_quant') }} q
join {{ ref('stg_stock_location') }} location on location.id = q.location_id
left join {{ ref('stg_product') }} product on product.id = q.product_id
left join {{ ref('stg_stock_lot') }} lot on lot.id = q.lot_id
left join {{ ref('stg_stock_warehouse') }} warehouse on warehouse.id = location.warehouse_id
left join {{ ref('stg_res_partner') }} owner on owner.id = q.owner_id
left join {{ ref('stg_company') }} company on company.id = coalesce(q.company_id, location.company_id)
where location.usage = 'internal'
{% endcall %}
