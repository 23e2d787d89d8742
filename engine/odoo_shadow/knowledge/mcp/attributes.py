"""Refuses calls of functions that are written like columns.

PostgreSQL takes `n.pg_sleep` for `pg_sleep(n)`, and `n.regrole` for a cast, if there is no such column: a statement's
text does not tell which it is, and the catalogue does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from odoo_shadow.knowledge.mcp.allowed import COLUMN_NAMES, FUNCTIONS, TYPES
from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.text.shown import shown

if TYPE_CHECKING:
    from odoo_shadow.knowledge.mcp.gate import Passed, Relations
    from odoo_shadow.shadow.connection.database import Transaction


def refuse_calls(tx: Transaction, passed: Passed, readable: Relations) -> None:
    """Make sure that what stands behind a dot is a column, or harmless.

    :raises RefusedError: it is the name of a function or a type that could not be written in full either, and no table
        that the statement reads has a column of this name.
    """
    names = sorted(passed.attributes - FUNCTIONS - TYPES - COLUMN_NAMES - {name for _, name in passed.relations})
    if not names:
        return
    rows = tx.run(
        "SELECT asked.name::text FROM unnest({names}::name[]) AS asked (name)"
        " WHERE (EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.proname = asked.name AND p.pronargs > 0 AND n.nspname = ANY({schemas}::name[]))"
        " OR EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE t.typname = asked.name AND n.nspname = ANY({schemas}::name[])))"
        " AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN unnest({read_schemas}::name[], {read_names}::name[]) AS read (place, name)"
        " ON read.place = n.nspname AND read.name = c.relname"
        " WHERE a.attname = asked.name AND a.attnum > 0 AND NOT a.attisdropped) ORDER BY 1 LIMIT 1",
        names=names,
        schemas=["pg_catalog", *readable.by_schema],
        read_schemas=[schema for schema, _ in passed.relations],
        read_names=[name for _, name in passed.relations],
    )
    for (name,) in rows:
        raise RefusedError(
            f"No table here has a column {shown(name, longest=80)}, and PostgreSQL would call the function or type of "
            "this name, which cannot be called here; give a column that you have named so another name."
        )
