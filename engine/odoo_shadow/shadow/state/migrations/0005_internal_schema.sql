-- What only the sync's role may see moves into a schema of its own: addresses, logins, host names and error texts.

-- No caller's search path decides what the functions run.
ALTER FUNCTION {schema}.get_shadow_watermark(text) SET search_path = pg_catalog, pg_temp;

ALTER FUNCTION {schema}.update_shadow_watermark(text, timestamptz, bigint, bigint)
    SET search_path = pg_catalog, pg_temp;

CREATE TABLE IF NOT EXISTS {internal}.table_state (
    table_name text PRIMARY KEY,
    read_as text,
    settings text,
    last_error text,
    hashed_as text
);

CREATE TABLE IF NOT EXISTS {internal}.lease (
    table_name text PRIMARY KEY,
    held_by text,
    held_token uuid,
    held_until timestamptz
);

CREATE TABLE IF NOT EXISTS {internal}.sync_detail (
    log_id bigint PRIMARY KEY,
    holder text,
    message text
);

CREATE TABLE IF NOT EXISTS {internal}.hash_secret (
    key_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    salt bytea NOT NULL,
    verifier bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS {internal}.made_object (
    schema_name text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    object_id oid NOT NULL,
    owner_name text NOT NULL,
    definition_digest text NOT NULL,
    made_for text NOT NULL,
    PRIMARY KEY (schema_name, name, kind)
);

-- Tables and columns on which somebody's view stands cannot be dropped: they stay, empty.
DO $body$
BEGIN
    IF to_regclass(format('%I.odoo_shadow_mirror', {schema_name})) IS NOT NULL THEN
        UPDATE {internal}.mirror n
        SET odoo_url = o.odoo_url, odoo_database = o.odoo_database, odoo_uuid = o.odoo_uuid, created_at = o.created_at
        FROM {schema}.odoo_shadow_mirror o WHERE n.odoo_database IS NULL;
        BEGIN
            DROP TABLE {schema}.odoo_shadow_mirror;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            UPDATE {schema}.odoo_shadow_mirror SET odoo_url = NULL, odoo_database = NULL, odoo_uuid = NULL;
        END;
        -- Renewed by the next run, which then knows them again.
        UPDATE {schema}.odoo_shadow_meta SET view_is_due = true;
        INSERT INTO {internal}.sync_detail (log_id, holder, message)
            SELECT id, metadata ->> 'holder', error_message FROM {schema}.odoo_shadow_sync_log
            WHERE error_message IS NOT NULL OR metadata ? 'holder' ON CONFLICT DO NOTHING;
        UPDATE {schema}.odoo_shadow_sync_log
        SET metadata = metadata - 'holder', error_message = CASE WHEN error_message IS NOT NULL THEN 'error' END
        WHERE error_message IS NOT NULL OR metadata ? 'holder';
    END IF;
END
$body$;

DO $body$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attname = 'last_error'
        AND attrelid = to_regclass(format('%I.odoo_shadow_meta', {schema_name}))) THEN
        INSERT INTO {internal}.table_state (table_name, read_as, settings, last_error)
            SELECT table_name, read_as, settings, last_error FROM {schema}.odoo_shadow_meta ON CONFLICT DO NOTHING;
        UPDATE {schema}.odoo_shadow_meta SET read_as = NULL, settings = NULL, last_error = NULL;
        BEGIN
            ALTER TABLE {schema}.odoo_shadow_meta DROP COLUMN read_as, DROP COLUMN settings, DROP COLUMN last_error;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END IF;
END
$body$;

DO $body$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attname = 'held_by'
        AND attrelid = to_regclass(format('%I.odoo_shadow_watermark', {schema_name}))) THEN
        INSERT INTO {internal}.lease (table_name, held_by, held_token, held_until)
            SELECT table_name, held_by, held_token, held_until FROM {schema}.odoo_shadow_watermark
            ON CONFLICT DO NOTHING;
        UPDATE {schema}.odoo_shadow_watermark SET held_by = NULL, held_token = NULL, held_until = NULL;
        BEGIN
            ALTER TABLE {schema}.odoo_shadow_watermark
                DROP COLUMN held_by, DROP COLUMN held_token, DROP COLUMN held_until;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END IF;
END
$body$;
