-- A first load of a large table, divided by id into ranges that several workers read at the same time. They exist until
-- the scan that they divide has ended.
CREATE TABLE IF NOT EXISTS {internal}.scan_range (
    table_name text NOT NULL,
    number integer NOT NULL,
    -- after_id < id <= up_to_id; NULL is before all ids.
    after_id bigint,
    up_to_id bigint NOT NULL,
    -- How far it has been read; NULL before anything was.
    last_id bigint,
    -- Whether nobody reads it any more on its own. What is left then is read by the run that ends the scan.
    is_ended boolean NOT NULL DEFAULT false,
    -- The run that reads it, and which of that run's workers.
    run_id uuid NOT NULL,
    part integer NOT NULL,
    -- When the scan began; NULL if an earlier try had read some of it before it was divided.
    begun_at timestamptz,
    inserted bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    -- The worker's claim, like that on a whole table.
    held_by text,
    held_token uuid,
    held_until timestamptz,
    PRIMARY KEY (table_name, number)
);

-- Versions are noted when a scan begins, and are those that the table holds when it has ended.
ALTER TABLE {internal}.version ADD COLUMN IF NOT EXISTS is_held boolean NOT NULL DEFAULT true;

-- Lets the mirror go on with another database: everything is read again, and nobody goes on with a range.
CREATE OR REPLACE FUNCTION {internal}.accept_database() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $body$
    UPDATE {internal}.mirror SET odoo_uuid = NULL, is_neutralized = NULL,
        cluster = CASE WHEN cluster IS NOT NULL THEN '' END;
    UPDATE {internal}.lease SET held_by = NULL, held_token = NULL, held_until = NULL;
    DELETE FROM {internal}.scan_range;
    UPDATE {schema}.odoo_shadow_watermark SET last_write_date = '1970-01-01 00:00:00+00', fill_after_id = NULL,
        scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL, scan_up_to_id = NULL,
        scan_last_id = NULL, newest_write_date = NULL, scan_newest = NULL;
    UPDATE {internal}.table_state SET is_doubted = false, field_identities = '{}';
    UPDATE {schema}.odoo_shadow_meta SET proven_up_to = NULL;
    DELETE FROM {internal}.proof;
    DELETE FROM {internal}.due_row;
    DELETE FROM {internal}.version;
$body$;
