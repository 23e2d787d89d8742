"""How one model's records are read from its table, and what makes sure that it still is the table that was planned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from odoo_shadow.source.database.cells import Cells
from odoo_shadow.source.database.conditions import domain_clause, where_clause
from odoo_shadow.source.database.faults import changed
from odoo_shadow.source.database.links import ROW
from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.relations import Table
from odoo_shadow.source.database.session import Sessions, Transaction
from odoo_shadow.source.errors import OdooRecordIdError
from odoo_shadow.source.reading import EVERYWHERE, Reading, Where

WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_NUMBERS = ("numeric", "double precision", "real")
_ROUNDED: LiteralString = "CASE WHEN {0}.id = trunc({0}.id::numeric) THEN {0}.id::bigint END"


@dataclass(frozen=True)
class Plan:
    """How the records of a reading are read.

    :param asked: the database and the model, as messages name them.
    :param definitions: the SQL of the definitions of properties fields, by field.
    :param omits: whether properties without a value are left out.
    :param reads: all tables that are read.
    :param joined: the many2many whose links may be joined for a range of ids.
    """

    asked: str
    reading: Reading
    cells: Cells
    definitions: Mapping[str, sql.Composable]
    omits: bool
    reads: Relations
    joined: frozenset[str]

    @property
    def table(self) -> Table:
        """The model's own."""
        if self.cells.model.table is None:
            raise AssertionError("a model without a table is not read here")
        return self.cells.model.table

    @property
    def source(self) -> sql.Composed:
        """The model's table, called `r`."""
        return sql.SQL("{} AS {}").format(sql.Identifier(self.cells.schema, self.table.name), ROW)

    @property
    def id(self) -> sql.Composable:
        """The record's id; NULL in place of a fraction, which a view's id may be.

        :raises OdooRecordIdError: ids are no numbers.
        """
        self._check_ids()
        is_whole = self.table.columns["id"] in WHOLE_NUMBERS
        return sql.SQL("{0}.id" if is_whole else _ROUNDED).format(ROW)

    def _check_ids(self) -> None:
        if self.table.columns.get("id", "") not in (*WHOLE_NUMBERS, *_NUMBERS):
            raise no_integer(self.asked)

    def domain(self) -> sql.Composable:
        """Return the reading's own condition."""
        return domain_clause(self.cells.model, self.reading.domain)

    def where(self, where: Where = EVERYWHERE) -> sql.Composed:
        """Return the conditions for some of the reading's records.

        :raises OdooRecordIdError: they are about ids, which are no numbers.
        """
        if where.asks_for_ids:
            self._check_ids()
        return sql.SQL("{} AND {}").format(where_clause(where), self.domain())

    @contextmanager
    def opened(self, sessions: Sessions, *, values: bool) -> Iterator[Transaction]:
        """Open a transaction that reads what was planned. Raises an `OdooError`.

        :param values: whether values are read, in addition to ids and dates.
        """
        with sessions.transaction(self.reading.model, self.reads) as tx:
            self._check(tx, self._fields if values else frozenset())
            yield tx

    @property
    def _fields(self) -> frozenset[str]:
        variants = (name for variant in self.reading.variants for name in variant.fields)
        return frozenset((*self.reading.fields, *variants))

    def _check(self, tx: Transaction, fields: Collection[str]) -> None:
        """Make sure that columns are what they were: of another type, they would be read wrongly.

        :raises OdooServerError: they are not.
        """
        conditions = (str(term[0]) for term in self.reading.domain if isinstance(term, list | tuple) and term)
        wanted = {*fields, *conditions, "id"}
        names = [name for name in self.table.places if name in wanted]
        if not names:
            return
        tx.cursor.execute(
            sql.SQL("SELECT {} FROM {} LIMIT 0").format(
                sql.SQL(", ").join(sql.Identifier(name) for name in names), tx.odoos(self.table.name)
            )
        )
        found = tx.cursor.pgresult
        for at, name in enumerate(names):
            if found is None or (found.ftablecol(at), found.ftype(at)) != self.table.places[name]:
                raise changed(self.asked, f"its column {name} is another one")


def no_integer(asked: str) -> OdooRecordIdError:
    """Build the error for ids that are no integers."""
    return OdooRecordIdError(
        f"{asked} has a record whose id is not an integer, as SQL views may have: rows of the shadow are identified by "
        "integers, so this model cannot be mirrored; leave it out."
    )


def as_id(asked: str, value: object) -> int:
    """Return an id that PostgreSQL gave. Raises `OdooRecordIdError`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise no_integer(asked)
