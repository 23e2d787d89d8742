-- The mirrored tables of the Odoo shadow in schema odoo_shadow.
-- Written by odoo-shadow ddl; running it twice does no harm.

SET search_path = pg_catalog, pg_temp;

-- Nothing is used that belongs to somebody else than who runs this, or a superuser.
DO '
DECLARE
    found text;
BEGIN
    SELECT string_agg(format(''%s (role %s)'', what, role), ''; '') INTO found FROM (WITH RECURSIVE trusted AS (SELECT r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolname = current_user OR r.rolname = ANY(''{}''::name[]) OR r.rolname = ''pg_database_owner'' AND EXISTS (SELECT FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba WHERE d.datname = current_database() AND (o.rolsuper OR o.rolname = current_user OR o.rolname = ANY(''{}''::name[])))),
own AS (
    SELECT c.oid, c.relname, c.relowner, c.relacl, c.relkind, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname = ''odoo_shadow_internal'' OR n.nspname = ''odoo_shadow'' AND (c.relname = ANY(''{odoo_shadow_meta,odoo_shadow_watermark,odoo_shadow_sync_log,odoo_shadow_field,odoo_shadow_selection,odoo_shadow_schema_log,odoo_shadow_verification}''::name[]) OR starts_with(c.relname, ''odoo_shadow_'') AND c.relkind IN (''r'', ''p'', ''f''))) AND c.relkind NOT IN (''i'', ''I'', ''S'', ''t'', ''c'')
    UNION
    SELECT c.oid, c.relname, c.relowner, c.relacl, c.relkind, n.nspname
    FROM own JOIN pg_inherits i ON i.inhparent = own.oid JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind NOT IN (''i'', ''I'')
),
called AS (
    SELECT d.classid, d.objid, p.oid AS code, p.proowner AS owner
    FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid
    WHERE d.refclassid = ''pg_proc''::regclass AND p.proowner NOT IN (TABLE trusted)
    UNION SELECT d.classid, d.objid, o.oid, o.oprowner FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
    WHERE d.refclassid = ''pg_operator''::regclass AND o.oprowner NOT IN (TABLE trusted)
    UNION SELECT d.classid, d.objid, t.oid, t.typowner FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid
    WHERE d.refclassid = ''pg_type''::regclass AND t.typowner NOT IN (TABLE trusted)
)
SELECT format(''%s %s.%s'', CASE relkind WHEN ''r'' THEN ''table'' WHEN ''p'' THEN ''table''
    WHEN ''v'' THEN ''view'' WHEN ''m'' THEN ''materialized view'' WHEN ''f'' THEN ''foreign table'' ELSE ''relation'' END,
    nspname, relname), pg_get_userbyid(relowner)::text, NULL::text
FROM own WHERE relowner NOT IN (TABLE trusted)
UNION ALL
SELECT format(''child table %s of %s'', i.inhrelid::regclass, own.relname), pg_get_userbyid(c.relowner), NULL
FROM pg_inherits i JOIN own ON own.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
WHERE own.relkind = ''r''
UNION ALL
SELECT format(''right %s on %s'', a.privilege_type, own.relname), CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE pg_get_userbyid(a.grantee)::text END, NULL
FROM own, aclexplode(coalesce(own.relacl, acldefault(''r'', own.relowner))) a
WHERE a.privilege_type IN (''TRIGGER'', ''REFERENCES'') AND a.grantee NOT IN (TABLE trusted) AND a.grantee <> own.relowner
UNION ALL
SELECT format(''right REFERENCES on %s of %s'', t.attname, own.relname), CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE pg_get_userbyid(a.grantee)::text END, NULL
FROM own JOIN pg_attribute t ON t.attrelid = own.oid, aclexplode(t.attacl) a
WHERE a.privilege_type = ''REFERENCES'' AND a.grantee NOT IN (TABLE trusted)
UNION ALL
SELECT format(''foreign key %s of %s to %s'', k.conname, k.conrelid::regclass, own.relname),
    pg_get_userbyid(c.relowner), NULL
