-- The books of the Odoo shadow in schema odoo_shadow.
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

DO '
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ''odoo_shadow'') THEN
        CREATE SCHEMA "odoo_shadow";
    END IF;
END
';

DO '
DECLARE
    other text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ''odoo_shadow_internal'') THEN
        CREATE SCHEMA "odoo_shadow_internal";
        FOR other IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN ''PUBLIC'' ELSE a.grantee::regrole::text END
            FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = ''odoo_shadow_internal'' AND a.grantee <> n.nspowner
        LOOP
            EXECUTE format(''REVOKE ALL ON SCHEMA %I FROM %s'', ''odoo_shadow_internal'', other);
        END LOOP;
    END IF;
END
';

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".mirror (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    odoo_url text,
    odoo_database text,
    odoo_uuid text,
    hash_key bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    schema_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO "odoo_shadow_internal".mirror (schema_version) VALUES (0) ON CONFLICT (only_row) DO NOTHING;

DO '
DECLARE
    item text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ''odoo_shadow'' AND starts_with(c.relname, ''odoo_shadow_'') AND c.relkind IN (''r'', ''p'')) THEN
        UPDATE "odoo_shadow_internal"."mirror" SET odoo_url = NULL, odoo_database = NULL, odoo_uuid = NULL, schema_version = 0;
        FOR item IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = ''odoo_shadow_internal'' AND c.relname = ANY(''{table_state,lease,sync_detail,made_object,proof,due_row}'')
        LOOP
            EXECUTE format(''DELETE FROM %I.%I'', ''odoo_shadow_internal'', item);
        END LOOP;
    END IF;
END
';

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_meta (
    table_name text PRIMARY KEY,
    odoo_model text NOT NULL UNIQUE,
    odoo_module text,
    field_count integer NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    last_sync_duration_ms bigint,
    row_count bigint NOT NULL DEFAULT 0,
    sync_errors integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_watermark (
    table_name text PRIMARY KEY,
    last_write_date timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    last_id bigint,
    rows_synced bigint NOT NULL DEFAULT 0,
    scan_run_id uuid,
    scan_full boolean,
    scan_low timestamptz,
    scan_high timestamptz,
    scan_up_to_id bigint,
    scan_last_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_sync_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_run_id uuid NOT NULL,
    table_name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    rows_inserted bigint NOT NULL DEFAULT 0,
    rows_updated bigint NOT NULL DEFAULT 0,
    rows_deleted bigint NOT NULL DEFAULT 0,
    duration_ms bigint,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'success', 'error', 'skipped')),
    error_message text,
    metadata jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX IF NOT EXISTS odoo_shadow_sync_log_started ON "odoo_shadow".odoo_shadow_sync_log (started_at DESC);

CREATE INDEX IF NOT EXISTS odoo_shadow_sync_log_table ON "odoo_shadow".odoo_shadow_sync_log (table_name, started_at DESC);

CREATE OR REPLACE FUNCTION "odoo_shadow".get_shadow_watermark(p_table_name text) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS '
    SELECT coalesce(
        (SELECT last_write_date FROM "odoo_shadow".odoo_shadow_watermark WHERE table_name = p_table_name),
        ''1970-01-01 00:00:00+00''::timestamptz)
';

CREATE OR REPLACE FUNCTION "odoo_shadow".update_shadow_watermark(
    p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0
) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS '
    INSERT INTO "odoo_shadow".odoo_shadow_watermark AS w (table_name, last_write_date, last_id, rows_synced)
    VALUES (p_table_name, p_write_date, p_last_id, p_rows_synced)
    ON CONFLICT (table_name) DO UPDATE SET
        last_write_date = excluded.last_write_date,
        last_id = coalesce(excluded.last_id, w.last_id),
        rows_synced = w.rows_synced + excluded.rows_synced,
        updated_at = now()
';

