"""The query on PostgreSQL's catalogue for what in a mirror's schemas belongs to other roles, or gives them a way in.

Every command runs it (`ownership`), and so do the files of `ddl` themselves, before they use anything.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow.names import TABLE_PREFIX, internal_schema
from odoo_shadow.shadow.relations import CONTROL_TABLES, FUNCTIONS, READING_FUNCTIONS

TRUSTED_ROLES: LiteralString = (
    "(SELECT r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolname = current_user OR r.rolname = ANY({roles}::name[])"
    # PostgreSQL's own name for the owner of the database; schema public belongs to it.
    " OR r.rolname = 'pg_database_owner' AND EXISTS (SELECT FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba"
    " WHERE d.datname = current_database()"
    " AND (o.rolsuper OR o.rolname = current_user OR o.rolname = ANY({roles}::name[]))))"
)
"""The roles whose objects the sync uses, as a subquery; `{roles}` are trusted by name."""

WHO: LiteralString = "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END"
"""The name of an access right's holder, from `aclexplode(…) a`."""

# Everything that has a name of the mirror's own tables, and every table that is named like a mirrored one.
_LOOKS_OWN: LiteralString = (
    "(n.nspname = {internal} OR n.nspname = {schema} AND (c.relname = ANY({control}::name[])"
    " OR starts_with(c.relname, {prefix}) AND c.relkind IN ('r', 'p', 'f')))"
)

_SETS: LiteralString = """WITH RECURSIVE trusted AS {trusted},
own AS (
    SELECT c.oid, c.relname, c.relowner, c.relacl, c.relkind, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {scope} AND c.relkind NOT IN ('i', 'I', 'S', 't', 'c')
    UNION
    SELECT c.oid, c.relname, c.relowner, c.relacl, c.relkind, n.nspname
    FROM own JOIN pg_inherits i ON i.inhparent = own.oid JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind NOT IN ('i', 'I')
),
called AS (
    SELECT d.classid, d.objid, p.oid AS code, p.proowner AS owner
    FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid
    WHERE d.refclassid = 'pg_proc'::regclass AND p.proowner NOT IN (TABLE trusted)
    UNION SELECT d.classid, d.objid, o.oid, o.oprowner FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid
    WHERE d.refclassid = 'pg_operator'::regclass AND o.oprowner NOT IN (TABLE trusted)
    UNION SELECT d.classid, d.objid, t.oid, t.typowner FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid
    WHERE d.refclassid = 'pg_type'::regclass AND t.typowner NOT IN (TABLE trusted)
)
"""

# What a relation is, who owns it, and through what other roles get in. A trigger may be agreed to by its definition,
# unless its WHEN calls another role's code, which can change without it.
_OF_RELATIONS: LiteralString = """SELECT format('%s %s.%s', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table'
    WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'relation' END,
    nspname, relname), pg_get_userbyid(relowner)::text, NULL::text
FROM own WHERE relowner NOT IN (TABLE trusted)
UNION ALL
SELECT format('child table %s of %s', i.inhrelid::regclass, own.relname), pg_get_userbyid(c.relowner), NULL
FROM pg_inherits i JOIN own ON own.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
WHERE own.relkind = 'r'
UNION ALL
SELECT format('right %s on %s', a.privilege_type, own.relname), {who}, NULL
FROM own, aclexplode(coalesce(own.relacl, acldefault('r', own.relowner))) a
WHERE a.privilege_type IN ('TRIGGER', 'REFERENCES') AND a.grantee NOT IN (TABLE trusted) AND a.grantee <> own.relowner
UNION ALL
SELECT format('right REFERENCES on %s of %s', t.attname, own.relname), {who}, NULL
FROM own JOIN pg_attribute t ON t.attrelid = own.oid AND t.attacl IS NOT NULL, aclexplode(t.attacl) a
WHERE a.privilege_type = 'REFERENCES' AND a.grantee NOT IN (TABLE trusted)
UNION ALL
SELECT format('foreign key %s of %s to %s', k.conname, k.conrelid::regclass, own.relname),
    pg_get_userbyid(c.relowner), NULL
FROM pg_constraint k JOIN own ON own.oid = k.confrelid JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND c.relowner NOT IN (TABLE trusted)
UNION ALL
SELECT format('trigger %s on %s', t.tgname, own.relname), pg_get_userbyid(p.proowner),
    CASE WHEN NOT EXISTS (SELECT FROM called k
        WHERE k.classid = 'pg_trigger'::regclass AND k.objid = t.oid AND k.code <> t.tgfoid)
    THEN concat_ws(' ', pg_get_triggerdef(t.oid), pg_get_userbyid(p.proowner), p.prosrc) END
FROM pg_trigger t JOIN own ON own.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND (p.proowner NOT IN (TABLE trusted)
    OR EXISTS (SELECT FROM called WHERE classid = 'pg_trigger'::regclass AND objid = t.oid))
UNION ALL
SELECT format('rule %s on %s', r.rulename, own.relname), pg_get_userbyid(own.relowner), pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN own ON own.oid = r.ev_class WHERE r.ev_type <> '1'
UNION ALL
SELECT format('%s of %s, which calls code of another role', found.kind, own.relname),
    pg_get_userbyid(called.owner), NULL
FROM called JOIN (
    SELECT 'pg_attrdef'::regclass, oid, adrelid, 'a default or generated column' FROM pg_attrdef
    UNION ALL SELECT 'pg_policy'::regclass, oid, polrelid, 'a policy' FROM pg_policy
    UNION ALL SELECT 'pg_constraint'::regclass, oid, conrelid, 'a constraint' FROM pg_constraint
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, ev_class, 'a rule' FROM pg_rewrite
    UNION ALL SELECT 'pg_class'::regclass, indexrelid, indrelid, 'an index' FROM pg_index
    UNION ALL SELECT 'pg_class'::regclass, oid, oid, 'a column' FROM own
) AS found (classid, oid, relation, kind) ON found.classid = called.classid AND found.oid = called.objid
JOIN own ON own.oid = found.relation"""

