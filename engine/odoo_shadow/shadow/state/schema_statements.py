"""The statements that make or upgrade a mirror's two schemas; every one may run twice.

`<schema>` holds what readers may see. `<schema>_internal` holds what only the sync's role may use: addresses, logins,
host names, error texts and the key of the rows' hashes.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.names import TABLE_PREFIX, internal_schema
from odoo_shadow.shadow.relations import (
    DUE_ROW,
    LEASE,
    MADE_OBJECT,
    MIRROR,
    PROOF,
    SYNC_DETAIL,
    TABLE_STATE,
)
from odoo_shadow.shadow.state.identity_statements import accept_body, recognize_body
from odoo_shadow.shadow.state.proof_statements import PROOF_STATEMENTS

VERSION = 8

_STATEMENTS: tuple[LiteralString, ...] = (
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_meta (
    table_name text PRIMARY KEY,
    odoo_model text NOT NULL UNIQUE,
    odoo_module text,
    field_count integer NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    last_sync_duration_ms bigint,
    row_count bigint NOT NULL DEFAULT 0,
    sync_errors integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
)""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_watermark (
    table_name text PRIMARY KEY,
    last_write_date timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00+00',
    last_id bigint,
    rows_synced bigint NOT NULL DEFAULT 0,
    scan_run_id uuid,
    scan_full boolean,
    scan_low timestamptz,
    scan_high timestamptz,
    scan_up_to_id bigint,
    scan_last_id bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
)""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_sync_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_run_id uuid NOT NULL,
    table_name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    rows_inserted bigint NOT NULL DEFAULT 0,
    rows_updated bigint NOT NULL DEFAULT 0,
    rows_deleted bigint NOT NULL DEFAULT 0,
    duration_ms bigint,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'success', 'error', 'skipped')),
    error_message text,
    metadata jsonb NOT NULL DEFAULT '{{}}'
)""",
    "CREATE INDEX IF NOT EXISTS odoo_shadow_sync_log_started ON {schema}.odoo_shadow_sync_log (started_at DESC)",
    "CREATE INDEX IF NOT EXISTS odoo_shadow_sync_log_table"
    " ON {schema}.odoo_shadow_sync_log (table_name, started_at DESC)",
    """CREATE OR REPLACE FUNCTION {schema}.get_shadow_watermark(p_table_name text) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS {get_body}""",
    """CREATE OR REPLACE FUNCTION {schema}.update_shadow_watermark(
    p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0
) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS {update_body}""",
    # Version 2: what columns hold, how they changed, and what comparisons with Odoo found.
    """ALTER TABLE {schema}.odoo_shadow_watermark
    ADD COLUMN IF NOT EXISTS fill_after_id bigint,
    ADD COLUMN IF NOT EXISTS latest_commit interval""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_field (
    table_name text NOT NULL,
    column_name text NOT NULL,
    field_name text NOT NULL,
    odoo_type text NOT NULL,
    column_type text NOT NULL,
    is_filled boolean NOT NULL DEFAULT true,
    vanished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, column_name)
)""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_schema_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sync_run_id uuid,
    table_name text NOT NULL,
    change text NOT NULL,
    column_name text,
    old_type text,
    new_type text,
    changed_at timestamptz NOT NULL DEFAULT now()
)""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_verification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    table_name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('quick', 'full')),
    started_at timestamptz NOT NULL,
    completed_at timestamptz NOT NULL DEFAULT now(),
    duration_ms bigint NOT NULL,
    rows_compared bigint NOT NULL,
    missing bigint NOT NULL,
    extra bigint NOT NULL,
    stale bigint NOT NULL,
    differing bigint NOT NULL,
    repaired bigint NOT NULL DEFAULT 0,
    examples jsonb NOT NULL DEFAULT '{{}}'
)""",
    # Version 3: how a table's rows were read, and what becomes of those that are gone from Odoo.
    "ALTER TABLE {schema}.odoo_shadow_meta ADD COLUMN IF NOT EXISTS on_delete text",
    # Version 4: a catalogue for those who query, and what planning a run needs to know.
    """ALTER TABLE {schema}.odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS label text,
    ADD COLUMN IF NOT EXISTS name_path text,
    ADD COLUMN IF NOT EXISTS view_is_due boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS fields_digest text,
    ADD COLUMN IF NOT EXISTS planned_at timestamptz,
    ADD COLUMN IF NOT EXISTS variants text,
    ADD COLUMN IF NOT EXISTS unreadable_models text[] NOT NULL DEFAULT '{{}}'""",
    """ALTER TABLE {schema}.odoo_shadow_field
    ADD COLUMN IF NOT EXISTS label text,
    ADD COLUMN IF NOT EXISTS relation text,
    ADD COLUMN IF NOT EXISTS relation_table text,
    ADD COLUMN IF NOT EXISTS is_translated boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS is_company_dependent boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS is_required boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS is_custom boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS emptied_at timestamptz""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_selection (
    table_name text NOT NULL,
    column_name text NOT NULL,
    position integer NOT NULL,
    value text NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (table_name, column_name, position)
)""",
    # Version 5: what only the sync's role may see has a schema of its own.
    """CREATE TABLE IF NOT EXISTS {internal}.table_state (
    table_name text PRIMARY KEY,
    read_as text,
    settings text,
    last_error text,
    hashed_as text
)""",
    """CREATE TABLE IF NOT EXISTS {internal}.lease (
    table_name text PRIMARY KEY,
    held_by text,
    held_token uuid,
    held_until timestamptz
)""",
    """CREATE TABLE IF NOT EXISTS {internal}.sync_detail (
    log_id bigint PRIMARY KEY,
    holder text,
    message text
)""",
    """CREATE TABLE IF NOT EXISTS {internal}.hash_secret (
    key_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    salt bytea NOT NULL,
    verifier bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)""",
    """CREATE TABLE IF NOT EXISTS {internal}.made_object (
    schema_name text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    object_id oid NOT NULL,
    owner_name text NOT NULL,
    definition_digest text NOT NULL,
    made_for text NOT NULL,
    PRIMARY KEY (schema_name, name, kind)
)""",
    "DO {move}",
    *PROOF_STATEMENTS,
    "UPDATE {internal}.mirror SET schema_version = greatest(schema_version, {version})",
)

