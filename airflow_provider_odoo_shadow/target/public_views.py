"""Views and functions in `public` that carry the shadow's names, so that plain SQL and PostgREST find them there.

They run with the caller's rights (`security_invoker`, PostgreSQL 15 on): who has no rights on the mirror's schema sees
nothing through them. On PostgreSQL 14, which would run them with the owner's rights, none are made.
"""

from __future__ import annotations

import logging
from typing import LiteralString

from psycopg import sql

from airflow_provider_odoo_shadow.target.base import META, SYNC_LOG, WATERMARK
from airflow_provider_odoo_shadow.target.database import Transaction

log = logging.getLogger(__name__)

BOOKS = (META, WATERMARK, SYNC_LOG)
"""The project's own tables that get a view."""

_FIRST_WITH_SECURITY_INVOKER = 150000

_VIEW: LiteralString = "CREATE OR REPLACE VIEW public.{name} WITH (security_invoker = true) AS SELECT * FROM {table}"
_GET: LiteralString = (
    "CREATE OR REPLACE FUNCTION public.get_shadow_watermark(p_table_name text) RETURNS timestamptz"
    " LANGUAGE sql STABLE AS $$ SELECT {function}(p_table_name) $$"
)
_UPDATE: LiteralString = (
    "CREATE OR REPLACE FUNCTION public.update_shadow_watermark(p_table_name text, p_write_date timestamptz,"
    " p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0) RETURNS void"
    " LANGUAGE sql AS $$ SELECT {function}(p_table_name, p_write_date, p_last_id, p_rows_synced) $$"
)


def view_statements(schema: str, table: str) -> list[sql.Composed]:
    """Return the statements that make a table's view; running them twice does no harm.

    Reading the view is granted to everyone, since the table's own grants decide.
    """
    name = sql.Identifier(table)
    return [
        sql.SQL(_VIEW).format(name=name, table=sql.Identifier(schema, table)),
        sql.SQL("COMMENT ON VIEW public.{name} IS {mark}").format(name=name, mark=_mark(schema)),
        sql.SQL("GRANT SELECT ON public.{name} TO PUBLIC").format(name=name),
    ]


def function_statements(schema: str) -> list[sql.Composed]:
    """Return the statements that make the watermark functions' namesakes."""
    return [
        sql.SQL(_GET).format(function=sql.Identifier(schema, "get_shadow_watermark")),
        sql.SQL(_UPDATE).format(function=sql.Identifier(schema, "update_shadow_watermark")),
    ]


def publish(tx: Transaction, tables: tuple[str, ...]) -> None:
    """Make the views of these tables, and with the books' own the functions; leave alone what somebody else made."""
    if not _possible(tx):
        return
    free = [table for table in tables if _is_free(tx, table)]
    statements = [statement for table in free for statement in view_statements(tx.schema, table)]
    if set(BOOKS) <= set(free):
        statements += function_statements(tx.schema)
    for statement in statements:
        tx.cursor.execute(statement)


def unpublish(tx: Transaction, table: str) -> None:
    """Drop a table's view, if it is this project's own, so that the table's columns can change."""
    if _possible(tx) and _is_free(tx, table):
        tx.run("DROP VIEW IF EXISTS public.{name}", name=sql.Identifier(table))


def _possible(tx: Transaction) -> bool:
    if tx.schema == "public" or tx.cursor.connection.info.server_version < _FIRST_WITH_SECURITY_INVOKER:
        return False
    ((allowed,),) = tx.run("SELECT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)")
    if not allowed:
        log.info("No views in schema public: this role may not create there.")
    return bool(allowed)


def _is_free(tx: Transaction, name: str) -> bool:
    rows = tx.run(
        "SELECT c.relkind = 'v' AND obj_description(c.oid, 'pg_class') IS NOT DISTINCT FROM {mark}"
        " AND pg_has_role(c.relowner, 'USAGE') FROM pg_class c"
        " WHERE c.relnamespace = to_regnamespace('public') AND c.relname = {name}",
        mark=_mark(tx.schema),
        name=name,
    )
    free = not rows or bool(rows[0][0])
    if not free:
        log.info("No view public.%s: something else has that name.", name)
    return free


def _mark(schema: str) -> sql.Literal:
    return sql.Literal(f"Kept by odoo-shadow for schema {schema}.")
