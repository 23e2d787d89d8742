-- Up to which entry of the log each table's written rows have been announced to those who wait for them.

-- What an earlier version has written is no news.
DO $body$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'announced_id' AND NOT attisdropped
        AND attrelid = format('%I.table_state', {internal_name})::regclass) THEN
        ALTER TABLE {internal}.table_state ADD COLUMN announced_id bigint, ADD COLUMN announced_at timestamptz;
        UPDATE {internal}.table_state
        SET announced_id = (SELECT coalesce(max(id), 0) FROM {schema}.odoo_shadow_sync_log), announced_at = now();
    END IF;
END
$body$;

-- An entry without a duration is of a run that was killed: nobody counted what it had committed.
CREATE INDEX IF NOT EXISTS ix_odoo_shadow_sync_log_written
    ON {schema}.odoo_shadow_sync_log (table_name, id)
    WHERE rows_inserted + rows_updated + rows_deleted > 0 OR (status = 'error' AND duration_ms IS NULL);