_OPENING: tuple[LiteralString, ...] = (
    "DO {make_schema}",
    "DO {make_internal}",
    # The key has 244 random bits: a version 4 UUID has 122.
    """CREATE TABLE IF NOT EXISTS {internal}.mirror (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    odoo_url text,
    odoo_database text,
    odoo_uuid text,
    hash_key bytea NOT NULL DEFAULT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    schema_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)""",
    "INSERT INTO {internal}.mirror (schema_version) VALUES (0) ON CONFLICT (only_row) DO NOTHING",
    "DO {forget}",
)
"""What makes the schemas and the row that a maker of all the rest locks."""

# CREATE SCHEMA IF NOT EXISTS wants CREATE on the database, which a role that was given the schema need not have.
_MAKE_SCHEMA: LiteralString = """
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {name}) THEN
        CREATE SCHEMA {schema};
    END IF;
END
"""
# Default privileges may have let others into what is made for the sync's role only.
_MAKE_INTERNAL: LiteralString = """
DECLARE
    other text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = {name}) THEN
        CREATE SCHEMA {schema};
        FOR other IN SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
            FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = {name} AND a.grantee <> n.nspowner
        LOOP
            EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %s', {name}, other);
        END LOOP;
    END IF;
END
"""
# Who drops the mirror's own schema starts over: what stands beside it is of a mirror that is gone.
_FORGET: LiteralString = """
DECLARE
    item text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = {schema} AND starts_with(c.relname, {prefix}) AND c.relkind IN ('r', 'p')) THEN
        UPDATE {mirror} SET odoo_url = NULL, odoo_database = NULL, odoo_uuid = NULL, schema_version = 0;
        FOR item IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = {internal} AND c.relname = ANY({tables})
        LOOP
            EXECUTE format('DELETE FROM %I.%I', {internal}, item);
        END LOOP;
    END IF;
END
"""
# Columns on which somebody's view stands cannot be dropped: they stay, empty.
_MOVE: LiteralString = """
BEGIN
    IF to_regclass({old_mirror}) IS NOT NULL AND (SELECT schema_version FROM {internal}.mirror) < 5 THEN
        UPDATE {internal}.mirror n
            SET odoo_url = o.odoo_url, odoo_database = o.odoo_database, odoo_uuid = o.odoo_uuid,
                created_at = o.created_at
            FROM {schema}.odoo_shadow_mirror o WHERE n.odoo_database IS NULL;
        BEGIN
            DROP TABLE {schema}.odoo_shadow_mirror;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            UPDATE {schema}.odoo_shadow_mirror SET odoo_url = NULL, odoo_database = NULL, odoo_uuid = NULL;
        END;
        -- Renewed by the next run, which then knows them again.
        UPDATE {schema}.odoo_shadow_meta SET view_is_due = true;
        INSERT INTO {internal}.sync_detail (log_id, holder, message)
            SELECT id, metadata ->> 'holder', error_message FROM {schema}.odoo_shadow_sync_log
            WHERE error_message IS NOT NULL OR metadata ? 'holder' ON CONFLICT DO NOTHING;
        UPDATE {schema}.odoo_shadow_sync_log
            SET metadata = metadata - 'holder', error_message = CASE WHEN error_message IS NOT NULL THEN 'error' END
            WHERE error_message IS NOT NULL OR metadata ? 'holder';
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({meta}) AND attname = 'last_error') THEN
        ALTER TABLE {schema}.odoo_shadow_meta
            ADD COLUMN IF NOT EXISTS read_as text, ADD COLUMN IF NOT EXISTS settings text;
        INSERT INTO {internal}.table_state (table_name, read_as, settings, last_error)
            SELECT table_name, read_as, settings, last_error FROM {schema}.odoo_shadow_meta ON CONFLICT DO NOTHING;
        UPDATE {schema}.odoo_shadow_meta SET read_as = NULL, settings = NULL, last_error = NULL;
        BEGIN
            ALTER TABLE {schema}.odoo_shadow_meta DROP COLUMN read_as, DROP COLUMN settings, DROP COLUMN last_error;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({watermark}) AND attname = 'held_by') THEN
        INSERT INTO {internal}.lease (table_name, held_by, held_token, held_until)
            SELECT table_name, held_by, held_token, held_until FROM {schema}.odoo_shadow_watermark
            ON CONFLICT DO NOTHING;
        UPDATE {schema}.odoo_shadow_watermark SET held_by = NULL, held_token = NULL, held_until = NULL;
        BEGIN
            ALTER TABLE {schema}.odoo_shadow_watermark
                DROP COLUMN held_by, DROP COLUMN held_token, DROP COLUMN held_until;
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;
        END;
    END IF;
END
"""

