"""Who sees a row, as an expression: a document shows only rows that everyone who sees the document sees, too.

The expression gives the companies whose members see the row, as `odoo_shadow_stored_document.companies` has them: 0
stands for everyone, -1 for whoever has a company, and an empty list for nobody. It says of a row what the policy of its
table says; where a row points to several that restrict it, it may say less.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import LiteralString

from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.access.documents import readers_digest, restrictions_in_force
from odoo_shadow.shadow.access.restrictions import Restriction
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.names import internal_schema

_EVERYONE = sql.SQL("'{{0}}'::bigint[]").format()
_WITH_COMPANY = sql.SQL("'{{-1}}'::bigint[]").format()
_NOBODY = sql.SQL("'{{}}'::bigint[]").format()
_NO_RECORD: dict[str, LiteralString] = {ColumnType.BIGINT: "0", ColumnType.TEXT: "''"}


@dataclass(frozen=True)
class Readers:
    """Who sees the rows of a mirror's tables.

    :param restrictions: by table; None where everybody sees all rows.
    """

    schema: str
    restrictions: Mapping[str, Restriction] | None

    @property
    def are_restricted(self) -> bool:
        """Whether rows are hidden from some."""
        return self.restrictions is not None

    def of_row(self, table: str, alias: str) -> sql.Composed:
        """Return the expression for a row."""
        if self.restrictions is None:
            return _EVERYONE
        restriction = self.restrictions.get(table)
        if restriction is None or restriction.closed:
            return _NOBODY
        if restriction.is_open:
            return _EVERYONE
        if restriction.has_company:
            return _of_companies(restriction, alias)
        return self._of_parents(restriction, alias)

    def _of_parents(self, restriction: Restriction, alias: str) -> sql.Composed:
        found = [
            self._of_parent(sql.Identifier(alias, column), parent, f"{alias}_p")
            for column, parent in restriction.parents
        ]
        for column, kind in restriction.of_any_model:
            found.append(
                sql.SQL("CASE WHEN {link} IS NULL OR {link} = {none} THEN {shared} ELSE {nobody} END").format(
                    link=sql.Identifier(alias, column),
                    none=sql.SQL(_NO_RECORD[kind]),
                    shared=_WITH_COMPANY,
                    nobody=_NOBODY,
                )
            )
        both = sql.Identifier(internal_schema(self.schema), "both_see")
        return reduce(lambda one, other: sql.SQL("{}({}, {})").format(both, one, other), found)

    def _of_parent(self, link: sql.Identifier, parent: str, above: str) -> sql.Composed:
        return sql.SQL(
            "CASE WHEN {link} IS NULL THEN {shared} ELSE coalesce((SELECT {readers} FROM {parent} AS {above}"
            " WHERE {id} = {link}), {nobody}) END"
        ).format(
            link=link,
            shared=_WITH_COMPANY,
            readers=self.of_row(parent, above),
            parent=sql.Identifier(self.schema, parent),
            above=sql.Identifier(above),
            id=sql.Identifier(above, names.ID),
            nobody=_NOBODY,
        )

    def all_see(self, table: str, alias: str, document: sql.Composable) -> sql.Composed | None:
        """Return the condition that all who see a document see a row; None if everyone sees all rows of the table.

        :param document: the expression for who sees the document.
        """
        restriction = None if self.restrictions is None else self.restrictions.get(table)
        if self.restrictions is None or (restriction is not None and restriction.is_open):
            return None
        # An empty list, of a document that nobody sees, is contained in any other.
        return sql.SQL(
            "(SELECT s.document <@ s.readers OR s.readers = {with_company} AND s.document <> {everyone}"
            " FROM (SELECT {document} AS document, {readers} AS readers OFFSET 0) AS s)"
        ).format(with_company=_WITH_COMPANY, everyone=_EVERYONE, document=document, readers=self.of_row(table, alias))

    def digest(self, tables: Collection[str]) -> str:
        """Return a digest of what restricts the rows of tables."""
        return readers_digest(self.schema, self.restrictions, tables)


def _of_companies(restriction: Restriction, alias: str) -> sql.Composed:
    if restriction.by_id:
        return sql.SQL("ARRAY[{}]").format(sql.Identifier(alias, names.ID))
    single = sql.SQL(", ").join(sql.Identifier(alias, column) for column in restriction.companies)
    parts = [sql.SQL("array_remove(ARRAY[{}]::bigint[], NULL)").format(single)]
    parts += [
        sql.SQL("coalesce({}, {})").format(sql.Identifier(alias, column), _NOBODY)
        for column in restriction.company_lists
    ]
    return sql.SQL("coalesce(nullif({listed}, {nobody}), {without})").format(
        listed=sql.SQL(" || ").join(parts),
        nobody=_NOBODY,
        without=_NOBODY if restriction.hides_shared else _WITH_COMPANY,
    )


def read_readers(tx: Transaction) -> Readers:
    """Read who sees the rows of the mirror's tables."""
    return Readers(tx.schema, restrictions_in_force(tx))
