-- What comparisons of the marts with Odoo found. Keys and ids, never figures: whoever may read this table need not be
-- allowed to see every company's.

CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_mart_verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    mart text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('equal', 'newer', 'differs', 'not proven', 'left out')),
    reason text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    as_of timestamptz,
    figures_compared bigint NOT NULL,
    figures_equal bigint NOT NULL,
    examples jsonb NOT NULL DEFAULT '[]'
);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_mart_verification_newest
    ON {schema}.odoo_shadow_mart_verification (mart, id DESC);

-- Who may read the outcomes of verifications may read these, too.
DO $body$
DECLARE
    other text;
BEGIN
    FOR other IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = to_regclass(format('%I.odoo_shadow_verification', {schema_name}))
        AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT SELECT ON %I.odoo_shadow_mart_verification TO %s', {schema_name}, other);
    END LOOP;
END
$body$;

CALL {internal}.protect_table('odoo_shadow_mart_verification');

-- As in 0012, where it was made with the list of the control tables of its time.
-- Tables that are not restricted yet show nothing to anyone until a run gives each its policy.
CREATE OR REPLACE PROCEDURE {internal}.set_row_level_security(p_mode text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    mirrored text[];
    item text;
BEGIN
    UPDATE {internal}.mirror SET row_level_security = p_mode WHERE row_level_security IS DISTINCT FROM p_mode;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- After the wait for others, whose new tables are seen then; at once, as a table that is read cannot be altered.
    mirrored := ARRAY(SELECT m.table_name FROM {schema}.odoo_shadow_meta m
        JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema_name}, m.table_name))
        WHERE c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE') ORDER BY 1);
    FOREACH item IN ARRAY mirrored || ARRAY[{control_tables}] LOOP
        IF p_mode = 'company' AND item = ANY(mirrored) THEN
            EXECUTE format('DROP POLICY IF EXISTS odoo_shadow_readers ON %I.%I', {schema_name}, item);
            INSERT INTO {internal}.row_policy (table_name, wanted, stored) VALUES (item, '', '')
                ON CONFLICT (table_name) DO UPDATE SET wanted = '', stored = '';
        END IF;
        CALL {internal}.protect_table(item);
    END LOOP;
END
$body$;
