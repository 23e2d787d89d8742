"""The functions in `public` by which PostgREST embeds related rows, as values and statements.

PostgREST embeds along foreign keys, which a mirror does not have, and along functions that take a row of one view and
return rows of another: `partner_id(odoo_shadow_sale_order)` returns the partner of an order.

They run with the caller's rights, and show nothing that the caller may not read in the two views.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names

PUBLIC = "public"
_NOT_LISTED_BACK = frozenset({"create_uid", "write_uid"})
"""Fields whose records nobody asks for from the other side: a user who made everything."""

_FORWARD: LiteralString = "SELECT r.* FROM {returned} AS r WHERE r.id = $1.{column}"
_REVERSE: LiteralString = "SELECT r.* FROM {returned} AS r WHERE r.{column} = $1.id"
# Supabase's advisors warn of a function without a search path of its own. One that has it is not inlined.
_FUNCTION: LiteralString = """CREATE FUNCTION {function} RETURNS SETOF {returned}
    LANGUAGE sql STABLE ROWS {rows} SET search_path = pg_catalog, pg_temp AS {body}"""
_MANY = 1000
"""PostgreSQL's own guess for a function that returns a set; PostgREST takes ROWS 1 for at most one row."""


@dataclass(frozen=True)
class Link:
    """A column of ids that a view in `public` shows, and the view of the records that it points to.

    :param table: the table that the view shows.
    :param field: Odoo's name of it.
    :param is_of_names: whether both are named views.
    """

    table: str
    column: str
    field: str
    view: str
    pointed: str
    is_of_names: bool


@dataclass(frozen=True)
class Relationship:
    """A function that takes a row of a view and returns rows of a view.

    :param column: the column of ids, in `argument`, or in `returned` if that is where the ids are.
    :param is_reverse: whether it returns the rows that point to the row.
    """

    name: str
    argument: str
    returned: str
    column: str
    is_reverse: bool = False

    @property
    def body(self) -> str:
        """The query."""
        template = _REVERSE if self.is_reverse else _FORWARD
        parts = {"returned": sql.Identifier(PUBLIC, self.returned), "column": sql.Identifier(self.column)}
        return sql.SQL(template).format(**parts).as_string()

    def statement(self) -> sql.Composed:
        """Return the statement that creates it."""
        return sql.SQL(_FUNCTION).format(
            function=signature(self.name, self.argument),
            returned=sql.Identifier(PUBLIC, self.returned),
            rows=_MANY if self.is_reverse else 1,
            body=self.body,
        )


def signature(name: str, argument: str) -> sql.Composed:
    """Return a function's name with its argument, as statements call it."""
    return sql.SQL("{}({})").format(sql.Identifier(PUBLIC, name), sql.Identifier(PUBLIC, argument))


def relationships(links: Iterable[Link]) -> dict[tuple[str, str], Relationship]:
    """Return the functions of links, by name and argument.

    Each link leads forward, between tables and between their named views, and back between tables.
    """
    ordered = sorted(links, key=lambda link: (link.is_of_names, link.table, link.column))
    found = {
        (link.column, link.view): Relationship(link.column, link.view, link.pointed, link.column) for link in ordered
    }
    for item in _reversed(ordered, found):
        found[item.name, item.argument] = item
    return found


def _reversed(links: Iterable[Link], forward: Collection[tuple[str, str]]) -> Iterator[Relationship]:
    for link in links:
        if link.is_of_names or link.field in _NOT_LISTED_BACK:
            continue
        candidates = names.reverse_names(link.table, link.column)
        name = next(name for name in candidates if (name, link.pointed) not in forward)
        yield Relationship(name, link.pointed, link.view, link.column, is_reverse=True)
