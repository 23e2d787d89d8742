"""Moves what another mirror left in `public` under the shadow's names into a schema of its own, unchanged.

`ALTER … SET SCHEMA` changes no row: indexes, sequences, rights, policies and triggers move along, and other views on a
table continue to show it, since they refer to it by its object id. Whatever refers to a table by name, such as a
function or a program, finds the shadow's view from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import errors, sql

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import (
    ShadowConfigurationError,
    ShadowConflictError,
    ShadowOwnershipError,
    ShadowPermissionError,
)
from odoo_shadow.shadow.names import TABLE_PREFIX
from odoo_shadow.shadow.owners.foreign_query import TRUSTED_ROLES
from odoo_shadow.shadow.owners.made_objects import (
    MadeObject,
    ObjectKind,
    Standing,
    holds_mirror,
    known_views,
    standing_of,
)
from odoo_shadow.shadow.relations import FUNCTIONS
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.shadow.views.public_views import BEFORE, PUBLIC, PUBLIC_TABLES, publish
from odoo_shadow.text.amounts import first_of

_MOST_NAMED = 5

_RELATIONS: LiteralString = (
    "SELECT c.oid, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'"
    " WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END,"
    " c.relname, c.oid::regclass::text, pg_get_userbyid(c.relowner), pg_has_role(c.relowner, 'USAGE'),"
    " CASE WHEN c.relkind NOT IN ('r', 'm') THEN NULL WHEN c.reltuples >= 0 THEN c.reltuples::bigint"
    " WHEN pg_relation_size(c.oid) = 0 THEN 0 END,"
    " CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) END, holder.oid::regclass::text"
    " FROM pg_class c LEFT JOIN LATERAL ("
    " SELECT i.indrelid AS oid FROM pg_index i WHERE i.indexrelid = c.oid"
    " UNION ALL SELECT d.refobjid FROM pg_depend d WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass"
    " AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')"
    ") AS holder ON true LEFT JOIN pg_class h ON h.oid = holder.oid"
    " WHERE c.relnamespace = to_regnamespace('public') AND starts_with(c.relname, {prefix}) AND c.relkind <> 't'"
    " AND NOT coalesce(h.relnamespace = c.relnamespace AND starts_with(h.relname, {prefix}), false)"
    # An index or sequence, which anybody may have given such a name, counts only if the shadow has a view of that name.
    " AND (holder.oid IS NULL OR c.relname = ANY({wanted}::name[]))"
)
_OTHERS: LiteralString = (
    "SELECT t.oid, 'type', t.typname, format_type(t.oid, NULL), pg_get_userbyid(t.typowner),"
    " pg_has_role(t.typowner, 'USAGE'), NULL::bigint, NULL::bigint, NULL FROM pg_type t"
    " WHERE t.typnamespace = to_regnamespace('public') AND t.typtype IN ('e', 'd', 'r', 'b') AND t.typelem = 0"
    " AND starts_with(t.typname, {prefix})"
    " UNION ALL SELECT p.oid, CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.proname,"
    " p.oid::regprocedure::text, pg_get_userbyid(p.proowner), pg_has_role(p.proowner, 'USAGE'), NULL, NULL, NULL"
    " FROM pg_proc p WHERE p.pronamespace = to_regnamespace('public') AND p.proname = ANY({functions}::name[])"
    " ORDER BY 2, 3, 4"
)
_TAKEN: LiteralString = (
    "SELECT DISTINCT c.relname FROM pg_class c WHERE c.relnamespace = to_regnamespace({before}) AND c.relname IN ("
    " SELECT m.relname FROM pg_class m WHERE m.oid = ANY({relations}::oid[])"
    " UNION SELECT i.relname FROM pg_class i JOIN pg_index x ON x.indexrelid = i.oid"
    " WHERE x.indrelid = ANY({relations}::oid[])"
    " UNION SELECT s.relname FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid"
    " WHERE s.relkind = 'S' AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
    " AND d.refobjid = ANY({relations}::oid[]))"
    " UNION SELECT t.typname FROM pg_type t WHERE t.typnamespace = to_regnamespace({before}) AND t.typelem = 0"
    " AND t.typname IN (SELECT relname FROM pg_class WHERE oid = ANY({relations}::oid[])"
    " UNION SELECT typname FROM pg_type WHERE oid = ANY({types}::oid[]))"
    " UNION SELECT p.proname FROM pg_proc p JOIN pg_proc m ON m.proname = p.proname AND m.proargtypes = p.proargtypes"
    " WHERE p.pronamespace = to_regnamespace({before}) AND m.oid = ANY({functions}::oid[]) ORDER BY 1"
)
_KEYWORD = {"type": "TYPE", "function": "ROUTINE", "aggregate": "AGGREGATE"}


@dataclass(frozen=True)
class LeftBehind:
    """Something in `public` that has one of the shadow's names, or could be in the way of one, and is not a mirror's.

    :param kind: in PostgreSQL's words.
    :param qualified: its qualified name, quoted.
    :param is_ours: whether this role may move it.
    :param rows: an estimate; None for what has no rows, or where PostgreSQL has no estimate.
    :param size: bytes, with indexes; None for what occupies none.
    :param holder: the table that it belongs to, if that is not one of those to be moved.
    """

    object_id: int
    kind: str
    name: str
    qualified: str
    owner: str
    is_ours: bool
    rows: int | None
    size: int | None
    holder: str | None

    @property
    def statement(self) -> str:
        """The statement that moves it."""
        return f"ALTER {_KEYWORD.get(self.kind, 'TABLE')} {self.qualified} SET SCHEMA {BEFORE}"


def find_left_behind(tx: Transaction) -> list[LeftBehind]:
    """List what is to be moved, by kind and name, without what this project's mirrors created.

    :raises ShadowConfigurationError: a mirror of this project has its tables in `public`.
    """
    if holds_mirror(tx, PUBLIC):
        raise ShadowConfigurationError(
            "Schema public holds a mirror of this project itself, whose tables must stay there: nothing is taken over."
        )
    if tx.schema == BEFORE:
        raise ShadowConfigurationError(f"Schema {BEFORE} is where old tables go: name the mirror's own schema.")
    tables = [item.table for item in list_tables(tx)] if schema_version(tx) else []
    rows = tx.run(
        "{relations} UNION ALL {others}",
        relations=sql.SQL(_RELATIONS).format(prefix=TABLE_PREFIX, wanted=[*PUBLIC_TABLES, *tables]),
        others=sql.SQL(_OTHERS).format(prefix=TABLE_PREFIX, functions=list(FUNCTIONS)),
    )
    own = known_views(tx)
    found = [LeftBehind(*row) for row in rows]
    return [item for item in found if not (item.name in own and item.kind == "view") and not _is_a_mirrors(tx, item)]


def _is_a_mirrors(tx: Transaction, item: LeftBehind) -> bool:
    kinds = {"view": ObjectKind.VIEW, "function": ObjectKind.FUNCTION}
    if item.kind not in kinds:
        return False
    made = MadeObject(PUBLIC, item.name, kinds[item.kind], item.name)
    return standing_of(tx, made) in (Standing.OWN, Standing.ANOTHER_MIRRORS)


def check_movable(tx: Transaction, found: Sequence[LeftBehind]) -> None:
    """Make sure that all of it can be moved.

    :raises ShadowConflictError: something is in the way, in either schema.
    :raises ShadowOwnershipError: the schema that it moves to belongs to a role that is not trusted.
    :raises ShadowPermissionError: some of it is not this role's; the message has the statements for an administrator.
    """
    _check_holders(found)
    _check_schema(tx)
    taken = _taken(tx, found)
    if taken:
        raise ShadowConflictError(
            f"Schema {BEFORE} already contains these names: {first_of(taken, _MOST_NAMED)}: nothing was moved, "
            "since nothing there is overwritten. Rename them, drop them, or rename the schema: "
            f"ALTER SCHEMA {BEFORE} RENAME TO …"
        )
    others = [item for item in found if not item.is_ours]
    if others:
        owners = first_of(sorted({item.owner for item in others}), _MOST_NAMED)
        raise ShadowPermissionError(
            f"{len(others)} of these belong to other roles ({owners}): nothing was moved. Have an administrator run "
            f"this command with their own login, or: {'; '.join(statements_for_others(tx, found)[:_MOST_NAMED])} …"
        )


def statements_for_others(tx: Transaction, found: Sequence[LeftBehind]) -> list[str]:
    """Return the statements with which an administrator moves what is not this role's."""
    others = [item.statement for item in found if not item.is_ours]
    role = sql.Identifier(tx.cursor.connection.info.user).as_string()
    return [f"CREATE SCHEMA IF NOT EXISTS {BEFORE} AUTHORIZATION {role}", *others] if others else []


