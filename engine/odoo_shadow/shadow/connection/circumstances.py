"""What in a database keeps a mirror from working: asked of the server itself, reported in one sentence.

The cause is recognised by SQLSTATE and by the place in PostgreSQL's source that reports it, never by the words of a
message: those are in the server's language.
"""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import errors as pg
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.postgres.errors import is_of_full_disk
from odoo_shadow.shadow.errors import (
    ShadowConfigurationError,
    ShadowError,
    ShadowPermissionError,
    ShadowRetriableError,
)
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.relations import COMPANY_ACCESS
from odoo_shadow.text.amounts import first_of

OLDEST_VERSION = 150000
UTF8 = "UTF8"

_PER_VERSION = 10000
_MOST_NAMED = 5
_REPORTED_BY_POLICIES = ("check_enable_rls", "ExecWithCheckOptions", "get_row_security_policies")

_HIDDEN: LiteralString = (
    "SELECT c.oid::regclass::text, pg_has_role(c.relowner, 'USAGE') FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ({schema}, {internal}) AND c.relkind IN ('r', 'p') AND row_security_active(c.oid)"
    # No run reads this one.
    " AND c.relname <> {access} ORDER BY 1"
)
_READ_ONLY: LiteralString = (
    "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only') = 'on',"
    " (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only')"
)
_TRY_ROOM: tuple[LiteralString, ...] = (
    "SELECT set_config('temp_tablespaces', quote_ident(current_setting('default_tablespace')), true)",
    "CREATE TEMPORARY TABLE odoo_shadow_room ON COMMIT DROP AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)",
)


def check_server(name: str, connection: psycopg.Connection[TupleRow]) -> None:
    """Make sure that a server and a database can hold a shadow.

    :raises ShadowConfigurationError: PostgreSQL is too old, or the database cannot store every character.
    """
    version = connection.info.server_version
    if version and version < OLDEST_VERSION:
        raise ShadowConfigurationError(
            f"Shadow database '{name}': its PostgreSQL is {_spelled(version)}, but must be "
            f"{OLDEST_VERSION // _PER_VERSION} or later: upgrade it, or use another server."
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding and encoding != UTF8:
        raise ShadowConfigurationError(
            f"Shadow database '{name}': the database's encoding is {encoding}, which cannot store all of Odoo's text: "
            "use one in UTF8, created by CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'."
        )


def _spelled(version: int) -> str:
    major, minor = divmod(version, _PER_VERSION)
    return f"{major}.{minor}" if major >= 10 else f"{major}.{minor // 100}"


def explained_by_server(
    name: str, connection: psycopg.Connection[TupleRow], schema: str, error: psycopg.Error
) -> ShadowError | None:
    """Ask the server why a statement failed, after its rollback; None when the cause is none that is known here."""
    if connection.closed or connection.broken:
        return None
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL search_path TO pg_catalog, pg_temp")
            if isinstance(error, pg.ReadOnlySqlTransaction):
                reason, is_temporary = why_read_only(cursor)
                text = f"Shadow database '{name}' {reason}. Nothing that was mirrored is lost."
                return ShadowRetriableError(text) if is_temporary else ShadowPermissionError(text)
            if error.diag.source_function in _REPORTED_BY_POLICIES:
                hidden = hidden_tables(cursor, schema)
                return ShadowPermissionError(f"Shadow database '{name}': {hidden}.") if hidden else None
    except psycopg.Error:
        pass
    return None


def why_read_only(cursor: psycopg.Cursor[TupleRow]) -> tuple[str, bool]:
    """Return why nothing can be written, as the rest of a sentence, and whether that may end by itself."""
    ((is_standby, by_default, source),) = cursor.execute(_READ_ONLY).fetchall()
    if is_standby:
        return "is a standby server, which accepts no writes: use the address of its primary", True
    if not by_default:
        return "accepts no writes through this connection: something on the way makes its transactions read-only", False
    info = cursor.connection.info
    database, role = sql.Identifier(info.dbname).as_string(), sql.Identifier(info.user).as_string()
    setting = "RESET default_transaction_read_only"
    statements = {
        "database": f"ALTER DATABASE {database} {setting}",
        "user": f"ALTER ROLE {role} {setting}",
        "database user": f"ALTER ROLE {role} IN DATABASE {database} {setting}",
        "client": "remove default_transaction_read_only from the address's options",
    }
    statement = statements.get(str(source), "turn default_transaction_read_only off in the server's configuration")
    return (
        "is read-only: default_transaction_read_only is on, as hosts such as Supabase set it when the disk is full: "
        "free some space or get a larger disk first; if the host does not turn it off again by itself: "
        f"{'' if source == 'client' else 'SET default_transaction_read_only TO off; '}{statement}",
        False,
    )


def hidden_tables(cursor: psycopg.Cursor[TupleRow], schema: str) -> str:
    """Return which of a mirror's tables row-level security hides from this role, and what to do; empty if none."""
    query = sql.SQL(_HIDDEN).format(schema=schema, internal=internal_schema(schema), access=COMPANY_ACCESS)
    rows = [(str(table), bool(is_own)) for table, is_own in cursor.execute(query).fetchall()]
    if not rows:
        return ""
    user = cursor.connection.info.user
    role = sql.Identifier(user).as_string()
    table, is_own = rows[0]
    by_table = f"ALTER TABLE {table} {'NO FORCE ROW LEVEL SECURITY' if is_own else f'OWNER TO {role}'}"
    listed = first_of([name for name, _ in rows], _MOST_NAMED)
    return (
        f"row-level security hides rows of {listed} from the role '{user}', but a mirror must see and write all rows: "
        f"ALTER ROLE {role} BYPASSRLS; or, for each of these tables, {by_table}"
    )


def has_room(cursor: psycopg.Cursor[TupleRow]) -> bool:
    """Test whether the disk can take one more megabyte, wherever the data are; nothing of it stays."""
    try:
        with cursor.connection.transaction(force_rollback=True):
            for statement in _TRY_ROOM:
                cursor.execute(statement)
    except psycopg.Error as error:
        if is_of_full_disk(error):
            return False
        raise
    return True
