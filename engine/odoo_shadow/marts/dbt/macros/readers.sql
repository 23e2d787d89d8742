{#- Who may read a mart: whoever may read the shadow's tables, and of these rows. -#}

{#-
  Where the mirror shows each reader the rows of their companies, a mart does so, too, from before it can be read. The
  shadow's own reader role may read it; rights that somebody gave on the last one are given on the new one.
-#}
{% macro protect_mart(new, mart) -%}
    {%- if odoo_shadow.is_by_company() -%}
        {%- set companies = '(select ' ~ adapter.quote(var('odoo_shadow_schema')) ~ '.odoo_shadow_companies())' -%}
        alter table {{ new }} enable row level security;
        create policy odoo_shadow_readers on {{ new }} for select using (
            company_id = any (cast({{ companies }} as bigint[]))
            or (company_id is null and {{ companies }} <> '{}')
        );
    {%- endif -%}
    {%- for role in odoo_shadow.readers_of(mart) %}
        grant select on {{ new }} to {{ role }};
    {%- endfor %}
    comment on table {{ new }} is {{ dbt.string_literal(model.description | trim) }}
{%- endmacro %}

{#- Whether the mirror's tables have policies that show rows by company. -#}
{% macro is_by_company() -%}
    {%- set found = run_query(
        "select exists (select from pg_catalog.pg_policies where policyname = 'odoo_shadow_readers' and schemaname = "
        ~ dbt.string_literal(var('odoo_shadow_schema')) ~ " and qual like '%odoo_shadow_companies%')"
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
