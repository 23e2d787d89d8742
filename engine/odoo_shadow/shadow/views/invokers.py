"""Finds views that show rows with their owner's rights, which row-level security does not hold back.

The mirror's own views run with the rights of whoever queries (`security_invoker`), and are made so again. What somebody
else has built on a mirror is left alone and named.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.access.mode import RowLevelSecurity, read_mode
from odoo_shadow.shadow.access.policies import POLICY
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.owners.made_objects import MadeObject, ObjectKind, Standing, standing_of
from odoo_shadow.shadow.relations import COMPANY_ACCESS, MADE_OBJECT, META

_PATIENCE = "5s"

_IS_INVOKER: LiteralString = (
    "EXISTS (SELECT FROM pg_options_to_table(c.reloptions)"
    " WHERE option_name = 'security_invoker' AND option_value::boolean)"
)
# Whoever owns a view can have it show what that role sees at any time, even one that runs with the caller's rights now.
# In public, `public_views` reports what belongs to others.
_OF_OTHERS: LiteralString = (
    "SELECT format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner) FROM {made} m"
    " JOIN pg_namespace n ON n.nspname = m.schema_name"
    " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m.name"
    " WHERE m.kind = 'view' AND m.schema_name = {schema} AND c.relowner NOT IN {trusted} ORDER BY 1"
)
_OF_OWNER: LiteralString = (
    "SELECT m.schema_name, m.name, m.made_for, c.oid = m.object_id FROM {made} m"
    " JOIN pg_namespace n ON n.nspname = m.schema_name"
    " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = m.name AND c.relkind = 'v'"
    " WHERE m.kind = 'view' AND NOT {is_invoker} ORDER BY 1, 2"
)
# What depends on a restricted table, on whatever level, and can be read by somebody other than its owner.
_EXPOSING: LiteralString = """WITH RECURSIVE shown (id) AS (
    SELECT c.oid FROM (SELECT table_name FROM {meta} UNION ALL SELECT {access}) AS m
    JOIN pg_class c ON c.relname = m.table_name AND c.relkind IN ('r', 'p')
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = {schema}
    WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = {policy}
        AND pg_get_expr(p.polqual, p.polrelid) = 'true')
    UNION
    SELECT r.ev_class FROM shown s JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.id
        AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
)
SELECT format('%I.%I', n.nspname, c.relname) FROM shown s JOIN pg_class c ON c.oid = s.id
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind = 'm' OR c.relkind = 'v' AND NOT {is_invoker}) AND (
    EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner)
    OR EXISTS (SELECT FROM pg_attribute t, aclexplode(t.attacl) a
        WHERE t.attrelid = c.oid AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner))
ORDER BY 1"""


def views_of_owner(tx: Transaction) -> list[tuple[str, str]]:
    """Return the schemas and names of the mirror's own views that show rows with their owner's rights."""
    rows = tx.run(_OF_OWNER, made=tx.internal(MADE_OBJECT), is_invoker=sql.SQL(_IS_INVOKER))
    return [
        (str(schema), str(name))
        for schema, name, made_for, is_recorded in rows
        if is_recorded
        or standing_of(tx, MadeObject(str(schema), str(name), ObjectKind.VIEW, str(made_for))) is Standing.OWN
    ]


def views_of_others(tx: Transaction) -> list[str]:
    """Return sentences about views of the mirror that have come to belong to a role that is not trusted."""
    trusted = sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles))
    rows = tx.run(_OF_OTHERS, made=tx.internal(MADE_OBJECT), schema=tx.schema, trusted=trusted)
    own = sql.Identifier(tx.cursor.connection.info.user).as_string()
    return [
        f"The view {view} belongs to the role '{owner}', which can have it show any rows: have an administrator run "
        f"ALTER VIEW {view} OWNER TO {own}; or drop it."
        for view, owner in rows
    ]


def exposing_views(tx: Transaction) -> list[str]:
    """Return views that show others the rows that their owner sees, although rows are restricted by company.

    They are somebody's own, in any schema: views without `security_invoker`, and materialized views, which have copies.
    """
    if read_mode(tx) is not RowLevelSecurity.COMPANY:
        return []
    rows = tx.run(
        _EXPOSING,
        meta=tx.own(META),
        access=COMPANY_ACCESS,
        schema=tx.schema,
        policy=POLICY,
        is_invoker=sql.SQL(_IS_INVOKER),
    )
    return [str(row[0]) for row in rows]


def renew_invokers(shadow: ShadowDatabase) -> tuple[str, ...]:
    """Make the mirror's own views run with the rights of whoever queries; return what could not be done."""
    try:
        with shadow.transaction() as tx:
            found, problems = views_of_owner(tx), views_of_others(tx)
    except ShadowError as error:
        return (f"Whether the views show only what their readers may see could not be checked: {error}",)
    for view in found:
        try:
            with shadow.transaction() as tx:
                tx.run("SET LOCAL lock_timeout TO {patience}", patience=_PATIENCE)
                tx.run("ALTER VIEW {view} SET (security_invoker = true)", view=sql.Identifier(*view))
        except ShadowError as error:
            problems.append(f"The view {'.'.join(view)} shows rows with the rights of its owner: {error}")
    return tuple(problems)
