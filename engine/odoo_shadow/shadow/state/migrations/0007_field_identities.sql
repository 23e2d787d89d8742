-- Which field of Odoo each column is of: one that was removed and made again under its name is another.

ALTER TABLE {internal}.table_state
    ADD COLUMN IF NOT EXISTS field_identities jsonb NOT NULL DEFAULT '{}';

-- Lets the mirror go on with another database: everything is read again.
CREATE OR REPLACE FUNCTION {internal}.accept_database() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $body$
    UPDATE {internal}.mirror SET odoo_uuid = NULL, is_neutralized = NULL;
    UPDATE {internal}.lease SET held_by = NULL, held_token = NULL, held_until = NULL;
    UPDATE {schema}.odoo_shadow_watermark SET last_write_date = '1970-01-01 00:00:00+00', fill_after_id = NULL,
        scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL, scan_up_to_id = NULL,
        scan_last_id = NULL, newest_write_date = NULL, scan_newest = NULL;
    UPDATE {internal}.table_state SET is_doubted = false, field_identities = '{}';
    UPDATE {schema}.odoo_shadow_meta SET proven_up_to = NULL;
    DELETE FROM {internal}.proof;
    DELETE FROM {internal}.due_row;
$body$;