ALTER TABLE "odoo_shadow".odoo_shadow_watermark
    ADD COLUMN IF NOT EXISTS fill_after_id bigint,
    ADD COLUMN IF NOT EXISTS latest_commit interval;

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_field (
    table_name text NOT NULL,
    column_name text NOT NULL,
    field_name text NOT NULL,
    odoo_type text NOT NULL,
    column_type text NOT NULL,
    is_filled boolean NOT NULL DEFAULT true,
    vanished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, column_name)
);

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_schema_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_run_id uuid,
    table_name text NOT NULL,
    change text NOT NULL,
    column_name text,
    old_type text,
    new_type text,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    table_name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('quick', 'full')),
    started_at timestamptz NOT NULL,
    completed_at timestamptz NOT NULL DEFAULT now(),
    duration_ms bigint NOT NULL,
    rows_compared bigint NOT NULL,
    missing bigint NOT NULL,
    extra bigint NOT NULL,
    stale bigint NOT NULL,
    differing bigint NOT NULL,
    repaired bigint NOT NULL DEFAULT 0,
    examples jsonb NOT NULL DEFAULT '{}'
);

ALTER TABLE "odoo_shadow".odoo_shadow_meta ADD COLUMN IF NOT EXISTS on_delete text;

ALTER TABLE "odoo_shadow".odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS label text,
    ADD COLUMN IF NOT EXISTS name_path text,
    ADD COLUMN IF NOT EXISTS view_is_due boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS fields_digest text,
    ADD COLUMN IF NOT EXISTS planned_at timestamptz,
    ADD COLUMN IF NOT EXISTS variants text,
    ADD COLUMN IF NOT EXISTS unreadable_models text[] NOT NULL DEFAULT '{}';

ALTER TABLE "odoo_shadow".odoo_shadow_field
    ADD COLUMN IF NOT EXISTS label text,
    ADD COLUMN IF NOT EXISTS relation text,
    ADD COLUMN IF NOT EXISTS relation_table text,
    ADD COLUMN IF NOT EXISTS is_translated boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS is_company_dependent boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS is_required boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS is_custom boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS emptied_at timestamptz;

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_selection (
    table_name text NOT NULL,
    column_name text NOT NULL,
    position integer NOT NULL,
    value text NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (table_name, column_name, position)
);

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".table_state (
    table_name text PRIMARY KEY,
    read_as text,
    settings text,
    last_error text,
    hashed_as text
);

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".lease (
    table_name text PRIMARY KEY,
    held_by text,
    held_token uuid,
    held_until timestamptz
);

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".sync_detail (
    log_id bigint PRIMARY KEY,
    holder text,
    message text
);

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".hash_secret (
    key_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    salt bytea NOT NULL,
    verifier bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".made_object (
    schema_name text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    object_id oid NOT NULL,
    owner_name text NOT NULL,
    definition_digest text NOT NULL,
    made_for text NOT NULL,
    PRIMARY KEY (schema_name, name, kind)
);

