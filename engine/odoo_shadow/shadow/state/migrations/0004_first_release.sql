-- The control tables of 0.1.0, the first release. Schemas of that release have them already.

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_meta (
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
    updated_at timestamptz NOT NULL DEFAULT now(),
    read_as text,
    on_delete text,
    label text,
    name_path text,
    view_is_due boolean NOT NULL DEFAULT true,
    fields_digest text,
    planned_at timestamptz,
    settings text,
    variants text,
    unreadable_models text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_watermark (
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
    updated_at timestamptz NOT NULL DEFAULT now(),
    fill_after_id bigint,
    latest_commit interval
);

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_sync_log (
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

CREATE INDEX IF NOT EXISTS odoo_shadow_sync_log_started
    ON {schema}.odoo_shadow_sync_log (started_at DESC);

CREATE INDEX IF NOT EXISTS odoo_shadow_sync_log_table
    ON {schema}.odoo_shadow_sync_log (table_name, started_at DESC);

-- What columns hold, and what a catalogue says of them.
CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_field (
    table_name text NOT NULL,
    column_name text NOT NULL,
    field_name text NOT NULL,
    odoo_type text NOT NULL,
    column_type text NOT NULL,
    is_filled boolean NOT NULL DEFAULT true,
    vanished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    label text,
    relation text,
    relation_table text,
    is_translated boolean NOT NULL DEFAULT false,
    is_company_dependent boolean NOT NULL DEFAULT false,
    is_required boolean NOT NULL DEFAULT false,
    is_custom boolean NOT NULL DEFAULT false,
    emptied_at timestamptz,
    PRIMARY KEY (table_name, column_name)
);

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_selection (
    table_name text NOT NULL,
    column_name text NOT NULL,
    position integer NOT NULL,
    value text NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (table_name, column_name, position)
);

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_schema_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_run_id uuid,
    table_name text NOT NULL,
    change text NOT NULL,
    column_name text,
    old_type text,
    new_type text,
    changed_at timestamptz NOT NULL DEFAULT now()
);

-- What comparisons with Odoo found.
CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_verification (
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

-- For other writers and readers.
CREATE OR REPLACE FUNCTION {schema}.get_shadow_watermark(p_table_name text) RETURNS timestamptz
LANGUAGE sql STABLE AS $body$
    SELECT coalesce(
        (SELECT last_write_date FROM {schema}.odoo_shadow_watermark WHERE table_name = p_table_name),
        '1970-01-01 00:00:00+00'::timestamptz)
$body$;

CREATE OR REPLACE FUNCTION {schema}.update_shadow_watermark(
    p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0
) RETURNS void
LANGUAGE sql AS $body$
    INSERT INTO {schema}.odoo_shadow_watermark AS w (table_name, last_write_date, last_id, rows_synced)
    VALUES (p_table_name, p_write_date, p_last_id, p_rows_synced)
    ON CONFLICT (table_name) DO UPDATE SET
        last_write_date = excluded.last_write_date,
        last_id = coalesce(excluded.last_id, w.last_id),
        rows_synced = w.rows_synced + excluded.rows_synced,
        updated_at = now()
$body$;
