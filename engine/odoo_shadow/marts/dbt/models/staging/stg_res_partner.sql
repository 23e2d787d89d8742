-- Odoo stores the name that it shows as complete_name, up to 16 as display_name.
with partner as (
    {{ odoo_shadow.stage('res.partner', {
        'id': 'bigint',
        'name': 'text',
        'complete_name': 'text',
        'display_name': 'text',
        'commercial_partner_id': 'bigint'
    }) | indent(4) }}
)

select
    id,
    coalesce(display_name, complete_name, name) as name,
    name as own_name,
    commercial_partner_id
from partner
