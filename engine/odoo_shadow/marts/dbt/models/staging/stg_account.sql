{#-
  An account of a company. Up to Odoo 17 it belongs to one and has one code; from 18 on companies share accounts, and each
  root company has its own code. Where the codes by company are not mirrored, there is that of the login's company, which
  is sure only for accounts of one company.
-#}
{%- set there = odoo_shadow.shadow_columns('account.account') -%}
{%- set by_company = ['code__companies', 'code_store__companies'] | select('in', there) | list -%}
with account as (
    {{ odoo_shadow.stage('account.account', {
        'id': 'bigint',
        'name': 'text',
        'account_type': 'text',
        'code': 'text',
        'code_store': 'text',
        'company_ids': 'bigint[]'
    }) | indent(4) }}
)

select
    a.id,
    c.id as company_id,
    a.name,
    a.account_type,
    coalesce(
        {% if by_company -%}
        s.{{ by_company[0] }} ->> cast(c.id as text),
        s.{{ by_company[0] }} ->> cast(c.root_id as text),
        {%- else -%}
        case when cardinality(a.company_ids) = 1 then a.code_store end,
        {%- endif %}
        a.code
    ) as code
from account a
cross join {{ ref('stg_company') }} c
{% if by_company -%}
left join {{ source('odoo_shadow', 'odoo_shadow_account_account') }} s on s.id = a.id
{%- endif %}
