{#- Invoices and bills are positive, what is refunded of either is negative; Odoo's own analysis turns bills around. -#}
{% call odoo_shadow.mart() %}
{%- set direction = "case when m.move_type in ('out_refund', 'in_refund') then -1 else 1 end" -%}
{%- set is_sale = "m.move_type in ('out_invoice', 'out_refund', 'out_receipt')" -%}
select
    m.id as move_id,
    m.name as move_name,
    m.move_type,
    {{ odoo_shadow.month_of('coalesce(m.invoice_date, m.date)') }} as month,
    l.company_id,
    m.partner_id,
    partner.name as partner_name,
    l.product_id,
    product.name as product_name,
    {{ direction }} * {{ odoo_shadow.in_product_unit('l.quantity', 'l.product_uom_id') }} as quantity,
    case when {{ is_sale }} then -l.balance else l.balance end as amount_untaxed,
    l.id as line_id,
    coalesce(m.invoice_date, m.date) as invoice_date,
    m.date as accounting_date,
    m.payment_state,
    l.name as description,
    coalesce(product.unit_name, unit.name) as unit_name,
    l.partner_id as commercial_partner_id,
    commercial_partner.name as commercial_partner_name,
    product.category_id,
    product.category_name,
    product.code as product_code,
    m.invoice_user_id as salesperson_id,
    salesperson.name as salesperson_name,
    l.account_id,
    account.code as account_code,
    account.name as account_name,
    m.journal_id,
    journal.name as journal_name,
    company.name as company_name,
    company.currency,
    -l.balance as amount_untaxed_signed,
    {{ direction }} * l.price_subtotal as amount_untaxed_in_invoice_currency,
    invoice_currency.name as invoice_currency
    {{- odoo_shadow.own_fields('account.move.line', 'l') }}
    {{- odoo_shadow.own_fields('account.move', 'm') }}
from {{ ref('stg_account_move_line') }} l
join {{ ref('stg_account_move') }} m on m.id = l.move_id
left join {{ ref('stg_res_partner') }} partner on partner.id = m.partner_id
left join {{ ref('stg_res_partner') }} commercial_partner on commercial_partner.id = l.partner_id
left join {{ ref('stg_product') }} product on product.id = l.product_id
left join {{ ref('stg_uom_uom') }} unit on unit.id = l.product_uom_id
left join {{ ref('stg_salesperson') }} salesperson on salesperson.id = m.invoice_user_id
left join {{ ref('stg_account') }} account on account.id = l.account_id and account.company_id = l.company_id
left join {{ ref('stg_account_journal') }} journal on journal.id = m.journal_id
left join {{ ref('stg_company') }} company on company.id = l.company_id
left join {{ ref('stg_res_currency') }} invoice_currency on invoice_currency.id = m.currency_id
where m.state = 'posted'
    and m.move_type in ('out_invoice', 'out_refund', 'out_receipt', 'in_invoice', 'in_refund', 'in_receipt')
    and l.display_type = 'product'
    and l.account_id is not null
{% endcall %}