def _check_holders(found: Sequence[LeftBehind]) -> None:
    held = next((item for item in found if item.holder is not None), None)
    if held is not None:
        keyword = "INDEX" if held.kind == "index" else "SEQUENCE"
        raise ShadowConflictError(
            f"The {held.kind} {held.qualified} belongs to {held.holder}, which has another name and stays: nothing was "
            f"moved. Give it another name: ALTER {keyword} {held.qualified} RENAME TO {held.name[:50]}_before"
        )


def _check_schema(tx: Transaction) -> None:
    rows = tx.run(
        "SELECT pg_get_userbyid(nspowner), nspowner IN {trusted}, has_schema_privilege(oid, 'CREATE') FROM pg_namespace"
        " WHERE nspname = {before}",
        trusted=sql.SQL(TRUSTED_ROLES).format(roles=sorted(tx.trust.roles)),
        before=BEFORE,
    )
    role = sql.Identifier(tx.cursor.connection.info.user).as_string()
    if rows and not rows[0][1]:
        raise ShadowOwnershipError(
            f"Schema {BEFORE} belongs to the role '{rows[0][0]}', which could drop what is moved there: nothing was "
            f"moved. Have an administrator run: ALTER SCHEMA {BEFORE} OWNER TO {role}"
        )
    if rows and not rows[0][2]:
        raise ShadowPermissionError(
            f"The role {role} has no right to create objects in schema {BEFORE}: nothing was moved. Have an "
            "administrator run: "
            f"GRANT USAGE, CREATE ON SCHEMA {BEFORE} TO {role}"
        )


