"""Row-level security on the mirror's tables: which have it, and that each has the policy that its mode asks for."""

from __future__ import annotations

from psycopg import sql

from odoo_shadow.shadow.names import internal_schema

PROTECT_TABLE = "protect_table"


def protect_statement(schema: str, table: str, *, is_new: bool = False) -> sql.Composed:
    """Return the statement that gives a registered table row-level security, where that is needed.

    Running it twice does no harm. Where rows are restricted, nobody but its owner sees any until it has its policy.

    :param is_new: whether the table has just been made, so that nobody can have arranged anything on it.
    """
    return sql.SQL("CALL {}({}, {})").format(sql.Identifier(internal_schema(schema), PROTECT_TABLE), table, is_new)
