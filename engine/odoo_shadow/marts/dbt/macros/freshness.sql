{#- One row per mart in mart_freshness, written in the transaction that puts the mart in place. -#}

{% macro freshness_table() -%}
    {{ adapter.quote(var('odoo_marts_schema')) }}.mart_freshness
{%- endmacro %}

{#- Makes the schema and the table; before each run. -#}
{% macro prepare_marts() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') -%}
        {%- do odoo_shadow.check_pass_through() -%}
        {%- set columns = odoo_shadow.check_whose_marts() -%}
        {%- set readers = run_query(
            "select count(*) from pg_catalog.pg_roles where rolname = 'odoo_shadow_reader'"
        ).rows[0][0] -%}
        create schema if not exists {{ adapter.quote(var('odoo_marts_schema')) }};
        create table if not exists {{ odoo_shadow.freshness_table() }} (
            mart text primary key,
            built_at timestamp with time zone,
            as_of timestamp with time zone,
            row_count bigint,
            left_out_because text,
            shadow_schema text,
            made_of jsonb,
            time_zone text,
            definition text
        );
        {%- if columns and (columns.get('made_of') != 'jsonb' or 'definition' not in columns) %}
        {#- As an earlier version made it; altered only then, since that waits for whoever reads it. -#}
        {%- if columns.get('made_of', 'jsonb') != 'jsonb' %}
        alter table {{ odoo_shadow.freshness_table() }} drop column made_of;
        {%- endif %}
        alter table {{ odoo_shadow.freshness_table() }}
            add column if not exists shadow_schema text, add column if not exists made_of jsonb,
            add column if not exists time_zone text, add column if not exists definition text;
        {%- endif %}
        comment on table {{ odoo_shadow.freshness_table() }} is 'How old each mart is: one row per mart.';
        comment on column {{ odoo_shadow.freshness_table() }}.mart is 'The name of the mart.';
        comment on column {{ odoo_shadow.freshness_table() }}.built_at is 'When it was built.';
        comment on column {{ odoo_shadow.freshness_table() }}.as_of is
            'What was committed in Odoo before is in it: the earliest watermark of the tables that it is made of.';
        comment on column {{ odoo_shadow.freshness_table() }}.row_count is 'How many rows it had then.';
        comment on column {{ odoo_shadow.freshness_table() }}.left_out_because is
            'Why there is no such mart; NULL if there is one.';
        comment on column {{ odoo_shadow.freshness_table() }}.shadow_schema is 'The schema of the shadow.';
        comment on column {{ odoo_shadow.freshness_table() }}.made_of is
            'The tables there that it is made of, each with its watermark then.';
        comment on column {{ odoo_shadow.freshness_table() }}.time_zone is
            'The zone whose months and days count for times.';
        comment on column {{ odoo_shadow.freshness_table() }}.definition is
            'A digest of the query that it was made by; another one may give other figures.';
        {%- if readers %}
        grant usage on schema {{ adapter.quote(var('odoo_marts_schema')) }} to odoo_shadow_reader;
        grant select on {{ odoo_shadow.freshness_table() }} to odoo_shadow_reader;
        {%- endif -%}
    {%- else -%}
        select 1
    {%- endif -%}
{%- endmacro %}

{#-
  The types of the columns of the table of freshness by name, none if there is no such table. It is an error if another shadow's marts are
  there: the next build would put its own in their place.
-#}
{% macro check_whose_marts() -%}
    {%- set schema = var('odoo_marts_schema') -%}
    {%- set columns = {} -%}
    {%- for row in run_query(
        "select attname, format_type(atttypid, null) from pg_catalog.pg_attribute where attnum > 0 and not attisdropped"
        ~ " and attrelid = to_regclass(" ~ dbt.string_literal(odoo_shadow.freshness_table()) ~ ")"
    ).rows -%}
        {%- do columns.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {%- if 'shadow_schema' in columns -%}
        {%- set others = run_query(
            "select shadow_schema from " ~ odoo_shadow.freshness_table() ~ " where shadow_schema <> "
            ~ dbt.string_literal(var('odoo_shadow_schema')) ~ " limit 1"
        ).columns[0].values() -%}
        {%- for other in others -%}
            {%- do exceptions.raise_compiler_error(
                "Schema " ~ schema ~ " holds the marts of the shadow in schema " ~ other ~ ", not of "
                ~ var('odoo_shadow_schema') ~ ": set odoo_marts_schema to a schema of its own."
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(columns) -%}
{%- endmacro %}

{#- Whether the first load of a model has ended, so that its table has all rows that there were. -#}
{% macro is_loaded(odoo_model) -%}
    {%- do return(run_query(
        "select exists (select from " ~ adapter.quote(var('odoo_shadow_schema')) ~ ".odoo_shadow_watermark"
        ~ " where last_write_date > '1970-01-02' and table_name = "
        ~ dbt.string_literal(odoo_shadow.shadow_table(odoo_model)) ~ ")"
    ).rows[0][0]) -%}
{%- endmacro %}

{#-
  The tables that a mart is made of with their watermarks, as a literal, and the earliest of these, null while the first
  load of one has not ended.
-#}
{% macro as_of(mart) -%}
    {%- set tables = [] -%}
    {%- for odoo_model in (mart.config.meta.get('needs', {}).keys() | list) + mart.config.meta.get('uses', []) -%}
        {%- do tables.append(dbt.string_literal(odoo_shadow.shadow_table(odoo_model))) -%}
    {%- endfor -%}
    {%- set schema = var('odoo_shadow_schema') -%}
    {%- set found = run_query(
        "select cast(case when bool_and(coalesce(w.last_write_date > '1970-01-02', false)) then min(w.last_write_date)"
        ~ " end as text), cast(jsonb_object_agg(c.relname, case when w.last_write_date > '1970-01-02'"
        ~ " then w.last_write_date end) as text)"
        ~ " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        ~ " left join " ~ adapter.quote(schema) ~ ".odoo_shadow_watermark w on w.table_name = c.relname"
        ~ " where n.nspname = " ~ dbt.string_literal(schema) ~ " and c.relkind in ('r', 'p')"
        ~ " and c.relname in (" ~ tables | join(', ') ~ ")"
    ).rows[0] -%}
    {%- do return({
        'moment': 'null' if found[0] is none else dbt.string_literal(found[0]),
        'tables': dbt.string_literal(found[1] or '{}')
    }) -%}
{%- endmacro %}

{#- The query with all that it is made of: its digest is another one if the mart's figures may be others. -#}
{% macro note_built(mart, as_of, query) -%}
    insert into {{ odoo_shadow.freshness_table() }}
        (mart, built_at, as_of, row_count, left_out_because, shadow_schema, made_of, time_zone, definition)
    select {{ dbt.string_literal(mart.identifier) }}, now(), cast({{ as_of.moment }} as timestamp with time zone),
        (select count(*) from {{ mart }}), null, {{ dbt.string_literal(var('odoo_shadow_schema')) }},
        cast({{ as_of.tables }} as jsonb), {{ dbt.string_literal(var('odoo_shadow_time_zone')) }},
        {{ dbt.string_literal(local_md5(query)) }}
    on conflict (mart) do update set
        built_at = excluded.built_at, as_of = excluded.as_of, row_count = excluded.row_count, left_out_because = null,
        shadow_schema = excluded.shadow_schema, made_of = excluded.made_of, time_zone = excluded.time_zone,
        definition = excluded.definition
{%- endmacro %}

{% macro note_left_out(mart, reason) -%}
    insert into {{ odoo_shadow.freshness_table() }} (mart, left_out_because, shadow_schema)
    values (
        {{ dbt.string_literal(mart.identifier) }}, {{ dbt.string_literal(reason) }},
        {{ dbt.string_literal(var('odoo_shadow_schema')) }}
    )
    on conflict (mart) do update set
        built_at = null, as_of = null, row_count = null, left_out_because = excluded.left_out_because,
        shadow_schema = excluded.shadow_schema, made_of = null, time_zone = null, definition = null
{%- endmacro %}

{#- Makes sure that each table whose fields are to come along is in one of the marts. -#}
{% macro check_pass_through() -%}
    {%- set tables = [
        'account_move', 'account_move_line', 'crm_lead', 'purchase_order', 'purchase_order_line', 'sale_order',
        'sale_order_line', 'stock_quant'
    ] -%}
    {%- for table in var('odoo_shadow_pass_through') if table not in tables -%}
        {%- do exceptions.raise_compiler_error(
            'odoo_shadow_pass_through: fields of ' ~ table ~ ' cannot come along, only those of ' ~ tables | join(', ')
        ) -%}
    {%- endfor -%}
{%- endmacro %}