DO '
BEGIN
    IF to_regclass(''"odoo_shadow"."odoo_shadow_mirror"'') IS NOT NULL AND (SELECT schema_version FROM "odoo_shadow_internal".mirror) < 5 THEN
        UPDATE "odoo_shadow_internal".mirror n
            SET odoo_url = o.odoo_url, odoo_database = o.odoo_database, odoo_uuid = o.odoo_uuid,
                created_at = o.created_at
            FROM "odoo_shadow".odoo_shadow_mirror o WHERE n.odoo_database IS NULL;
        BEGIN
            DROP TABLE "odoo_shadow".odoo_shadow_mirror;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            UPDATE "odoo_shadow".odoo_shadow_mirror SET odoo_url = NULL, odoo_database = NULL, odoo_uuid = NULL;
        END;
        -- Renewed by the next run, which then knows them again.
        UPDATE "odoo_shadow".odoo_shadow_meta SET view_is_due = true;
        INSERT INTO "odoo_shadow_internal".sync_detail (log_id, holder, message)
            SELECT id, metadata ->> ''holder'', error_message FROM "odoo_shadow".odoo_shadow_sync_log
            WHERE error_message IS NOT NULL OR metadata ? ''holder'' ON CONFLICT DO NOTHING;
        UPDATE "odoo_shadow".odoo_shadow_sync_log
            SET metadata = metadata - ''holder'', error_message = CASE WHEN error_message IS NOT NULL THEN ''error'' END
            WHERE error_message IS NOT NULL OR metadata ? ''holder'';
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(''"odoo_shadow"."odoo_shadow_meta"'') AND attname = ''last_error'') THEN
        ALTER TABLE "odoo_shadow".odoo_shadow_meta
            ADD COLUMN IF NOT EXISTS read_as text, ADD COLUMN IF NOT EXISTS settings text;
        INSERT INTO "odoo_shadow_internal".table_state (table_name, read_as, settings, last_error)
            SELECT table_name, read_as, settings, last_error FROM "odoo_shadow".odoo_shadow_meta ON CONFLICT DO NOTHING;
        UPDATE "odoo_shadow".odoo_shadow_meta SET read_as = NULL, settings = NULL, last_error = NULL;
        BEGIN
            ALTER TABLE "odoo_shadow".odoo_shadow_meta DROP COLUMN read_as, DROP COLUMN settings, DROP COLUMN last_error;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(''"odoo_shadow"."odoo_shadow_watermark"'') AND attname = ''held_by'') THEN
        INSERT INTO "odoo_shadow_internal".lease (table_name, held_by, held_token, held_until)
            SELECT table_name, held_by, held_token, held_until FROM "odoo_shadow".odoo_shadow_watermark
            ON CONFLICT DO NOTHING;
        UPDATE "odoo_shadow".odoo_shadow_watermark SET held_by = NULL, held_token = NULL, held_until = NULL;
        BEGIN
            ALTER TABLE "odoo_shadow".odoo_shadow_watermark
                DROP COLUMN held_by, DROP COLUMN held_token, DROP COLUMN held_until;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END IF;
END
';

ALTER TABLE "odoo_shadow".odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS unreadable_fields text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS proven_up_to timestamptz;

ALTER TABLE "odoo_shadow".odoo_shadow_watermark
    ADD COLUMN IF NOT EXISTS newest_write_date timestamptz,
    ADD COLUMN IF NOT EXISTS scan_newest timestamptz,
    ADD COLUMN IF NOT EXISTS latest_commit_at timestamptz;

ALTER TABLE "odoo_shadow".odoo_shadow_verification
    DROP CONSTRAINT IF EXISTS odoo_shadow_verification_kind_check,
    ADD CONSTRAINT odoo_shadow_verification_kind_check CHECK (kind IN ('quick', 'full', 'slice')),
    ADD COLUMN IF NOT EXISTS newer bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS corrected bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS uncompared bigint NOT NULL DEFAULT 0;

ALTER TABLE "odoo_shadow_internal".table_state
    ADD COLUMN IF NOT EXISTS rests_on text,
    ADD COLUMN IF NOT EXISTS field_identities jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS untracked_at timestamptz,
    ADD COLUMN IF NOT EXISTS table_id oid,
    ADD COLUMN IF NOT EXISTS own_columns jsonb,
    ADD COLUMN IF NOT EXISTS is_doubted boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS lost_fields text[] NOT NULL DEFAULT '{}';

ALTER TABLE "odoo_shadow".odoo_shadow_field ADD COLUMN IF NOT EXISTS column_number smallint;

ALTER TABLE "odoo_shadow".odoo_shadow_schema_log ADD COLUMN IF NOT EXISTS kept_as text;

ALTER TABLE "odoo_shadow_internal".mirror ADD COLUMN IF NOT EXISTS relation_id oid, ADD COLUMN IF NOT EXISTS is_neutralized boolean;

