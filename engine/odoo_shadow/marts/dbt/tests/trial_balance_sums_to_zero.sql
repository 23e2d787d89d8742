-- Of each company and month: an entry is booked on one day.
select company_id, month, sum(cast(balance as numeric)) as balance
from {{ get_where_subquery(ref('mart_trial_balance')) }}
group by company_id, month
having abs(sum(cast(balance as numeric))) >= 0.0005
