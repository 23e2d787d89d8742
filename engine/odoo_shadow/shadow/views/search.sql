#variable_conflict use_column
DECLARE
    most_exact constant int := {most_exact}; -- among so many documents every one is looked at
    most_of_a_word constant int := {most_of_a_word}; -- a word that more of them have finds none by itself
    most_ranked constant int := 200;
    documents constant regclass := format('%I.%I', {schema_name}, {stored_name})::regclass;
    asked constant text := left(coalesce(query, ''), 1000);
    wanted constant int := least(greatest(coalesce(match_count, 10), 1), 200);
    visible int;
    few boolean;
    restricted boolean;
    word text[]; -- what is looked for: words, and codes
    pattern tsquery[]; -- how it is found
    titled tsquery[]; -- the same in titles only …
    named tsquery[]; -- … and in titles and names
    is_code boolean[];
    common int[] := '{}'; -- words that too many documents have
    rare tsquery; -- any of the others
    all_common tsquery;
    hit_id bigint[] := '{}'; -- a document …
    hit_word int[] := '{}'; -- has a word …
    word_weight float8[]; -- a word counts the more, the fewer documents have it
    hit_kind text[] := '{}'; -- in its title (t), its names (n) or its text (b), or spelled otherwise (s)
    near_id bigint[] := '{}'; -- by meaning, the nearest first
    missing int[]; -- words that no document has
    spelled tsquery[]; -- how they are found
    otherwise tsquery;
    ids bigint[];
    kinds text[];
    words int[];
    n int;
