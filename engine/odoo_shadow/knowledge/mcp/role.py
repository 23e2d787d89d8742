"""Makes sure that the role of the connection can do nothing but read a mirror: the wall that holds by itself.

Whatever deceives the gate runs with this role's rights. So a role that could write, see what only the sync may see, or
reach the server's files is refused, and with it every role that it could become by SET ROLE.
"""

from __future__ import annotations

from typing import LiteralString

from odoo_shadow.shadow.access.reading import check_may_read, grants_for
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowPermissionError
from odoo_shadow.shadow.names import TABLE_PREFIX, internal_schema
from odoo_shadow.shadow.relations import MART_FRESHNESS, META
from odoo_shadow.text.amounts import first_of

LOGIN = "odoo_shadow_mcp"
_MOST_NAMED = 3

# What the role, or one that it could become, is; a superuser is a member of all, so that says enough.
_IS: LiteralString = """
WITH held AS (SELECT r.* FROM pg_roles r WHERE pg_has_role(session_user, r.oid, 'MEMBER')
    AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = session_user AND rolsuper))
SELECT 1, 'is a superuser' FROM pg_roles WHERE rolname = session_user AND rolsuper
UNION ALL
SELECT 2, format('may act as the role ''%s''', rolname) || CASE WHEN rolsuper THEN ', a superuser' ELSE '' END
FROM held WHERE rolname <> session_user AND (rolsuper OR rolname ~ '^pg_')
UNION ALL
SELECT 3, concat(CASE WHEN rolname <> session_user THEN format('may act as ''%s'', which ', rolname) END, 'has ',
    concat_ws(', ', CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
    CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolreplication THEN 'REPLICATION' END))
FROM held WHERE rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
UNION ALL
SELECT 4, format('owns %s', pg_describe_object(d.classid, d.objid, 0)) FROM pg_shdepend d
WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND d.refobjid IN (SELECT oid FROM held)
AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY 1, 2 LIMIT {most}
"""

# What it may do: by rights of its own, and in the schemas that it is served also by those that everyone has.
_MAY: LiteralString = """
WITH held AS (SELECT oid FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER')),
read_schemas AS (
    SELECT n.oid, n.nspname FROM pg_namespace n WHERE n.nspname = {schema} OR EXISTS (SELECT FROM pg_class c
        WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND c.relname IN ({meta}, {freshness}))
),
own AS (SELECT oid FROM read_schemas UNION SELECT oid FROM pg_namespace WHERE nspname = {internal}),
rights AS (
    SELECT c.relnamespace AS place, c.oid::regclass::text AS name, c.relkind, c.relname, a.grantee, a.privilege_type
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.relowner <> a.grantee
    UNION ALL
    SELECT c.relnamespace, c.oid::regclass::text, c.relkind, c.relname, a.grantee, a.privilege_type
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a WHERE c.relowner <> a.grantee
),
held_rights AS (
    SELECT r.*, n.nspname, r.grantee <> 0 AS is_by_name FROM rights r JOIN pg_namespace n ON n.oid = r.place
    WHERE (r.grantee IN (SELECT oid FROM held) OR r.grantee = 0)
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
)
SELECT 1 AS severity, format('may use schema %s, which only the sync may', nspname) AS what FROM pg_namespace
WHERE nspname = {internal} AND has_schema_privilege(oid, 'USAGE')
    OR nspname = {internal} AND EXISTS (SELECT FROM held WHERE has_schema_privilege(held.oid, nspname, 'USAGE'))
UNION ALL
SELECT 2, format('has %s on %s', string_agg(DISTINCT privilege_type, ', '), name) FROM held_rights
WHERE privilege_type <> 'SELECT' AND (is_by_name OR place IN (SELECT oid FROM own)) GROUP BY name
UNION ALL
SELECT 3, format('may read %s', name) FROM held_rights
WHERE privilege_type = 'SELECT' AND is_by_name AND place NOT IN (SELECT oid FROM read_schemas)
AND NOT (nspname = 'public' AND relkind = 'v' AND starts_with(relname, {prefix}))
UNION ALL
SELECT 4, format('may create objects in schema %s', n.nspname) FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
AND (a.grantee IN (SELECT oid FROM held) OR a.grantee = 0 AND n.oid IN (SELECT oid FROM own))
UNION ALL
SELECT 5, format('may create schemas in database %s', d.datname) FROM pg_database d, aclexplode(d.datacl) a
WHERE d.datname = current_database() AND a.privilege_type = 'CREATE' AND a.grantee <> d.datdba
AND (a.grantee = 0 OR a.grantee IN (SELECT oid FROM held))
UNION ALL
SELECT 6, format('may call %s with its owner''s rights', p.oid::regprocedure) FROM pg_proc p, aclexplode(p.proacl) a
WHERE p.prosecdef AND a.grantee IN (SELECT oid FROM held) AND a.grantee <> p.proowner
ORDER BY 1, 2 LIMIT {most}
"""