def _taken(tx: Transaction, found: Sequence[LeftBehind]) -> list[str]:
    rows = tx.run(
        _TAKEN,
        before=BEFORE,
        relations=[item.object_id for item in found if item.kind not in _KEYWORD] + _composites(tx, found),
        types=[item.object_id for item in found if item.kind == "type"],
        functions=[item.object_id for item in found if item.kind in ("function", "aggregate")],
    )
    return [str(row[0]) for row in rows]


def _composites(tx: Transaction, found: Sequence[LeftBehind]) -> list[int]:
    ids = [item.object_id for item in found if item.kind == "type"]
    rows = tx.run("SELECT oid FROM pg_class WHERE oid = ANY({ids}::oid[]) AND relkind = 'c'", ids=ids)
    return [int(row[0]) for row in rows]


def move_left_behind(tx: Transaction, shown: Sequence[LeftBehind]) -> None:
    """Move all of it, or nothing; then create the shadow's own views under the names, if there is a shadow.

    :param shown: what a person has seen and agreed to.
    :raises ShadowConflictError: it has changed since.
    """
    found = find_left_behind(tx)
    if [(item.object_id, item.qualified) for item in found] != [(item.object_id, item.qualified) for item in shown]:
        raise ShadowConflictError("The objects in schema public have changed since they were shown: nothing was moved.")
    check_movable(tx, found)
    if found:
        _make_schema(tx)
    for item in found:
        try:
            tx.cursor.execute(sql.SQL("{}").format(sql.SQL(item.statement)))
        except (errors.DuplicateTable, errors.DuplicateObject, errors.DuplicateFunction):
            raise ShadowConflictError(
                f"Schema {BEFORE} already contains something named {item.name}: nothing was moved."
            ) from None
    if schema_version(tx) == VERSION:
        publish(tx, (*PUBLIC_TABLES, *(item.table for item in list_tables(tx))))


def _make_schema(tx: Transaction) -> None:
    if tx.run("SELECT 1 FROM pg_namespace WHERE nspname = {before}", before=BEFORE):
        return  # IF NOT EXISTS would ask for the right to make schemas
    role = sql.Identifier(tx.cursor.connection.info.user).as_string()
    try:
        with tx.cursor.connection.transaction():
            tx.run("CREATE SCHEMA {before}", before=sql.Identifier(BEFORE))
    except errors.InsufficientPrivilege:
        raise ShadowPermissionError(
            f"The role {role} has no right to create a schema: nothing was moved. Have an administrator run: "
            f"CREATE SCHEMA {BEFORE} AUTHORIZATION {role}"
        ) from None
