-- Rows that Odoo wrote after a table's last sync, those that a repair corrected, and those that nobody could compare.

ALTER TABLE {schema}.odoo_shadow_verification
    ADD COLUMN IF NOT EXISTS newer bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS corrected bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS uncompared bigint NOT NULL DEFAULT 0;
