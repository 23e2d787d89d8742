-- Which of a mirror's marts were compared: there may be several schemas of them.

ALTER TABLE {schema}.odoo_shadow_mart_verification
    ADD COLUMN IF NOT EXISTS marts_schema text;
