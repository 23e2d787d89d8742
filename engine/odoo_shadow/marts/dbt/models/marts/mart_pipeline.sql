{% call odoo_shadow.mart() %}
select
    l.id as lead_id,
    l.name as lead_name,
    l.company_id,
    l.stage_id,
    stage.name as stage_name,
    stage.sequence as stage_order,
    salesperson.name as salesperson_name,
    l.expected_revenue,
    l.probability,
    {{ odoo_shadow.month_of(odoo_shadow.day_of('l.create_date')) }} as created_month,
    -- From Odoo 18 on a lead says it by itself; before, won and lost are what these values mean.
    case
        when l.won_status is not null then case l.won_status when 'pending' then 'open' else l.won_status end
        when l.probability = 100 and stage.is_won then 'won'
        when not l.active and l.probability = 0 then 'lost'
        else 'open'
    end as state,
    l.type,
    l.active as is_active,
    l.create_date as created_at,
    l.date_deadline as expected_closing_on,
    l.date_closed as closed_at,
    lost_reason.name as lost_reason,
    l.user_id as salesperson_id,
    l.team_id,
    team.name as team_name,
    l.partner_id as customer_id,
    coalesce(customer.name, l.partner_name) as customer_name,
    company.name as company_name,
    company.currency
    {{- odoo_shadow.own_fields('crm.lead', 'l') }}
from {{ ref('stg_crm_lead') }} l
left join {{ ref('stg_crm_stage') }} stage on stage.id = l.stage_id
left join {{ ref('stg_salesperson') }} salesperson on salesperson.id = l.user_id
left join {{ ref('stg_crm_team') }} team on team.id = l.team_id
left join {{ ref('stg_crm_lost_reason') }} lost_reason on lost_reason.id = l.lost_reason_id
left join {{ ref('stg_res_partner') }} customer on customer.id = l.partner_id
left join {{ ref('stg_company') }} company on company.id = l.company_id
{% endcall %}
