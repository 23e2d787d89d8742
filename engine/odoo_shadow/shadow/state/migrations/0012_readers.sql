-- Who may read what: row-level security, the companies of whoever queries, and the rights on the project's own views.

ALTER TABLE {internal}.mirror
    ADD COLUMN IF NOT EXISTS row_level_security text CHECK (row_level_security IN ('company', 'none'));

-- Which policy each table was given, and a digest of what PostgreSQL stored of it.
CREATE TABLE IF NOT EXISTS {internal}.row_policy (
    table_name text PRIMARY KEY,
    wanted text NOT NULL,
    stored text NOT NULL
);

-- What fields have pointed to: what restricts a table, and is gone, closes it. An empty relation stands for any model.
CREATE TABLE IF NOT EXISTS {internal}.known_link (
    table_name text NOT NULL,
    field_name text NOT NULL,
    relation text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    has_restricted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (table_name, field_name, relation)
);

-- What a link that is left out points to: it could restrict its table.
ALTER TABLE {schema}.odoo_shadow_left_out ADD COLUMN IF NOT EXISTS relation text;

CREATE OR REPLACE PROCEDURE {internal}.remember_links(p_table text)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $body$
    INSERT INTO {internal}.known_link (table_name, field_name, relation)
    SELECT DISTINCT f.table_name, f.field_name, coalesce(f.relation, '') FROM {schema}.odoo_shadow_field f
    WHERE f.table_name = coalesce(p_table, f.table_name) AND (f.vanished_at IS NULL
        OR p_table IS NULL AND (SELECT schema_version < 12 FROM {internal}.mirror))
    AND NOT f.is_company_dependent
    AND (f.odoo_type = 'many2one' AND f.column_type = 'bigint' AND f.relation <> ''
            AND f.field_name NOT IN ('create_uid', 'write_uid')
        OR f.odoo_type = 'many2many' AND f.field_name = 'company_ids' AND f.relation = 'res.company'
        OR f.odoo_type IN ('many2one_reference', 'reference'))
    ON CONFLICT DO NOTHING
$body$;

-- Once, what has gone before this was noted.
CALL {internal}.remember_links(NULL);

-- The companies of a user of the API (the sub of the token) or of the members of a database role.
CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_company_access (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text CHECK (user_id <> ''),
    role_name text CHECK (role_name <> ''),
    company_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(user_id, role_name) = 1),
    UNIQUE NULLS NOT DISTINCT (user_id, role_name, company_id)
);

ALTER TABLE {schema}.odoo_shadow_company_access ENABLE ROW LEVEL SECURITY;

-- Who may read the catalogue may read this, too: its policy shows nobody more than their own rows.
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
        EXECUTE format('GRANT SELECT ON %I.odoo_shadow_company_access TO %s', {schema_name}, other);
    END LOOP;
END
$body$;

-- Any SQL session can set these claims. They prove something only where PostgREST has checked the token, or where the
-- session can read everything anyway.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_claims() RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN session_user = 'authenticator'
        OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = session_user AND (r.rolsuper OR r.rolbypassrls))
        OR EXISTS (SELECT FROM pg_namespace n
            WHERE n.nspname = {schema_name} AND pg_has_role(session_user, n.nspowner, 'MEMBER'))
    THEN nullif(current_setting('request.jwt.claims', true), '')::jsonb END
$body$;

DROP POLICY IF EXISTS odoo_shadow_readers ON {schema}.odoo_shadow_company_access;

CREATE POLICY odoo_shadow_readers ON {schema}.odoo_shadow_company_access FOR SELECT TO PUBLIC USING (
    user_id = (SELECT {schema}.odoo_shadow_claims() ->> 'sub')
    OR role_name IN (SELECT r.rolname FROM pg_roles r WHERE pg_has_role(r.oid, 'USAGE')));

-- A claim of companies that is not what it should be gives none, and no error; claims that are no JSON are an error.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_companies() RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    WITH claims AS MATERIALIZED (SELECT {schema}.odoo_shadow_claims() AS held),
    listed AS (
        SELECT a.company_id FROM {schema}.odoo_shadow_company_access a
        WHERE a.user_id = (SELECT held ->> 'sub' FROM claims)
            OR a.role_name IN (SELECT r.rolname FROM pg_roles r WHERE pg_has_role(r.oid, 'USAGE'))
        UNION
        SELECT CASE WHEN jsonb_typeof(item) = 'number' AND item #>> '{}' ~ '^[0-9]{1,18}$'
            THEN (item #>> '{}')::bigint END
        FROM claims CROSS JOIN LATERAL (VALUES (held -> 'app_metadata' -> 'company_ids'), (held -> 'company_ids'))
            AS claimed (companies)
        CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(companies)
            WHEN 'array' THEN companies WHEN 'number' THEN jsonb_build_array(companies) ELSE '[]' END) AS item
    )
    SELECT coalesce(array_agg(company_id ORDER BY company_id), '{}') FROM listed WHERE company_id IS NOT NULL
$body$;

GRANT EXECUTE ON FUNCTION {schema}.odoo_shadow_claims(), {schema}.odoo_shadow_companies() TO PUBLIC;

-- What each of them is, so that a run notices when somebody has replaced it.
INSERT INTO {internal}.row_policy (table_name, wanted, stored)
SELECT p.proname || '()', 'function', md5(concat_ws(' ', p.prosrc, p.proconfig::text, p.prosecdef, p.proowner::regrole))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = {schema_name} AND p.proname IN ('odoo_shadow_claims', 'odoo_shadow_companies') AND p.pronargs = 0
ON CONFLICT (table_name) DO UPDATE SET wanted = excluded.wanted, stored = excluded.stored;

