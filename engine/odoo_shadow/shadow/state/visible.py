"""What of a mirror there is and what of it a role may read, found by one query on PostgreSQL's own catalogue.

A reader of the shadow has no right on the internal schema, and either role may meet a schema of an earlier version,
which has fewer tables and indexes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from odoo_shadow.shadow.connection.database import DEFAULT_SCHEMA, Transaction
from odoo_shadow.shadow.names import as_stored, internal_schema
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.owners.ownership import as_foreign, foreign_by_name, foreign_by_registry, not_trusted
from odoo_shadow.shadow.relations import (
    CONTROL_TABLES,
    MART_FRESHNESS,
    META,
    MIRROR,
    NEWEST_OF_KIND,
    STORED_DOCUMENT,
)
from odoo_shadow.shadow.state.schema import FORMER_MIRROR, ORIGIN_COLUMNS, Origin
from odoo_shadow.shadow.state.schema_statements import VERSION

MARTS = "odoo_marts"
MOST_MARTS_SCHEMAS = 100
"""Schemas of marts that are read, of all mirrors of a database: only their rows say whose they are."""
_MOST_EMBEDDINGS = 5
"""Columns of embeddings that are looked at: there is one, or two while documents get another model's."""


@dataclass(frozen=True)
class Visible:
    """The names of what this role may read in a mirror's two schemas.

    :param own: tables and indexes in the mirror's own schema.
    :param internal: those of the internal schema; empty for a reader.
    :param is_internal_there: whether there is an internal schema that holds the mirror's version.
    :param marts_schemas: schemas of marts, of this mirror or another, that belong to trusted roles; this mirror's usual
        one first.
    :param more_marts_schemas: how many more there are.
    :param embedding_columns: those of the stored documents.
    """

    own: frozenset[str]
    internal: frozenset[str]
    is_internal_there: bool
    marts_schemas: tuple[str, ...] = ()
    more_marts_schemas: int = 0
    embedding_columns: tuple[str, ...] = ()

    @property
    def sees_internal(self) -> bool:
        """Whether this role may read the internal schema, as the sync's role may."""
        return MIRROR in self.internal

    @property
    def may_hold_mirror(self) -> bool:
        """Whether there is a registry; the version says whether it is a mirror's."""
        return META in self.own

    def version(self, tx: Transaction) -> sql.Composable:
        """Return the expression for the version of the schema, 0 where there is no mirror."""
        mirror = self._mirror(tx)
        if mirror is None and not self.is_internal_there:
            return sql.Literal(0)
        # Only the sync's role upgrades a schema.
        return sql.Literal(VERSION) if mirror is None else sql.SQL("SELECT max(schema_version) FROM {}").format(mirror)

    def origin(self, tx: Transaction) -> sql.Composable:
        """Return the expression for the recorded Odoo database, for `as_origin`."""
        mirror = self._mirror(tx)
        if mirror is None:
            return sql.NULL
        return sql.SQL("SELECT json_build_array({}) FROM {} m WHERE odoo_database IS NOT NULL LIMIT 1").format(
            ORIGIN_COLUMNS, mirror
        )

    def _mirror(self, tx: Transaction) -> sql.Identifier | None:
        if self.sees_internal:
            return tx.internal(MIRROR)
        is_former = FORMER_MIRROR in self.own and not self.is_internal_there
        return tx.own(FORMER_MIRROR) if is_former else None


def usual_marts_schema(mirror: str) -> str:
    """Return the schema of a mirror's marts, unless somebody names another.

    :param mirror: its name; that of its schema, if it has none.
    """
    return MARTS if mirror == DEFAULT_SCHEMA else as_stored(f"{MARTS}_{mirror}")


def look_at(tx: Transaction) -> Visible:
    """Find out what there is, after checking who owns what has a name of the mirror's.

    :raises ShadowOwnershipError: something that the sync would use belongs to a role that is not trusted.
    """
    ((own, internal, is_internal_there, is_reader, marts_schemas, embeddings, foreign),) = tx.run(
        "WITH there AS (SELECT n.nspname, c.relname::text AS name, c.relkind, c.oid,"
        " c.relkind = 'i' OR has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS may_read"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ({schema}, {internal}) AND c.relkind IN ('r', 'i'))"
        # Without a right on the registry, reading it says so.
        " SELECT ARRAY(SELECT name FROM there WHERE nspname = {schema} AND (may_read OR name = {meta})"
        " AND name = ANY({names})),"
        " ARRAY(SELECT name FROM there WHERE nspname = {internal} AND may_read),"
        " EXISTS (SELECT FROM there WHERE nspname = {internal} AND name = {mirror}),"
        " EXISTS (SELECT FROM pg_namespace WHERE nspname = {internal} AND NOT has_schema_privilege(oid, 'USAGE')),"
        " ARRAY(SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = {freshness} AND c.relkind = 'r' AND c.relowner IN {trusted}"
        " AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        " ORDER BY n.nspname <> {usual_marts}, n.nspname),"
        " ARRAY(SELECT a.attname::text FROM there t JOIN pg_attribute a ON a.attrelid = t.oid"
        " WHERE t.nspname = {schema} AND t.name = {documents} AND t.may_read AND NOT a.attisdropped"
        " AND a.attname ~ '^embedding_[0-9]{{1,6}}$' ORDER BY a.attnum DESC LIMIT {most_embeddings}),"
        " (SELECT json_agg(json_build_array(f.what, f.role, f.definition)) FROM ({foreign})"
        " AS f (what, role, definition))",
        schema=tx.schema,
        freshness=MART_FRESHNESS,
        trusted=sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)),
        usual_marts=usual_marts_schema(tx.schema),
        internal=internal_schema(tx.schema),
        meta=META,
        names=[*CONTROL_TABLES, STORED_DOCUMENT, FORMER_MIRROR, NEWEST_OF_KIND],
        documents=STORED_DOCUMENT,
        most_embeddings=_MOST_EMBEDDINGS,
        mirror=MIRROR,
        foreign=foreign_by_name(tx),
    )
    found = as_foreign(foreign or (), tx.trust)
    if found:
        raise not_trusted(tx, found, is_reader=is_reader)
    read = tuple(marts_schemas[:MOST_MARTS_SCHEMAS])
    more = len(marts_schemas) - len(read)
    return Visible(frozenset(own), frozenset(internal), is_internal_there, read, more, tuple(embeddings))


def as_origin(found: Sequence[Any] | None) -> Origin | None:
    """Return the Odoo database that the expression of `Visible.origin` found."""
    return None if found is None else Origin(*found)


def read_values(tx: Transaction, visible: Visible, expressions: Sequence[sql.Composable]) -> Sequence[Any] | None:
    """Return the value of each expression, all by one query; None if the registry that is there is not a mirror's.

    :param expressions: each is a query for one value.
    :raises ShadowOwnershipError: something of another role stands in the place of a mirrored table.
    """
    foreign = sql.SQL("SELECT json_agg(json_build_array(f.what, f.role, f.definition)) FROM ({}) AS f {}").format(
        foreign_by_registry(tx), sql.SQL("(what, role, definition)")
    )
    wanted = [visible.version(tx), foreign, *expressions]
    values = sql.SQL(", ").join(sql.SQL("({})").format(item) for item in wanted)
    ((version, foreign_rows, *found),) = tx.run("SELECT {values}", values=values)
    not_agreed = as_foreign(foreign_rows or (), tx.trust)
    if version and not_agreed:
        raise not_trusted(tx, not_agreed, is_reader=not visible.sees_internal)
    return found if version else None