DO '
DECLARE
    former oid := (SELECT relation_id FROM "odoo_shadow_internal".mirror);
BEGIN
    IF former IS DISTINCT FROM to_regclass(''"odoo_shadow_internal"."mirror"'')::oid THEN
        UPDATE "odoo_shadow".odoo_shadow_field f SET column_number =
            (SELECT a.attnum FROM pg_attribute a
                WHERE a.attrelid = to_regclass(format(''%I.%I'', ''odoo_shadow'', f.table_name))
                AND a.attname = f.column_name AND NOT a.attisdropped)
            WHERE former IS NULL OR column_number IS NOT NULL;
        INSERT INTO "odoo_shadow_internal".table_state AS s (table_name, table_id, own_columns)
            SELECT m.table_name, c.oid,
                (SELECT coalesce(jsonb_object_agg(a.attname, a.attnum), ''{}'') FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND NOT a.attisdropped AND CASE WHEN former IS NULL
                    THEN (a.attname, format_type(a.atttypid, a.atttypmod)) IN ((''id'', ''bigint''), (''_odoo_write_date'', ''timestamp with time zone''), (''_synced_at'', ''timestamp with time zone''), (''_sync_hash'', ''text''), (''_deleted_at'', ''timestamp with time zone''))
                    ELSE k.own_columns ? a.attname END)
            FROM "odoo_shadow".odoo_shadow_meta m
            JOIN pg_class c ON c.oid = to_regclass(format(''%I.%I'', ''odoo_shadow'', m.table_name))
            LEFT JOIN "odoo_shadow_internal".table_state k ON k.table_name = m.table_name
            WHERE former IS NULL OR k.table_id IS NOT NULL
            ON CONFLICT (table_name) DO UPDATE
            SET table_id = excluded.table_id, own_columns = excluded.own_columns;
        UPDATE "odoo_shadow_internal".mirror SET relation_id = to_regclass(''"odoo_shadow_internal"."mirror"'');
    END IF;
END
';

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".proof (
    table_name text PRIMARY KEY,
    round_started_at timestamptz NOT NULL,
    last_id bigint,
    slice_at timestamptz NOT NULL,
    rows_a_second double precision,
    unproven bigint[] NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS "odoo_shadow_internal".due_row (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    removed_from text,
    ids bigint[] NOT NULL,
    due_from timestamptz NOT NULL DEFAULT now()
);

CREATE OR REPLACE FUNCTION "odoo_shadow_internal".accept_database() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS '
    UPDATE "odoo_shadow_internal".mirror SET odoo_uuid = NULL, is_neutralized = NULL;
    UPDATE "odoo_shadow_internal".lease SET held_by = NULL, held_token = NULL, held_until = NULL;
    UPDATE "odoo_shadow".odoo_shadow_watermark SET last_write_date = ''1970-01-01 00:00:00+00'', fill_after_id = NULL,
        scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL, scan_up_to_id = NULL,
        scan_last_id = NULL, newest_write_date = NULL, scan_newest = NULL;
    UPDATE "odoo_shadow_internal".table_state SET is_doubted = false, field_identities = ''{}'';
    UPDATE "odoo_shadow".odoo_shadow_meta SET proven_up_to = NULL;
    DELETE FROM "odoo_shadow_internal".proof;
    DELETE FROM "odoo_shadow_internal".due_row;
';

UPDATE "odoo_shadow_internal".mirror SET schema_version = greatest(schema_version, 8);

CREATE OR REPLACE VIEW public."odoo_shadow_meta" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_meta";

COMMENT ON VIEW public."odoo_shadow_meta" IS 'Kept by odoo-shadow for schema odoo_shadow';

