-- A first load of a large table, divided by id into ranges that several workers read at the same time. They exist until
-- the scan that they divide has ended.
CREATE TABLE IF NOT EXISTS {internal}.scan_range (
    table_name text NOT NULL,
    number integer NOT NULL,
    -- after_id < id <= up_to_id; NULL is before all ids.
    after_id bigint,
    up_to_id bigint NOT NULL,
    -- How far it has been read; NULL before anything was.
    last_id bigint,
    -- Whether nobody reads it any more on its own. What is left then is read by the run that ends the scan.
    is_ended boolean NOT NULL DEFAULT false,
    -- The run that reads it, and which of that run's workers.
    run_id uuid NOT NULL,
    part integer NOT NULL,
    inserted bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    -- The worker's claim, like that on a whole table.
    held_by text,
    held_token uuid,
    held_until timestamptz,
    PRIMARY KEY (table_name, number)
);

-- Versions are noted when a scan begins, and are those that the table holds when it has ended.
ALTER TABLE {internal}.version ADD COLUMN IF NOT EXISTS is_held boolean NOT NULL DEFAULT true;
