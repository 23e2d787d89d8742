{#-
  What is open on accounts of one type by company, partner and how late it is, as of today.

  sign: 1 for what others owe, -1 for what is owed to them, so that both are positive.
-#}
{% macro ageing(account_type, sign) -%}
with account as (
    {{ odoo_shadow.stage('account.account', {'id': 'bigint', 'account_type': 'text'}) | indent(4) }}
),

open_items as (
    select
        l.company_id,
        l.partner_id,
        coalesce(l.date_maturity, l.date) as due_on,
        {{ odoo_shadow.today() }} - coalesce(l.date_maturity, l.date) as days_late,
        {{ sign }} * l.amount_residual as residual
    from {{ ref('stg_account_move_line') }} l
    join account a on a.id = l.account_id
    where l.parent_state = 'posted' and l.amount_residual <> 0 and a.account_type = '{{ account_type }}'
),

by_partner as (
    select
        company_id,
        partner_id,
        coalesce(sum(residual) filter (where days_late <= 0), 0) as not_due,
        coalesce(sum(residual) filter (where days_late between 1 and 30), 0) as days_1_30,
        coalesce(sum(residual) filter (where days_late between 31 and 60), 0) as days_31_60,
        coalesce(sum(residual) filter (where days_late between 61 and 90), 0) as days_61_90,
        coalesce(sum(residual) filter (where days_late > 90), 0) as days_over_90,
        sum(residual) as total,
        min(due_on) as oldest_due_on,
        count(*) as open_items
    from open_items
    group by 1, 2
)

select
    o.company_id,
    o.partner_id,
    p.name as partner_name,
    o.not_due,
    o.days_1_30,
    o.days_31_60,
    o.days_61_90,
    o.days_over_90,
    o.total,
    coalesce(p.commercial_partner_id, o.partner_id) as commercial_partner_id,
    m.name as commercial_partner_name,
    c.name as company_name,
    c.currency,
    {{ odoo_shadow.today() }} as as_of_day,
    o.oldest_due_on,
    o.open_items
from by_partner o
left join {{ ref('stg_res_partner') }} p on p.id = o.partner_id
left join {{ ref('stg_res_partner') }} m on m.id = coalesce(p.commercial_partner_id, o.partner_id)
left join {{ ref('stg_company') }} c on c.id = o.company_id
{%- endmacro %}
