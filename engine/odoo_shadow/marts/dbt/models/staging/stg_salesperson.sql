-- A user is called as the user's partner is.
select
    u.id,
    coalesce(p.name, u.login) as name
from {{ ref('stg_res_users') }} u
left join {{ ref('stg_res_partner') }} p on p.id = u.partner_id
