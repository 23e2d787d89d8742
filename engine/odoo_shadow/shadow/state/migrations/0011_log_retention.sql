-- How long the logs are kept: what the mirrors file says, for runs that do not read it.

ALTER TABLE {internal}.mirror
    ADD COLUMN IF NOT EXISTS keep_log_days integer;
