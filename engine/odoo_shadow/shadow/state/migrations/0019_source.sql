-- Through which source the mirror was read last, and which PostgreSQL cluster holds Odoo's own database: its place.

ALTER TABLE {internal}.mirror
    ADD COLUMN IF NOT EXISTS source text NOT NULL DEFAULT 'api',
    -- Otherwise odoo_url is only what Odoo calls itself.
    ADD COLUMN IF NOT EXISTS is_api_url boolean NOT NULL DEFAULT true,
    -- Empty for any: somebody has accepted the database that is there now.
    ADD COLUMN IF NOT EXISTS cluster text;

-- Lets the mirror go on with another database: everything is read again.
CREATE OR REPLACE FUNCTION {internal}.accept_database() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $body$
    UPDATE {internal}.mirror SET odoo_uuid = NULL, is_neutralized = NULL,
        cluster = CASE WHEN cluster IS NOT NULL THEN '' END;
    UPDATE {internal}.lease SET held_by = NULL, held_token = NULL, held_until = NULL;
    UPDATE {schema}.odoo_shadow_watermark SET last_write_date = '1970-01-01 00:00:00+00', fill_after_id = NULL,
        scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL, scan_up_to_id = NULL,
        scan_last_id = NULL, newest_write_date = NULL, scan_newest = NULL;
    UPDATE {internal}.table_state SET is_doubted = false, field_identities = '{}';
    UPDATE {schema}.odoo_shadow_meta SET proven_up_to = NULL;
    DELETE FROM {internal}.proof;
    DELETE FROM {internal}.due_row;
$body$;
