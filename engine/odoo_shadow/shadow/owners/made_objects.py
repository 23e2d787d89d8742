"""Finds out which views and functions are the mirror's own: by their owner, and by what it recorded on creating them.

A name or a comment proves nothing: anyone who can create objects in a schema chooses them. What is not recorded, or has
another object id since a dump was restored, is the mirror's own only if its owner is trusted and it shows exactly what
the mirror's own would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.owners.ownership import exists
from odoo_shadow.shadow.relations import MADE_OBJECT, META, MIRROR, READ_VERSION, SEARCH

_PUBLIC = "public"


class ObjectKind(StrEnum):
    """What the mirror creates other than tables."""

    VIEW = "view"
    FUNCTION = "function"


class Standing(StrEnum):
    """Whose object has a name."""

    FREE = "nothing has the name"
    OWN = "this mirror's own"
    ANOTHER_MIRRORS = "another mirror's"
    FOREIGN = "something else"


@dataclass(frozen=True)
class MadeObject:
    """A view or function that the mirror creates.

    :param made_for: the table that it shows, or the function that it calls; in the mirror's own schema.
    """

    schema: str
    name: str
    kind: ObjectKind
    made_for: str


_VIEW: LiteralString = (
    "SELECT c.oid, c.relowner, md5(r.ev_action::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v'"
    " WHERE n.nspname = {schema} AND c.relname = {name}"
)
_FUNCTION: LiteralString = (
    "SELECT p.oid, p.proowner, md5(p.prosrc) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname = {schema} AND p.proname = {name}"
)
_FOUND = {ObjectKind.VIEW: _VIEW, ObjectKind.FUNCTION: _FUNCTION}
_RECORD: LiteralString = (
    "INSERT INTO {made} (schema_name, name, kind, object_id, owner_name, definition_digest, made_for)"
    " SELECT {schema}, {name}, {kind}, found.oid, pg_get_userbyid(found.owner), found.digest, {made_for}"
    " FROM ({found}) AS found (oid, owner, digest) WHERE found.digest IS NOT NULL"
    " ON CONFLICT (schema_name, name, kind) DO UPDATE SET object_id = excluded.object_id,"
    " owner_name = excluded.owner_name, definition_digest = excluded.definition_digest, made_for = excluded.made_for"
)


def record_statement(mirror_schema: str, item: MadeObject) -> sql.Composed:
    """Return the statement that records what was just created; running it twice does no harm."""
    return sql.SQL(_RECORD).format(
        made=sql.Identifier(internal_schema(mirror_schema), MADE_OBJECT),
        schema=item.schema,
        name=item.name,
        kind=str(item.kind),
        made_for=item.made_for,
        found=sql.SQL(_FOUND[item.kind]).format(schema=item.schema, name=item.name),
    )


def standing_of(tx: Transaction, item: MadeObject) -> Standing:
    """Find out whose object has this name."""
    if item.kind is ObjectKind.VIEW and _is_plain_type(tx, item):
        return Standing.FOREIGN
    rows = tx.run(
        "SELECT found.oid, pg_get_userbyid(found.owner), found.digest, {is_trusted}"
        " FROM ({found}) AS found (oid, owner, digest)",
        is_trusted=_trusted(tx, sql.SQL("found.owner")),
        found=sql.SQL(_FOUND[item.kind]).format(schema=item.schema, name=item.name),
    )
    if not rows:
        return Standing.FREE
    if item.schema == _PUBLIC != tx.schema and all(row[3] for row in rows) and holds_mirror(tx, _PUBLIC):
        return Standing.ANOTHER_MIRRORS
    recorded = _recorded(tx, item)
    found = [
        _standing(tx, item, int(oid), (oid, owner, digest) == recorded, bool(ok)) for oid, owner, digest, ok in rows
    ]
    return next(item for item in (Standing.FOREIGN, Standing.ANOTHER_MIRRORS, Standing.OWN) if item in found)


def holds_mirror(tx: Transaction, schema: str) -> bool:
    """Say whether a schema holds a mirror: its internal schema must be there, and belong to trusted roles."""
    rows = tx.run(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {internal}"
        " AND c.relname = {mirror} AND c.relkind = 'r' AND {schema_is_trusted} AND {table_is_trusted}",
        internal=internal_schema(schema),
        mirror=MIRROR,
        schema_is_trusted=_trusted(tx, sql.SQL("n.nspowner")),
        table_is_trusted=_trusted(tx, sql.SQL("c.relowner")),
    )
    return bool(rows)


def _is_plain_type(tx: Transaction, item: MadeObject) -> bool:
    """Say whether a type that belongs to no relation has the name: a view also needs its name as a type."""
    rows = tx.run(
        "SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = {schema} AND t.typname = {name} AND t.typrelid = 0",
        schema=item.schema,
        name=item.name,
    )
    return bool(rows)


def known_views(tx: Transaction) -> set[str]:
    """Return the views in `public` that are unchanged since this mirror created them: others need a closer check."""
    if not exists(tx, internal_schema(tx.schema), MADE_OBJECT):
        return set()
    rows = tx.run(
        "SELECT m.name FROM {made} m JOIN pg_class c ON c.oid = m.object_id AND c.relname = m.name"
        " JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'"
        " WHERE m.schema_name = 'public' AND c.relnamespace = to_regnamespace('public') AND {is_trusted}"
        " AND m.owner_name = pg_get_userbyid(c.relowner) AND m.definition_digest = md5(r.ev_action::text)",
        made=tx.internal(MADE_OBJECT),
        is_trusted=_trusted(tx, sql.SQL("c.relowner")),
    )
    return {str(row[0]) for row in rows}


_UNEXPLAINED: LiteralString = """WITH trusted AS {trusted},
mirrors AS (
    SELECT n.oid, n.nspname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = {meta} AND c.relkind = 'r' AND n.nspowner IN (TABLE trusted) AND c.relowner IN (TABLE trusted)
    UNION SELECT oid, nspname::text FROM pg_namespace WHERE nspname = {schema}
)
SELECT w.name::text FROM ({views}) AS w (name)
WHERE EXISTS (SELECT FROM pg_type t
    WHERE t.typnamespace = to_regnamespace('public') AND t.typname = w.name::name AND t.typrelid = 0)
