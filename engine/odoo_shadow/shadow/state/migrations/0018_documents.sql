-- Documents: what a record is about, as text, for retrieval; and what finds them.

-- A model whose records have documents. Readers ask it through the policy of the documents.
CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_document_model (
    odoo_model text PRIMARY KEY,
    -- Every table whose rows its documents show.
    shown_tables text[] NOT NULL,
    -- What they show, as it was given.
    template text NOT NULL DEFAULT '',
    -- Whether a person wrote that.
    is_given boolean NOT NULL DEFAULT false,
    -- Who sees the rows that they show; another one hides them until all have been made anew.
    readers_digest text NOT NULL DEFAULT '',
    -- False until all of them have been made for those readers.
    is_shown boolean NOT NULL DEFAULT false,
    document_count bigint NOT NULL DEFAULT 0,
    -- They show the rows as Odoo had them then.
    as_of timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A text as words with blanks between them, in small letters without accents, in no language in particular. Where words
-- have no blanks between them (Chinese, Japanese, Thai …), each pair of neighbouring letters is a word.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_plain(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    small text := lower(p_text);
BEGIN
    IF octet_length(p_text) = length(p_text) THEN
        -- Thousands are written with and without a mark between the digits.
        RETURN btrim(regexp_replace(regexp_replace(small, '(\d)[.,''](?=\d\d\d(\D|$))', '\1', 'g'),
            '[^a-z0-9]+', ' ', 'g'));
    END IF;
    -- Accents become characters of their own and go, as do marks that are not seen.
    small := replace(replace(replace(replace(replace(replace(replace(normalize(regexp_replace(normalize(small, NFKD),
        '[\u0300-\u036f\u00ad\u0640\u064b-\u0652\u200b-\u200f\u2060\ufeff]+', '', 'g'), NFC),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'ø', 'o'), 'ł', 'l'), 'đ', 'd'), 'ı', 'i');
    small := btrim(regexp_replace(regexp_replace(small, '(\d)[.,''’](?=\d\d\d(\D|$))', '\1', 'g'),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7'
        '\u037e\u0387\u055a-\u055f\u0589\u05be\u05c0\u05c3\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965\u0e2f\u0e5a'
        '\u0e5b\u2000-\u206f\u20a0-\u20cf\u2100-\u214f\u2190-\u2bff\u3000-\u3004\u3008-\u3020\u3030\u30fb'
        '\ufe30-\ufe4f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+', ' ', 'g'));
    IF small !~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]' THEN
        RETURN small;
    END IF;
    small := regexp_replace(small,
        '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+)',
        ' \1 ', 'g');
    RETURN (SELECT string_agg(CASE WHEN length(word) = 1 OR word
            !~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]' THEN word
            ELSE (SELECT string_agg(pair, ' ' ORDER BY place) FROM (
                SELECT place, letter || lead(letter) OVER (ORDER BY place) AS pair
                FROM string_to_table(word, NULL) WITH ORDINALITY AS letters (letter, place)) AS pairs) END,
            ' ' ORDER BY n)
        FROM string_to_table(small, ' ') WITH ORDINALITY AS split (word, n) WHERE word <> '');
END
$body$;

-- The numbers in a text as words that nobody types: S00031 is found by S31, 00031 and 31.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_codes(p_text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF p_text !~ '\d' THEN
        RETURN '';
    END IF;
    RETURN (SELECT coalesce(string_agg('zqc' || regexp_replace(code, '[^a-z0-9]', '', 'g') || ' zqn'
            || substring(code FROM '(\d+)\D*$'), ' '), '')
        FROM (SELECT regexp_replace(lower(word), '(^|\D)0+(?=\d)', '\1', 'g') AS code
            FROM regexp_split_to_table(left(p_text, 4000), '[\s,;]+') AS word
            WHERE word ~ '\d' AND length(word) <= 60 LIMIT 50) AS codes);
END
$body$;

-- How a document is found by words and numbers: in its title (A), its text (B) and its names (C).
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_words(p_title text, p_body text, p_names text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RETURN setweight(to_tsvector('simple'::regconfig, concat_ws(' ', {schema}.odoo_shadow_plain(left(p_title, 2000)),
            {schema}.odoo_shadow_codes(p_title))), 'A')
        || setweight(to_tsvector('simple'::regconfig, {schema}.odoo_shadow_plain(left(p_body, 50000))), 'B')
        || setweight(to_tsvector('simple'::regconfig, concat_ws(' ', {schema}.odoo_shadow_plain(left(p_names, 6000)),
            {schema}.odoo_shadow_codes(p_names))), 'C');
END
$body$;

-- Each word of some letters, and what is left of it without any one of them: two words have one of these in common if
-- one has a letter more or less, another letter in a place, or two letters in each other's places.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_spellings(p_text text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coalesce(array_agg(DISTINCT overlay(word PLACING '' FROM n FOR 1)), '{}')
    FROM (SELECT DISTINCT word FROM string_to_table({schema}.odoo_shadow_plain(left(p_text, 4000)), ' ') AS word
        WHERE length(word) BETWEEN 4 AND 24 AND word !~ '\d' LIMIT 60) AS words,
        generate_series(1, length(word) + 1) AS n
$body$;

-- Its view is odoo_shadow_document. Embeddings are columns that come with their model (odoo_shadow_embedding_model).
CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_stored_document (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    odoo_model text NOT NULL REFERENCES {schema}.odoo_shadow_document_model ON DELETE CASCADE,
    odoo_id bigint NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    -- Names and codes, which may be spelled wrong.
    names text NOT NULL,
    language text,
    company_id bigint,
    -- Who sees it: members of any of these companies; 0 is everyone, -1 whoever has a company; nobody if it is empty.
    companies bigint[] NOT NULL,
    state text,
    dated_at timestamptz,
    url text,
    -- Of title and body: what is embedded.
    content_hash text NOT NULL,
    -- Of the versions of all rows that it shows.
    rows_digest bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    words tsvector NOT NULL GENERATED ALWAYS AS ({schema}.odoo_shadow_words(title, body, names)) STORED,
    spellings tsvector NOT NULL
        GENERATED ALWAYS AS (array_to_tsvector({schema}.odoo_shadow_spellings(title || ' ' || names))) STORED,
    UNIQUE (odoo_model, odoo_id)
);

CREATE INDEX IF NOT EXISTS ix_odoo_shadow_document_words ON {schema}.odoo_shadow_stored_document USING gin (words);
CREATE INDEX IF NOT EXISTS ix_odoo_shadow_document_spellings
    ON {schema}.odoo_shadow_stored_document USING gin (spellings);
CREATE INDEX IF NOT EXISTS ix_odoo_shadow_document_dated_at
    ON {schema}.odoo_shadow_stored_document (dated_at);
CREATE INDEX IF NOT EXISTS ix_odoo_shadow_document_companies
    ON {schema}.odoo_shadow_stored_document USING gin (companies);

-- The models by which texts have been made vectors: each has a column of odoo_shadow_stored_document, and an index.
CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_embedding_model (
    column_name text PRIMARY KEY CHECK (column_name ~ '^embedding_[0-9]+$'),
    name text NOT NULL,
    dimensions integer NOT NULL CHECK (dimensions BETWEEN 1 AND 4000),
    -- The one that searches use; another one is being filled, or about to be dropped.
    is_current boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX IF NOT EXISTS ix_odoo_shadow_embedding_model_current
    ON {schema}.odoo_shadow_embedding_model (is_current) WHERE is_current;

-- Which documents workers are making vectors of; another takes what one that died had.
CREATE TABLE IF NOT EXISTS {internal}.embedding_claim (
    column_name text NOT NULL,
    document_id bigint NOT NULL,
    held_by uuid NOT NULL,
    held_until timestamptz NOT NULL,
    PRIMARY KEY (column_name, document_id)
);

-- The models whose documents may be seen: those all of whose tables the one who asks may read, with no rows hidden by
-- policies of somebody's own, which documents cannot follow.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_document_models() RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coalesce(array_agg(m.odoo_model), '{}') FROM {schema}.odoo_shadow_document_model m
    WHERE m.is_shown AND NOT EXISTS (SELECT FROM unnest(m.shown_tables) AS shown (name)
        LEFT JOIN pg_class c ON c.relname = shown.name AND c.relnamespace = to_regnamespace(quote_ident({schema_name}))
        WHERE c.oid IS NULL OR NOT has_table_privilege(c.oid, 'SELECT')
        OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive)
        OR c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p
            WHERE p.polrelid = c.oid AND p.polname = 'odoo_shadow_readers'))
$body$;

-- The companies of whoever asks, as the documents have them.
CREATE OR REPLACE FUNCTION {schema}.odoo_shadow_document_companies() RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN held = '{}' THEN ARRAY[0::bigint] ELSE held || ARRAY[0::bigint, -1] END
    FROM (SELECT {schema}.odoo_shadow_companies() AS held) AS asked
$body$;

GRANT EXECUTE ON FUNCTION {schema}.odoo_shadow_document_models(), {schema}.odoo_shadow_document_companies(),
    {schema}.odoo_shadow_plain(text), {schema}.odoo_shadow_codes(text), {schema}.odoo_shadow_words(text, text, text),
    {schema}.odoo_shadow_spellings(text) TO PUBLIC;

INSERT INTO {internal}.row_policy (table_name, wanted, stored)
SELECT p.proname || '()', 'function', md5(concat_ws(' ', p.prosrc, p.proconfig::text, p.prosecdef, p.proowner::regrole))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = {schema_name} AND p.pronargs = 0
AND p.proname IN ('odoo_shadow_document_models', 'odoo_shadow_document_companies')
ON CONFLICT (table_name) DO UPDATE SET wanted = excluded.wanted, stored = excluded.stored;

-- Nobody but its owner sees a document before a pass has found out who may.
ALTER TABLE {schema}.odoo_shadow_stored_document ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS odoo_shadow_readers ON {schema}.odoo_shadow_stored_document;
CREATE POLICY odoo_shadow_readers ON {schema}.odoo_shadow_stored_document FOR SELECT TO PUBLIC USING (false);

-- Who sees both of two rows; see companies, above.
CREATE OR REPLACE FUNCTION {internal}.both_see(p_one bigint[], p_other bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN p_one = ARRAY[0::bigint] THEN p_other WHEN p_other = ARRAY[0::bigint] THEN p_one
        WHEN p_one = '{}' OR p_other = '{}' THEN '{}'
        WHEN p_one = ARRAY[-1::bigint] THEN p_other WHEN p_other = ARRAY[-1::bigint] THEN p_one
        ELSE ARRAY(SELECT unnest(p_one) INTERSECT SELECT unnest(p_other) ORDER BY 1) END
$body$;

-- A digest of the policy that it has been given, and of what PostgreSQL stored of it.
ALTER TABLE {internal}.mirror ADD COLUMN IF NOT EXISTS document_policy text;

CALL {internal}.protect_table('odoo_shadow_document_model');
CALL {internal}.protect_table('odoo_shadow_embedding_model');

DO $body$
BEGIN
    IF EXISTS (SELECT FROM pg_roles r JOIN pg_namespace n ON n.nspname = {schema_name}
        WHERE r.rolname = 'odoo_shadow_reader' AND has_schema_privilege(r.oid, n.oid, 'USAGE')) THEN
        GRANT SELECT ON {schema}.odoo_shadow_stored_document TO odoo_shadow_reader;
    END IF;
END
$body$;

-- As before, and documents that were made for everyone are hidden until they have been made anew.
CREATE OR REPLACE PROCEDURE {internal}.set_row_level_security(p_mode text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    mirrored text[];
    item text;
BEGIN
    UPDATE {internal}.mirror SET row_level_security = p_mode WHERE row_level_security IS DISTINCT FROM p_mode;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DROP POLICY IF EXISTS odoo_shadow_readers ON {schema}.odoo_shadow_stored_document;
    CREATE POLICY odoo_shadow_readers ON {schema}.odoo_shadow_stored_document FOR SELECT TO PUBLIC USING (false);
    -- After the wait for others, whose new tables are seen then; at once, as a table that is read cannot be altered.
    mirrored := ARRAY(SELECT m.table_name FROM {schema}.odoo_shadow_meta m
        JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema_name}, m.table_name))
        WHERE c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE') ORDER BY 1);
    FOREACH item IN ARRAY mirrored || ARRAY[{control_tables}] LOOP
        IF p_mode = 'company' AND item = ANY(mirrored) THEN
            EXECUTE format('DROP POLICY IF EXISTS odoo_shadow_readers ON %I.%I', {schema_name}, item);
            INSERT INTO {internal}.row_policy (table_name, wanted, stored) VALUES (item, '', '')
                ON CONFLICT (table_name) DO UPDATE SET wanted = '', stored = '';
        END IF;
        CALL {internal}.protect_table(item);
    END LOOP;
END
$body$;
