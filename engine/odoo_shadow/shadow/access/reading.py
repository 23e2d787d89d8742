"""Makes sure that a role may read a mirror, for commands that do nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from psycopg import sql

from odoo_shadow.shadow.access.reader_role import READER
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowPermissionError
from odoo_shadow.shadow.state.visible import usual_marts_schema

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def check_may_read(tx: Transaction, tables: Sequence[str], *, must_be_there: bool = False) -> None:
    """Make sure that the connection's role may read tables of the mirror.

    :param must_be_there: otherwise, tables that are not there need no right.
    :raises ShadowPermissionError: it may not; the message has the SQL that lets it.
    """
    ((may_read,),) = tx.run(
        # Whoever owns the schema is no reader: what keeps its tables from it is somebody else's, and is told by name.
        "SELECT coalesce(bool_and(pg_has_role(n.nspowner, 'USAGE')"
        " OR has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')),"
        " NOT {must_be_there}) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = ANY({tables}::name[])",
        must_be_there=must_be_there,
        schema=tx.schema,
        tables=list(tables),
    )
    if not may_read:
        role = tx.cursor.connection.info.user
        raise ShadowPermissionError(
            f"'{role}' may not read a shadow in schema '{tx.schema}': correct the schema (--schema), or let it: "
            f"{grants_for(tx, role)}"
        )


def grants_for(tx: Transaction, role: str) -> str:
    """Return the SQL that lets a role read this mirror, and its marts."""
    name = _quoted(role)
    ((has_role, has_reader),) = tx.run(
        "SELECT count(*) > 0, coalesce(bool_or(has_schema_privilege(r.oid, n.oid, 'USAGE')), false)"
        " FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = {schema} WHERE r.rolname = {reader}",
        schema=tx.schema,
        reader=READER,
    )
    if has_reader:
        return f"GRANT {READER} TO {name}"
    marts = usual_marts_schema(tx.schema)
    ((has_marts,),) = tx.run(
        "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = {marts})",
        marts=marts,
    )
    places = ", ".join(map(_quoted, (tx.schema, marts) if has_marts else (tx.schema,)))
    # The sync grants it also what it makes later; but what others have made of a role of that name is not known.
    reader = name if has_role else READER
    grants = f"GRANT USAGE ON SCHEMA {places} TO {reader}; GRANT SELECT ON ALL TABLES IN SCHEMA {places} TO {reader}"
    return grants if has_role else f"CREATE ROLE {READER} NOLOGIN; {grants}; GRANT {READER} TO {name}"


def _quoted(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else sql.Identifier(name).as_string()
