"""The statements that tell what a mirror is of: which tables and columns are its own, and which database it shows."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.names import OWN_COLUMNS, internal_schema
from odoo_shadow.shadow.relations import MIRROR

# Without a number of the books' own they are those of a version before 6, or new: what has the right name is the
# mirror's. With another one a dump was restored: what was the mirror's before, is so still.
_RECOGNIZE: LiteralString = """
DECLARE
    former oid := (SELECT relation_id FROM {internal}.mirror);
BEGIN
    IF former IS DISTINCT FROM to_regclass({mirror})::oid THEN
        UPDATE {schema}.odoo_shadow_field f SET column_number =
            (SELECT a.attnum FROM pg_attribute a
                WHERE a.attrelid = to_regclass(format('%I.%I', {schema_name}, f.table_name))
                AND a.attname = f.column_name AND NOT a.attisdropped)
            WHERE former IS NULL OR column_number IS NOT NULL;
        INSERT INTO {internal}.table_state AS s (table_name, table_id, own_columns)
            SELECT m.table_name, c.oid,
                (SELECT coalesce(jsonb_object_agg(a.attname, a.attnum), '{{}}') FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND NOT a.attisdropped AND CASE WHEN former IS NULL
                    THEN (a.attname, format_type(a.atttypid, a.atttypmod)) IN ({own})
                    ELSE k.own_columns ? a.attname END)
            FROM {schema}.odoo_shadow_meta m
            JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', {schema_name}, m.table_name))
            LEFT JOIN {internal}.table_state k ON k.table_name = m.table_name
            WHERE former IS NULL OR k.table_id IS NOT NULL
            ON CONFLICT (table_name) DO UPDATE
            SET table_id = excluded.table_id, own_columns = excluded.own_columns;
        UPDATE {internal}.mirror SET relation_id = to_regclass({mirror});
    END IF;
END
"""

_ACCEPT_BODY: LiteralString = """
    UPDATE {internal}.mirror SET odoo_uuid = NULL, is_neutralized = NULL;
    UPDATE {internal}.lease SET held_by = NULL, held_token = NULL, held_until = NULL;
    UPDATE {schema}.odoo_shadow_watermark SET last_write_date = '1970-01-01 00:00:00+00', fill_after_id = NULL,
        scan_run_id = NULL, scan_full = NULL, scan_low = NULL, scan_high = NULL, scan_up_to_id = NULL,
        scan_last_id = NULL, newest_write_date = NULL, scan_newest = NULL;
    UPDATE {internal}.table_state SET is_doubted = false, field_identities = '{{}}';
    UPDATE {schema}.odoo_shadow_meta SET proven_up_to = NULL;
    DELETE FROM {internal}.proof;
    DELETE FROM {internal}.due_row;
"""


def accept_body(schema: str) -> sql.Composed:
    """Return the body of the function that lets a mirror go on with another database: everything is read again."""
    parts = {"schema": sql.Identifier(schema), "internal": sql.Identifier(internal_schema(schema))}
    return sql.SQL(_ACCEPT_BODY).format(**parts)


def recognize_statement(schema: str) -> sql.Composed:
    """Return the statement that notes the numbers of the mirror's tables and columns where they are others than noted.

    Running it twice does no harm.
    """
    # Quoted as a text, the block cannot end early, whatever the schema is called.
    return sql.SQL("DO {}").format(recognize_body(schema).as_string())


def recognize_body(schema: str) -> sql.Composed:
    """Return what `recognize_statement` does."""
    internal = internal_schema(schema)
    own = [sql.SQL("({}, {})").format(name, kind) for name, kind in OWN_COLUMNS.items()]
    return sql.SQL(_RECOGNIZE).format(
        schema=sql.Identifier(schema),
        schema_name=schema,
        internal=sql.Identifier(internal),
        mirror=sql.Identifier(internal, MIRROR).as_string(),
        own=sql.SQL(", ").join(own),
    )
