-- Supabase cron starts the sync: {about}.
-- Written by odoo-shadow init supabase; running it twice does no harm.
--
-- The job posts to the Edge Function ops-job-worker, waits for its answer, and fails with one sentence when that is not
-- well: Integrations > Cron shows it. Address and key come from Vault, in the run: the job's text holds neither.
--   SELECT vault.create_secret('https://PROJECT.supabase.co', 'SUPABASE_URL');
--   SELECT vault.create_secret('…the secret key or the service_role key…', 'SUPABASE_SERVICE_KEY');

SET search_path = pg_catalog, pg_temp;

CREATE OR REPLACE FUNCTION {internal}.vault_secret(secret_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = '' AS $body$
DECLARE
    found text;
BEGIN
    IF to_regclass('vault.decrypted_secrets') IS NULL THEN
        RAISE EXCEPTION 'Vault is missing: enable supabase_vault under Integrations, then store the secret %.',
            secret_name;
    END IF;
    SELECT btrim(decrypted_secret, E' \t\r\n') INTO found
    FROM vault.decrypted_secrets WHERE name = secret_name;
    IF found <> '' THEN
        RETURN found;
    END IF;
    IF EXISTS (SELECT FROM vault.decrypted_secrets WHERE decrypted_secret = secret_name) THEN
        RAISE EXCEPTION 'Vault has % as a value: name and value are swapped. Delete that secret, and call '
            'vault.create_secret(value, name) with the value first.', secret_name;
    END IF;
    RAISE EXCEPTION 'Vault has no secret %: run SELECT vault.create_secret(value, name), the value first.', secret_name;
END
$body$;
REVOKE ALL ON FUNCTION {internal}.vault_secret(text) FROM PUBLIC;

-- Returns the number of the request, which pg_net sends once this transaction is committed.
CREATE OR REPLACE FUNCTION {internal}.post_job(job_slug text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = '' AS $body$
DECLARE
    address text;
    secret text;
BEGIN
    IF to_regproc('net.http_post') IS NULL THEN
        RAISE EXCEPTION 'pg_net is missing: enable it under Database > Extensions.';
    END IF;
    address := rtrim({internal}.vault_secret('SUPABASE_URL'), '/');
    -- Without encryption the key would be seen on its way; containers of one machine call each other so.
    IF address !~* '^(https://[^/@[:space:]]+|http://(localhost|127[.]0[.]0[.]1|\[::1\]|[a-z0-9_-]+|[a-z0-9_.-]+[.]internal)(:[0-9]+)?)$'
    THEN
        RAISE EXCEPTION 'The secret SUPABASE_URL must be the address of the project, such as '
            'https://PROJECT.supabase.co, without a path.';
    END IF;
    secret := {internal}.vault_secret('SUPABASE_SERVICE_KEY');
    -- One key for each scheduled minute: should the job be posted twice in it, the second post starts nothing.
    RETURN net.http_post(
        url := address || '/functions/v1/ops-job-worker',
        body := jsonb_build_object('job_slug', job_slug, 'idempotency_key', format(
            'cron-%s-%s', job_slug, to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MI"Z"'))),
        headers := jsonb_build_object('Content-Type', 'application/json', 'apikey', secret,
            'Authorization', 'Bearer ' || secret),
        timeout_milliseconds := 60000
    );
END
$body$;
REVOKE ALL ON FUNCTION {internal}.post_job(text) FROM PUBLIC;

-- Waits for the answer to a request; one that is not well is an error.
CREATE OR REPLACE FUNCTION {internal}.check_answer(request bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = '' AS $body$
DECLARE
    answer record;
BEGIN
    FOR tried IN 1..900 LOOP
        SELECT status_code, error_msg, left(content, 500) AS said INTO answer
        FROM net._http_response WHERE id = request;
        EXIT WHEN FOUND;
        PERFORM pg_sleep(0.1);
    END LOOP;
    IF answer IS NULL THEN
        RAISE EXCEPTION 'pg_net has not sent the request to ops-job-worker within 90 seconds: '
            'SELECT net.worker_restart() starts it again.';
    ELSIF answer.status_code IS NULL THEN
        RAISE EXCEPTION 'ops-job-worker gave no answer: %', coalesce(answer.error_msg, 'unknown');
    ELSIF answer.status_code = 409 THEN
        RAISE NOTICE 'Another run is active; this one is left out: %', answer.said;
    ELSIF answer.status_code NOT BETWEEN 200 AND 299 THEN
        RAISE EXCEPTION 'ops-job-worker answered %: %', answer.status_code, coalesce(answer.said, '');
    END IF;
END
$body$;
REVOKE ALL ON FUNCTION {internal}.check_answer(bigint) FROM PUBLIC;

-- Extensions that can be had are enabled; where one cannot, nothing is scheduled, and a notice says what to do.
DO $body$
DECLARE
    missing text;
BEGIN
    IF to_regnamespace('cron') IS NULL AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_cron') THEN
        CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog;
    END IF;
    IF to_regnamespace('net') IS NULL AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_net') THEN
        CREATE SCHEMA IF NOT EXISTS extensions;
        CREATE EXTENSION pg_net WITH SCHEMA extensions;
    END IF;
    SELECT string_agg(extension, ', ') INTO missing
    FROM (VALUES ('pg_cron', 'cron'), ('pg_net', 'net'), ('supabase_vault', 'vault')) AS needed (extension, made)
    WHERE to_regnamespace(made) IS NULL;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% missing', missing;
    END IF;
    -- A job of the same name is replaced.
    PERFORM cron.schedule({job}, {schedule}, {command});
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'The sync is not scheduled: %. Enable pg_cron, pg_net and supabase_vault (Integrations and '
        'Database > Extensions), and run this migration once more, in the SQL editor.', SQLERRM;
END
$body$;

RESET search_path;
