"""Checks who owns what the sync uses in the shadow's database, and whose code would run with the sync's rights.

Triggers, rules, policies, defaults and generated columns of a table run as the role that writes it. So nothing in the
mirror's schemas is used before its owner is known: the sync's role, a superuser, or a role that is trusted by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import ShadowOwnershipError
from odoo_shadow.shadow.names import internal_schema
from odoo_shadow.shadow.owners.foreign_query import foreign_in, foreign_in_other_schema, foreign_in_schemas
from odoo_shadow.shadow.relations import CONTROL_TABLES, META
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.shown import shown

_MOST_NAMED = 5
_DIGEST_LENGTH = 32
"""Hexadecimal digits: 128 bits, since the owner of the code may search for other code with the same digest."""


@dataclass(frozen=True)
class Foreign:
    """Something in the mirror's schemas that the sync must not use.

    :param what: such as `table odoo_shadow.odoo_shadow_res_partner`, or `trigger audit on …`.
    :param role: who owns it, its code, or the right to it.
    :param digest: of a trigger's or rule's definition, which can be agreed to; None for what cannot.
    """

    what: str
    role: str
    digest: str | None

    def __str__(self) -> str:
        """Return it in words, with the text that agrees to it."""
        agreed = f", as agreed object '{self.agreement}'" if self.digest else ""
        return f"{shown(self.what)} (role '{shown(self.role)}'{agreed})"

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


def check_trust(tx: Transaction) -> None:
    """Make sure that nothing in the mirror's schemas belongs to a role that is not trusted.

    :raises ShadowOwnershipError: names what does, and what to do.
    """
    found = list_foreign(tx)
    if found:
        raise not_trusted(tx, found, is_reader=not may_use_schema(tx, internal_schema(tx.schema)))


def not_trusted(tx: Transaction, found: Sequence[Foreign], *, is_reader: bool) -> ShadowOwnershipError:
    """Return the error about what is in the mirror's schemas and belongs to roles that are not trusted.

    :param is_reader: whether this role may not use the internal schema.
    """
    if is_reader:
        roles = {item.role for item in found}
        if len(roles) == 1 and f"schema {tx.schema}" in {item.what for item in found}:
            return ShadowOwnershipError(
                f"The schema '{tx.schema}' belongs to the role '{shown(roles.pop())}': name it with --trusted-roles "
                "(TRUSTED_ROLES), if you trust it."
            )
        return ShadowOwnershipError(
            f"Schema '{tx.schema}' does not belong to this role ({_named(found)}): a reader of that mirror must name "
            "the sync's role with --trusted-roles (TRUSTED_ROLES); a sync needs two schemas of its own."
        )
    return ShadowOwnershipError(
        f"Schema '{tx.schema}' contains what other roles own or control, and what would run with this role's rights: "
        f"{_named(found)}. Drop it, transfer it to this role, or revoke it, such as REVOKE TRIGGER, REFERENCES ON ALL "
        f"TABLES IN SCHEMA {sql.Identifier(tx.schema).as_string(tx.cursor)} FROM the role; or trust the role by name "
        "(trusted_roles, --trusted-roles); a trigger or a rule can be agreed to (agreed_objects, --agreed-objects)."
    )


def may_use_schema(tx: Transaction, schema: str) -> bool:
    """Say whether the role may use a schema; true for a schema that does not exist, which hides nothing."""
    ((may,),) = tx.run(
        "SELECT coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = {name}), true)",
        name=schema,
    )
    return bool(may)


def list_foreign(tx: Transaction) -> list[Foreign]:
    """List what roles that are not trusted have in the mirror's schemas. Reads PostgreSQL's own catalogue only.

    The registry is read only once its owner is known: it names tables in whose place somebody may have put a view.
    """
    found = _ask(tx, foreign_by_name(tx))
    if found or not _has_registry(tx) or not _others_are_registered(tx):
        return found
    return _ask(tx, foreign_by_registry(tx))


def list_foreign_in(tx: Transaction, schema: str, prefix: str) -> list[Foreign]:
    """List what roles that are not trusted have in a schema that is built from the mirror: the schema, and relations.

    :param prefix: how the names of relations that count begin.
    """
    return _ask(tx, foreign_in_other_schema(schema, prefix, sorted(tx.trust.roles)))


def foreign_by_name(tx: Transaction) -> sql.Composed:
    """Return the query for `as_foreign` on everything that has a name of the mirror's."""
    return foreign_in_schemas(tx.schema, sorted(tx.trust.roles))


def foreign_by_registry(tx: Transaction) -> sql.Composed:
    """Return the query for `as_foreign` on what stands in the place of tables that a trusted registry names."""
    return foreign_in(_others_registered(tx), sorted(tx.trust.roles))


def _others_registered(tx: Transaction) -> sql.Composed:
    """Return the condition on what has the name of a registered table and is none."""
    return sql.SQL(
        "n.nspname = {} AND c.relkind NOT IN ('r', 'p', 'f') AND c.relname IN (SELECT table_name FROM {})"
    ).format(tx.schema, tx.own(META))


def _others_are_registered(tx: Transaction) -> bool:
    """Say whether there is something of that kind: seldom, and quicker to ask than whose it is."""
    rows = tx.run(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {others} LIMIT 1",
        others=_others_registered(tx),
    )
    return bool(rows)


def _has_registry(tx: Transaction) -> bool:
    """Say whether the registry exists, rather than something else with its name."""
    rows = tx.run(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'table_name' AND NOT a.attisdropped"
        " WHERE n.nspname = {schema} AND c.relname = {meta} AND c.relkind = 'r'",
        schema=tx.schema,
        meta=META,
    )
    return bool(rows)


def guard_table(tx: Transaction, table: str) -> None:
    """Keep others from changing what runs with a table's rows until the transaction ends, and check it again.

    The control tables are written in the same transaction, so they are guarded, too.

    :raises ShadowOwnershipError: somebody has put code of their own there.
    """
    rows = tx.run(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = ANY({names}::name[]) AND c.relkind IN ('r', 'p') ORDER BY 1",
        schema=tx.schema,
        names=[table, *CONTROL_TABLES],
    )
    written = [str(row[0]) for row in rows]
    # CREATE TRIGGER, CREATE RULE and ALTER TABLE wait for this.
    tx.run("LOCK TABLE {tables} IN ROW EXCLUSIVE MODE", tables=sql.SQL(", ").join(map(tx.own, written)))
    scope = sql.SQL("n.nspname = {} AND c.relname = ANY({}::name[])").format(tx.schema, written)
    found = _ask(tx, foreign_in(scope, sorted(tx.trust.roles)))
    if found:
        raise ShadowOwnershipError(
            f"{tx.schema}.{table} was changed while it was mirrored: {_named(found)}: nothing more was written. "
            "Find out who did that (odoo-shadow doctor)."
        )


def _ask(tx: Transaction, query: sql.Composed) -> list[Foreign]:
    return as_foreign(tx.run("{q}", q=query), tx.trust)


def as_foreign(rows: Iterable[Sequence[str | None]], trust: Trust) -> list[Foreign]:
    """Return what the rows of a query on other roles' objects mean, without what was agreed to."""
    found = [Foreign(str(what), str(role), _digest(definition)) for what, role, definition in rows]
    return [item for item in found if item.digest is None or item.agreement not in trust.objects]


def _digest(definition: str | None) -> str | None:
    return None if definition is None else hashlib.sha256(definition.encode()).hexdigest()[:_DIGEST_LENGTH]


def _named(found: Sequence[Foreign]) -> str:
    return first_of(found, _MOST_NAMED, "; ")
