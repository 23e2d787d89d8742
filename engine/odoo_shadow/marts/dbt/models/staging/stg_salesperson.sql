-- A user is called as the user's partner is, without the company that the partner belongs to.
select
    u.id,
    coalesce(p.own_name, p.name, u.login) as name
from {{ ref('stg_res_users') }} u
left join {{ ref('stg_res_partner') }} p on p.id = u.partner_id
