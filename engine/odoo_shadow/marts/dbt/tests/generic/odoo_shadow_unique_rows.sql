{#- There is one row for each combination of these columns; NULL counts as a value. -#}
{% test odoo_shadow_unique_rows(model, columns) %}
select {{ columns | join(', ') }}, count(*) as rows
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