BEGIN
    IF asked !~ '\S' THEN
        RETURN;
    END IF;
    SELECT count(*) INTO visible FROM (SELECT FROM {documents} d WHERE {is_wanted} LIMIT most_exact + 1) AS seen;
    few := visible <= most_exact;
    restricted := row_security_active(documents) AND EXISTS (SELECT FROM pg_policy p
        WHERE p.polrelid = documents AND pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM 'true');

    {by_meaning}

    -- The words, without those that every sentence has, unless there are no others.
    WITH typed AS (
        SELECT t.word, min(t.place) AS place FROM string_to_table({plain}(asked), ' ') WITH ORDINALITY AS t (word, place)
        WHERE t.word <> '' AND length(t.word) <= 60 GROUP BY 1 ORDER BY 2 LIMIT 24
    ), stop AS (
        SELECT DISTINCT {plain}(raw) AS word FROM regexp_split_to_table(lower(asked), '[\s[:punct:]]+') AS raw,
            unnest(ARRAY['english_stem', 'german_stem', 'french_stem', 'spanish_stem', 'italian_stem', 'dutch_stem',
                'portuguese_stem']::regdictionary[]) AS language
        WHERE length(raw) BETWEEN 1 AND 12 AND ts_lexize(language, raw) = '{}'
    ), kept AS (
        SELECT typed.* FROM typed WHERE typed.word NOT IN (TABLE stop)
            OR NOT EXISTS (SELECT FROM typed t WHERE t.word NOT IN (TABLE stop))
    ), looked_for AS (
        -- Most plurals begin as the singular does.
        SELECT k.word, false AS is_code, k.place, CASE WHEN k.word ~ {no_blanks} OR length(k.word) BETWEEN 4 AND 5
            AND k.word !~ '\d' THEN quote_literal(k.word) || ':*' WHEN length(k.word) > 5 AND k.word !~ '\d'
            THEN quote_literal(regexp_replace(k.word, '(es|en|er|s|n|e)$', '')) || ':*'
            ELSE quote_literal(k.word) || ':' END AS pattern
        FROM kept k
        UNION ALL
        SELECT c.word, true, 100 + min(c.place), quote_literal(c.word) || ':'
        FROM (SELECT p.word, r.place, r.token ~ '[[:alpha:]]' AS has_letters
            FROM regexp_split_to_table(asked, '[\s,;]+') WITH ORDINALITY AS r (token, place)
            CROSS JOIN LATERAL string_to_table({codes}(r.token), ' ') AS p (word)
            -- A bare number is one thing, by whichever of its forms it is found.
            WHERE r.token ~ '\d' AND NOT (r.token ~ '^\d+$' AND p.word LIKE 'zqc_%')) AS c
        -- S31 is no other number 31.
        WHERE c.word LIKE 'zqc_%' OR c.word LIKE 'zqn_%' AND NOT c.has_letters GROUP BY 1
        ORDER BY place LIMIT 32
    )
    SELECT array_agg(f.word ORDER BY f.place), array_agg(rtrim(f.pattern, ':')::tsquery ORDER BY f.place),
        array_agg((f.pattern || 'A')::tsquery ORDER BY f.place),
        array_agg((f.pattern || 'AC')::tsquery ORDER BY f.place), array_agg(f.is_code ORDER BY f.place)
    INTO word, pattern, titled, named, is_code FROM looked_for f;

    IF visible > 0 AND word IS NOT NULL THEN
        IF restricted THEN
            -- Policies keep the index of words from being used: whatever is seen is looked at, once for all words but those
            -- that seem to be common, which are counted until they are known to be.
            ids := CASE WHEN NOT few THEN ARRAY(SELECT p.n FROM (SELECT d.words
                    FROM {documents} d TABLESAMPLE SYSTEM (1) REPEATABLE (1) WHERE {is_wanted}) AS sample,
                    unnest(pattern) WITH ORDINALITY AS p (pattern, n)
                GROUP BY 1 HAVING avg((sample.words @@ p.pattern)::int) > 0.02 ORDER BY 1) END;
            FOREACH n IN ARRAY coalesce(ids, '{}') LOOP
                IF (SELECT count(*) FROM (SELECT FROM {documents} d WHERE d.words @@ pattern[n] AND {is_wanted}
                        LIMIT most_of_a_word + 1) AS counted) > most_of_a_word THEN
                    common := common || n;
                END IF;
            END LOOP;
            rare := (SELECT string_agg(p.pattern::text, ' | ')::tsquery
                FROM unnest(pattern) WITH ORDINALITY AS p (pattern, n) WHERE p.n <> ALL (common));
            WITH found AS MATERIALIZED (
                SELECT d.id, d.words FROM {documents} d WHERE d.words @@ rare AND {is_wanted}
            ), hits AS MATERIALIZED (
                SELECT f.id, p.n, CASE WHEN f.words @@ p.titled THEN 't' WHEN f.words @@ p.named THEN 'n'
                    ELSE 'b' END AS kind
                FROM found f, unnest(pattern, titled, named) WITH ORDINALITY AS p (pattern, titled, named, n)
                WHERE p.n <> ALL (common) AND f.words @@ p.pattern
            ), many AS (
                SELECT h.n FROM hits h WHERE NOT few GROUP BY 1 HAVING count(*) > most_of_a_word
            )
            SELECT array_agg(h.id) FILTER (WHERE m.n IS NULL), array_agg(h.n) FILTER (WHERE m.n IS NULL),
                array_agg(h.kind) FILTER (WHERE m.n IS NULL), common || ARRAY(SELECT m.n::int FROM many m ORDER BY 1)
            INTO hit_id, hit_word, hit_kind, common FROM hits h LEFT JOIN many m ON m.n = h.n;
        ELSE
            FOR n IN 1 .. cardinality(word) LOOP
                SELECT array_agg(h.id), array_agg(h.kind) INTO ids, kinds FROM (
                    SELECT d.id, CASE WHEN d.words @@ titled[n] THEN 't' WHEN d.words @@ named[n] THEN 'n'
                        ELSE 'b' END AS kind
                    FROM {documents} d WHERE d.words @@ pattern[n] AND {is_wanted}
                    LIMIT CASE WHEN few THEN most_exact ELSE most_of_a_word + 1 END) AS h;
                IF NOT few AND cardinality(ids) > most_of_a_word THEN
                    common := common || n;
                ELSE
                    hit_id := hit_id || ids;
                    hit_word := hit_word || array_fill(n, ARRAY[coalesce(cardinality(ids), 0)]);
                    hit_kind := hit_kind || kinds;
                END IF;
            END LOOP;
        END IF;
        IF common <> '{}' THEN
            -- They count in documents that are found otherwise, and in those that have all of them, or all but one.
            ids := near_id || ARRAY(SELECT h.id FROM unnest(hit_id, hit_word) AS h (id, n)
                JOIN (SELECT u.n, ln(1 + 100000.0 / count(*)) AS weight FROM unnest(hit_word) AS u (n) GROUP BY 1) AS w
                ON w.n = h.n GROUP BY 1 ORDER BY sum(w.weight) DESC, 1 LIMIT 500);
            all_common := (SELECT string_agg(pattern[c]::text, ' & ')::tsquery FROM unnest(common) AS c);
            kinds := ARRAY(SELECT d.id::text FROM {documents} d WHERE d.words @@ all_common AND {is_wanted} LIMIT 1000);
            ids := ids || kinds::bigint[];
            IF kinds = '{}' AND cardinality(common) > 1 THEN
                -- One look for all of them, unless so many are found that some could keep others away.
                all_common := (SELECT string_agg('(' || (SELECT string_agg(pattern[c]::text, ' & ')
                    FROM unnest(common) AS c WHERE c <> o) || ')', ' | ')::tsquery FROM unnest(common) AS o);
                kinds := ARRAY(SELECT d.id::text FROM {documents} d WHERE d.words @@ all_common AND {is_wanted} LIMIT 300);
                ids := ids || kinds::bigint[];
                FOREACH n IN ARRAY CASE WHEN cardinality(kinds) = 300 THEN common ELSE '{}' END LOOP
                    all_common := (SELECT string_agg(pattern[c]::text, ' & ')::tsquery FROM unnest(common) AS c
                        WHERE c <> n);
                    ids := ids || ARRAY(SELECT d.id FROM {documents} d WHERE d.words @@ all_common AND {is_wanted}
                        LIMIT 300);
                END LOOP;
            END IF;
            SELECT hit_id || array_agg(h.id), hit_word || array_agg(h.n), hit_kind || array_agg(h.kind)
            INTO hit_id, hit_word, hit_kind FROM (
                SELECT d.id, c.n, CASE WHEN d.words @@ titled[c.n] THEN 't' WHEN d.words @@ named[c.n] THEN 'n' ELSE 'b' END AS kind
                FROM {documents} d, unnest(common) AS c (n)
                WHERE d.id = ANY (ids) AND d.words @@ pattern[c.n] AND {is_wanted}) AS h;
        END IF;
    END IF;

    -- What nobody has written so may be spelled otherwise.
    missing := ARRAY(SELECT w.n FROM unnest(word, is_code) WITH ORDINALITY AS w (word, is_code, n)
        WHERE visible > 0 AND NOT w.is_code AND length(w.word) BETWEEN 4 AND 24 AND w.word !~ '\d'
        AND w.n <> ALL (common) AND w.n <> ALL (coalesce(hit_word, '{}')));
    IF missing <> '{}' THEN
        spelled := ARRAY(SELECT (SELECT string_agg(quote_literal(p.piece), ' | ')
            FROM unnest({spellings}(word[m.n])) AS p (piece))::tsquery FROM unnest(missing) WITH ORDINALITY AS m (n, place)
            ORDER BY m.place);
        otherwise := (SELECT string_agg(p::text, ' | ')::tsquery FROM unnest(spelled) AS p);
        SELECT hit_id || array_agg(h.id), hit_word || array_agg(h.n), hit_kind || array_agg('s'::text)
        INTO hit_id, hit_word, hit_kind FROM (
            SELECT d.id, m.n
            FROM (SELECT d.id, d.spellings FROM {documents} d WHERE d.spellings @@ otherwise AND {is_wanted}
                LIMIT most_exact) AS d, unnest(missing, spelled) AS m (n, pieces)
            WHERE d.spellings @@ m.pieces) AS h;
    END IF;

    word_weight := ARRAY(SELECT ln(1 + CASE WHEN few THEN visible ELSE 100000 END::float8
        / greatest(count(u.n), CASE WHEN w.n = ANY (common) THEN most_of_a_word ELSE 1 END))
        FROM generate_subscripts(word, 1) AS w (n) LEFT JOIN unnest(hit_word) AS u (n) ON u.n = w.n
        GROUP BY w.n ORDER BY w.n);

    RETURN QUERY
    WITH hits AS (
        -- Where a bare number is found as a code, its word says nothing more.
        SELECT h.id, h.n, h.kind FROM unnest(hit_id, hit_word, hit_kind) AS h (id, n, kind)
        LEFT JOIN (SELECT DISTINCT o.id, word[o.n] AS code FROM unnest(hit_id, hit_word) AS o (id, n)
            WHERE is_code[o.n]) AS c
            ON c.id = h.id AND c.code = 'zqn' || ltrim(word[h.n], '0') AND h.kind IN ('t', 'n')
        WHERE h.id IS NOT NULL AND c.id IS NULL
    ), scored AS (
        -- A name counts more in a title that says little else.
        SELECT h.id, sum(word_weight[h.n] * CASE h.kind WHEN 'b' THEN 1 ELSE 1.5 END) AS by_words,
            sum(word_weight[h.n] * CASE h.kind WHEN 't' THEN 1.5 ELSE 1 END) FILTER (WHERE h.kind <> 'b')
                / (1 + 0.5 * ln(1 + max(length(d.title)) / 30.0)) AS by_names,
            bool_or(is_code[h.n] AND h.kind IN ('t', 'n')) AS has_code
        FROM hits h JOIN {documents} d ON d.id = h.id GROUP BY 1
    ), ranked AS (
        (SELECT s.id, 1.0 AS share, rank() OVER (ORDER BY s.by_words DESC) AS place FROM scored s
            ORDER BY s.by_words DESC, s.id LIMIT most_ranked)
        UNION ALL
        (SELECT s.id, CASE WHEN s.has_code THEN 2.0 ELSE 0.5 END, rank() OVER (ORDER BY s.by_names DESC) FROM scored s
            WHERE s.by_names > 0 ORDER BY s.by_names DESC, s.id LIMIT most_ranked)
        UNION ALL
        SELECT v.id, 0.8, v.place FROM unnest(near_id) WITH ORDINALITY AS v (id, place)
    ), fused AS (
        -- Reciprocal ranks; 1 is the first of all lists.
        SELECT r.id, 11 * sum(r.share / (10 + r.place)) / (1.0 + CASE WHEN (SELECT bool_or(s.has_code) FROM scored s)
            THEN 2.0 ELSE 0.5 END + CASE WHEN near_id = '{}' THEN 0 ELSE 0.8 END) AS score FROM ranked r GROUP BY 1
    ), best AS (
        SELECT d.*, f.score, EXISTS (SELECT FROM scored s WHERE s.id = d.id) AS by_words
        FROM fused f JOIN {documents} d ON d.id = f.id
        ORDER BY f.score DESC, d.dated_at DESC NULLS LAST, d.odoo_model, d.odoo_id LIMIT wanted
    )
    SELECT b.id, b.odoo_model, b.odoo_id, b.title, b.url, b.score::float8, m.as_of, coalesce(t.snippet, ''),
        b.company_id, b.dated_at, b.by_words
    FROM best b LEFT JOIN {models} m ON m.odoo_model = b.odoo_model CROSS JOIN LATERAL (
        -- The lines that have most of what is asked; the first lines, if none has. Long ones are cut between words.
        SELECT string_agg(c.line, ' · ' ORDER BY c.nth) AS snippet FROM (
            SELECT l.line, l.weight, max(l.weight) OVER () AS most, row_number() OVER best_first AS nth,
                sum(length(l.line) + 3) OVER best_first AS so_far
            FROM (
                SELECT a.lines[k.place] AS line, k.place, coalesce((SELECT sum(p.weight)
                    FROM to_tsvector('simple'::regconfig, k.words) AS v, unnest(pattern, word_weight) AS p (pattern, weight)
                    WHERE b.by_words AND v @@ p.pattern), 0) AS weight
                FROM (SELECT array_agg(btrim(r.piece, E' \t\r\n') ORDER BY o.place, r.place) AS lines
                    FROM string_to_table(left(b.body, CASE WHEN b.by_words THEN 6000 ELSE 500 END), E'\n')
                        WITH ORDINALITY AS o (line, place),
                    unnest(CASE WHEN length(o.line) <= 200 THEN ARRAY[o.line] ELSE ARRAY(SELECT m[1]
                        FROM regexp_matches(o.line, '.{1,200}(?:\s|$)|\S{200,200}', 'g') AS m) END)
                        WITH ORDINALITY AS r (piece, place) WHERE r.piece ~ '\S') AS a,
                    string_to_table({plain}(array_to_string(a.lines, ' zqline ')), 'zqline')
                        WITH ORDINALITY AS k (words, place)) AS l
            WINDOW best_first AS (ORDER BY l.weight DESC, l.place)) AS c
        WHERE (c.nth = 1 OR c.so_far <= 240) AND c.weight >= c.most / 2) AS t
    ORDER BY b.score DESC, b.dated_at DESC NULLS LAST, b.odoo_model, b.odoo_id;
END
