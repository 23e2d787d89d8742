"""Keeps the functions up to date by which PostgREST embeds related rows: made, renewed, granted and dropped.

They are made at the end of a run, from the catalogue. Each depends on the row types of two views, so whatever drops a
view drops them first; the end of the run makes them again.

Nothing fails for them: what is in the way of one, or in use now, is left to the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString, TypeAlias, TypeVar

import psycopg
from psycopg import sql

from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError, ShadowPermissionError, said
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, Standing, record_statement, standing_of
from odoo_shadow.shadow.owners.ownership import exists, may_use_schema
from odoo_shadow.shadow.relations import FIELD, MADE_OBJECT, META, RELATIONSHIP
from odoo_shadow.shadow.state.schema import lock_schema
from odoo_shadow.shadow.views.relationship_functions import PUBLIC, Link, Relationship, relationships, signature
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.log import logger

log = logger(__name__)

T = TypeVar("T")

_AT_ONCE = 100
"""Functions per transaction: others wait for its lock, and each that is dropped takes a place in PostgreSQL's table of
locks."""
_PATIENCE = "1s"
_MOST_NAMED = 5

# All functions in public that take a row of a relation there, found from the functions' side, where indexes help. The
# digest is of what a function does, apart from its name and argument, and for whom.
_FUNCTIONS: LiteralString = (
    "SELECT p.oid, p.proname, a.relname AS taken, p.proowner, p.proacl, p.prosrc, p.prorettype,"
    " md5(concat_ws(' ', p.prosrc, p.prorettype::regtype, p.proretset, p.prorows, p.provolatile, p.prosecdef,"
    " p.proleakproof, p.proisstrict, p.proconfig, p.prolang)) AS digest"
    " FROM pg_proc p JOIN pg_type t ON t.oid = p.proargtypes[0]"
    " JOIN pg_class a ON a.oid = t.typrelid AND a.relnamespace = p.pronamespace"
    " WHERE p.pronamespace = to_regnamespace('public') AND p.pronargs = 1"
)
# The mirror's own views in public: tables with their row types.
_VIEWS: LiteralString = (
    "SELECT c.oid, c.reltype, c.relname, c.relowner, c.relacl,"
    " c.oid = m.object_id AND c.relowner IN {trusted} AS is_own"
    " FROM {made} m JOIN pg_class c ON c.relname = m.name AND c.relnamespace = to_regnamespace('public')"
    " WHERE m.schema_name = 'public' AND m.kind = 'view' AND c.relkind = 'v'"
)
_SHOWN: LiteralString = """SELECT m.table_name, m.is_of_names, v.relname, v.oid FROM ({views}) AS v JOIN (
    SELECT table_name, table_name AS view_name, false FROM {meta}
    UNION ALL SELECT made_for, name, true FROM {made} WHERE schema_name = {schema} AND kind = 'view'
) AS m (table_name, view_name, is_of_names) ON m.view_name = v.relname
WHERE v.is_own"""
_IDS: LiteralString = """SELECT f.table_name, f.column_name, f.field_name, f.relation_table, s.relname, s.is_of_names
FROM ({shown}) AS s JOIN {field} f ON f.table_name = s.table_name
JOIN pg_attribute a ON a.attrelid = s.oid AND a.attname = f.column_name AND a.atttypid = 'bigint'::regtype
WHERE f.odoo_type = 'many2one' AND f.relation_table IS NOT NULL AND f.vanished_at IS NULL
-- A function of PostgreSQL's own would give way to one of its name that takes exactly this row.
AND NOT EXISTS (SELECT FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = f.column_name)"""
_FOUND: LiteralString = """WITH views AS MATERIALIZED ({views}), functions AS MATERIALIZED ({functions})
SELECT p.proname, p.taken, p.prosrc, CASE WHEN r.relnamespace = to_regnamespace('public') THEN r.relname::text END,
    coalesce(d.definition_digest = p.digest AND p.proowner IN {trusted}, false)
FROM functions p JOIN views v ON v.relname = p.taken AND v.is_own
LEFT JOIN pg_type t ON t.oid = p.prorettype LEFT JOIN pg_class r ON r.oid = t.typrelid
LEFT JOIN {relationship} d ON d.function_name = p.proname AND d.argument_name = p.taken"""
_RECORD: LiteralString = (
    "INSERT INTO {relationship} (function_name, argument_name, definition_digest)"
    " SELECT p.proname, p.taken, p.digest FROM ({functions} AND p.oid = ANY({made_now}::regprocedure[])) AS p"
    " ON CONFLICT (function_name, argument_name) DO UPDATE SET definition_digest = excluded.definition_digest"
)
_DEPENDENT: LiteralString = (
    "SELECT DISTINCT f.proname, f.taken FROM pg_class v JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass"
    " AND d.refobjid = v.reltype AND d.classid = 'pg_proc'::regclass"
    " CROSS JOIN LATERAL ({functions} AND p.oid = d.objid) AS f"
    " JOIN {relationship} r ON r.function_name = f.proname AND r.argument_name = f.taken"
    " AND r.definition_digest = f.digest"
    " WHERE v.relname = {view} AND v.relnamespace = to_regnamespace('public') AND f.proowner IN {trusted}"
)
# Who may read the view that a function takes rows of may call it, and nobody else.
_RIGHTS: LiteralString = """
DECLARE
    item record;
