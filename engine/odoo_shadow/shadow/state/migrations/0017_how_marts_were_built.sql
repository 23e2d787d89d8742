-- How a mart was built that was compared: what was found of it says nothing of one that is built in another way.

ALTER TABLE {schema}.odoo_shadow_mart_verification
    ADD COLUMN IF NOT EXISTS time_zone text,
    ADD COLUMN IF NOT EXISTS definition text;