# What everyone may, and no grant to this role has given: only the gate and the read-only transaction are in its way.
_EVERYONE: LiteralString = """
SELECT format('%s %s', CASE WHEN is_write THEN 'write' ELSE 'read' END, name) FROM (
    SELECT c.oid::regclass::text AS name, bool_or(a.privilege_type <> 'SELECT') AS is_write
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
    WHERE a.grantee = 0 AND has_schema_privilege(n.oid, 'USAGE') AND c.relkind <> 'S'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', {schema})
    AND NOT (n.nspname = 'public' AND c.relkind = 'v' AND starts_with(c.relname, {prefix})) GROUP BY 1) AS t
UNION ALL
SELECT format('call %s with its owner''s rights', p.oid::regprocedure) FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
AND n.nspname NOT IN ('pg_catalog', 'information_schema')
AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
UNION ALL
SELECT format('create objects in schema %s', n.nspname) FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE a.privilege_type = 'CREATE' AND a.grantee = 0
ORDER BY 1 LIMIT {most}
"""


def check_role(tx: Transaction) -> None:
    """Make sure that this connection's role, and every role that it could become, can only read a mirror.

    :raises ShadowPermissionError: it can do more, or cannot read the mirror; the message has the SQL for a proper role.
    """
    parts = {
        "schema": tx.schema,
        "internal": internal_schema(tx.schema),
        "meta": META,
        "freshness": MART_FRESHNESS,
        "prefix": TABLE_PREFIX,
        "most": _MOST_NAMED + 1,
    }
    is_more = tx.run(_IS, most=_MOST_NAMED + 1) or tx.run(_MAY, **parts)
    if is_more:
        ((role,),) = tx.run("SELECT session_user::text")  # a pooler may have another login than its client
        reasons = first_of([str(what) for _, what in is_more], _MOST_NAMED)
        raise ShadowPermissionError(
            f"The MCP server serves a login that can only read, but '{role}' {reasons}: make one, and put it into "
            f"SUPABASE_DB_URL{_beside(tx)}: {proper_role(tx)}"
        )
    check_may_read(tx, (META,), must_be_there=True)


def open_to_everyone(tx: Transaction) -> tuple[str, ...]:
    """Return what everyone in this database may do besides: a few examples, for a warning."""
    rows = tx.run(_EVERYONE, schema=tx.schema, prefix=TABLE_PREFIX, most=_MOST_NAMED + 1)
    return tuple(str(what) for (what,) in rows)


def proper_role(tx: Transaction) -> str:
    """Return the SQL that makes a login that may read this mirror and nothing else."""
    return f"CREATE ROLE {LOGIN} LOGIN PASSWORD '…' CONNECTION LIMIT 10; {grants_for(tx, LOGIN)}"


def _beside(tx: Transaction) -> str:
    """Return which role has to be trusted, too, since it owns what is read; empty if it is a superuser."""
    rows = tx.run(
        "SELECT r.rolname::text FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner"
        " WHERE n.nspname = {schema} AND NOT r.rolsuper",
        schema=tx.schema,
    )
    return f" (with TRUSTED_ROLES={rows[0][0]})" if rows else ""
