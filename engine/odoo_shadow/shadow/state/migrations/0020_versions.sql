-- The versions that a table's records had when it was last brought up to date, by block of ids: from a source that knows
-- them, such as Odoo's own database.
CREATE TABLE IF NOT EXISTS {internal}.version (
    table_name text PRIMARY KEY,
    -- What the digests are about; those with another one are not compared.
    basis text NOT NULL,
    -- How far the source's server was in its log.
    position bigint,
    -- The fields whose values have versions of their own.
    fields text[] NOT NULL,
    row_count bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS {internal}.version_block (
    table_name text NOT NULL REFERENCES {internal}.version ON DELETE CASCADE,
    block bigint NOT NULL,
    digest bigint NOT NULL,
    PRIMARY KEY (table_name, block)
);