-- The procedures run with their caller's rights, and only the sync's role may use their schema.

-- Gives a table row-level security, if its mirror is restricted or the database has the roles of an API: what an API
-- exposes should have it. Where rows are not restricted, one policy shows all of them: the grants decide, as without it.
-- What somebody has arranged on a table is left alone.
CREATE OR REPLACE PROCEDURE {internal}.protect_table(p_table text, p_is_new boolean DEFAULT false)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    is_restricted boolean := coalesce((SELECT row_level_security = 'company' FROM {internal}.mirror), false);
    has_api boolean := (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('anon', 'authenticated'));
    shows_rows boolean := EXISTS (SELECT FROM {schema}.odoo_shadow_meta WHERE table_name = p_table);
    target regclass := to_regclass(format('%I.%I', {schema_name}, p_table));
    is_protected boolean;
    has_policies boolean;
    has_no_grants boolean;
    is_unknown boolean;
BEGIN
    SELECT c.relrowsecurity, EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid), c.relacl IS NULL
    INTO is_protected, has_policies, has_no_grants
    FROM pg_class c WHERE c.oid = target AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE');
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Nobody has granted or revoked anything yet, or only default privileges have: new to the mirror, whoever made it.
    is_unknown := shows_rows AND NOT EXISTS (SELECT FROM {internal}.table_state
        WHERE table_name = p_table AND table_id = target);
    IF (p_is_new OR has_no_grants OR is_unknown) AND EXISTS (SELECT FROM pg_roles r
        JOIN pg_namespace n ON n.nspname = {schema_name} WHERE r.rolname = 'odoo_shadow_reader'
        AND has_schema_privilege(r.oid, n.oid, 'USAGE')) THEN
        EXECUTE format('GRANT SELECT ON %s TO odoo_shadow_reader', target);
    END IF;
    IF is_restricted AND shows_rows THEN
        IF NOT is_protected THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
        END IF;
    ELSIF NOT has_policies AND (p_is_new AND is_protected OR NOT is_protected AND (has_api OR is_restricted)) THEN
        EXECUTE format('CREATE POLICY odoo_shadow_readers ON %s FOR SELECT TO PUBLIC USING (true)', target);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    END IF;
END
$body$;

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

-- Lets everybody read a view, since the rights on its table decide; in a project that has a reader's role only those who
-- may read the table, so that an API does not name the view to others.
CREATE OR REPLACE PROCEDURE {internal}.grant_view(p_schema text, p_view text, p_table text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    target regclass := to_regclass(format('%I.%I', p_schema, p_view));
    has_readers boolean := EXISTS (SELECT FROM pg_roles r JOIN pg_namespace n ON n.nspname = {schema_name}
        WHERE r.rolname = 'odoo_shadow_reader' AND has_schema_privilege(r.oid, n.oid, 'USAGE'));
    item record;
BEGIN
    FOR item IN
        WITH shown AS (SELECT c.oid, c.relowner, c.relacl FROM pg_class c
            WHERE c.oid = target AND c.relkind = 'v' AND pg_has_role(c.relowner, 'USAGE')),
        wanted AS (
            SELECT 0::oid AS grantee FROM shown WHERE NOT has_readers
            UNION
            SELECT a.grantee FROM shown CROSS JOIN pg_class c, aclexplode(c.relacl) a, pg_namespace n
            WHERE has_readers AND c.oid = to_regclass(format('%I.%I', {schema_name}, p_table))
            AND n.nspname = {schema_name} AND a.privilege_type = 'SELECT' AND a.grantee <> shown.relowner
            AND CASE a.grantee WHEN 0 THEN EXISTS (SELECT FROM aclexplode(n.nspacl) s
                WHERE s.grantee = 0 AND s.privilege_type = 'USAGE')
            ELSE has_schema_privilege(a.grantee, n.oid, 'USAGE') END
        ),
        held AS (
            SELECT a.grantee, bool_or(a.privilege_type = 'SELECT') AS reads FROM shown, aclexplode(shown.relacl) a
            WHERE a.grantee <> shown.relowner GROUP BY 1
        )
        SELECT grantee, wanted.grantee IS NOT NULL AS is_wanted,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS name
        FROM wanted FULL JOIN held USING (grantee)
        WHERE wanted.grantee IS NULL AND has_readers OR wanted.grantee IS NOT NULL AND reads IS NOT TRUE
    LOOP
        IF item.is_wanted THEN
            EXECUTE format('GRANT SELECT ON %s TO %s', target, item.name);
        ELSE
            EXECUTE format('REVOKE ALL ON %s FROM %s', target, item.name);
        END IF;
    END LOOP;
END
$body$;

-- The views that the mirror made, after the rights on their tables may have changed.
CREATE OR REPLACE PROCEDURE {internal}.grant_views()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT schema_name, name, made_for FROM {internal}.made_object WHERE kind = 'view'
        AND object_id = to_regclass(format('%I.%I', schema_name, name))
        -- Those in public last: some of them show others.
        ORDER BY schema_name <> {schema_name}
    LOOP
        CALL {internal}.grant_view(item.schema_name, item.name, item.made_for);
    END LOOP;
END
$body$;

DO $body$
DECLARE
    item text;
BEGIN
    FOREACH item IN ARRAY ARRAY[{control_tables}] LOOP
        CALL {internal}.protect_table(item);
    END LOOP;
END
$body$;
