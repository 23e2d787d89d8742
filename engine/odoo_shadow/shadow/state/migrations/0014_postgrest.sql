-- What PostgREST shows: the functions in public by which it embeds related rows, and what it was last told of.

CREATE TABLE IF NOT EXISTS {internal}.relationship (
    function_name text NOT NULL,
    argument_name text NOT NULL,
    definition_digest text NOT NULL,
    PRIMARY KEY (function_name, argument_name)
);

ALTER TABLE {internal}.mirror
    ADD COLUMN IF NOT EXISTS shown_digest text;

-- Named views get a view in public, and views in public get the labels as comments.
UPDATE {schema}.odoo_shadow_meta SET view_is_due = true;
