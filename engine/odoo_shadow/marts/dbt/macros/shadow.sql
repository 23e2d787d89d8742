{#- What the shadow has: each model may be missing, and so may each field. -#}

{#- The name of a model's table. -#}
{% macro shadow_table(odoo_model) -%}
    {%- do return('odoo_shadow_' ~ odoo_model | replace('.', '_')) -%}
{%- endmacro %}

{#- The columns of a model's table by name; empty if the model is not mirrored. -#}
{% macro shadow_columns(odoo_model) -%}
    {%- set columns = {} -%}
    {%- if execute -%}
        {%- set found = run_query(
            "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a"
            ~ " join pg_catalog.pg_class c on c.oid = a.attrelid"
            ~ " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
            ~ " where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')"
            ~ " and n.nspname = " ~ dbt.string_literal(var('odoo_shadow_schema'))
            ~ " and c.relname = " ~ dbt.string_literal(odoo_shadow.shadow_table(odoo_model))
        ) -%}
        {%- for row in found.rows -%}
            {%- do columns.update({row[0]: row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(columns) -%}
{%- endmacro %}

{#-
  Selects a model's rows: the columns that are asked for, as typed nulls where they are not mirrored, no row where the
  model is not. Rows that are gone from Odoo and kept with a mark are left out.

  columns: types by name. renamed: names of earlier or later versions of Odoo by name.
-#}
{% macro stage(odoo_model, columns, renamed={}) -%}
    {%- set table = odoo_shadow.shadow_table(odoo_model) -%}
    {%- set there = odoo_shadow.shadow_columns(odoo_model) -%}
    {%- set relation = source('odoo_shadow', table) -%}
    select
    {%- for name, type in columns.items() %}
        {%- set names = [name] + renamed.get(name, []) -%}
        {%- set found = names | select('in', there) | list %}
        {% if found %}{{ adapter.quote(found[0]) }}{% else %}cast(null as {{ type }}){% endif %} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
    {%- for name in odoo_shadow.passed_through(odoo_model) if name in there and name not in columns %},
        {{ adapter.quote(name) }}
    {%- endfor %}
    {% if there %}from {{ relation }}{% if '_deleted_at' in there %} where _deleted_at is null{% endif %}{% else %}where false{% endif %}
{%- endmacro %}

{#- The fields of a model that come along, as the variable says. -#}
{% macro passed_through(odoo_model) -%}
    {%- do return(var('odoo_shadow_pass_through').get(odoo_model | replace('.', '_'), [])) -%}
{%- endmacro %}

{#-
  The same fields in a mart: `, line."x_margin"`. It is an error if the mart has a column of that name, or the shadow none.
-#}
{% macro own_fields(odoo_model, alias) -%}
    {%- set table = odoo_model | replace('.', '_') -%}
    {%- set there = odoo_shadow.shadow_columns(odoo_model) -%}
    {%- for name in odoo_shadow.passed_through(odoo_model) %}
        {%- if name in model.columns -%}
            {%- do exceptions.raise_compiler_error(
                "odoo_shadow_pass_through: " ~ model.name ~ " has a column " ~ name ~ " of its own, so that of "
                ~ table ~ " cannot come along: leave it out."
            ) -%}
        {%- elif execute and name not in there -%}
            {%- do exceptions.raise_compiler_error(
                "odoo_shadow_pass_through: " ~ table ~ " has no column " ~ name
                ~ " in the shadow: mirror the field, or leave it out."
            ) -%}
        {%- endif -%}
        , {{ alias }}.{{ adapter.quote(name) }}
    {%- endfor %}
{%- endmacro %}

{#- The day or month of a time, in the zone that the mirror names. -#}
{% macro day_of(time) -%}
    cast(({{ time }} at time zone {{ dbt.string_literal(var('odoo_shadow_time_zone')) }}) as date)
{%- endmacro %}

{% macro month_of(date) -%}
    cast(date_trunc('month', cast({{ date }} as timestamp)) as date)
{%- endmacro %}

{% macro today() -%}
    {{ odoo_shadow.day_of('now()') }}
{%- endmacro %}
