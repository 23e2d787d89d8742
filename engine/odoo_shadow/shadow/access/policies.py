"""Writes a restriction as the condition of a policy: which rows of a table the one who queries sees.

The function is asked once per query, since it stands in a subquery of its own; parents are asked with the caller's
rights, so that their own policies count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.restrictions import Restriction
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.relations import COMPANIES

POLICY = "odoo_shadow_readers"

ALL_ROWS = sql.SQL("true").format()
NO_ROW = sql.SQL("false").format()
_EMPTY: dict[str, LiteralString] = {ColumnType.BIGINT: "0", ColumnType.TEXT: "''"}
"""What stands for "no record" besides NULL, in columns that point to records of any model."""


def condition(schema: str, table: str, restriction: Restriction) -> sql.Composed:
    """Return the condition under which a row is seen."""
    if restriction.is_open:
        return ALL_ROWS
    if restriction.closed:
        return NO_ROW
    companies = sql.SQL("(SELECT {}())").format(sql.Identifier(schema, COMPANIES))
    if restriction.has_company:
        return sql.SQL(" OR ").join(_of_companies(restriction, companies))
    # Rows that point to nothing are shared, like those without a company: with whoever has one.
    parts = [sql.SQL("{} <> '{{}}'").format(companies)]
    parts += [_of_parent(schema, table, column, parent) for column, parent in restriction.parents]
    parts += [_of_no_record(column, kind) for column, kind in restriction.of_any_model]
    return sql.SQL(" AND ").join(parts)


def own_entries(schema: str) -> sql.Composed:
    """Return the condition under which an entry of the table of companies is seen: one's own, as in the migration."""
    return sql.SQL(
        "user_id = (SELECT {}() ->> 'sub')"
        " OR role_name IN (SELECT r.rolname FROM pg_roles r WHERE pg_has_role(r.oid, 'USAGE'))"
    ).format(sql.Identifier(schema, "odoo_shadow_claims"))


def _of_companies(restriction: Restriction, companies: sql.Composed) -> Iterator[sql.Composed]:
    ids = [names.ID] if restriction.by_id else restriction.companies
    for column in ids:
        yield sql.SQL("{} = ANY ({}::bigint[])").format(sql.Identifier(column), companies)
    for column in restriction.company_lists:
        yield sql.SQL("{} && {}").format(sql.Identifier(column), companies)
    if restriction.by_id or restriction.hides_shared:
        return
    nothing = [sql.SQL("{} IS NULL").format(sql.Identifier(column)) for column in restriction.companies]
    nothing += [
        sql.SQL("coalesce({}, '{{}}') = '{{}}'").format(sql.Identifier(column)) for column in restriction.company_lists
    ]
    yield sql.SQL("{} AND {} <> '{{}}'").format(sql.SQL(" AND ").join(nothing), companies)


def _of_parent(schema: str, table: str, column: str, parent: str) -> sql.Composed:
    # The parent may have a column of the same name, so the table is named.
    return sql.SQL("({column} IS NULL OR EXISTS (SELECT FROM {parent} p WHERE p.{id} = {table}.{column}))").format(
        column=sql.Identifier(column),
        parent=sql.Identifier(schema, parent),
        id=sql.Identifier(names.ID),
        table=sql.Identifier(table),
    )


def _of_no_record(column: str, kind: str) -> sql.Composed:
    name = sql.Identifier(column)
    return sql.SQL("({name} IS NULL OR {name} = {empty})").format(name=name, empty=sql.SQL(_EMPTY[kind]))
