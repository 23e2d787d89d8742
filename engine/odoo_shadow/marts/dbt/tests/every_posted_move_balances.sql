-- depends_on: {{ ref('mart_trial_balance') }}: after the marts, so that it holds none of them up.
-- Debit and credit of a posted journal entry are the same, to the digits of the currency.
select move_id, sum(balance) as balance
from {{ ref('stg_account_move_line') }}
where parent_state = 'posted'
group by move_id
having abs(sum(balance)) >= 0.0005
