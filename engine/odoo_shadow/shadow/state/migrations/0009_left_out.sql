-- What is left out and why, and the indexes by which the newest entries of a table or a run are found, and the oldest.

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_left_out (
    odoo_model text NOT NULL,
    field_name text NOT NULL DEFAULT '',
    reason text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (odoo_model, field_name)
);

-- Who may read the catalogue may read this, too.
DO $body$
DECLARE
    other text;
BEGIN
    FOR other IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = to_regclass(format('%I.odoo_shadow_field', {schema_name}))
        AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT SELECT ON %I.odoo_shadow_left_out TO %s', {schema_name}, other);
    END LOOP;
END
$body$;

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_sync_log_run
    ON {schema}.odoo_shadow_sync_log (sync_run_id);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_sync_log_newest
    ON {schema}.odoo_shadow_sync_log (table_name, id DESC);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_schema_log_newest
    ON {schema}.odoo_shadow_schema_log (table_name, id DESC);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_schema_log_changed
    ON {schema}.odoo_shadow_schema_log (changed_at);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_verification_run
    ON {schema}.odoo_shadow_verification (run_id);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_verification_newest
    ON {schema}.odoo_shadow_verification (table_name, kind, id DESC);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_verification_started
    ON {schema}.odoo_shadow_verification (started_at);
