-- The mirrored tables of the Odoo shadow in schema odoo_shadow.
-- Written by odoo-shadow ddl; running it twice does no harm.

CREATE TABLE IF NOT EXISTS "odoo_shadow"."odoo_shadow_res_partner" (
    "id" bigint PRIMARY KEY,
    "name" text,
    "parent_id" bigint,
    "_odoo_write_date" timestamptz,
    "_synced_at" timestamptz DEFAULT now(),
    "_sync_hash" text
);

CREATE INDEX IF NOT EXISTS "ix_odoo_shadow_res_partner_write_date" ON "odoo_shadow"."odoo_shadow_res_partner" ("_odoo_write_date" DESC);

INSERT INTO "odoo_shadow"."odoo_shadow_meta" (table_name, odoo_model, field_count) VALUES ('odoo_shadow_res_partner', 'res.partner', 2) ON CONFLICT DO NOTHING;

UPDATE "odoo_shadow"."odoo_shadow_meta" SET label = coalesce(nullif('', ''), label), name_path = coalesce(name_path, 'name') WHERE odoo_model = 'res.partner';

INSERT INTO "odoo_shadow"."odoo_shadow_field" (table_name, column_name, field_name, odoo_type, column_type,
    label, relation, is_translated, is_company_dependent, is_required, is_custom)
SELECT m.table_name, v.* FROM "odoo_shadow"."odoo_shadow_meta" m CROSS JOIN (VALUES
    ('name', 'name', 'char', 'text', NULL, NULL, false, false, false, false),
    ('parent_id', 'parent_id', 'many2one', 'bigint', NULL, 'res.partner', false, false, false, false)
) AS v (column_name, field_name, odoo_type, column_type,
    label, relation, is_translated, is_company_dependent, is_required, is_custom)
WHERE m.odoo_model = 'res.partner'
ON CONFLICT (table_name, column_name) DO NOTHING;

WITH pointed AS (
    UPDATE "odoo_shadow"."odoo_shadow_field" f SET updated_at = now(),
        relation_table = (SELECT m.table_name FROM "odoo_shadow"."odoo_shadow_meta" m WHERE m.odoo_model = f.relation)
    WHERE true AND f.relation_table IS DISTINCT FROM
        (SELECT m.table_name FROM "odoo_shadow"."odoo_shadow_meta" m WHERE m.odoo_model = f.relation)
    RETURNING f.table_name)
UPDATE "odoo_shadow"."odoo_shadow_meta" SET view_is_due = true WHERE table_name IN (SELECT table_name FROM pointed);

DO '
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.relname, m.label || '' ('' || m.odoo_model || '')'' AS comment
        FROM "odoo_shadow"."odoo_shadow_meta" m JOIN pg_class c ON c.relname = m.table_name AND c.relkind IN (''r'', ''p'')
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ''odoo_shadow''
        WHERE true AND pg_has_role(c.relowner, ''USAGE'')
            AND m.label || '' ('' || m.odoo_model || '')'' <> coalesce(obj_description(c.oid, ''pg_class''), '''')
    LOOP
        EXECUTE format(''COMMENT ON TABLE %I.%I IS %L'', ''odoo_shadow'', item.relname, item.comment);
    END LOOP;
    FOR item IN
        SELECT c.relname, a.attname, m.label
        FROM "odoo_shadow"."odoo_shadow_field" m JOIN pg_class c ON c.relname = m.table_name AND c.relkind IN (''r'', ''p'')
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = ''odoo_shadow''
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = m.column_name AND NOT a.attisdropped
        WHERE true AND pg_has_role(c.relowner, ''USAGE'')
            AND m.label <> coalesce(col_description(c.oid, a.attnum), '''')
    LOOP
        EXECUTE format(''COMMENT ON COLUMN %I.%I.%I IS %L'', ''odoo_shadow'', item.relname, item.attname, item.label);
    END LOOP;
END
';

DO '
BEGIN
    UPDATE "odoo_shadow"."odoo_shadow_meta" SET view_is_due = false
        WHERE current_setting(''server_version_num'')::integer >= 150000 AND table_name = ''odoo_shadow_res_partner'' AND odoo_model = ''res.partner'' AND view_is_due
        AND NOT EXISTS (SELECT FROM "odoo_shadow"."odoo_shadow_field"
            WHERE table_name = ''odoo_shadow_res_partner'' AND relation_table IS NOT NULL AND relation_table <> ALL (''{odoo_shadow_res_partner}''::text[]));
    IF FOUND THEN
        CREATE VIEW "odoo_shadow"."odoo_shadow_res_partner_named" AS SELECT
    t."id",
    t."name",
    t."parent_id",
    "r1"."name" AS "parent_id_name",
    t."_odoo_write_date"
FROM "odoo_shadow"."odoo_shadow_res_partner" AS t
    LEFT JOIN "odoo_shadow"."odoo_shadow_res_partner" AS "r1" ON "r1".id = t."parent_id";
        COMMENT ON VIEW "odoo_shadow"."odoo_shadow_res_partner_named" IS ''Kept by odoo-shadow, with names beside ids: odoo_shadow_res_partner'';
        ALTER VIEW "odoo_shadow"."odoo_shadow_res_partner_named" SET (security_invoker = true);
        GRANT SELECT ON "odoo_shadow"."odoo_shadow_res_partner_named" TO PUBLIC;
    END IF;
EXCEPTION WHEN duplicate_table OR undefined_table OR undefined_column OR wrong_object_type THEN
    NULL;
END
';

-- Views with the caller's rights exist from PostgreSQL 15 on.
DO 'BEGIN IF current_setting(''server_version_num'')::integer >= 150000 THEN
        EXECUTE ''CREATE OR REPLACE VIEW public."odoo_shadow_res_partner" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_res_partner"'';
        EXECUTE ''COMMENT ON VIEW public."odoo_shadow_res_partner" IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''GRANT SELECT ON public."odoo_shadow_res_partner" TO PUBLIC'';
END IF; END';
