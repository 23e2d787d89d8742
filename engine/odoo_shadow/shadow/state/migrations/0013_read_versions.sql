-- A number of each table that grows with its changes, a version of what a caller may read, and what Realtime was told.

ALTER TABLE {schema}.odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS rows_version bigint NOT NULL DEFAULT 0;

ALTER TABLE {internal}.mirror
    ADD COLUMN IF NOT EXISTS realtime_broadcast boolean;

ALTER TABLE {internal}.table_state
    ADD COLUMN IF NOT EXISTS broadcast_version bigint;

-- As long as it is the same, a caller gets the same rows of these tables. It is NULL where that cannot be said: a table
-- is not mirrored, the caller may not read it, or somebody's own policy decides, which may ask for anything. Rows that
-- the mirror's policies show depend on the tables that these look at, on who asks, and on their companies.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_read_version(p_tables text[]) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    may_read_all boolean;
    is_restricted boolean;
    is_known boolean;
    versions text;
BEGIN
    IF cardinality(p_tables) BETWEEN 1 AND 100 IS NOT TRUE
        OR NOT has_table_privilege(format('%I.odoo_shadow_meta', {schema_name}), 'SELECT') THEN
        RETURN NULL;
    END IF;
    WITH RECURSIVE asked AS (
        SELECT DISTINCT name FROM unnest(p_tables) AS given (name)
    ), meta AS (
        SELECT m.table_name, m.created_at, m.rows_version, c.oid
        FROM {schema}.odoo_shadow_meta m
        JOIN pg_class c ON c.relname = m.table_name
            AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = {schema_name})
    ), reached AS (
        SELECT c.oid FROM asked JOIN pg_class c ON c.relname = asked.name
            AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = {schema_name})
        UNION
        SELECT d.refobjid FROM reached JOIN pg_policy p ON p.polrelid = reached.oid
        JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
            AND d.refclassid = 'pg_class'::regclass
    ), policies AS (
        SELECT p.polrelid AS oid, bool_or(pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM 'true') AS restricts,
            bool_and(p.polname = 'odoo_shadow_readers') AS are_own,
            string_agg(concat_ws(' ', p.polname, p.polcmd, p.polpermissive, p.polroles::text,
                pg_get_expr(p.polqual, p.polrelid)), ' ' ORDER BY p.polname) AS described
        FROM reached JOIN pg_policy p ON p.polrelid = reached.oid GROUP BY 1
    )
    SELECT
        (SELECT bool_and(coalesce(has_table_privilege(meta.oid, 'SELECT'), false))
            FROM asked LEFT JOIN meta ON meta.table_name = asked.name),
        bool_or(c.relrowsecurity AND restricts),
        bool_and(NOT c.relrowsecurity OR coalesce(are_own, true)) AND bool_and(meta.oid IS NOT NULL
            OR c.oid = to_regclass(format('%I.odoo_shadow_company_access', {schema_name}))),
        string_agg(concat_ws(' ', c.oid, extract(epoch FROM created_at), rows_version, c.relrowsecurity, described), E'\n'
            ORDER BY c.oid)
    INTO may_read_all, is_restricted, is_known, versions
    FROM reached JOIN pg_class c ON c.oid = reached.oid LEFT JOIN meta ON meta.oid = c.oid
    LEFT JOIN policies ON policies.oid = c.oid;
    IF (may_read_all AND is_known) IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    IF is_restricted THEN
        versions := concat_ws(E'\n', versions, {schema}.odoo_shadow_companies()::text,
            {schema}.odoo_shadow_claims() ->> 'sub');
    END IF;
    RETURN left(encode(sha256(convert_to(concat_ws(E'\n', current_user, versions), 'UTF8')), 'hex'), 32);
END
$body$;

GRANT EXECUTE ON FUNCTION {schema}.odoo_shadow_read_version(text[]) TO PUBLIC;
