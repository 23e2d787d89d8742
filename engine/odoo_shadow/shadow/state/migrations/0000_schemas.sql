-- Runs before every upgrade: makes both schemas, and the row that whoever makes or upgrades the rest locks.
-- Its table takes the place of odoo_shadow_mirror, in which 0.1.0 kept the version and the Odoo database.

-- CREATE SCHEMA IF NOT EXISTS needs CREATE on the database, which a role that was given the schemas may lack.
DO $body$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {schema_name}) THEN
        CREATE SCHEMA {schema};
    END IF;
END
$body$;

-- Only the sync's role may use this one, whatever default privileges say.
DO $body$
DECLARE
    other text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {internal_name}) THEN
        CREATE SCHEMA {internal};
        FOR other IN
            SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
            FROM pg_namespace n, aclexplode(n.nspacl) a
            WHERE n.nspname = {internal_name} AND a.grantee <> n.nspowner
        LOOP
            EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %s', {internal_name}, other);
        END LOOP;
    END IF;
END
$body$;

-- The key has 244 random bits: a version 4 UUID has 122.
CREATE TABLE IF NOT EXISTS {internal}.mirror (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    odoo_url text,
    odoo_database text,
    odoo_uuid text,
    hash_key bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    schema_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO {internal}.mirror (schema_version) VALUES (0) ON CONFLICT (only_row) DO NOTHING;

-- Dropping the mirror's own schema starts over: what stands in the other one is of a mirror that is gone.
DO $body$
DECLARE
    item text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = {schema_name} AND starts_with(c.relname, 'odoo_shadow_') AND c.relkind IN ('r', 'p')) THEN
        UPDATE {internal}.mirror
        SET odoo_url = NULL, odoo_database = NULL, odoo_uuid = NULL, schema_version = 0;
        FOR item IN
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = {internal_name}
            AND c.relname IN ('table_state', 'lease', 'sync_detail', 'made_object', 'proof', 'due_row', 'row_policy',
                'known_link', 'relationship')
        LOOP
            EXECUTE format('DELETE FROM %I.%I', {internal_name}, item);
        END LOOP;
    -- Somebody dropped a control table: the other files make it again, and leave the others as they are.
    ELSIF (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = {schema_name} AND c.relname IN ('odoo_shadow_meta', 'odoo_shadow_watermark',
            'odoo_shadow_sync_log', 'odoo_shadow_field', 'odoo_shadow_selection', 'odoo_shadow_schema_log',
            'odoo_shadow_verification')) < 7
        OR (SELECT schema_version >= 9 FROM {internal}.mirror)
        AND to_regclass(format('%I.odoo_shadow_left_out', {schema_name})) IS NULL
        OR (SELECT schema_version >= 12 FROM {internal}.mirror)
        AND (to_regclass(format('%I.odoo_shadow_company_access', {schema_name})) IS NULL
            OR to_regprocedure(format('%I.odoo_shadow_companies()', {schema_name})) IS NULL
            OR to_regprocedure(format('%I.odoo_shadow_claims()', {schema_name})) IS NULL)
        OR (SELECT schema_version >= 15 FROM {internal}.mirror)
        AND to_regclass(format('%I.odoo_shadow_mart_verification', {schema_name})) IS NULL
        OR (SELECT schema_version >= 18 FROM {internal}.mirror)
        AND (to_regclass(format('%I.odoo_shadow_document_model', {schema_name})) IS NULL
            OR to_regclass(format('%I.odoo_shadow_stored_document', {schema_name})) IS NULL
            OR to_regclass(format('%I.odoo_shadow_embedding_model', {schema_name})) IS NULL
            OR to_regprocedure(format('%I.odoo_shadow_document_models()', {schema_name})) IS NULL
            OR to_regprocedure(format('%I.odoo_shadow_document_companies()', {schema_name})) IS NULL) THEN
        UPDATE {internal}.mirror SET schema_version = 0;
    END IF;
END
$body$;
