{#- Who may read a mart: whoever may read the shadow's tables, and of these rows. -#}

{#-
  Where the mirror shows each reader the rows of their companies, a mart does so, too, from before it can be read. The
  shadow's own reader role may read it; rights that somebody gave on the last one are given on the new one.
-#}
{% macro protect_mart(new, mart) -%}
    {{ odoo_shadow.restrict_rows(new) }}
    {%- for role in odoo_shadow.readers_of(mart) %}
        grant select on {{ new }} to {{ role }};
    {%- endfor %}
    comment on table {{ new }} is {{ dbt.string_literal(model.description | trim) }}
{%- endmacro %}

{#- Shows each reader the rows of their companies, or those who may read the table all rows, as the mirror does. -#}
{% macro restrict_rows(relation) -%}
    drop policy if exists odoo_shadow_readers on {{ relation }};
    {%- if odoo_shadow.is_by_company() -%}
        {%- set companies = '(select ' ~ adapter.quote(var('odoo_shadow_schema')) ~ '.odoo_shadow_companies())' -%}
        alter table {{ relation }} enable row level security;
        create policy odoo_shadow_readers on {{ relation }} for select using (
            company_id = any (cast({{ companies }} as bigint[]))
            or (company_id is null and {{ companies }} <> '{}')
        );
    {%- else -%}
        alter table {{ relation }} disable row level security;
    {%- endif -%}
{%- endmacro %}

{#-
  Whether the mirror shows rows by company: as it is recorded, where this role may read that, or as any of its policies
  does. A policy that somebody has dropped opens no mart.
-#}
{% macro is_by_company() -%}
    {%- set schema = var('odoo_shadow_schema') -%}
    {%- set internal = var('odoo_shadow_internal_schema', '') or schema ~ '_internal' -%}
    {%- set recorded = adapter.quote(internal) ~ '.mirror' -%}
    {%- set may_read = run_query(
        "select coalesce((select has_schema_privilege(oid, 'USAGE') from pg_catalog.pg_namespace where nspname = "
        ~ dbt.string_literal(internal) ~ "), false) and to_regclass(" ~ dbt.string_literal(recorded) ~ ") is not null"
    ).rows[0][0] -%}
    {%- set found = run_query(
        "select exists (select from pg_catalog.pg_policies where policyname = 'odoo_shadow_readers' and schemaname = "
        ~ dbt.string_literal(schema) ~ " and qual like '%odoo_shadow_companies%')"
        ~ (" or exists (select from " ~ recorded ~ " where row_level_security = 'company')" if may_read else "")
    ) -%}
    {%- do return(found.rows[0][0]) -%}
{%- endmacro %}

{#- The roles that may read a mart, as quoted by PostgreSQL: the shadow's reader role, and those of the last build. -#}
{% macro readers_of(relation) -%}
    {%- set found = run_query(
        "select quote_ident(rolname) from pg_catalog.pg_roles where rolname = 'odoo_shadow_reader'"
        ~ " union select case when a.grantee = 0 then 'public' else cast(cast(a.grantee as regrole) as text) end"
        ~ " from pg_catalog.pg_class c cross join lateral aclexplode(c.relacl) a"
        ~ " where a.privilege_type = 'SELECT' and a.grantee <> c.relowner and c.oid = to_regclass("
        ~ dbt.string_literal(relation.include(database=false) | string) ~ ") order by 1"
    ) -%}
    {%- do return(found.columns[0].values()) -%}
{%- endmacro %}