OR EXISTS (SELECT FROM pg_class c
    WHERE c.relnamespace = to_regnamespace('public') AND c.relname = w.name::name
    AND (c.relowner IN (TABLE trusted) AND (
        SELECT count(*) = 1 AND bool_and(s.relname = c.relname AND s.relnamespace IN (SELECT oid FROM mirrors))
        FROM (SELECT DISTINCT d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass
            AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
            WHERE r.ev_class = c.oid AND r.rulename = '_RETURN' AND c.relkind = 'v') AS shown
        JOIN pg_class s ON s.oid = shown.refobjid)) IS NOT TRUE)
UNION ALL
SELECT DISTINCT p.proname::text FROM pg_proc p JOIN (VALUES {functions}) AS f (name, body) ON f.name = p.proname
WHERE p.pronamespace = to_regnamespace('public') AND NOT (p.proowner IN (TABLE trusted) AND EXISTS (
    SELECT FROM mirrors m WHERE p.prosrc = replace(f.body, '"*"', '"' || replace(m.name, '"', '""') || '"')))"""


def unexplained_names(tx: Transaction, views: sql.Composable, functions: Sequence[str]) -> sql.Composed:
    """Return the query for names in `public` of what is not plainly a mirror's: `standing_of` says whose it is.

    What is plainly a mirror's belongs to a trusted role, and shows or calls nothing but its namesake in a mirror.

    :param views: a query for the names of tables.
    """
    bodies = [sql.SQL("({}, {})").format(name, function_body("*", name)) for name in functions]
    return sql.SQL(_UNEXPLAINED).format(
        trusted=sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)),
        meta=META,
        schema=tx.schema,
        views=views,
        functions=sql.SQL(", ").join(bodies),
    )


def _recorded(tx: Transaction, item: MadeObject) -> tuple[object, ...] | None:
    if not exists(tx, internal_schema(tx.schema), MADE_OBJECT):
        return None
    rows = tx.run(
        "SELECT object_id, owner_name, definition_digest FROM {made}"
        " WHERE schema_name = {schema} AND name = {name} AND kind = {kind} AND made_for = {made_for}",
        made=tx.internal(MADE_OBJECT),
        schema=item.schema,
        name=item.name,
        kind=str(item.kind),
        made_for=item.made_for,
    )
    return tuple(rows[0]) if rows else None


def _standing(tx: Transaction, item: MadeObject, object_id: int, is_recorded: bool, is_trusted: bool) -> Standing:
    if not is_trusted:
        return Standing.FOREIGN
    if is_recorded:
        return Standing.OWN
    shows = _shown_by_view if item.kind is ObjectKind.VIEW else _called_by_function
    schemas = shows(tx, item, object_id)
    if tx.schema in schemas:
        return Standing.OWN
    return Standing.ANOTHER_MIRRORS if schemas else Standing.FOREIGN


def _shown_by_view(tx: Transaction, item: MadeObject, object_id: int) -> set[str]:
    """Return the schema of the mirror whose table, and nothing else, a view shows."""
    rows = tx.run(
        "SELECT n.nspname, c.relname FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass"
        " AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class"
        " JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE r.ev_class = {view} AND r.rulename = '_RETURN' GROUP BY 1, 2",
        view=object_id,
    )
    schemas = {str(schema) for schema, _ in rows} & {tx.schema, *mirror_schemas(tx)}
    if item.schema == tx.schema:  # a named view depends on other tables as well
        return {tx.schema} if (tx.schema, item.made_for) in rows and len({schema for schema, _ in rows}) == 1 else set()
    return schemas if len(rows) == 1 and str(rows[0][1]) == item.made_for else set()


def shown_mirrors(tx: Transaction, name: str) -> set[str]:
    """Return the schemas of other mirrors whose table a view in `public` shows."""
    item = MadeObject(_PUBLIC, name, ObjectKind.VIEW, name)
    rows = tx.run(_FOUND[item.kind], schema=item.schema, name=item.name)
    return {schema for row in rows for schema in _shown_by_view(tx, item, int(row[0]))} - {tx.schema}


def _called_by_function(tx: Transaction, item: MadeObject, object_id: int) -> set[str]:
    """Return the schema of the mirror whose function, and nothing else, a function calls."""
    ((body,),) = tx.run("SELECT prosrc FROM pg_proc WHERE oid = {function}", function=object_id)
    # This mirror's own schema may have been dropped, which leaves the function behind.
    return {schema for schema in {tx.schema, *mirror_schemas(tx)} if body == function_body(schema, item.made_for)}


def mirror_schemas(tx: Transaction) -> set[str]:
    """Return the schemas of this project's mirrors that belong to trusted roles."""
    rows = tx.run(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = {meta} AND c.relkind = 'r' AND {schema_is_trusted} AND {table_is_trusted}",
        meta=META,
        schema_is_trusted=_trusted(tx, sql.SQL("n.nspowner")),
        table_is_trusted=_trusted(tx, sql.SQL("c.relowner")),
    )
    return {str(row[0]) for row in rows}


def _trusted(tx: Transaction, owner: sql.SQL) -> sql.Composed:
    return sql.SQL("{} IN {}").format(owner, sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)))


_CALLS: dict[str, LiteralString] = {
    "get_shadow_watermark": "SELECT {function}(p_table_name)",
    "update_shadow_watermark": "SELECT {function}(p_table_name, p_write_date, p_last_id, p_rows_synced)",
    READ_VERSION: "SELECT {function}(p_tables)",
    SEARCH: ("SELECT * FROM {function}(query, query_embedding, match_count, models, company_ids, since, until)"),
}


def function_body(schema: str, name: str) -> str:
    """Return the body of a function in `public` that calls its namesake in a mirror's schema."""
    return sql.SQL(_CALLS[name]).format(function=sql.Identifier(schema, name)).as_string()
