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
