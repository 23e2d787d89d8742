"""Who owns what the sync would use in the shadow's database, and whose code would run with the sync's rights.

Triggers, rules, policies, defaults and generated columns of a table run as whoever writes it. So nothing of the
mirror's schemas is used before its owner is known: the sync's role, a superuser, or a role that is trusted by name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql
from psycopg.rows import TupleRow

from airflow_provider_odoo_shadow.target.database import Transaction
from airflow_provider_odoo_shadow.target.errors import ShadowOwnershipError
from airflow_provider_odoo_shadow.target.names import TABLE_PREFIX, internal_schema
from airflow_provider_odoo_shadow.target.relations import CONTROL_TABLES, FUNCTIONS, META, SYNC_LOG, WATERMARK
from airflow_provider_odoo_shadow.text.shown import shown

_MOST_NAMED = 5


@dataclass(frozen=True)
class Foreign:
    """Something in the mirror's schemas that the sync must not use.

    :param what: such as `table odoo_shadow.odoo_shadow_res_partner`, or `trigger audit on …`.
    :param role: who owns it, or its code; None when everybody might.
    :param digest: of a trigger's or rule's definition, which can be agreed to; None for what cannot.
    """

    what: str
    role: str | None
    digest: str | None = None

    def __str__(self) -> str:
        """Return it in words, with what to agree to."""
        whose = f"role '{shown(self.role)}'" if self.role else "a role that is not known"
        agreed = f", as agreed object '{self.agreement}'" if self.digest else ""
        return f"{shown(self.what)} ({whose}{agreed})"

    @property
    def agreement(self) -> str:
        """The text that agrees to it."""
        return f"{shown(self.what)} {self.digest}"


def exists(tx: Transaction, schema: str, name: str) -> bool:
    """Say whether a schema holds a relation of this name; needs no right on the schema."""
    ((there,),) = tx.run(
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {name})",
        schema=schema,
        name=name,
    )
    return bool(there)


def has_tables(tx: Transaction) -> bool:
    """Say whether the mirror's schema holds any table that looks like the mirror's."""
    ((there,),) = tx.run(
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND starts_with(c.relname, {prefix}) AND c.relkind IN ('r', 'p'))",
        schema=tx.schema,
        prefix=TABLE_PREFIX,
    )
    return bool(there)


def check_trust(tx: Transaction) -> None:
    """Make sure that nothing of the mirror's schemas belongs to somebody who is not trusted.

    :raises ShadowOwnershipError: names what does, and the cure.
    """
    found = list_foreign(tx)
    if not found:
        return
    named = "; ".join(map(str, found[:_MOST_NAMED])) + (" …" if len(found) > _MOST_NAMED else "")
    raise ShadowOwnershipError(
        f"Schema '{tx.schema}' holds what other roles own or control, and what would run with this role's rights: "
        f"{named}. Drop it, or give it to this role; or trust the role by name (trusted_roles, --trusted-roles), "
        "or agree to the object (agreed_objects, --agreed-objects)."
    )


def list_foreign(tx: Transaction) -> list[Foreign]:
    """List what the mirror's schemas hold of roles that are not trusted. Reads PostgreSQL's own catalogue only.

    The registry is looked at when it is known whose it is.
    """
    found = [*_owned(tx), *_code(tx, _of_schemas(tx))]
    if found or not exists(tx, tx.schema, META):
        return found
    return _registered(tx)


def guard_table(tx: Transaction, table: str) -> None:
    """Keep others from changing what runs with a table's rows until the transaction ends, and look at it once more.

    :raises ShadowOwnershipError: somebody has put code of his own there.
    """
    written = [name for name in (table, META, WATERMARK, SYNC_LOG) if exists(tx, tx.schema, name)]
    # CREATE TRIGGER, CREATE RULE and ALTER TABLE wait for this.
    listed = sql.SQL(", ").join(map(tx.own, written))
    tx.run("LOCK TABLE {tables} IN ROW EXCLUSIVE MODE", tables=listed)
    scope = sql.SQL("n.nspname = {} AND c.relname = ANY({})").format(tx.schema, written)
    found = [*_relations(tx, scope), *_code(tx, scope)]
    if found:
        raise ShadowOwnershipError(
            f"{tx.schema}.{table} was changed while it was mirrored: {'; '.join(map(str, found[:_MOST_NAMED]))}: "
            "nothing more was written. Find out who did that (odoo-shadow doctor)."
        )


TRUSTED_ROLES: LiteralString = (
    "(SELECT r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolname = current_user OR r.rolname = ANY({roles}::name[])"
    # PostgreSQL's own name for whoever owns the database; schema public belongs to it.
    " OR r.rolname = 'pg_database_owner' AND EXISTS (SELECT FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba"
    " WHERE d.datname = current_database()"
    " AND (o.rolsuper OR o.rolname = current_user OR o.rolname = ANY({roles}::name[]))))"
)
"""The roles whose objects the sync uses, as a subquery; `{roles}` are those that are trusted by name."""

_TRUSTED: LiteralString = "WITH trusted AS " + TRUSTED_ROLES
# The mirror's own tables, whatever else stands under their names, and every table that looks like the mirror's.
_LOOKS_OWN: LiteralString = (
    "(n.nspname = {internal} OR n.nspname = {schema} AND (c.relname = ANY({control})"
    " OR starts_with(c.relname, {prefix}) AND c.relkind IN ('r', 'p', 'f')))"
)


def _of_schemas(tx: Transaction) -> sql.Composed:
    return sql.SQL(_LOOKS_OWN).format(
        internal=internal_schema(tx.schema), schema=tx.schema, control=list(CONTROL_TABLES), prefix=TABLE_PREFIX
    )


def _owned(tx: Transaction) -> list[Foreign]:
    """List schemas, tables and functions by their owners."""
    rows = _ask(
        tx,
        " SELECT 'schema ' || nspname, pg_get_userbyid(nspowner) FROM pg_namespace"
        " WHERE nspname IN ({schema}, {internal}) AND nspowner NOT IN (TABLE trusted)"
        " UNION ALL"
        " SELECT format('function %s.%s', n.nspname, p.proname), pg_get_userbyid(p.proowner) FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = {schema} AND p.proname = ANY({functions})"
        " AND p.proowner NOT IN (TABLE trusted) ORDER BY 1",
        internal=internal_schema(tx.schema),
        functions=list(FUNCTIONS),
    )
    return [*(Foreign(str(what), str(role)) for what, role in rows), *_relations(tx, _of_schemas(tx))]


def _relations(tx: Transaction, scope: sql.Composed) -> list[Foreign]:
    """List relations by their owners; a view in a table's place is nobody's own."""
    rows = _ask(
        tx,
        " SELECT format('%s %s.%s', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'"
        " WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'relation' END, n.nspname, c.relname),"
        " pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE {scope} AND c.relkind NOT IN ('i', 'I', 'S', 't', 'c') AND c.relowner NOT IN (TABLE trusted)"
        " ORDER BY 1",
        scope=scope,
    )
    return [Foreign(str(what), str(role)) for what, role in rows]


def _registered(tx: Transaction) -> list[Foreign]:
    """List what stands under registered tables' names, such as somebody's view in the place of a dropped table."""
    scope = sql.SQL("n.nspname = {} AND c.relname IN (SELECT table_name FROM {})").format(tx.schema, tx.own(META))
    return _relations(tx, scope)


def _code(tx: Transaction, scope: sql.Composed) -> list[Foreign]:
    """List triggers and rules that were not agreed to, and code of others that a table's definition calls."""
    rows = _ask(
        tx,
        ", own AS (SELECT c.oid, c.relname, c.relowner, c.relacl FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {scope}),"
        # Whoever may make triggers on a table may also have made those whose functions are trusted.
        " open AS (SELECT own.oid FROM own, aclexplode(coalesce(own.relacl, acldefault('r', own.relowner))) a"
        " WHERE a.privilege_type = 'TRIGGER' AND a.grantee NOT IN (TABLE trusted)),"
        " called AS (SELECT d.classid, d.objid, p.proowner AS owner"
        "  FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid"
        "  WHERE d.refclassid = 'pg_proc'::regclass AND p.proowner NOT IN (TABLE trusted)"
        "  UNION SELECT d.classid, d.objid, o.oprowner FROM pg_depend d JOIN pg_operator o ON o.oid = d.refobjid"
        "  WHERE d.refclassid = 'pg_operator'::regclass AND o.oprowner NOT IN (TABLE trusted)"
        "  UNION SELECT d.classid, d.objid, t.typowner FROM pg_depend d JOIN pg_type t ON t.oid = d.refobjid"
        "  WHERE d.refclassid = 'pg_type'::regclass AND t.typowner NOT IN (TABLE trusted))"
        " SELECT format('trigger %s on %s', t.tgname, own.relname), pg_get_userbyid(p.proowner),"
        "  pg_get_triggerdef(t.oid) || ' ' || p.proowner || ' ' || p.prosrc"
        " FROM pg_trigger t JOIN own ON own.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE NOT t.tgisinternal AND (p.proowner NOT IN (TABLE trusted) OR own.oid IN (TABLE open)"
        "  OR EXISTS (SELECT FROM called WHERE classid = 'pg_trigger'::regclass AND objid = t.oid))"
        " UNION ALL"
        " SELECT format('rule %s on %s', r.rulename, own.relname), pg_get_userbyid(own.relowner), pg_get_ruledef(r.oid)"
        " FROM pg_rewrite r JOIN own ON own.oid = r.ev_class WHERE r.ev_type <> '1'"
        " UNION ALL"
        " SELECT format('%s of %s, which calls code of another role', found.kind, own.relname),"
        "  pg_get_userbyid(called.owner), NULL"
        " FROM called JOIN ("
        "  SELECT 'pg_attrdef'::regclass, oid, adrelid, 'a default or generated column' FROM pg_attrdef"
        "  UNION ALL SELECT 'pg_policy'::regclass, oid, polrelid, 'a policy' FROM pg_policy"
        "  UNION ALL SELECT 'pg_constraint'::regclass, oid, conrelid, 'a constraint' FROM pg_constraint"
        "  UNION ALL SELECT 'pg_rewrite'::regclass, oid, ev_class, 'a rule' FROM pg_rewrite"
        "  UNION ALL SELECT 'pg_class'::regclass, indexrelid, indrelid, 'an index' FROM pg_index"
        "  UNION ALL SELECT 'pg_class'::regclass, oid, oid, 'a column' FROM own"
        " ) AS found (classid, oid, relation, kind) ON found.classid = called.classid AND found.oid = called.objid"
        " JOIN own ON own.oid = found.relation ORDER BY 1",
        scope=scope,
    )
    foreign = [
        Foreign(str(what), str(role), None if definition is None else _digest(str(definition)))
        for what, role, definition in rows
    ]
    return [item for item in foreign if item.digest is None or item.agreement not in tx.trust.objects]


def _digest(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()[:8]


def _ask(tx: Transaction, query: LiteralString, **parts: object) -> list[TupleRow]:
    template: LiteralString = _TRUSTED + query
    return tx.run(template, schema=tx.schema, roles=sorted(tx.trust.roles), **parts)
