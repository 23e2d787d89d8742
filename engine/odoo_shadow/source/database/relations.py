"""Tables and views, as PostgreSQL's catalogue tells of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from psycopg import sql

from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.errors import OdooAccessError


@dataclass(frozen=True)
class Table:
    """A table or a view of Odoo's database.

    :param kind: as `pg_class` has it: `r`, `p` and `f` are tables; `v` and `m` views, whose rows are made by a query.
    :param columns: their types, as `format_type` writes them, by name.
    :param places: their numbers and the ids of their types, by name: what is the same only as long as they are.
    :param may_be_read: whether the role has SELECT on it, and it is Odoo's.
    :param stranger: the role to which it belongs, if that is neither Odoo's, nor one who may do all that Odoo's may.
    """

    name: str
    kind: str
    columns: Mapping[str, str]
    places: Mapping[str, tuple[int, int]]
    may_be_read: bool
    stranger: str | None = None

    @property
    def is_view(self) -> bool:
        """Whether its rows are made by a query."""
        return self.kind in ("v", "m")

    @property
    def may_be_locked(self) -> bool:
        """Whether PostgreSQL locks such a relation: a materialized view is replaced as a whole, and never empty."""
        return self.kind in ("r", "p", "v")


def read_tables(tx: Transaction, names: Iterable[str]) -> dict[str, Table]:
    """Return what there is of some tables and views, by name.

    Whoever may create tables in Odoo's schema could put there what Odoo has no table of, such as a view with functions
    that would be called with the rights of the role that reads. So what is not Odoo's is not read.
    """
    rows = tx.run(
        "SELECT c.relname, c.relkind,"
        " has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),"
        " (SELECT jsonb_object_agg(a.attname, jsonb_build_array("
        "format_type(a.atttypid, NULL), a.attnum, a.atttypid::bigint)) FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),"
        " o.rolname, o.rolsuper OR o.oid = d.datdba OR pg_has_role(o.oid, m.relowner, 'MEMBER')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner"
        " JOIN pg_database d ON d.datname = current_database()"
        " LEFT JOIN pg_class m ON m.relnamespace = n.oid AND m.relname = 'ir_model'"
        " WHERE n.nspname = {schema} AND c.relname = ANY({names}::name[])"
        " AND c.relkind IN ('r', 'p', 'f', 'v', 'm')",
        schema=tx.schema,
        names=sorted(set(names)),
    )
    found: dict[str, Table] = {}
    for name, kind, may, columns, owner, is_odoos in rows:
        given = columns or {}
        found[str(name)] = Table(
            str(name),
            str(kind),
            {column: str(parts[0]) for column, parts in given.items()},
            {column: (int(parts[1]), int(parts[2])) for column, parts in given.items()},
            bool(may and is_odoos),
            None if is_odoos else str(owner),
        )
    return found


def check_rights(tx: Transaction, asked: str, tables: Collection[Table]) -> Relations:
    """Return what is to be locked to read some tables.

    :param asked: what messages call the database and the model.
    :raises OdooAccessError: the role may not read one of them, or it is not Odoo's.
    """
    for table in tables:
        if table.stranger is not None:
            raise OdooAccessError(
                f"{asked}: {table.name} belongs to the role '{table.stranger}', not to Odoo's, so nothing is read from "
                "it: leave the model out, or give the table to the owner of ir_model."
            )
        if not table.may_be_read:
            role = tx.cursor.connection.info.user
            raise OdooAccessError(f"{asked}: the role '{role}' lacks SELECT on {table.name}: {granting(tx)}.")
    return Relations(
        tuple(sorted({table.name for table in tables if table.may_be_locked})),
        has_views=any(table.is_view for table in tables),
    )


def granting(tx: Transaction) -> str:
    """Return the statements that let the role read all that it needs."""
    role = sql.Identifier(tx.cursor.connection.info.user).as_string()
    schema = sql.Identifier(tx.schema).as_string()
    return f"GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"


def has_table(tx: Transaction, name: str) -> bool:
    """Say whether Odoo's schema has a table of this name."""
    rows = tx.run(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = {schema} AND c.relname = {name} AND c.relkind IN ('r', 'p', 'f')",
        schema=tx.schema,
        name=name,
    )
    return bool(rows)


def may_read(tx: Transaction, name: str) -> bool:
    """Say whether the role may read a table, and it is Odoo's."""
    table = read_tables(tx, [name]).get(name)
    return table is not None and table.may_be_read
