"""Views and functions in `public` that carry the shadow's names, so that plain SQL and PostgREST find them there.

They run with the caller's rights (`security_invoker`): without rights on the mirror's schema, nothing can be read
through them.

What somebody else or another mirror created under such a name is left alone; `made_objects` finds out whose it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import LiteralString, cast

from psycopg import errors, sql

from odoo_shadow.shadow.access.grants import grant_view_statement
from odoo_shadow.shadow.connection.database import LOCK_TIMEOUT, Transaction
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.names import LONGEST_NAME, NAMED_ENDING
from odoo_shadow.shadow.owners.made_objects import (
    MadeObject,
    ObjectKind,
    Standing,
    function_body,
    holds_mirror,
    record_statement,
    shown_mirrors,
    standing_of,
    unexplained_names,
)
from odoo_shadow.shadow.relations import (
    CONTROL_TABLES,
    FIELD,
    FUNCTIONS,
    LEFT_OUT,
    META,
    READ_VERSION,
    SEARCH,
    SELECTION,
    SYNC_LOG,
    WATERMARK,
)
from odoo_shadow.shadow.state.due_views import mark_view
from odoo_shadow.shadow.views.comments import view_comments_statement
from odoo_shadow.shadow.views.relationships import dropping_statements
from odoo_shadow.text.amounts import counted, first_of
from odoo_shadow.text.log import logger

log = logger(__name__)

PUBLIC_TABLES = (META, WATERMARK, SYNC_LOG, FIELD, SELECTION, LEFT_OUT)
"""The project's own tables that get a view; each mirrored table gets one, too, and so does its named view."""

PUBLIC = "public"

READ_BY_MANY = (
    "on hosts such as Supabase everybody with the project's anon key can read a mirror in schema public: choose a "
    "schema of its own, such as odoo_shadow (--schema), or revoke the rights of anon and authenticated in public"
)
"""Who can read a mirror in `public`, and what to do about it."""

BEFORE = "odoo_shadow_before"
"""The schema into which `take-over` moves what is in the way of the views."""

_MOST_NAMED = 5
_PATIENCE = "2s"
_COMMENT = "Kept by odoo-shadow for schema "
"""For people; it proves nothing."""

_VIEW: LiteralString = "CREATE OR REPLACE VIEW public.{name} WITH (security_invoker = true) AS SELECT * FROM {table}"
_FUNCTIONS: dict[str, LiteralString] = {
    "get_shadow_watermark": "(p_table_name text) RETURNS timestamptz LANGUAGE sql STABLE",
    "update_shadow_watermark": (
        "(p_table_name text, p_write_date timestamptz, p_last_id bigint DEFAULT NULL, p_rows_synced bigint DEFAULT 0)"
        " RETURNS void LANGUAGE sql"
    ),
    READ_VERSION: "(p_tables text[]) RETURNS text LANGUAGE sql STABLE",
}


def view_statements(schema: str, table: str) -> list[sql.Composed]:
    """Return the statements that make a table's view; running them twice does no harm.

    Who may read the view follows from who may read the table.
    """
    if schema == PUBLIC:
        return []
    name = sql.Identifier(table)
    return [
        sql.SQL(_VIEW).format(name=name, table=sql.Identifier(schema, table)),
        view_comments_statement(sql.Identifier(PUBLIC, table), sql.Identifier(schema, table), _COMMENT + schema),
        grant_view_statement(schema, PUBLIC, table, table),
        record_statement(schema, _view(table)),
    ]


def function_statements(schema: str, names: Sequence[str] = FUNCTIONS) -> list[sql.Composed]:
    """Return the statements that make the functions' namesakes."""
    if schema == PUBLIC:
        return []
    return [statement for name in names for statement in _function_statements(schema, name, sql.SQL(_FUNCTIONS[name]))]


def _function_statements(schema: str, name: str, head: sql.Composable) -> list[sql.Composed]:
    made = sql.SQL("CREATE OR REPLACE FUNCTION {name}{head} SET search_path = pg_catalog, pg_temp AS {body}").format(
        name=sql.Identifier(PUBLIC, name), head=head, body=function_body(schema, name)
    )
    comment = sql.SQL("COMMENT ON FUNCTION {} IS {}").format(sql.Identifier(PUBLIC, name), _COMMENT + schema)
    return [made, comment, record_statement(schema, _function(name))]


def _view(table: str) -> MadeObject:
    return MadeObject(PUBLIC, table, ObjectKind.VIEW, table)


def _function(name: str) -> MadeObject:
    return MadeObject(PUBLIC, name, ObjectKind.FUNCTION, name)


