    IF query_embedding IS NULL THEN
        RAISE NOTICE 'No query_embedding was given, so this searches by words alone: give the query''s embedding by the model %.', {model_name};
    ELSIF {vector_schema}.vector_dims(query_embedding) <> {dimensions} THEN
        RAISE EXCEPTION 'The query''s embedding has % dimensions, and those of the documents have %: make it by the model %.',
            {vector_schema}.vector_dims(query_embedding), {dimensions}, {model_name} USING ERRCODE = 'invalid_parameter_value';
    ELSIF {vector_schema}.vector_norm(query_embedding) = 0 THEN
        RAISE NOTICE 'All numbers of the query''s embedding are zero, so this searches by words alone.';
    ELSIF few THEN
        near_id := ARRAY(SELECT d.id FROM {documents} d WHERE d.{column} IS NOT NULL AND {is_wanted}
            ORDER BY (d.{column} OPERATOR({vector_schema}.<=>) {query_vector}) + 0.0, d.id LIMIT most_ranked);
    ELSE
        -- The planner does not know how many of them are seen, and would rather compare all.
        PERFORM set_config(t.name, 'off', true)
            FROM unnest(ARRAY['enable_bitmapscan', 'enable_seqscan', 'enable_sort']) AS t (name);
        near_id := ARRAY(SELECT n.id FROM (
            SELECT d.id, d.{column} OPERATOR({vector_schema}.<=>) {query_vector} AS distance
            FROM {documents} d WHERE {is_wanted} ORDER BY 2 LIMIT most_ranked) AS n ORDER BY n.distance + 0.0, n.id);
        PERFORM set_config(t.name, 'on', true)
            FROM unnest(ARRAY['enable_bitmapscan', 'enable_seqscan', 'enable_sort']) AS t (name);
    END IF;