BEGIN
    FOR item IN
        WITH functions AS MATERIALIZED ({functions}), readers AS MATERIALIZED (
            SELECT v.relname, array_agg(DISTINCT a.grantee ORDER BY a.grantee)
                FILTER (WHERE a.privilege_type = 'SELECT' AND a.grantee <> v.relowner) AS roles
            FROM ({views}) AS v LEFT JOIN LATERAL aclexplode(coalesce(v.relacl, acldefault('r', v.relowner))) a ON true
            WHERE v.is_own GROUP BY v.relname
        ), callers AS (
            SELECT p.proname, p.taken, coalesce(r.roles, '{{}}') AS readers, coalesce((
                SELECT array_agg(DISTINCT a.grantee ORDER BY a.grantee) FILTER (WHERE a.grantee <> p.proowner)
                FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a), '{{}}') AS roles
            FROM functions p JOIN readers r ON r.relname = p.taken
            JOIN {relationship} d ON d.function_name = p.proname AND d.argument_name = p.taken
                AND d.definition_digest = p.digest
            WHERE pg_has_role(p.proowner, 'USAGE')
        )
        SELECT format('public.%I(public.%I)', proname, taken) AS function,
            (SELECT string_agg({who}, ', ') FROM unnest(roles) a (grantee) WHERE grantee <> ALL (readers)) AS former,
            (SELECT string_agg({who}, ', ') FROM unnest(readers) a (grantee) WHERE grantee <> ALL (roles)) AS missing
        FROM callers WHERE roles <> readers ORDER BY 1
    LOOP
        IF item.former IS NOT NULL THEN
            EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s', item.function, item.former);
        END IF;
        IF item.missing IS NOT NULL THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', item.function, item.missing);
        END IF;
    END LOOP;
END
"""
_ROLE: LiteralString = "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END"
"""The name of an access right's holder, quoted."""

Key: TypeAlias = tuple[str, str]
"""A function's name and the view that it takes rows of."""


@dataclass(frozen=True)
class _Function:
    """A function that is there.

    :param is_own: whether the mirror made it, and nobody has changed it since.
    """

    body: str
    returned: str | None
    is_own: bool


def renew_relationships(shadow: ShadowDatabase) -> None:
    """Make the functions what the catalogue says; each step in a short transaction."""
    try:
        with shadow.transaction() as tx:
            if not _possible(tx):
                return
            stale, missing = _differences(tx)
        for keys in _batched(stale):
            with shadow.transaction() as tx:
                _hold(tx)
                _drop(tx, keys)
        for items in _batched(missing):
            with shadow.transaction() as tx:
                _hold(tx)
                _make(tx, items)
        with shadow.transaction() as tx:
            _renew_rights(tx)
    except ShadowPermissionError as error:
        log.info("The functions for PostgREST are renewed next time: %s", error)
    except ShadowError as error:
        log.warning("The functions for PostgREST are renewed next time: %s", error)


def _possible(tx: Transaction) -> bool:
    """Say whether this role may keep functions in `public`; a mirror in `public` itself has no views there."""
    ((may_create,),) = tx.run("SELECT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)")
    return bool(may_create) and tx.schema != PUBLIC and _has_records(tx)


def _has_records(tx: Transaction) -> bool:
    internal = internal_schema(tx.schema)
    return exists(tx, internal, RELATIONSHIP) and may_use_schema(tx, internal)


