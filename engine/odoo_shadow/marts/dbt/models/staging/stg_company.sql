-- A company, with its currency and the company at the root, which has the codes of its accounts from Odoo 18 on.
with company as (
    {{ odoo_shadow.stage('res.company', {
        'id': 'bigint',
        'name': 'text',
        'currency_id': 'bigint',
        'parent_path': 'text'
    }) | indent(4) }}
)

select
    c.id,
    c.name,
    u.name as currency,
    coalesce(cast(nullif(split_part(c.parent_path, '/', 1), '') as bigint), c.id) as root_id
from company c
left join {{ ref('stg_res_currency') }} u on u.id = c.currency_id