GRANT SELECT ON public."odoo_shadow_meta" TO PUBLIC;

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'odoo_shadow_meta', 'view', found.oid, pg_get_userbyid(found.owner), found.digest, 'odoo_shadow_meta' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v' WHERE n.nspname = 'public' AND c.relname = 'odoo_shadow_meta') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

CREATE OR REPLACE VIEW public."odoo_shadow_watermark" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_watermark";

COMMENT ON VIEW public."odoo_shadow_watermark" IS 'Kept by odoo-shadow for schema odoo_shadow';

GRANT SELECT ON public."odoo_shadow_watermark" TO PUBLIC;

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'odoo_shadow_watermark', 'view', found.oid, pg_get_userbyid(found.owner), found.digest, 'odoo_shadow_watermark' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v' WHERE n.nspname = 'public' AND c.relname = 'odoo_shadow_watermark') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

CREATE OR REPLACE VIEW public."odoo_shadow_sync_log" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_sync_log";

COMMENT ON VIEW public."odoo_shadow_sync_log" IS 'Kept by odoo-shadow for schema odoo_shadow';

GRANT SELECT ON public."odoo_shadow_sync_log" TO PUBLIC;

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'odoo_shadow_sync_log', 'view', found.oid, pg_get_userbyid(found.owner), found.digest, 'odoo_shadow_sync_log' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v' WHERE n.nspname = 'public' AND c.relname = 'odoo_shadow_sync_log') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

CREATE OR REPLACE VIEW public."odoo_shadow_field" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_field";

COMMENT ON VIEW public."odoo_shadow_field" IS 'Kept by odoo-shadow for schema odoo_shadow';

GRANT SELECT ON public."odoo_shadow_field" TO PUBLIC;

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'odoo_shadow_field', 'view', found.oid, pg_get_userbyid(found.owner), found.digest, 'odoo_shadow_field' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v' WHERE n.nspname = 'public' AND c.relname = 'odoo_shadow_field') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

CREATE OR REPLACE VIEW public."odoo_shadow_selection" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_selection";

COMMENT ON VIEW public."odoo_shadow_selection" IS 'Kept by odoo-shadow for schema odoo_shadow';

GRANT SELECT ON public."odoo_shadow_selection" TO PUBLIC;

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'odoo_shadow_selection', 'view', found.oid, pg_get_userbyid(found.owner), found.digest, 'odoo_shadow_selection' FROM (SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v' WHERE n.nspname = 'public' AND c.relname = 'odoo_shadow_selection') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

CREATE OR REPLACE FUNCTION "public"."get_shadow_watermark"(p_table_name text) RETURNS timestamptz LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS 'SELECT "odoo_shadow"."get_shadow_watermark"(p_table_name)';

COMMENT ON FUNCTION "public"."get_shadow_watermark" IS 'Kept by odoo-shadow for schema odoo_shadow';

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'get_shadow_watermark', 'function', found.oid, pg_get_userbyid(found.owner), found.digest, 'get_shadow_watermark' FROM (SELECT p.oid, p.proowner, md5(p.prosrc) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' AND p.proname = 'get_shadow_watermark') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

CREATE OR REPLACE FUNCTION "public"."update_shadow_watermark"(p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0) RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT "odoo_shadow"."update_shadow_watermark"(p_table_name, p_write_date, p_last_id, p_rows_synced)';

COMMENT ON FUNCTION "public"."update_shadow_watermark" IS 'Kept by odoo-shadow for schema odoo_shadow';

INSERT INTO "odoo_shadow_internal"."made_object" (schema_name, name, kind, object_id, owner_name, definition_digest, made_for) SELECT 'public', 'update_shadow_watermark', 'function', found.oid, pg_get_userbyid(found.owner), found.digest, 'update_shadow_watermark' FROM (SELECT p.oid, p.proowner, md5(p.prosrc) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' AND p.proname = 'update_shadow_watermark') AS found (oid, owner, digest) WHERE found.digest IS NOT NULL ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id, owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for;

RESET search_path;
