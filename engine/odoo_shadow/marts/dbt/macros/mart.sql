{#- How a mart is made: built beside, then put in place of the last one in one transaction, with its freshness. -#}

{#- Around the query of each mart: without the models and fields that it cannot do without, it is left out. -#}
{% macro mart() -%}
    {%- set missing = odoo_shadow.missing_for(model) -%}
    {%- if missing -%}
        /* odoo_shadow: left out, since {{ missing }} */ select 1
    {%- else -%}
        {{ caller() }}
    {%- endif -%}
{%- endmacro %}

{#- Why a mart cannot be built: "crm.lead is not mirrored"; empty if it can. -#}
{% macro missing_for(mart) -%}
    {%- set reasons = [] -%}
    {%- for odoo_model, fields in mart.config.meta.get('needs', {}).items() if execute -%}
        {%- set there = odoo_shadow.shadow_columns(odoo_model) -%}
        {%- set lacking = fields | reject('in', there) | list -%}
        {%- if not there -%}
            {%- do reasons.append(odoo_model ~ ' is not mirrored') -%}
        {%- elif lacking -%}
            {%- do reasons.append(odoo_model ~ ' is mirrored without ' ~ lacking | join(', ')) -%}
        {%- elif not odoo_shadow.is_loaded(odoo_model) -%}
            {%- do reasons.append('the first load of ' ~ odoo_model ~ ' has not ended') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(reasons | join(', ')) -%}
{%- endmacro %}

{% materialization odoo_shadow_mart, adapter='postgres' %}
    {%- set mart = this.incorporate(type='table') -%}
    {%- set new = api.Relation.create(
        database=this.database, schema=this.schema, identifier=this.identifier ~ '__new', type='table'
    ) -%}
    {%- set missing = odoo_shadow.missing_for(model) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('settings') -%}
        {{ odoo_shadow.transaction_settings() }};
        select pg_advisory_xact_lock(hashtextextended({{ dbt.string_literal(mart | string) }}, 15))
    {%- endcall %}

    {% if missing -%}
        {% do log('Left out: ' ~ this.identifier ~ ', since ' ~ missing ~ '.', info=True) %}
        {% call statement('main') -%}
            {{ odoo_shadow.drop_if_exists(mart) }};
            {{ odoo_shadow.note_left_out(mart, missing) }}
        {%- endcall %}
    {%- else -%}
        {#- Before any row is read: a sync that commits meanwhile may move the watermarks, but not what is read. -#}
        {%- set as_of = odoo_shadow.as_of(model) -%}
        {% call statement('main') -%}
            drop table if exists {{ new }};
            create table {{ new }} as {{ sql }}
        {%- endcall %}
        {% do persist_docs(new, model) %}
        {% call statement('finish') -%}
            {{ odoo_shadow.protect_mart(new, mart) }};
            analyze {{ new }};
            {{ odoo_shadow.put_in_place(new, mart) }};
            {{ odoo_shadow.note_built(mart, as_of, sql) }}
        {%- endcall %}
    {%- endif %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [] if missing else [mart]}) }}
{% endmaterialization %}

{#-
  What a mart's transaction relies on: nobody else's functions; an error, not fewer rows, where a policy hides rows.
-#}
{% macro transaction_settings() -%}
    set local search_path = pg_catalog, pg_temp;
    set local row_security = off;
    set local timezone = 'UTC';
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0
{%- endmacro %}

{% macro drop_if_exists(relation) -%}
    {%- set there = load_cached_relation(relation) -%}
    drop {{ there.type if there and there.type else 'table' }} if exists {{ relation }}
{%- endmacro %}

{#-
  Puts a new table in a mart's place. Where somebody's views read the old one, its rows are replaced instead: dropping it
  would take the views along.
-#}
{% macro put_in_place(new, mart) -%}
    {%- set readers = odoo_shadow.views_on(mart) -%}
    {%- if not readers -%}
        {{ odoo_shadow.drop_if_exists(mart) }};
        alter table {{ new }} rename to {{ adapter.quote(mart.identifier) }}
    {%- elif odoo_shadow.columns_as_text(new) == odoo_shadow.columns_as_text(mart) -%}
        {{ odoo_shadow.restrict_rows(mart) }}
        delete from {{ mart }};
        insert into {{ mart }} select * from {{ new }};
        drop table {{ new }}
    {%- else -%}
        {%- do exceptions.raise_compiler_error(
            mart.schema ~ '.' ~ mart.identifier ~ ' gets other columns, and ' ~ readers
            ~ ' reads it: drop that view, build the marts, and make it again.'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{#- The views that read a relation, as text. -#}
{% macro views_on(relation) -%}
    {%- set found = run_query(
        "select string_agg(distinct cast(r.ev_class as regclass)::text, ', ') from pg_catalog.pg_depend d"
        ~ " join pg_catalog.pg_rewrite r on r.oid = d.objid and d.classid = cast('pg_catalog.pg_rewrite' as regclass)"
        ~ " where d.refobjid = to_regclass(" ~ dbt.string_literal(relation.include(database=false) | string) ~ ")"
        ~ " and r.ev_class <> d.refobjid"
    ) -%}
    {%- do return(found.rows[0][0] or '') -%}
{%- endmacro %}

{% macro columns_as_text(relation) -%}
    {%- set found = run_query(
        "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)"
        ~ " from pg_catalog.pg_attribute where attnum > 0 and not attisdropped and attrelid = to_regclass("
        ~ dbt.string_literal(relation.include(database=false) | string) ~ ")"
    ) -%}
    {%- do return(found.rows[0][0] or '') -%}
{%- endmacro %}