def publish(tx: Transaction, tables: Sequence[str], *, due: str | None = None) -> None:
    """Create the views of these tables, and with those of the control tables the functions, where the name is free.

    :param tables: tables, or the named view of one.
    :param due: the table whose views are marked to be renewed if one cannot be made now, by default its own.
    """
    if not _possible(tx):
        return
    has_control_tables = set(PUBLIC_TABLES) <= set(tables)
    first = _first_mirror(tx) if has_control_tables else None
    if first is not None:
        log.warning(
            "Schema '%s' gets views in public only under names that are free there: the others show the mirror in "
            "schema '%s'. Query this one by its own schema.",
            tx.schema,
            first,
        )
    for table in tables:
        standing = standing_of(tx, _view(table))
        if standing is Standing.ANOTHER_MIRRORS and not has_control_tables and _first_mirror(tx) is None:
            log.warning("No public.%s for schema %s: it belongs to another mirror.", table, tx.schema)
        if _is_free(tx, _view(table), standing):
            _replace_view(tx, table, due or table)
        elif standing is Standing.FOREIGN:
            mark_view(tx, due or table)  # to be made as soon as the name is free
    if has_control_tables:
        functions = {name: standing_of(tx, _function(name)) for name in FUNCTIONS}
        free = [name for name, standing in functions.items() if _is_free(tx, _function(name), standing)]
        _try(tx, function_statements(tx.schema, free), "the functions in public")


def _try(tx: Transaction, statements: Sequence[sql.Composed], what: str) -> bool:
    """Run statements on which no row depends; return whether they need not be tried again.

    Any login can hold a lock on a view in `public`, or be waiting for one, so the wait here is short.
    """
    try:
        with tx.cursor.connection.transaction():
            tx.run("SET LOCAL lock_timeout TO {timeout}", timeout=_PATIENCE)
            tx.run_all(statements)
            tx.run("SET LOCAL lock_timeout TO {timeout}", timeout=LOCK_TIMEOUT)
    except (errors.LockNotAvailable, errors.UniqueViolation, errors.DuplicateTable, errors.InternalError_) as error:
        log.warning("%s: created next time, because another session is using it (%s).", what, type(error).__name__)
        return False
    except errors.DependentObjectsStillExist:
        log.warning(
            "%s keeps its old columns, because another view or function depends on it: drop that, and the next change "
            "of the table renews this one. The table itself has the new columns.",
            what,
        )
    except errors.InsufficientPrivilege:
        log.info("%s is left as it is: another trusted role owns it.", what)
    return True


def publish_search(tx: Transaction, arguments: sql.Composable, result: sql.Composable) -> None:
    """Create the search function's namesake, where the name is free, or renew it: its arguments may be others now."""
    item = _function(SEARCH)
    if not _possible(tx) or not _is_free(tx, item, standing_of(tx, item)):
        return
    there = tx.run(
        "SELECT p.oid::regprocedure::text, p.prosrc = {body} AND (p.proargtypes, p.proallargtypes) = (SELECT"
        " o.proargtypes, o.proallargtypes FROM pg_proc o JOIN pg_namespace n ON n.oid = o.pronamespace"
        " WHERE n.nspname = {schema} AND o.proname = {name})"
        " FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname = {name}",
        body=function_body(tx.schema, SEARCH),
        schema=tx.schema,
        name=SEARCH,
    )
    if [is_same for _, is_same in there] == [True]:
        return
    head = sql.SQL("({}) RETURNS {} LANGUAGE sql STABLE").format(arguments, result)
    drops = [sql.SQL("DROP FUNCTION {}").format(sql.SQL(cast(LiteralString, name))) for name, _ in there]
    _try(tx, [*drops, *_function_statements(tx.schema, SEARCH, head)], f"The function public.{SEARCH}")


def foreign_names(tx: Transaction, tables: Sequence[str]) -> list[str]:
    """Return the names of tables, control tables and functions under which `public` has something that no mirror made.

    Queries of such a name do not reach the shadow.
    """
    if tx.schema == PUBLIC:
        return []
    names = tx.run("{names}", names=unexplained(tx, sql.SQL("SELECT unnest({}::text[])").format(list(tables))))
    return foreign_among(tx, {str(row[0]) for row in names}, tables)


def unexplained(tx: Transaction, tables: sql.Composable) -> sql.Composed:
    """Return the query for the names in `public` at which `foreign_among` has to look; not for a mirror in `public`.

    :param tables: a query for the names of tables.
    """
    control = sql.SQL("SELECT unnest({}::text[])").format(list(PUBLIC_TABLES))
    mirrored = sql.SQL(
        "SELECT v.name FROM ({tables}) AS t (name), LATERAL (VALUES (t.name), (t.name || {ending})) AS v (name)"
        " WHERE octet_length(v.name) <= {longest}"
    ).format(tables=tables, ending=NAMED_ENDING, longest=LONGEST_NAME)
    return unexplained_names(tx, sql.SQL("{} UNION ALL {}").format(control, mirrored), FUNCTIONS)


