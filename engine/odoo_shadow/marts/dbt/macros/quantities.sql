{#-
  A quantity in the unit of its product, as Odoo's reports have it. Up to Odoo 18 a unit's factor says how many of it
  make the reference unit, from 19 on how many reference units it is. Where the units differ and their table is not
  mirrored, the quantity is not known. The query around it has the tables `product` and `unit`.
-#}
{% macro in_product_unit(quantity, unit_id) -%}
    {%- set is_turned = 'relative_factor' in odoo_shadow.shadow_columns('uom.uom') -%}
    case
        when {{ unit_id }} is null or product.unit_id is null or {{ unit_id }} = product.unit_id then {{ quantity }}
        {% if is_turned -%}
        else {{ quantity }} * unit.factor / nullif(product.unit_factor, 0)
        {%- else -%}
        else {{ quantity }} / nullif(unit.factor, 0) * product.unit_factor
        {%- endif %}
    end
{%- endmacro %}

{#- An amount of an order in the company's currency, at the rate that the order has. -#}
{% macro in_company_currency(amount, rate) -%}
    {{ amount }} / coalesce(nullif(cast({{ rate }} as numeric), 0), 1)
{%- endmacro %}
