"""Tells Supabase Realtime which tables have changed, once per table and run: never per row, and without any row.

What was told is noted in the transaction that tells it, so that each change is told exactly once. Dashboards that are
subscribed to `<schema>:<table>` then read again what they show, with their own rights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowConfigurationError, ShadowConflictError
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.relations import META, MIRROR, TABLE_STATE, WATERMARK
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.state.watermarks import LATEST, NEVER

EVENT = "changed"
_OWNER = "supabase_realtime_admin"
"""Supabase's role that owns the function, in a schema of its superuser's."""

# Its schema decides who could have put a function there.
_SENDS: LiteralString = (
    "SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = 'realtime' AND p.proname = 'send'"
    " AND pg_get_function_identity_arguments(p.oid) LIKE '%jsonb, % text, % text, % boolean'"
    " AND n.nspowner IN {trusted} AND (p.proowner IN {trusted} OR pg_get_userbyid(p.proowner) = {owner})"
    " AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE'))"
)
_CHANGED: LiteralString = (
    "SELECT m.table_name, m.odoo_model, m.rows_version,"
    " CASE WHEN w.last_write_date > {never} THEN least(w.last_write_date, {latest}) END"
    " FROM {meta} m LEFT JOIN {state} s USING (table_name) LEFT JOIN {watermark} w USING (table_name)"
    " WHERE m.rows_version <> coalesce(s.broadcast_version, 0) ORDER BY 1"
)
_SEND: LiteralString = (
    "SELECT realtime.send(jsonb_build_object('table', t, 'model', m, 'rows_version', v, 'watermark', w), {event},"
    " {schema} || ':' || t, true) FROM unnest({tables}::text[], {models}::text[], {versions}::bigint[],"
    " {watermarks}::timestamptz[]) AS changed (t, m, v, w)"
)
_NOTE: LiteralString = (
    "INSERT INTO {state} AS s (table_name, broadcast_version) SELECT * FROM unnest({tables}::text[],"
    " {versions}::bigint[]) ON CONFLICT (table_name) DO UPDATE SET broadcast_version = excluded.broadcast_version"
)


def keep_broadcasting(tx: Transaction, *, is_wanted: bool) -> None:
    """Record whether runs tell Realtime of changes, this one and those that are not told anything."""
    tx.run(
        "UPDATE {mirror} SET realtime_broadcast = {wanted} WHERE realtime_broadcast IS DISTINCT FROM {wanted}",
        mirror=tx.internal(MIRROR),
        wanted=is_wanted,
    )


def broadcasts(tx: Transaction) -> bool:
    """Say whether runs of this mirror tell Realtime of changes."""
    rows = tx.run("SELECT realtime_broadcast FROM {mirror}", mirror=tx.internal(MIRROR))
    return bool(rows and rows[0][0])


def broadcast_changes(tx: Transaction) -> list[str]:
    """Tell Realtime of all tables whose rows have changed since it was last told; return them.

    :raises ShadowConfigurationError: the database has no Realtime that this role may use.
    :raises ShadowConflictError: Realtime did not take it; nothing is noted then.
    """
    lock_schema(tx)  # taken by everything that writes many rows of the control tables, so that there is no deadlock
    changed = tx.run(
        _CHANGED,
        meta=tx.own(META),
        state=tx.internal(TABLE_STATE),
        watermark=tx.own(WATERMARK),
        never=NEVER,
        latest=LATEST,
    )
    if not changed:
        return []
    trusted = sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles))
    ((sends,),) = tx.run(_SENDS, trusted=trusted, owner=_OWNER)
    if not sends:
        raise ShadowConfigurationError(
            "Realtime was not told of changed tables: this database has no function realtime.send that this role may "
            "call, as Supabase's have: turn realtime_broadcast (--no-realtime-broadcast) off."
        )
    tables, models, versions, watermarks = (list(values) for values in zip(*changed, strict=True))
    # A broadcast is a row that may be subject to policies: whether this role may write it, is Realtime's to say.
    tx.run("SET LOCAL row_security = on")
    with _no_warnings(tx):
        tx.run(
            _SEND,
            event=EVENT,
            schema=tx.schema,
            tables=tables,
            models=models,
            versions=versions,
            watermarks=watermarks,
        )
    tx.run("SET LOCAL row_security = off")
    tx.run(_NOTE, state=tx.internal(TABLE_STATE), tables=tables, versions=versions)
    return tables


@contextmanager
def _no_warnings(tx: Transaction) -> Iterator[None]:
    """Turn warnings into an error: `realtime.send` itself raises none, whatever goes wrong in it."""
    heard: list[str] = []

    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            heard.append(diagnostic.message_primary or "")

    connection = tx.cursor.connection
    tx.run("SET LOCAL client_min_messages = warning")
    connection.add_notice_handler(hear)
    try:
        yield
    finally:
        connection.remove_notice_handler(hear)
    if heard:
        raise ShadowConflictError(
            f"Realtime was not told of changed tables, and will be with the next run: realtime.send says: {heard[0]}."
        )