FROM pg_constraint k JOIN own ON own.oid = k.confrelid JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = ''f'' AND c.relowner NOT IN (TABLE trusted)
UNION ALL
SELECT format(''trigger %s on %s'', t.tgname, own.relname), pg_get_userbyid(p.proowner),
    CASE WHEN NOT EXISTS (SELECT FROM called k
        WHERE k.classid = ''pg_trigger''::regclass AND k.objid = t.oid AND k.code <> t.tgfoid)
    THEN concat_ws('' '', pg_get_triggerdef(t.oid), pg_get_userbyid(p.proowner), p.prosrc) END
FROM pg_trigger t JOIN own ON own.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND (p.proowner NOT IN (TABLE trusted)
    OR EXISTS (SELECT FROM called WHERE classid = ''pg_trigger''::regclass AND objid = t.oid))
UNION ALL
SELECT format(''rule %s on %s'', r.rulename, own.relname), pg_get_userbyid(own.relowner), pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN own ON own.oid = r.ev_class WHERE r.ev_type <> ''1''
UNION ALL
SELECT format(''%s of %s, which calls code of another role'', found.kind, own.relname),
    pg_get_userbyid(called.owner), NULL
FROM called JOIN (
    SELECT ''pg_attrdef''::regclass, oid, adrelid, ''a default or generated column'' FROM pg_attrdef
    UNION ALL SELECT ''pg_policy''::regclass, oid, polrelid, ''a policy'' FROM pg_policy
    UNION ALL SELECT ''pg_constraint''::regclass, oid, conrelid, ''a constraint'' FROM pg_constraint
    UNION ALL SELECT ''pg_rewrite''::regclass, oid, ev_class, ''a rule'' FROM pg_rewrite
    UNION ALL SELECT ''pg_class''::regclass, indexrelid, indrelid, ''an index'' FROM pg_index
    UNION ALL SELECT ''pg_class''::regclass, oid, oid, ''a column'' FROM own
) AS found (classid, oid, relation, kind) ON found.classid = called.classid AND found.oid = called.objid
JOIN own ON own.oid = found.relation
UNION ALL
SELECT ''schema '' || nspname, pg_get_userbyid(nspowner)::text, NULL
FROM pg_namespace WHERE nspname IN (''odoo_shadow'', ''odoo_shadow_internal'') AND nspowner NOT IN (TABLE trusted)
UNION ALL
SELECT format(''right %s on schema %s'', a.privilege_type, n.nspname), CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE pg_get_userbyid(a.grantee)::text END, NULL
FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = ''odoo_shadow_internal'' AND a.grantee NOT IN (TABLE trusted) AND a.grantee <> n.nspowner
UNION ALL
SELECT format(''function %s.%s'', n.nspname, p.proname), pg_get_userbyid(p.proowner), NULL
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ''odoo_shadow'' AND p.proname = ANY(''{get_shadow_watermark,update_shadow_watermark}''::name[]) AND p.proowner NOT IN (TABLE trusted)
ORDER BY 1) AS q (what, role, definition);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION ''This schema holds what other roles own or control: %'', left(found, 500);
    END IF;
END
';

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
        WHERE table_name = ''odoo_shadow_res_partner'' AND odoo_model = ''res.partner'' AND view_is_due
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
        INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT ''odoo_shadow'', ''odoo_shadow_res_partner_named'', ''view'', found.oid, pg_get_userbyid(found.owner), found.digest, ''odoo_shadow_res_partner'' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = ''_RETURN'' AND c.relkind = ''v'' WHERE n.nspname = ''odoo_shadow'' AND c.relname = ''odoo_shadow_res_partner_named'') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;
    END IF;
EXCEPTION WHEN duplicate_table OR undefined_table OR undefined_column OR wrong_object_type THEN
    NULL;
END
';

CREATE OR REPLACE VIEW public."odoo_shadow_res_partner" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_res_partner";

COMMENT ON VIEW public."odoo_shadow_res_partner" IS 'Kept by odoo-shadow for schema odoo_shadow';

GRANT SELECT ON public."odoo_shadow_res_partner" TO PUBLIC;

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'odoo_shadow_res_partner', 'view', found.oid, pg_get_userbyid(found.owner), found.digest, 'odoo_shadow_res_partner' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v' WHERE n.nspname = 'public' AND c.relname = 'odoo_shadow_res_partner') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

RESET search_path;
