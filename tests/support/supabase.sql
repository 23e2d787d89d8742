-- A STAND-IN for two extensions of a Supabase project, with their SQL interface and nothing behind it: pg_cron without a
-- scheduler, pg_net without HTTP. tests/support/supabase.py runs jobs and requests. The Vault is in vault.sql.

CREATE SCHEMA net;
CREATE UNLOGGED TABLE net.http_request_queue (
    id bigserial,
    method text NOT NULL,
    url text NOT NULL,
    headers jsonb,
    body bytea,
    timeout_milliseconds integer NOT NULL
);
CREATE UNLOGGED TABLE net._http_response (
    id bigint,
    status_code integer,
    content_type text,
    headers jsonb,
    content text,
    timed_out boolean,
    error_msg text,
    created timestamptz NOT NULL DEFAULT now()
);
-- As the extension does, it sends nothing before the transaction is committed.
CREATE FUNCTION net.http_post(url text, body jsonb DEFAULT '{}', params jsonb DEFAULT '{}',
    headers jsonb DEFAULT '{"Content-Type": "application/json"}', timeout_milliseconds integer DEFAULT 5000)
RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    request_id bigint;
BEGIN
    INSERT INTO net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    VALUES ('POST', http_post.url, http_post.headers, convert_to(http_post.body::text, 'UTF8'),
        http_post.timeout_milliseconds)
    RETURNING id INTO request_id;
    NOTIFY net_wake;
    RETURN request_id;
END
$$;

CREATE SCHEMA cron;
CREATE TABLE cron.job (
    jobid bigserial PRIMARY KEY,
    schedule text NOT NULL,
    command text NOT NULL,
    database text NOT NULL DEFAULT current_database(),
    username text NOT NULL DEFAULT current_user,
    active boolean NOT NULL DEFAULT true,
    jobname text,
    UNIQUE (jobname, username)
);
CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint
LANGUAGE sql SET search_path = '' AS $$
    INSERT INTO cron.job (jobname, schedule, command) VALUES (job_name, schedule, command)
    ON CONFLICT (jobname, username) DO UPDATE SET schedule = excluded.schedule, command = excluded.command
    RETURNING jobid
$$;
CREATE FUNCTION cron.unschedule(job_name text) RETURNS boolean
LANGUAGE sql SET search_path = '' AS $$
    WITH gone AS (DELETE FROM cron.job WHERE jobname = job_name AND username = current_user RETURNING 1)
    SELECT EXISTS (SELECT FROM gone)
$$;