_GET_BODY: LiteralString = """
    SELECT coalesce(
        (SELECT last_write_date FROM {schema}.odoo_shadow_watermark WHERE table_name = p_table_name),
        '1970-01-01 00:00:00+00'::timestamptz)
"""
_UPDATE_BODY: LiteralString = """
    INSERT INTO {schema}.odoo_shadow_watermark AS w (table_name, last_write_date, last_id, rows_synced)
    VALUES (p_table_name, p_write_date, p_last_id, p_rows_synced)
    ON CONFLICT (table_name) DO UPDATE SET
        last_write_date = excluded.last_write_date,
        last_id = coalesce(excluded.last_id, w.last_id),
        rows_synced = w.rows_synced + excluded.rows_synced,
        updated_at = now()
"""


def opening_statements(schema: str) -> list[sql.Composed]:
    """Return the statements that make both schemas and the table of which a maker locks the only row."""
    return [sql.SQL(statement).format(**_parts(schema)) for statement in _OPENING]


def base_statements(schema: str) -> list[sql.Composed]:
    """Return all statements that make or upgrade the schemas."""
    return [*opening_statements(schema), *upgrade_statements(schema)]


def upgrade_statements(schema: str) -> list[sql.Composed]:
    """Return the statements that make or upgrade everything else."""
    own, internal = sql.Identifier(schema), sql.Identifier(internal_schema(schema))
    # A body is a text: quoted as one, it cannot end early, whatever the schema is called.
    bodies = {
        "get_body": sql.SQL(_GET_BODY).format(schema=own),
        "update_body": sql.SQL(_UPDATE_BODY).format(schema=own),
        "move": sql.SQL(_MOVE).format(
            schema=own,
            internal=internal,
            old_mirror=sql.Identifier(schema, "odoo_shadow_mirror").as_string(),
            meta=sql.Identifier(schema, "odoo_shadow_meta").as_string(),
            watermark=sql.Identifier(schema, "odoo_shadow_watermark").as_string(),
        ),
        "accept_body": accept_body(schema),
        "recognize": recognize_body(schema),
    }
    parts = {**_parts(schema), **{name: sql.Literal(body.as_string()) for name, body in bodies.items()}}
    return [sql.SQL(statement).format(**parts) for statement in _STATEMENTS]


def _forget(schema: str) -> sql.Literal:
    internal = internal_schema(schema)
    body = sql.SQL(_FORGET).format(
        schema=schema,
        internal=internal,
        prefix=TABLE_PREFIX,
        mirror=sql.Identifier(internal, MIRROR),
        tables=[TABLE_STATE, LEASE, SYNC_DETAIL, MADE_OBJECT, PROOF, DUE_ROW],
    )
    return sql.Literal(body.as_string())


def _make_schema(schema: str, template: LiteralString = _MAKE_SCHEMA) -> sql.Literal:
    body = sql.SQL(template).format(name=schema, schema=sql.Identifier(schema))
    return sql.Literal(body.as_string())


def _parts(schema: str) -> dict[str, sql.Composable]:
    return {
        "make_schema": _make_schema(schema),
        "make_internal": _make_schema(internal_schema(schema), _MAKE_INTERNAL),
        "forget": _forget(schema),
        "schema": sql.Identifier(schema),
        "internal": sql.Identifier(internal_schema(schema)),
        "version": sql.Literal(VERSION),
    }