def foreign_among(tx: Transaction, names: Collection[str], tables: Sequence[str]) -> list[str]:
    """Return those names in `public` that are something else's: control tables, tables, named views, functions."""
    named = [table + NAMED_ENDING for table in tables]
    items = [*map(_view, (*PUBLIC_TABLES, *tables, *named)), *map(_function, FUNCTIONS)]
    return [item.name for item in items if item.name in names and standing_of(tx, item) is Standing.FOREIGN]


def check_public(tx: Transaction, tables: Sequence[str]) -> None:
    """Make sure that a mirror's names in `public` are free, its own, or another mirror's.

    :raises ShadowConflictError: names what is in the way, and what to do.
    """
    check_own_place(tx, tables)
    names = foreign_names(tx, tables)
    if names:
        raise ShadowConflictError(in_the_way(names))


def check_own_place(tx: Transaction, tables: Sequence[str]) -> None:
    """Make sure that a schema without a mirror has nothing but tables under the names of the mirror's tables.

    In `public` even tables are somebody else's: this project's own would have an internal schema.

    :raises ShadowConflictError: names what is there, and what to do.
    """
    if holds_mirror(tx, tx.schema):
        return
    kinds = ["r", "p", "f"] if tx.schema != PUBLIC else []
    rows = tx.run(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema}"
        ' AND c.relname = ANY({names}::name[]) AND c.relkind <> ALL({kinds}::"char"[]) ORDER BY 1',
        schema=tx.schema,
        names=[*CONTROL_TABLES, *tables],
        kinds=kinds,
    )
    if rows:
        listed = ", ".join(f"{tx.schema}.{name}" for (name,) in rows[:_MOST_NAMED])
        what_to_do = "odoo-shadow take-over moves them away" if tx.schema == PUBLIC else "drop or rename them"
        raise ShadowConflictError(
            f"{_names(rows)} that the shadow's own tables need in schema {tx.schema} {_belong(rows)} to something else "
            f"({listed}{' …' if len(rows) > _MOST_NAMED else ''}): {what_to_do}, or choose another schema (--schema)."
        )


def _names(names: Sequence[object]) -> str:
    return counted(len(names), "name")


def _belong(names: Sequence[object]) -> str:
    return "belongs" if len(names) == 1 else "belong"


def in_the_way(names: Sequence[str]) -> str:
    """Return a sentence about what has the mirror's names in `public`, and what to do about it."""
    listed = first_of([f"public.{name}" for name in names], _MOST_NAMED)
    return (
        f"{_names(names)} that the shadow's views need in schema public {_belong(names)} to something else ({listed}): "
        "queries there would not see the shadow. odoo-shadow take-over moves them into schema "
        f"{BEFORE}, unchanged, after showing what it would do; or drop or rename them."
    )


def _replace_view(tx: Transaction, table: str, due: str) -> None:
    try:
        with tx.cursor.connection.transaction():
            is_made = _try(tx, view_statements(tx.schema, table), f"public.{table}")
    except errors.InvalidTableDefinition:  # a column was renamed or dropped: only a new view can show that
        drop = sql.SQL("DROP VIEW public.{}").format(sql.Identifier(table))
        statements = [*dropping_statements(tx, table), drop, *view_statements(tx.schema, table)]
        is_made = _try(tx, statements, f"public.{table}")
    if not is_made:
        mark_view(tx, due)


def unpublish(tx: Transaction, table: str) -> None:
    """Drop a table's view, if it is this mirror's own, so that the table's columns can change."""
    if _possible(tx) and _is_free(tx, _view(table), standing_of(tx, _view(table))):
        drop = sql.SQL("DROP VIEW IF EXISTS public.{}").format(sql.Identifier(table))
        _try(tx, [*dropping_statements(tx, table), drop], f"public.{table}")


def _first_mirror(tx: Transaction) -> str | None:
    """Return the schema of the mirror whose control tables `public` shows, None if that is this one or none."""
    if standing_of(tx, _view(META)) is not Standing.ANOTHER_MIRRORS:
        return None
    return next(iter(sorted(shown_mirrors(tx, META))), PUBLIC)


def _possible(tx: Transaction) -> bool:
    if tx.schema == PUBLIC:
        return False
    ((allowed,),) = tx.run("SELECT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)")
    if not allowed:
        log.info("No views in schema public: this role has no right to create objects there.")
    return bool(allowed)


def _is_free(tx: Transaction, item: MadeObject, standing: Standing) -> bool:
    if standing is Standing.ANOTHER_MIRRORS:
        log.info("No public.%s for schema %s: it belongs to another mirror.", item.name, tx.schema)
    elif standing is Standing.FOREIGN:
        log.warning("No view public.%s: something else has that name.", item.name)
    return standing in (Standing.FREE, Standing.OWN)
