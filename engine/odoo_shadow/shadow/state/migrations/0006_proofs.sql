-- How far tables are proven, what no write_date tells, and which tables and columns are the mirror's own.

ALTER TABLE {schema}.odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS unreadable_fields text[] NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS proven_up_to timestamptz;

ALTER TABLE {schema}.odoo_shadow_watermark
    ADD COLUMN IF NOT EXISTS newest_write_date timestamptz,
    ADD COLUMN IF NOT EXISTS scan_newest timestamptz,
    ADD COLUMN IF NOT EXISTS latest_commit_at timestamptz;

ALTER TABLE {schema}.odoo_shadow_verification
    DROP CONSTRAINT IF EXISTS odoo_shadow_verification_kind_check,
    ADD CONSTRAINT odoo_shadow_verification_kind_check CHECK (kind IN ('quick', 'full', 'slice'));

ALTER TABLE {schema}.odoo_shadow_field
    ADD COLUMN IF NOT EXISTS column_number smallint;

ALTER TABLE {schema}.odoo_shadow_schema_log
    ADD COLUMN IF NOT EXISTS kept_as text;

ALTER TABLE {internal}.mirror
    ADD COLUMN IF NOT EXISTS relation_id oid,
    ADD COLUMN IF NOT EXISTS is_neutralized boolean;

ALTER TABLE {internal}.table_state
    ADD COLUMN IF NOT EXISTS rests_on text,
    ADD COLUMN IF NOT EXISTS untracked_at timestamptz,
    ADD COLUMN IF NOT EXISTS table_id oid,
    ADD COLUMN IF NOT EXISTS own_columns jsonb,
    ADD COLUMN IF NOT EXISTS is_doubted boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS lost_fields text[] NOT NULL DEFAULT '{}';

CREATE TABLE IF NOT EXISTS {internal}.proof (
    table_name text PRIMARY KEY,
    round_started_at timestamptz NOT NULL,
    last_id bigint,
    slice_at timestamptz NOT NULL,
    rows_a_second double precision,
    unproven bigint[] NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS {internal}.due_row (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    removed_from text,
    ids bigint[] NOT NULL,
    due_from timestamptz NOT NULL DEFAULT now()
);
