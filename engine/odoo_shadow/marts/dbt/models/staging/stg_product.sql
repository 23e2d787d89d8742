-- A variant as Odoo shows it, with what its template says of all variants; archived ones, too.
with product as (
    {{ odoo_shadow.stage('product.product', {
        'id': 'bigint',
        'display_name': 'text',
        'default_code': 'text',
        'product_tmpl_id': 'bigint'
    }) | indent(4) }}
),

template as (
    {{ odoo_shadow.stage('product.template', {
        'id': 'bigint',
        'name': 'text',
        'categ_id': 'bigint',
        'uom_id': 'bigint'
    }) | indent(4) }}
),

category as (
    {{ odoo_shadow.stage('product.category', {'id': 'bigint', 'name': 'text', 'complete_name': 'text'}) | indent(4) }}
)

select
    p.id,
    coalesce(p.display_name, concat('[' || p.default_code || '] ', t.name)) as name,
    p.default_code as code,
    t.categ_id as category_id,
    coalesce(c.complete_name, c.name) as category_name,
    t.uom_id as unit_id,
    u.factor as unit_factor,
    u.name as unit_name
from product p
left join template t on t.id = p.product_tmpl_id
left join category c on c.id = t.categ_id
left join {{ ref('stg_uom_uom') }} u on u.id = t.uom_id
