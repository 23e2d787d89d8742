{#-
  What generic tests ask of a mart: one that was left out has no rows, so that its tests pass. Of other relations it is
  what dbt itself gives.
-#}
{% macro get_where_subquery(relation) -%}
    {%- if execute and relation.identifier.startswith('mart_') and not odoo_shadow.is_there(relation) -%}
        {%- set node = graph.nodes.values() | selectattr('name', 'equalto', relation.identifier) | first -%}
        {%- set columns = [] -%}
        {%- for name in node.columns -%}
            {#- Tests of relationships compare ids with ids. -#}
            {%- set type = 'bigint' if name.endswith('_id') else 'text' -%}
            {%- do columns.append('cast(null as ' ~ type ~ ') as ' ~ adapter.quote(name)) -%}
        {%- endfor -%}
        {%- do return('(select ' ~ columns | join(', ') ~ ' where false) left_out') -%}
    {%- endif -%}
    {%- do return(dbt.default__get_where_subquery(relation)) -%}
{%- endmacro %}

{#- Whether a relation exists: PostgreSQL is asked, since dbt remembers marts that this run has left out. -#}
{% macro is_there(relation) -%}
    {%- do return(run_query(
        "select to_regclass(" ~ dbt.string_literal(relation.include(database=false) | string) ~ ") is not null"
    ).rows[0][0]) -%}
{%- endmacro %}
