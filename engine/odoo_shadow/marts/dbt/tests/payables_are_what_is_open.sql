-- The mart's total of a company is minus the trial balance's of payable accounts: what is reconciled cancels out.
select coalesce(m.company_id, t.company_id) as company_id, m.total, t.balance
from (
    select company_id, sum(cast(total as numeric)) as total
    from {{ get_where_subquery(ref('mart_payables')) }} group by company_id
) m
full join (
    select company_id, sum(cast(balance as numeric)) as balance
    from {{ get_where_subquery(ref('mart_trial_balance')) }} where account_type = 'liability_payable' group by company_id
) t on t.company_id = m.company_id
where abs(coalesce(m.total, 0) + coalesce(t.balance, 0)) >= 0.0005
