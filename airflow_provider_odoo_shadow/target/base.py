"""The schema's own tables and functions, and who owns them.

Made once, under a lock, and again when `VERSION` grows; every statement may run twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.errors import ShadowOwnershipError

VERSION = 4

MIRROR = "odoo_shadow_mirror"
META = "odoo_shadow_meta"
WATERMARK = "odoo_shadow_watermark"
SYNC_LOG = "odoo_shadow_sync_log"
FIELD = "odoo_shadow_field"
SELECTION = "odoo_shadow_selection"
SCHEMA_LOG = "odoo_shadow_schema_log"
VERIFICATION = "odoo_shadow_verification"

_CREATE_SCHEMA: LiteralString = "CREATE SCHEMA IF NOT EXISTS {schema}"
_STATEMENTS: tuple[LiteralString, ...] = (
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_mirror (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    odoo_url text,
    odoo_database text,
    odoo_uuid text,
    schema_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)""",
    """CREATE TABLE IF NOT EXISTS {schema}.odoo_shadow_meta (
    table_name text PRIMARY KEY,
    odoo_model text NOT NULL UNIQUE,
    odoo_module text,
    field_count integer NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    last_sync_duration_ms bigint,
    row_count bigint NOT NULL DEFAULT 0,
    sync_errors integer NOT NULL DEFAULT 0,
    last_error text,
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
    held_by text,
    held_token uuid,
    held_until timestamptz,
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
LANGUAGE sql STABLE AS {get_body}""",
    """CREATE OR REPLACE FUNCTION {schema}.update_shadow_watermark(
    p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0
) RETURNS void
LANGUAGE sql AS {update_body}""",
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
    """ALTER TABLE {schema}.odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS read_as text,
    ADD COLUMN IF NOT EXISTS on_delete text""",
    # Version 4: a catalogue for those who query, and what planning a run needs to know.
    """ALTER TABLE {schema}.odoo_shadow_meta
    ADD COLUMN IF NOT EXISTS label text,
    ADD COLUMN IF NOT EXISTS name_path text,
    ADD COLUMN IF NOT EXISTS view_is_due boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS fields_digest text,
    ADD COLUMN IF NOT EXISTS planned_at timestamptz,
    ADD COLUMN IF NOT EXISTS settings text,
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
    "INSERT INTO {schema}.odoo_shadow_mirror (schema_version) VALUES ({version})"
    " ON CONFLICT (only_row) DO UPDATE SET schema_version = excluded.schema_version",
)


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


@dataclass(frozen=True)
class Origin:
    """The Odoo database that a schema mirrors.

    :param uuid: Odoo's own `database.uuid`, None when the login may not read it.
    """

    url: str
    database: str
    uuid: str | None = None


def base_statements(schema: str) -> list[sql.Composed]:
    """Return the statements that make or upgrade the schema."""
    own = sql.Identifier(schema)
    # A function's body is a text: quoted as one, it cannot end early, whatever the schema is called.
    parts = {
        "schema": own,
        "version": sql.Literal(VERSION),
        "get_body": sql.Literal(sql.SQL(_GET_BODY).format(schema=own).as_string()),
        "update_body": sql.Literal(sql.SQL(_UPDATE_BODY).format(schema=own).as_string()),
    }
    return [sql.SQL(statement).format(**parts) for statement in (_CREATE_SCHEMA, *_STATEMENTS)]


def schema_version(tx: Transaction) -> int:
    """Return the version of the schema that is there, 0 when there is none."""
    ((there,),) = tx.run("SELECT to_regclass({name}) IS NOT NULL", name=tx.own(MIRROR).as_string(tx.cursor))
    if not there:
        return 0
    rows = tx.run("SELECT schema_version FROM {mirror}", mirror=tx.own(MIRROR))
    return int(rows[0][0]) if rows else 0


def ensure_base(tx: Transaction) -> bool:
    """Make or upgrade the schema if needed; say whether that was so."""
    if schema_version(tx) >= VERSION:
        return False
    lock_schema(tx)
    ((there,),) = tx.run("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = {name})", name=tx.schema)
    # Even IF NOT EXISTS wants CREATE on the database, which a role that was given the schema need not have.
    for statement in base_statements(tx.schema)[1 if there else 0 :]:
        tx.cursor.execute(statement)
    return True


def lock_schema(tx: Transaction) -> None:
    """Keep others from changing this schema's tables until the transaction ends."""
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended({key}, 0))", key=f"odoo_shadow:{tx.schema}")


def recorded_origin(tx: Transaction) -> Origin | None:
    """Return the Odoo database that the schema belongs to, None while it belongs to none."""
    rows = tx.run(
        "SELECT odoo_url, odoo_database, odoo_uuid FROM {mirror} WHERE odoo_database IS NOT NULL", mirror=tx.own(MIRROR)
    )
    return Origin(*rows[0]) if rows else None


def claim_origin(tx: Transaction, origin: Origin) -> None:
    """Bind the schema to an Odoo database, or check that it is bound to this one.

    :raises ShadowOwnershipError: the schema mirrors another Odoo database.
    """
    tx.run("SELECT 1 FROM {mirror} FOR UPDATE", mirror=tx.own(MIRROR))
    owner = recorded_origin(tx)
    if owner is not None:
        check_origin(tx, owner, origin)
    tx.run(
        "UPDATE {mirror} SET odoo_url = {url}, odoo_database = {database}, odoo_uuid = coalesce({uuid}, odoo_uuid)",
        mirror=tx.own(MIRROR),
        url=origin.url,
        database=origin.database,
        uuid=origin.uuid,
    )


def check_origin(tx: Transaction, owner: Origin, origin: Origin) -> None:
    """Compare two Odoo databases by address and name, and by their own uuid where both are known.

    The uuid alone tells nothing: a copy, such as a staging server's, keeps it.

    :raises ShadowOwnershipError: they are not the same.
    """
    is_same_place = (owner.url, owner.database) == (origin.url, origin.database)
    is_same_uuid = not owner.uuid or not origin.uuid or owner.uuid == origin.uuid
    if is_same_place and is_same_uuid:
        return
    cure = "give this one another schema"
    if is_same_uuid:
        moved = sql.SQL("UPDATE {} SET odoo_url = {}, odoo_database = {}").format(
            tx.own(MIRROR), origin.url, origin.database
        )
        cure += f"; or, if it is the same database and has moved, say so once: {moved.as_string(tx.cursor)}"
    raise ShadowOwnershipError(
        f"Schema '{tx.schema}' mirrors the Odoo database '{owner.database}' at {owner.url}, "
        f"not '{origin.database}' at {origin.url}: {cure}."
    )
