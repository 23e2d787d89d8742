-- Runs after every upgrade, and wherever a dump may have been restored, which gives tables and columns other numbers.
-- Without a number of its own table, the mirror is new, or of a version before 6: what has the right name is its own.
-- With another one a dump was restored: what was the mirror's own before, is so still.
DO $body$
DECLARE
    former oid := (SELECT relation_id FROM {internal}.mirror);
    present oid := to_regclass(format('%I.mirror', {internal_name}));
BEGIN
    IF former IS DISTINCT FROM present THEN
        UPDATE {schema}.odoo_shadow_field f SET column_number =
            (SELECT a.attnum FROM pg_attribute a
                WHERE a.attrelid = to_regclass(format('%I.%I', {schema_name}, f.table_name))
                AND a.attname = f.column_name AND NOT a.attisdropped)
            WHERE former IS NULL OR column_number IS NOT NULL;
        INSERT INTO {internal}.table_state AS s (table_name, table_id, own_columns)
            SELECT m.table_name, c.oid,
                (SELECT coalesce(jsonb_object_agg(a.attname, a.attnum), '{}') FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND NOT a.attisdropped AND CASE WHEN former IS NULL
                    THEN (a.attname, format_type(a.atttypid, a.atttypmod)) IN ({own_columns})
                    ELSE k.own_columns ? a.attname END)
            FROM {schema}.odoo_shadow_meta m
            JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema_name}, m.table_name))
            LEFT JOIN {internal}.table_state k ON k.table_name = m.table_name
            WHERE former IS NULL OR k.table_id IS NOT NULL
            ON CONFLICT (table_name) DO UPDATE
            SET table_id = excluded.table_id, own_columns = excluded.own_columns;
        UPDATE {internal}.mirror SET relation_id = present;
    END IF;
END
$body$;
