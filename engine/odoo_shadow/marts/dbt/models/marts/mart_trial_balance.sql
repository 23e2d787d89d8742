{% call odoo_shadow.mart() %}
with posted as (
    select
        company_id,
        account_id,
        {{ odoo_shadow.month_of('date') }} as month,
        sum(debit) as debit,
        sum(credit) as credit,
        sum(balance) as balance,
        count(*) as lines
    from {{ ref('stg_account_move_line') }}
    where parent_state = 'posted' and account_id is not null  -- sections and notes have no account
    group by 1, 2, 3
)

select
    p.company_id,
    p.account_id,
    a.code as account_code,
    a.name as account_name,
    a.account_type,
    p.month,
    p.debit,
    p.credit,
    p.balance,
    c.name as company_name,
    c.currency,
    p.lines
from posted p
left join {{ ref('stg_company') }} c on c.id = p.company_id
left join {{ ref('stg_account') }} a on a.id = p.account_id and a.company_id = p.company_id
{% endcall %}
