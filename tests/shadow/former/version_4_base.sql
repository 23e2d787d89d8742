-- The books of the Odoo shadow in schema odoo_shadow.
-- Written by odoo-shadow ddl; running it twice does no harm.

CREATE SCHEMA IF NOT EXISTS "odoo_shadow";

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_mirror (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    odoo_url text,
    odoo_database text,
    odoo_uuid text,
    schema_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_meta (
    table_name text PRIMARY KEY,
    odoo_model text NOT NULL UNIQUE,
    odoo_module text,
    field_count integer NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    last_sync_duration_ms bigint,
    row_count bigint NOT NULL DEFAULT 0,
    sync_errors integer NOT NULL DEFAULT 0,
    last_error text,
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
    held_by text,
    held_token uuid,
    held_until timestamptz,
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
LANGUAGE sql STABLE AS '
    SELECT coalesce(
        (SELECT last_write_date FROM "odoo_shadow".odoo_shadow_watermark WHERE table_name = p_table_name),
        ''1970-01-01 00:00:00+00''::timestamptz)
';

CREATE OR REPLACE FUNCTION "odoo_shadow".update_shadow_watermark(
    p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0
) RETURNS void
LANGUAGE sql AS '
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

ALTER TABLE "odoo_shadow".odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS read_as text,
    ADD COLUMN IF NOT EXISTS on_delete text;

ALTER TABLE "odoo_shadow".odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS label text,
    ADD COLUMN IF NOT EXISTS name_path text,
    ADD COLUMN IF NOT EXISTS view_is_due boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS fields_digest text,
    ADD COLUMN IF NOT EXISTS planned_at timestamptz,
    ADD COLUMN IF NOT EXISTS settings text,
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

INSERT INTO "odoo_shadow".odoo_shadow_mirror (schema_version) VALUES (4) ON CONFLICT (only_row) DO UPDATE SET schema_version = excluded.schema_version;

-- Views with the caller's rights exist from PostgreSQL 15 on.
DO 'BEGIN IF current_setting(''server_version_num'')::integer >= 150000 THEN
        EXECUTE ''CREATE OR REPLACE VIEW public."odoo_shadow_meta" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_meta"'';
        EXECUTE ''COMMENT ON VIEW public."odoo_shadow_meta" IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''GRANT SELECT ON public."odoo_shadow_meta" TO PUBLIC'';
        EXECUTE ''CREATE OR REPLACE VIEW public."odoo_shadow_watermark" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_watermark"'';
        EXECUTE ''COMMENT ON VIEW public."odoo_shadow_watermark" IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''GRANT SELECT ON public."odoo_shadow_watermark" TO PUBLIC'';
        EXECUTE ''CREATE OR REPLACE VIEW public."odoo_shadow_sync_log" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_sync_log"'';
        EXECUTE ''COMMENT ON VIEW public."odoo_shadow_sync_log" IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''GRANT SELECT ON public."odoo_shadow_sync_log" TO PUBLIC'';
        EXECUTE ''CREATE OR REPLACE VIEW public."odoo_shadow_field" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_field"'';
        EXECUTE ''COMMENT ON VIEW public."odoo_shadow_field" IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''GRANT SELECT ON public."odoo_shadow_field" TO PUBLIC'';
        EXECUTE ''CREATE OR REPLACE VIEW public."odoo_shadow_selection" WITH (security_invoker = true) AS SELECT * FROM "odoo_shadow"."odoo_shadow_selection"'';
        EXECUTE ''COMMENT ON VIEW public."odoo_shadow_selection" IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''GRANT SELECT ON public."odoo_shadow_selection" TO PUBLIC'';
        EXECUTE ''CREATE OR REPLACE FUNCTION "public"."get_shadow_watermark"(p_table_name text) RETURNS timestamptz LANGUAGE sql STABLE AS ''''SELECT "odoo_shadow"."get_shadow_watermark"(p_table_name)'''''';
        EXECUTE ''COMMENT ON FUNCTION "public"."get_shadow_watermark"(text) IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
        EXECUTE ''CREATE OR REPLACE FUNCTION "public"."update_shadow_watermark"(p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0) RETURNS void LANGUAGE sql AS ''''SELECT "odoo_shadow"."update_shadow_watermark"(p_table_name, p_write_date, p_last_id, p_rows_synced)'''''';
        EXECUTE ''COMMENT ON FUNCTION "public"."update_shadow_watermark"(text, timestamptz, bigint, bigint) IS ''''Kept by odoo-shadow for schema odoo_shadow'''''';
END IF; END';
