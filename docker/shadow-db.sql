-- Runs once, as the superuser, when the shadow database's volume is new.
--
-- mirror         owns the shadow; Airflow writes as this role
-- authenticator  PostgREST logs in as this role, and then takes on one of:
-- anon           requests without a token
-- authenticated  requests with a token of that role

SET search_path = pg_catalog, pg_temp;

\getenv mirror_password SHADOW_DB_PASSWORD
\getenv authenticator_password POSTGREST_DB_PASSWORD

CREATE ROLE mirror LOGIN PASSWORD :'mirror_password';
CREATE ROLE authenticator LOGIN NOINHERIT PASSWORD :'authenticator_password';
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
GRANT anon, authenticated TO authenticator;

CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;

-- The schema is here before the first run, so that its grants are, too.
CREATE SCHEMA odoo_shadow AUTHORIZATION mirror;
SELECT format('GRANT CREATE ON DATABASE %I TO mirror', current_database()) \gexec
GRANT CREATE ON SCHEMA public TO mirror;  -- for the views that carry the tables' names

GRANT USAGE ON SCHEMA odoo_shadow TO anon, authenticated;
GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO anon, authenticated;
ALTER DEFAULT PRIVILEGES FOR ROLE mirror IN SCHEMA odoo_shadow GRANT SELECT ON TABLES TO anon, authenticated;

-- PostgREST reads the tables' structure once. Each run that changed it says so: NOTIFY pgrst, 'reload schema'.
