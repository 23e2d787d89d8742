-- What pg_dump wrote of a shadow that version 0.1.0 had made of the records of tests/mirror/test_first_release.py.
-- Its moments are moved into 2024; the server's address and the host are others.

SET check_function_bodies = false;

CREATE SCHEMA odoo_shadow;

CREATE FUNCTION odoo_shadow.get_shadow_watermark(p_table_name text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(
        (SELECT last_write_date FROM "odoo_shadow".odoo_shadow_watermark WHERE table_name = p_table_name),
        '1970-01-01 00:00:00+00'::timestamptz)
$$;

CREATE FUNCTION odoo_shadow.update_shadow_watermark(p_table_name text, p_write_date timestamp with time zone, p_last_id bigint DEFAULT NULL::bigint, p_rows_synced bigint DEFAULT 0) RETURNS void
    LANGUAGE sql
    AS $$
    INSERT INTO "odoo_shadow".odoo_shadow_watermark AS w (table_name, last_write_date, last_id, rows_synced)
    VALUES (p_table_name, p_write_date, p_last_id, p_rows_synced)
    ON CONFLICT (table_name) DO UPDATE SET
        last_write_date = excluded.last_write_date,
        last_id = coalesce(excluded.last_id, w.last_id),
        rows_synced = w.rows_synced + excluded.rows_synced,
        updated_at = now()
$$;

CREATE FUNCTION public.get_shadow_watermark(p_table_name text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$SELECT "odoo_shadow"."get_shadow_watermark"(p_table_name)$$;

COMMENT ON FUNCTION public.get_shadow_watermark(p_table_name text) IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE FUNCTION public.update_shadow_watermark(p_table_name text, p_write_date timestamp with time zone, p_last_id bigint DEFAULT NULL::bigint, p_rows_synced bigint DEFAULT 0) RETURNS void
    LANGUAGE sql
    AS $$SELECT "odoo_shadow"."update_shadow_watermark"(p_table_name, p_write_date, p_last_id, p_rows_synced)$$;

COMMENT ON FUNCTION public.update_shadow_watermark(p_table_name text, p_write_date timestamp with time zone, p_last_id bigint, p_rows_synced bigint) IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE TABLE odoo_shadow.odoo_shadow_field (
    table_name text NOT NULL,
    column_name text NOT NULL,
    field_name text NOT NULL,
    odoo_type text NOT NULL,
    column_type text NOT NULL,
    is_filled boolean DEFAULT true NOT NULL,
    vanished_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    label text,
    relation text,
    relation_table text,
    is_translated boolean DEFAULT false NOT NULL,
    is_company_dependent boolean DEFAULT false NOT NULL,
    is_required boolean DEFAULT false NOT NULL,
    is_custom boolean DEFAULT false NOT NULL,
    emptied_at timestamp with time zone
);

CREATE TABLE odoo_shadow.odoo_shadow_meta (
    table_name text NOT NULL,
    odoo_model text NOT NULL,
    odoo_module text,
    field_count integer DEFAULT 0 NOT NULL,
    last_sync_at timestamp with time zone,
    last_sync_duration_ms bigint,
    row_count bigint DEFAULT 0 NOT NULL,
    sync_errors integer DEFAULT 0 NOT NULL,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    read_as text,
    on_delete text,
    label text,
    name_path text,
    view_is_due boolean DEFAULT true NOT NULL,
    fields_digest text,
    planned_at timestamp with time zone,
    settings text,
    variants text,
    unreadable_models text[] DEFAULT '{}'::text[] NOT NULL
);

CREATE TABLE odoo_shadow.odoo_shadow_mirror (
    only_row boolean DEFAULT true NOT NULL,
    odoo_url text,
    odoo_database text,
    odoo_uuid text,
    schema_version integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT odoo_shadow_mirror_only_row_check CHECK (only_row)
);

CREATE TABLE odoo_shadow.odoo_shadow_schema_log (
    id bigint NOT NULL,
    sync_run_id uuid,
    table_name text NOT NULL,
    change text NOT NULL,
    column_name text,
    old_type text,
    new_type text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE odoo_shadow.odoo_shadow_schema_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME odoo_shadow.odoo_shadow_schema_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE odoo_shadow.odoo_shadow_selection (
    table_name text NOT NULL,
    column_name text NOT NULL,
    "position" integer NOT NULL,
    value text NOT NULL,
    label text NOT NULL
);

CREATE TABLE odoo_shadow.odoo_shadow_sync_log (
    id bigint NOT NULL,
    sync_run_id uuid NOT NULL,
    table_name text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    completed_at timestamp with time zone,
    rows_inserted bigint DEFAULT 0 NOT NULL,
    rows_updated bigint DEFAULT 0 NOT NULL,
    rows_deleted bigint DEFAULT 0 NOT NULL,
    duration_ms bigint,
    status text DEFAULT 'running'::text NOT NULL,
    error_message text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT odoo_shadow_sync_log_status_check CHECK ((status = ANY (ARRAY['running'::text, 'success'::text, 'error'::text, 'skipped'::text])))
);

ALTER TABLE odoo_shadow.odoo_shadow_sync_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME odoo_shadow.odoo_shadow_sync_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE odoo_shadow.odoo_shadow_verification (
    id bigint NOT NULL,
    run_id uuid NOT NULL,
    table_name text NOT NULL,
    kind text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone DEFAULT now() NOT NULL,
    duration_ms bigint NOT NULL,
    rows_compared bigint NOT NULL,
    missing bigint NOT NULL,
    extra bigint NOT NULL,
    stale bigint NOT NULL,
    differing bigint NOT NULL,
    repaired bigint DEFAULT 0 NOT NULL,
    examples jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT odoo_shadow_verification_kind_check CHECK ((kind = ANY (ARRAY['quick'::text, 'full'::text])))
);

ALTER TABLE odoo_shadow.odoo_shadow_verification ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME odoo_shadow.odoo_shadow_verification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE odoo_shadow.odoo_shadow_watermark (
    table_name text NOT NULL,
    last_write_date timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    last_id bigint,
    rows_synced bigint DEFAULT 0 NOT NULL,
    scan_run_id uuid,
    scan_full boolean,
    scan_low timestamp with time zone,
    scan_high timestamp with time zone,
    scan_up_to_id bigint,
    scan_last_id bigint,
    held_by text,
    held_token uuid,
    held_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    fill_after_id bigint,
    latest_commit interval
);

CREATE TABLE odoo_shadow.odoo_shadow_x_place (
    id bigint NOT NULL,
    create_date timestamp with time zone,
    create_uid bigint,
    write_uid bigint,
    x_name text,
    _odoo_write_date timestamp with time zone,
    _synced_at timestamp with time zone DEFAULT now(),
    _sync_hash text
);

COMMENT ON TABLE odoo_shadow.odoo_shadow_x_place IS 'X_Place (x_place)';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_place.create_date IS 'Created on';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_place.create_uid IS 'Created by';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_place.write_uid IS 'Last Updated by';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_place.x_name IS 'X name';

CREATE VIEW odoo_shadow.odoo_shadow_x_place_named WITH (security_invoker='true') AS
 SELECT id,
    create_date,
    create_uid,
    write_uid,
    x_name,
    _odoo_write_date
   FROM odoo_shadow.odoo_shadow_x_place t;

COMMENT ON VIEW odoo_shadow.odoo_shadow_x_place_named IS 'Kept by odoo-shadow, with names beside ids: odoo_shadow_x_place';

CREATE TABLE odoo_shadow.odoo_shadow_x_tour (
    id bigint NOT NULL,
    create_date timestamp with time zone,
    create_uid bigint,
    write_uid bigint,
    x_day date,
    x_is_open boolean,
    x_kind text,
    x_name text,
    x_note text,
    x_place_id bigint,
    x_price numeric,
    x_seats bigint,
    x_share double precision,
    x_starts_at timestamp with time zone,
    _odoo_write_date timestamp with time zone,
    _synced_at timestamp with time zone DEFAULT now(),
    _sync_hash text
);

COMMENT ON TABLE odoo_shadow.odoo_shadow_x_tour IS 'X_Tour (x_tour)';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.create_date IS 'Created on';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.create_uid IS 'Created by';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.write_uid IS 'Last Updated by';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_day IS 'X day';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_is_open IS 'X is open';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_kind IS 'X kind';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_name IS 'X name';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_note IS 'X note';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_place_id IS 'X place';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_price IS 'X price';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_seats IS 'X seats';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_share IS 'X share';

COMMENT ON COLUMN odoo_shadow.odoo_shadow_x_tour.x_starts_at IS 'X starts at';

CREATE VIEW odoo_shadow.odoo_shadow_x_tour_named WITH (security_invoker='true') AS
 SELECT t.id,
    t.create_date,
    t.create_uid,
    t.write_uid,
    t.x_day,
    t.x_is_open,
    t.x_kind,
    t.x_name,
    t.x_note,
    t.x_place_id,
    r1.x_name AS x_place_id_name,
    t.x_price,
    t.x_seats,
    t.x_share,
    t.x_starts_at,
    t._odoo_write_date
   FROM (odoo_shadow.odoo_shadow_x_tour t
     LEFT JOIN odoo_shadow.odoo_shadow_x_place r1 ON ((r1.id = t.x_place_id)));

COMMENT ON VIEW odoo_shadow.odoo_shadow_x_tour_named IS 'Kept by odoo-shadow, with names beside ids: odoo_shadow_x_tour';

CREATE VIEW public.odoo_shadow_field WITH (security_invoker='true') AS
 SELECT table_name,
    column_name,
    field_name,
    odoo_type,
    column_type,
    is_filled,
    vanished_at,
    created_at,
    updated_at,
    label,
    relation,
    relation_table,
    is_translated,
    is_company_dependent,
    is_required,
    is_custom,
    emptied_at
   FROM odoo_shadow.odoo_shadow_field;

COMMENT ON VIEW public.odoo_shadow_field IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE VIEW public.odoo_shadow_meta WITH (security_invoker='true') AS
 SELECT table_name,
    odoo_model,
    odoo_module,
    field_count,
    last_sync_at,
    last_sync_duration_ms,
    row_count,
    sync_errors,
    last_error,
    created_at,
    updated_at,
    read_as,
    on_delete,
    label,
    name_path,
    view_is_due,
    fields_digest,
    planned_at,
    settings,
    variants,
    unreadable_models
   FROM odoo_shadow.odoo_shadow_meta;

COMMENT ON VIEW public.odoo_shadow_meta IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE VIEW public.odoo_shadow_selection WITH (security_invoker='true') AS
 SELECT table_name,
    column_name,
    "position",
    value,
    label
   FROM odoo_shadow.odoo_shadow_selection;

COMMENT ON VIEW public.odoo_shadow_selection IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE VIEW public.odoo_shadow_sync_log WITH (security_invoker='true') AS
 SELECT id,
    sync_run_id,
    table_name,
    started_at,
    completed_at,
    rows_inserted,
    rows_updated,
    rows_deleted,
    duration_ms,
    status,
    error_message,
    metadata
   FROM odoo_shadow.odoo_shadow_sync_log;

COMMENT ON VIEW public.odoo_shadow_sync_log IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE VIEW public.odoo_shadow_watermark WITH (security_invoker='true') AS
 SELECT table_name,
    last_write_date,
    last_id,
    rows_synced,
    scan_run_id,
    scan_full,
    scan_low,
    scan_high,
    scan_up_to_id,
    scan_last_id,
    held_by,
    held_token,
    held_until,
    created_at,
    updated_at,
    fill_after_id,
    latest_commit
   FROM odoo_shadow.odoo_shadow_watermark;

COMMENT ON VIEW public.odoo_shadow_watermark IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE VIEW public.odoo_shadow_x_place WITH (security_invoker='true') AS
 SELECT id,
    create_date,
    create_uid,
    write_uid,
    x_name,
    _odoo_write_date,
    _synced_at,
    _sync_hash
   FROM odoo_shadow.odoo_shadow_x_place;

COMMENT ON VIEW public.odoo_shadow_x_place IS 'Kept by odoo-shadow for schema odoo_shadow';

CREATE VIEW public.odoo_shadow_x_tour WITH (security_invoker='true') AS
 SELECT id,
    create_date,
    create_uid,
    write_uid,
    x_day,
    x_is_open,
    x_kind,
    x_name,
    x_note,
    x_place_id,
    x_price,
    x_seats,
    x_share,
    x_starts_at,
    _odoo_write_date,
    _synced_at,
    _sync_hash
   FROM odoo_shadow.odoo_shadow_x_tour;

COMMENT ON VIEW public.odoo_shadow_x_tour IS 'Kept by odoo-shadow for schema odoo_shadow';

INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_place', 'create_date', 'create_date', 'datetime', 'timestamp with time zone', true, NULL, '2024-02-01 12:00:01.155309+00', '2024-02-01 12:00:01.155309+00', 'Created on', NULL, NULL, false, false, false, false, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_place', 'create_uid', 'create_uid', 'many2one', 'bigint', true, NULL, '2024-02-01 12:00:01.155309+00', '2024-02-01 12:00:01.155309+00', 'Created by', 'res.users', NULL, false, false, false, false, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_place', 'write_uid', 'write_uid', 'many2one', 'bigint', true, NULL, '2024-02-01 12:00:01.155309+00', '2024-02-01 12:00:01.155309+00', 'Last Updated by', 'res.users', NULL, false, false, false, false, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_place', 'x_name', 'x_name', 'char', 'text', true, NULL, '2024-02-01 12:00:01.155309+00', '2024-02-01 12:00:01.155309+00', 'X name', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'create_date', 'create_date', 'datetime', 'timestamp with time zone', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'Created on', NULL, NULL, false, false, false, false, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'create_uid', 'create_uid', 'many2one', 'bigint', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'Created by', 'res.users', NULL, false, false, false, false, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'write_uid', 'write_uid', 'many2one', 'bigint', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'Last Updated by', 'res.users', NULL, false, false, false, false, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_day', 'x_day', 'date', 'date', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X day', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_is_open', 'x_is_open', 'boolean', 'boolean', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X is open', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_kind', 'x_kind', 'selection', 'text', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X kind', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_name', 'x_name', 'char', 'text', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X name', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_note', 'x_note', 'text', 'text', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X note', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_price', 'x_price', 'float', 'numeric', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X price', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_seats', 'x_seats', 'integer', 'bigint', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X seats', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_share', 'x_share', 'float', 'double precision', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X share', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_starts_at', 'x_starts_at', 'datetime', 'timestamp with time zone', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X starts at', NULL, NULL, false, false, false, true, NULL);
INSERT INTO odoo_shadow.odoo_shadow_field (table_name, column_name, field_name, odoo_type, column_type, is_filled, vanished_at, created_at, updated_at, label, relation, relation_table, is_translated, is_company_dependent, is_required, is_custom, emptied_at) VALUES ('odoo_shadow_x_tour', 'x_place_id', 'x_place_id', 'many2one', 'bigint', true, NULL, '2024-02-01 12:00:01.329786+00', '2024-02-01 12:00:01.329786+00', 'X place', 'x_place', 'odoo_shadow_x_place', false, false, false, true, NULL);

INSERT INTO odoo_shadow.odoo_shadow_meta (table_name, odoo_model, odoo_module, field_count, last_sync_at, last_sync_duration_ms, row_count, sync_errors, last_error, created_at, updated_at, read_as, on_delete, label, name_path, view_is_due, fields_digest, planned_at, settings, variants, unreadable_models) VALUES ('odoo_shadow_x_place', 'x_place', '', 4, '2024-02-01 12:00:01.27423+00', 151, 4, 0, NULL, '2024-02-01 12:00:01.057718+00', '2024-02-01 12:00:01.27423+00', '''admin'', en_US, all companies', 'delete', 'X_Place', 'x_name', false, '354060b08c242084249af91952634a80', '2024-02-01 12:00:01.079739+00', '{}', NULL, '{}');
INSERT INTO odoo_shadow.odoo_shadow_meta (table_name, odoo_model, odoo_module, field_count, last_sync_at, last_sync_duration_ms, row_count, sync_errors, last_error, created_at, updated_at, read_as, on_delete, label, name_path, view_is_due, fields_digest, planned_at, settings, variants, unreadable_models) VALUES ('odoo_shadow_x_tour', 'x_tour', '', 13, '2024-02-01 12:00:01.456964+00', 141, 12, 0, NULL, '2024-02-01 12:00:01.057718+00', '2024-02-01 12:00:01.456964+00', '''admin'', en_US, all companies', 'delete', 'X_Tour', 'x_name', false, '9a2189f8081a2e61d616e916ca96e7d2', '2024-02-01 12:00:01.079752+00', '{}', NULL, '{}');

INSERT INTO odoo_shadow.odoo_shadow_mirror (only_row, odoo_url, odoo_database, odoo_uuid, schema_version, created_at) VALUES (true, 'https://erp.example.com', 'former', '7c9e6679-7425-40de-944b-e07fc1f90ae7', 4, '2024-02-01 12:00:00.903798+00');

INSERT INTO odoo_shadow.odoo_shadow_schema_log (id, sync_run_id, table_name, change, column_name, old_type, new_type, changed_at) OVERRIDING SYSTEM VALUE VALUES (1, '0d5350af-6694-45b1-aa7d-407a1011214f', 'odoo_shadow_x_place', 'table created', NULL, NULL, NULL, '2024-02-01 12:00:01.155309+00');
INSERT INTO odoo_shadow.odoo_shadow_schema_log (id, sync_run_id, table_name, change, column_name, old_type, new_type, changed_at) OVERRIDING SYSTEM VALUE VALUES (2, '0d5350af-6694-45b1-aa7d-407a1011214f', 'odoo_shadow_x_tour', 'table created', NULL, NULL, NULL, '2024-02-01 12:00:01.329786+00');

INSERT INTO odoo_shadow.odoo_shadow_selection (table_name, column_name, "position", value, label) VALUES ('odoo_shadow_x_tour', 'x_kind', 1, 'bus', 'Bus');
INSERT INTO odoo_shadow.odoo_shadow_selection (table_name, column_name, "position", value, label) VALUES ('odoo_shadow_x_tour', 'x_kind', 2, 'foot', 'Foot');

INSERT INTO odoo_shadow.odoo_shadow_sync_log (id, sync_run_id, table_name, started_at, completed_at, rows_inserted, rows_updated, rows_deleted, duration_ms, status, error_message, metadata) OVERRIDING SYSTEM VALUE VALUES (1, '0d5350af-6694-45b1-aa7d-407a1011214f', 'odoo_shadow_x_place', '2024-02-01 12:00:01.102969+00', '2024-02-01 12:00:01.27423+00', 4, 0, 0, 152, 'success', NULL, '{"full": false, "odoo": "JSON-2", "holder": "odoo-shadow on worker-7, process 1", "rows_unchanged": 0}');
INSERT INTO odoo_shadow.odoo_shadow_sync_log (id, sync_run_id, table_name, started_at, completed_at, rows_inserted, rows_updated, rows_deleted, duration_ms, status, error_message, metadata) OVERRIDING SYSTEM VALUE VALUES (2, '0d5350af-6694-45b1-aa7d-407a1011214f', 'odoo_shadow_x_tour', '2024-02-01 12:00:01.307783+00', '2024-02-01 12:00:01.456964+00', 12, 0, 0, 141, 'success', NULL, '{"full": false, "odoo": "JSON-2", "holder": "odoo-shadow on worker-7, process 1", "rows_unchanged": 0}');

INSERT INTO odoo_shadow.odoo_shadow_verification (id, run_id, table_name, kind, started_at, completed_at, duration_ms, rows_compared, missing, extra, stale, differing, repaired, examples) OVERRIDING SYSTEM VALUE VALUES (1, '65c68dbc-fc0a-499d-9844-ec66a1cea370', 'odoo_shadow_x_place', 'full', '2024-02-01 12:00:04+00', '2024-02-01 12:00:04.88556+00', 82, 4, 0, 0, 0, 0, 0, '{}');
INSERT INTO odoo_shadow.odoo_shadow_verification (id, run_id, table_name, kind, started_at, completed_at, duration_ms, rows_compared, missing, extra, stale, differing, repaired, examples) OVERRIDING SYSTEM VALUE VALUES (2, '65c68dbc-fc0a-499d-9844-ec66a1cea370', 'odoo_shadow_x_tour', 'full', '2024-02-01 12:00:04+00', '2024-02-01 12:00:04.967462+00', 64, 12, 0, 0, 0, 0, 0, '{}');

INSERT INTO odoo_shadow.odoo_shadow_watermark (table_name, last_write_date, last_id, rows_synced, scan_run_id, scan_full, scan_low, scan_high, scan_up_to_id, scan_last_id, held_by, held_token, held_until, created_at, updated_at, fill_after_id, latest_commit) VALUES ('odoo_shadow_x_place', '2024-02-01 12:00:00+00', 4, 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2024-02-01 12:00:01.102969+00', '2024-02-01 12:00:01.237379+00', NULL, NULL);
INSERT INTO odoo_shadow.odoo_shadow_watermark (table_name, last_write_date, last_id, rows_synced, scan_run_id, scan_full, scan_low, scan_high, scan_up_to_id, scan_last_id, held_by, held_token, held_until, created_at, updated_at, fill_after_id, latest_commit) VALUES ('odoo_shadow_x_tour', '2024-02-01 12:00:00+00', 12, 12, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2024-02-01 12:00:01.307783+00', '2024-02-01 12:00:01.425532+00', NULL, NULL);

INSERT INTO odoo_shadow.odoo_shadow_x_place (id, create_date, create_uid, write_uid, x_name, _odoo_write_date, _synced_at, _sync_hash) VALUES (1, '2024-01-01 08:00:00+00', 2, 2, 'Place 1', '2024-01-01 10:00:00+00', '2024-02-01 12:00:01.237379+00', '71447e9c2ae5c5be89bd64f8e4124746');
INSERT INTO odoo_shadow.odoo_shadow_x_place (id, create_date, create_uid, write_uid, x_name, _odoo_write_date, _synced_at, _sync_hash) VALUES (2, '2024-01-01 08:00:00+00', 2, 2, 'Place 2', '2024-01-01 11:00:00+00', '2024-02-01 12:00:01.237379+00', '54fa8a9fd27a29048fb84e767fd77fd7');
INSERT INTO odoo_shadow.odoo_shadow_x_place (id, create_date, create_uid, write_uid, x_name, _odoo_write_date, _synced_at, _sync_hash) VALUES (3, '2024-01-01 08:00:00+00', 2, 2, 'Place 3', '2024-01-01 12:00:00+00', '2024-02-01 12:00:01.237379+00', 'c3b271494c517461fcc3918d6217cee0');
INSERT INTO odoo_shadow.odoo_shadow_x_place (id, create_date, create_uid, write_uid, x_name, _odoo_write_date, _synced_at, _sync_hash) VALUES (4, '2024-01-01 08:00:00+00', 2, 2, 'Place 4', '2024-01-01 13:00:00+00', '2024-02-01 12:00:01.237379+00', '0f69106551e8716fe73d020a463f1fc9');

INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (1, '2024-01-01 08:00:00+00', 2, 2, '2023-12-01', false, 'foot', 'Tour 1, ''Zoë'' \ "1"', 'first line
second line 1', 2, 20.9, 7, 0.3333333333333333, '2023-12-01 08:30:00+00', '2024-01-01 10:00:00+00', '2024-02-01 12:00:01.425532+00', 'c89f452396294a6987faa8d91edb2652');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (2, '2024-01-01 08:00:00+00', 2, 2, '2023-12-02', true, NULL, 'Tour 2, ''Zoë'' \ "2"', 'first line
second line 2', 3, 21.9, 14, 0.6666666666666666, '2023-12-02 08:30:00+00', '2024-01-01 11:00:00+00', '2024-02-01 12:00:01.425532+00', 'f2fb1f531a66c938f0641e7d2775323d');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (3, '2024-01-01 08:00:00+00', 2, 2, '2023-12-03', false, 'bus', 'Tour 3, ''Zoë'' \ "3"', NULL, 4, 22.9, 21, 1, '2023-12-03 08:30:00+00', '2024-01-01 12:00:00+00', '2024-02-01 12:00:01.425532+00', 'c9fab80fdab79a742b8e7fa2e8eee30b');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (4, '2024-01-01 08:00:00+00', 2, 2, '2023-12-04', true, 'foot', 'Tour 4, ''Zoë'' \ "4"', 'first line
second line 4', 1, 23.9, 28, 1.3333333333333333, '2023-12-04 08:30:00+00', '2024-01-01 13:00:00+00', '2024-02-01 12:00:01.425532+00', 'a9799c82ae3a15b44c96a130464a9856');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (5, '2024-01-01 08:00:00+00', 2, 2, '2023-12-05', false, NULL, 'Tour 5, ''Zoë'' \ "5"', 'first line
second line 5', 2, 24.9, 35, 1.6666666666666667, '2023-12-05 08:30:00+00', '2024-01-01 14:00:00+00', '2024-02-01 12:00:01.425532+00', '7a0fdd6e438debd08a7bfa7c4cac1425');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (6, '2024-01-01 08:00:00+00', 2, 2, '2023-12-06', true, 'bus', 'Tour 6, ''Zoë'' \ "6"', NULL, 3, 25.9, 42, 2, '2023-12-06 08:30:00+00', '2024-01-01 15:00:00+00', '2024-02-01 12:00:01.425532+00', 'c3a1259c4b95882f7600614b79cdd07b');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (7, '2024-01-01 08:00:00+00', 2, 2, '2023-12-07', false, 'foot', 'Tour 7, ''Zoë'' \ "7"', 'first line
second line 7', 4, 26.9, 49, 2.3333333333333335, '2023-12-07 08:30:00+00', '2024-01-01 16:00:00+00', '2024-02-01 12:00:01.425532+00', 'e285aef44dfd16e8205964596ad1d5d4');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (8, '2024-01-01 08:00:00+00', 2, 2, '2023-12-08', true, NULL, 'Tour 8, ''Zoë'' \ "8"', 'first line
second line 8', 1, 27.9, 56, 2.6666666666666665, '2023-12-08 08:30:00+00', '2024-01-01 17:00:00+00', '2024-02-01 12:00:01.425532+00', '54308e5ba545312a1b63a50cc2dc1c03');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (9, '2024-01-01 08:00:00+00', 2, 2, '2023-12-09', false, 'bus', 'Tour 9, ''Zoë'' \ "9"', NULL, 2, 28.9, 63, 3, '2023-12-09 08:30:00+00', '2024-01-01 18:00:00+00', '2024-02-01 12:00:01.425532+00', 'b70f290f0954ce7bf9f603fe2f91ff9b');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (10, '2024-01-01 08:00:00+00', 2, 2, '2023-12-10', true, 'foot', 'Tour 10, ''Zoë'' \ "10"', 'first line
second line 10', 3, 29.9, 70, 3.3333333333333335, '2023-12-10 08:30:00+00', '2024-01-01 19:00:00+00', '2024-02-01 12:00:01.425532+00', '5993485a8ca2c5629990f84b714086dd');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (11, '2024-01-01 08:00:00+00', 2, 2, '2023-12-11', false, NULL, 'Tour 11, ''Zoë'' \ "11"', 'first line
second line 11', 4, 30.9, 77, 3.6666666666666665, '2023-12-11 08:30:00+00', '2024-01-01 20:00:00+00', '2024-02-01 12:00:01.425532+00', '5e9f1968229fd285ac384842aca234ba');
INSERT INTO odoo_shadow.odoo_shadow_x_tour (id, create_date, create_uid, write_uid, x_day, x_is_open, x_kind, x_name, x_note, x_place_id, x_price, x_seats, x_share, x_starts_at, _odoo_write_date, _synced_at, _sync_hash) VALUES (12, '2024-01-01 08:00:00+00', 2, 2, '2023-12-12', true, 'bus', 'Tour 12, ''Zoë'' \ "12"', NULL, 1, 31.9, 84, 4, '2023-12-12 08:30:00+00', '2024-01-01 21:00:00+00', '2024-02-01 12:00:01.425532+00', '50de23d7ffb01102ec04efffb431f0c8');

SELECT pg_catalog.setval('odoo_shadow.odoo_shadow_schema_log_id_seq', 2, true);

SELECT pg_catalog.setval('odoo_shadow.odoo_shadow_sync_log_id_seq', 2, true);

SELECT pg_catalog.setval('odoo_shadow.odoo_shadow_verification_id_seq', 2, true);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_field
    ADD CONSTRAINT odoo_shadow_field_pkey PRIMARY KEY (table_name, column_name);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_meta
    ADD CONSTRAINT odoo_shadow_meta_odoo_model_key UNIQUE (odoo_model);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_meta
    ADD CONSTRAINT odoo_shadow_meta_pkey PRIMARY KEY (table_name);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_mirror
    ADD CONSTRAINT odoo_shadow_mirror_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_schema_log
    ADD CONSTRAINT odoo_shadow_schema_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_selection
    ADD CONSTRAINT odoo_shadow_selection_pkey PRIMARY KEY (table_name, column_name, "position");

ALTER TABLE ONLY odoo_shadow.odoo_shadow_sync_log
    ADD CONSTRAINT odoo_shadow_sync_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_verification
    ADD CONSTRAINT odoo_shadow_verification_pkey PRIMARY KEY (id);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_watermark
    ADD CONSTRAINT odoo_shadow_watermark_pkey PRIMARY KEY (table_name);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_x_place
    ADD CONSTRAINT odoo_shadow_x_place_pkey PRIMARY KEY (id);

ALTER TABLE ONLY odoo_shadow.odoo_shadow_x_tour
    ADD CONSTRAINT odoo_shadow_x_tour_pkey PRIMARY KEY (id);

CREATE INDEX ix_odoo_shadow_x_place_write_date ON odoo_shadow.odoo_shadow_x_place USING btree (_odoo_write_date DESC);

CREATE INDEX ix_odoo_shadow_x_tour_write_date ON odoo_shadow.odoo_shadow_x_tour USING btree (_odoo_write_date DESC);

CREATE INDEX odoo_shadow_sync_log_started ON odoo_shadow.odoo_shadow_sync_log USING btree (started_at DESC);

CREATE INDEX odoo_shadow_sync_log_table ON odoo_shadow.odoo_shadow_sync_log USING btree (table_name, started_at DESC);

GRANT SELECT ON TABLE odoo_shadow.odoo_shadow_x_place_named TO PUBLIC;

GRANT SELECT ON TABLE odoo_shadow.odoo_shadow_x_tour_named TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_field TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_meta TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_selection TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_sync_log TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_watermark TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_x_place TO PUBLIC;

GRANT SELECT ON TABLE public.odoo_shadow_x_tour TO PUBLIC;