_OF_SCHEMAS: LiteralString = """SELECT 'schema ' || nspname, pg_get_userbyid(nspowner)::text, NULL
FROM pg_namespace WHERE nspname IN ({schema}, {internal}) AND nspowner NOT IN (TABLE trusted)
UNION ALL
SELECT format('right %s on schema %s', a.privilege_type, n.nspname), {who}, NULL
FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = {internal} AND a.grantee NOT IN (TABLE trusted) AND a.grantee <> n.nspowner
UNION ALL
SELECT format('function %s.%s', n.nspname, p.proname), pg_get_userbyid(p.proowner), NULL
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = {schema} AND p.proname = ANY({functions}::name[]) AND p.proowner NOT IN (TABLE trusted)"""


def foreign_in_schemas(schema: str, roles: list[str]) -> sql.Composed:
    """Return the query for all of a mirror's schemas: what it is, its role, and a definition that can be agreed to."""
    scope = sql.SQL(_LOOKS_OWN).format(
        internal=internal_schema(schema), schema=schema, control=list(CONTROL_TABLES), prefix=TABLE_PREFIX
    )
    of_schemas = sql.SQL(_OF_SCHEMAS).format(
        schema=schema, internal=internal_schema(schema), functions=[*FUNCTIONS, *READING_FUNCTIONS], who=sql.SQL(WHO)
    )
    return sql.SQL("{}\nUNION ALL\n{}\nORDER BY 1").format(foreign_in(scope, roles), of_schemas)


def foreign_in_other_schema(schema: str, prefix: str, roles: list[str]) -> sql.Composed:
    """Return the query for a schema that is not the mirror's own, and its relations whose names begin like `prefix`."""
    scope = sql.SQL("n.nspname = {} AND starts_with(c.relname, {})").format(schema, prefix)
    of_schema = sql.SQL(
        "SELECT 'schema ' || nspname, pg_get_userbyid(nspowner)::text, NULL"
        " FROM pg_namespace WHERE nspname = {} AND nspowner NOT IN (TABLE trusted)"
    ).format(schema)
    return sql.SQL("{}\nUNION ALL\n{}\nORDER BY 1").format(foreign_in(scope, roles), of_schema)


def foreign_in(scope: sql.Composed, roles: list[str]) -> sql.Composed:
    """Return the query for some relations only.

    :param scope: a condition on `pg_class c` and `pg_namespace n`.
    """
    sets = sql.SQL(_SETS).format(trusted=sql.SQL(TRUSTED_ROLES).format(roles=roles), scope=scope)
    return sql.SQL("{}{}").format(sets, sql.SQL(_OF_RELATIONS).format(who=sql.SQL(WHO)))