def _batched(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what there is to do into transactions."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _hold(tx: Transaction) -> None:
    """Keep others from changing views meanwhile, without waiting for them long."""
    tx.run("SET LOCAL lock_timeout TO {patience}", patience=_PATIENCE)
    lock_schema(tx)


def _differences(tx: Transaction) -> tuple[list[Key], list[Relationship]]:
    """Return the functions that must go, and those that must be made."""
    _recognize_views(tx)
    parts = _parts(tx)
    wanted = relationships(_links(tx))
    found = {(str(name), str(taken)): _Function(*about) for name, taken, *about in tx.run(_FOUND, **parts)}
    foreign = [key for key, there in found.items() if key in wanted and not there.is_own]
    if foreign:
        log.warning(
            "%s: left as they are, because somebody else made or changed these functions, which PostgREST calls for "
            "related rows.",
            first_of(_shown(foreign), _MOST_NAMED),
        )
    stale = [key for key, there in found.items() if there.is_own and not _is(there, wanted.get(key))]
    return stale, [item for key, item in wanted.items() if key not in found or key in stale]


def foreign_functions(tx: Transaction) -> list[str]:
    """Return functions that somebody else made in place of the mirror's own: queries of related rows call them."""
    if not _possible(tx):
        return []
    wanted = relationships(_links(tx))
    return _shown(
        [
            (str(name), str(taken))
            for name, taken, *_, is_own in tx.run(_FOUND, **_parts(tx))
            if not is_own and (name, taken) in wanted
        ]
    )


def _shown(keys: Sequence[Key]) -> list[str]:
    return [f"public.{name}({taken})" for name, taken in keys]


def _links(tx: Transaction) -> list[Link]:
    """Return the columns of ids that views in `public` show, if a view of the same kind shows the records."""
    shown = sql.SQL(_SHOWN).format(meta=tx.own(META), schema=tx.schema, **_parts(tx))
    views = {(table, is_of_names): str(view) for table, is_of_names, view, _ in tx.run("{shown}", shown=shown)}
    return [
        Link(table, column, field, view, views[pointed, is_of_names], is_of_names)
        for table, column, field, pointed, view, is_of_names in tx.run(_IDS, shown=shown, field=tx.own(FIELD))
        if (pointed, is_of_names) in views
    ]


def _is(there: _Function, wanted: Relationship | None) -> bool:
    return wanted is not None and (there.body, there.returned) == (wanted.body, wanted.returned)


def _recognize_views(tx: Transaction) -> None:
    """Record anew the mirror's views that have another object id since a dump was restored."""
    rows = tx.run(
        "SELECT v.relname, m.made_for FROM ({views}) AS v JOIN {made} m ON m.name = v.relname"
        " WHERE NOT v.is_own AND m.schema_name = 'public' AND m.kind = 'view' ORDER BY 1",
        **_parts(tx),
    )
    for name, made_for in rows:
        item = MadeObject(PUBLIC, str(name), ObjectKind.VIEW, str(made_for))
        if standing_of(tx, item) is Standing.OWN:
            tx.cursor.execute(record_statement(tx.schema, item))


def _parts(tx: Transaction) -> dict[str, sql.Composable]:
    made = tx.internal(MADE_OBJECT)
    trusted = sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles))
    return {
        "views": sql.SQL(_VIEWS).format(made=made, trusted=trusted),
        "made": made,
        "relationship": tx.internal(RELATIONSHIP),
        "trusted": trusted,
        "functions": sql.SQL(_FUNCTIONS),
    }


def _make(tx: Transaction, items: Sequence[Relationship]) -> None:
    """Create functions all at once, or one by one if something is in the way of one."""
    try:
        with tx.cursor.connection.transaction():
            tx.run_all([item.statement() for item in items])
            made = [signature(item.name, item.argument).as_string() for item in items]
            tx.run(_RECORD, made_now=made, **_parts(tx))
    except psycopg.Error as error:
        if tx.cursor.connection.closed:
            raise
        if len(items) == 1:
            log.info("No function public.%s(%s): %s.", items[0].name, items[0].argument, said(error))
            return
        for item in items:
            _make(tx, [item])


def _drop(tx: Transaction, keys: Sequence[Key]) -> None:
    """Drop functions one by one: what somebody has built on one keeps it."""
    for key in keys:
        try:
            with tx.cursor.connection.transaction():
                tx.run_all(_drop_statements(tx, [key]))
        except psycopg.errors.DependentObjectsStillExist:
            log.info("public.%s(%s) stays as it was, because something depends on it.", *key)


def dropping_statements(tx: Transaction, view: str) -> list[sql.Composed]:
    """Return the statements that drop the functions that take or return rows of a view, so that it can go."""
    if not _has_records(tx):
        return []
    rows = tx.run(_DEPENDENT, view=view, **_parts(tx))
    return _drop_statements(tx, [(str(name), str(taken)) for name, taken in rows])


def _drop_statements(tx: Transaction, keys: Sequence[Key]) -> list[sql.Composed]:
    if not keys:
        return []
    return [
        *(sql.SQL("DROP FUNCTION {}").format(signature(*key)) for key in keys),
        sql.SQL("DELETE FROM {} WHERE (function_name, argument_name) IN ({})").format(
            tx.internal(RELATIONSHIP), _listed(keys)
        ),
    ]


def _listed(keys: Sequence[Key]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL("({}, {})").format(*key) for key in keys)


def _renew_rights(tx: Transaction) -> None:
    parts = _parts(tx)
    parts["who"] = sql.SQL(_ROLE)
    tx.run("DO {body}", body=sql.SQL(_RIGHTS).format(**parts).as_string())
