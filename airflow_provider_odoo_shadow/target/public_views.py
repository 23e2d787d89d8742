"""Views and functions in `public` that carry the shadow's names, so that plain SQL and PostgREST find them there.

They run with the caller's rights (`security_invoker`, PostgreSQL 15 on): who has no rights on the mirror's schema sees
nothing through them. On PostgreSQL 14, which would run them with the owner's rights, none are made.
What somebody else made under such a name, or another mirror, is left alone: a comment tells whose it is.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import errors, sql

from airflow_provider_odoo_shadow.target.base import FIELD, META, SELECTION, SYNC_LOG, WATERMARK
from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

BOOKS = (META, WATERMARK, SYNC_LOG, FIELD, SELECTION)
"""The project's own tables that get a view."""

PUBLIC = "public"

_FIRST_WITH_SECURITY_INVOKER = 150000
_MARK = "Kept by odoo-shadow for schema "

_VIEW: LiteralString = "CREATE OR REPLACE VIEW public.{name} WITH (security_invoker = true) AS SELECT * FROM {table}"
_FUNCTIONS: dict[str, tuple[LiteralString, LiteralString, LiteralString]] = {
    "get_shadow_watermark": (
        "(p_table_name text) RETURNS timestamptz LANGUAGE sql STABLE",
        "SELECT {function}(p_table_name)",
        "(text)",
    ),
    "update_shadow_watermark": (
        "(p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0)"
        " RETURNS void LANGUAGE sql",
        "SELECT {function}(p_table_name, p_write_date, p_last_id, p_rows_synced)",
        "(text, timestamptz, bigint, bigint)",
    ),
}


def view_statements(schema: str, table: str) -> list[sql.Composed]:
    """Return the statements that make a table's view; running them twice does no harm.

    Reading the view is granted to everyone, since the table's own grants decide.
    """
    if schema == PUBLIC:
        return []
    name = sql.Identifier(table)
    return [
        sql.SQL(_VIEW).format(name=name, table=sql.Identifier(schema, table)),
        sql.SQL("COMMENT ON VIEW public.{name} IS {mark}").format(name=name, mark=_MARK + schema),
        sql.SQL("GRANT SELECT ON public.{name} TO PUBLIC").format(name=name),
    ]


def function_statements(schema: str, names: tuple[str, ...] = tuple(_FUNCTIONS)) -> list[sql.Composed]:
    """Return the statements that make the watermark functions' namesakes."""
    if schema == PUBLIC:
        return []
    return [statement for name in names for statement in _function(schema, name)]


def _function(schema: str, name: str) -> list[sql.Composed]:
    head, call, signature = _FUNCTIONS[name]
    body = sql.SQL(call).format(function=sql.Identifier(schema, name)).as_string()
    public = sql.Identifier(PUBLIC, name)
    return [
        sql.SQL("CREATE OR REPLACE FUNCTION {name}{head} AS {body}").format(name=public, head=sql.SQL(head), body=body),
        sql.SQL("COMMENT ON FUNCTION {name}{signature} IS {mark}").format(
            name=public, signature=sql.SQL(signature), mark=_MARK + schema
        ),
    ]


def publish(tx: Transaction, tables: tuple[str, ...]) -> None:
    """Make the views of these tables, and with the books' own the functions."""
    if not _possible(tx):
        return
    # Two mirrors that are made at once meet here.
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended('odoo_shadow/public', 0))")
    for table in tables:
        if _is_free_view(tx, table):
            _replace_view(tx, table)
    if set(BOOKS) <= set(tables):
        free = tuple(name for name in _FUNCTIONS if _is_free_function(tx, name))
        tx.run_all(function_statements(tx.schema, free))


def _replace_view(tx: Transaction, table: str) -> None:
    try:
        with tx.cursor.connection.transaction():
            tx.run_all(view_statements(tx.schema, table))
    except errors.InvalidTableDefinition:  # a column was renamed or dropped: only a new view can show that
        _renew_view(tx, table)


def _renew_view(tx: Transaction, table: str) -> None:
    try:
        with tx.cursor.connection.transaction():
            tx.run("DROP VIEW public.{name}", name=sql.Identifier(table))
            tx.run_all(view_statements(tx.schema, table))
    except errors.DependentObjectsStillExist:
        log.warning(
            "public.%s keeps its old columns, because another view stands on it: drop that view, and the next change "
            "of the table renews this one. %s.%s has the new columns.",
            table,
            tx.schema,
            table,
        )


def unpublish(tx: Transaction, table: str) -> None:
    """Drop a table's view, if it is this mirror's own, so that the table's columns can change."""
    if _possible(tx) and _is_free_view(tx, table):
        tx.run("DROP VIEW IF EXISTS public.{name}", name=sql.Identifier(table))


def has_security_invoker(tx: Transaction) -> bool:
    """Say whether this PostgreSQL has views that run with their reader's rights."""
    return tx.cursor.connection.info.server_version >= _FIRST_WITH_SECURITY_INVOKER


def _possible(tx: Transaction) -> bool:
    if tx.schema == PUBLIC or not has_security_invoker(tx):
        return False
    ((allowed,),) = tx.run("SELECT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)")
    if not allowed:
        log.info("No views in schema public: this role may not create there.")
    return bool(allowed)


def _is_free_view(tx: Transaction, name: str) -> bool:
    rows = tx.run(
        "SELECT c.relkind = 'v' AND pg_has_role(c.relowner, 'USAGE'), obj_description(c.oid, 'pg_class')"
        " FROM pg_class c WHERE c.relnamespace = to_regnamespace('public') AND c.relname = {name}",
        name=name,
    )
    return all(_is_own(tx, name, bool(replaceable), mark) for replaceable, mark in rows)


def _is_free_function(tx: Transaction, name: str) -> bool:
    rows = tx.run(
        "SELECT pg_has_role(p.proowner, 'USAGE'), obj_description(p.oid, 'pg_proc')"
        " FROM pg_proc p WHERE p.pronamespace = to_regnamespace('public') AND p.proname = {name}",
        name=name,
    )
    return all(_is_own(tx, name, bool(replaceable), mark) for replaceable, mark in rows)


def _is_own(tx: Transaction, name: str, is_replaceable: bool, mark: object) -> bool:
    if is_replaceable and mark == _MARK + tx.schema:
        return True
    if isinstance(mark, str) and mark.startswith(_MARK):
        log.info("No public.%s: it belongs to another mirror.", name)
    else:
        log.warning("No view public.%s: something else has that name.", name)
    return False
