"""Stages a page of rows, writes it, and finds the rows that PostgreSQL does not take.

A page is copied and written as a whole, after one savepoint. Only when PostgreSQL refuses a value, or when somebody's
constraint, index or generated column refuses a row, it is tried again in halves, down to single rows; all other rows
are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

import psycopg
from psycopg import errors as pg
from psycopg import sql

from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.errors import is_about_a_row, refusal_of

Cell: TypeAlias = str | int | float | bool | None
Row: TypeAlias = tuple[Cell, ...]

STAGING = sql.Identifier("pg_temp", "odoo_shadow_staging")
"""The staging table of a page; exists until the transaction ends."""

_ESCAPED = re.compile(r"\\(.)")
_COPIED_AS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
"""Characters after a backslash in COPY's text format; any other means itself."""

ALL_STAGED = sql.SQL("true")

MOST_REFUSED = 1_000
"""Rows of one page, or of one scan, that may be refused; with more, something else is wrong."""

FEWEST_TELLING = 20
"""If at least this many rows are all refused, the cause is not their values."""

MOST_EXPLAINED = 20
"""Rows of one page for which the columns to blame are searched."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Refused:
    """A row that is not in the table, or only in an older version.

    :param fields: the fields, or else the columns, that are to blame; none where that is not known.
    :param reason: without the value.
    """

    id: int
    fields: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class CopyText:
    """Rows in the text format of COPY.

    :param text: whole lines in its text format, of which the first value is the id; without escapes of bytes, which
        PostgreSQL itself does not write.
    """

    text: bytes

    def rows(self) -> list[Row]:
        """Return the rows one by one: needed only when PostgreSQL does not take them together.

        Bytes that are not UTF-8 stay such as no database takes: their row is refused, and no other.
        """
        return [_cells(line) for line in self.text.decode(errors="surrogateescape").split("\n")[:-1]]


def _cells(line: str) -> Row:
    record_id, *others = line.split("\t")
    return (int(record_id), *(None if value == r"\N" else _ESCAPED.sub(_unescaped, value) for value in others))


def _unescaped(found: re.Match[str]) -> str:
    return _COPIED_AS.get(found[1], found[1])


def are_too_many(refused: int, tried: int) -> bool:
    """Say whether so many of a page's rows are refused that the cause is not single values."""
    return refused > MOST_REFUSED or refused == tried >= FEWEST_TELLING


def stage_rows(tx: Transaction, table: str, columns: Sequence[str], rows: Sequence[Row] | CopyText) -> list[Refused]:
    """Copy rows into `STAGING`, which has a mirror table's columns in these rows' order. Once per transaction.

    :param columns: `id` first.
    :return: the rows that are not staged, since a value does not fit its column.
    """
    _, refused = write_staged(tx, table, columns, rows, lambda _: None)
    return refused


def write_staged(
    tx: Transaction,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Row] | CopyText,
    write: Callable[[sql.Composable], _Result],
) -> tuple[list[_Result], list[Refused]]:
    """Copy rows into `STAGING` and write them from there. Once per transaction.

    :param columns: `id` first.
    :param write: writes the rows of `STAGING` that meet a condition; it calls them `staged`.
    :return: what each call of `write` returned, and the rows that are not written.
    """
    page = _Page(tx, table, columns)
    page.open()
    try:
        page.copy(columns, rows)
        return [write(ALL_STAGED)], []
    except psycopg.Error as fault:
        if not is_about_a_row(fault):
            raise
        tx.run("ROLLBACK TO SAVEPOINT odoo_shadow_page")
        rows = rows.rows() if isinstance(rows, CopyText) else rows
        done, refused = page.write_in_parts(rows, write)
        if are_too_many(len(refused), len(rows)):
            raise
        return done, refused


@dataclass(frozen=True)
class _Page:
    """Rows of some columns of one table."""

    tx: Transaction
    table: str
    columns: Sequence[str]

    def open(self) -> None:
        """Create the staging table, and make deferred constraints check at once."""
        create = sql.SQL(
            "CREATE TEMPORARY TABLE odoo_shadow_staging ON COMMIT DROP AS SELECT {listed} FROM {target} WITH NO DATA"
        ).format(listed=listed(self.columns), target=self.tx.own(self.table))
        self.tx.run_all([create, sql.SQL("SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT odoo_shadow_page").format()])

    def copy(self, columns: Sequence[str], rows: Sequence[Row] | CopyText) -> None:
        copy_in = sql.SQL("COPY {staging} ({listed}) FROM STDIN").format(staging=STAGING, listed=listed(columns))
        try:
            with self.tx.cursor.copy(copy_in) as copy:
                if isinstance(rows, CopyText):
                    copy.write(rows.text)
                else:
                    for row in rows:
                        copy.write_row(row)
        except UnicodeEncodeError:  # raised on this side when the database's encoding lacks a character
            raise pg.UntranslatableCharacter("a character that the database's encoding lacks") from None

    def write_in_parts(
        self, rows: Sequence[Row], write: Callable[[sql.Composable], _Result]
    ) -> tuple[list[_Result], list[Refused]]:
        staging = _Halving[Row, None](self.tx, lambda part: self.copy(self.columns, part))
        staging.run(rows)
        left_out = {row[0] for row, _ in staging.refused}
        writing = _Halving[int, _Result](self.tx, lambda ids: write(_with_ids(ids)))
        done = writing.run([_id(row) for row in rows if row[0] not in left_out])
        if done and writing.refused:  # a unique value may have become free with a row that was written meanwhile
            again, writing.refused = writing.refused, []
            done += [result for record_id, _ in again for result in writing.run([record_id])]
        unwanted = [
            self._unwanted(record_id, fault, write if at < MOST_EXPLAINED else None)
            for at, (record_id, fault) in enumerate(writing.refused)
        ]
        return done, [*self._unfit(staging.refused), *unwanted]

    def _unfit(self, refused: Sequence[tuple[Row, psycopg.Error]]) -> list[Refused]:
        """Describe rows that cannot be copied; for the first ones, find the columns."""
        explained = [Refused(_id(row), *self._unfit_cells(row, fault)) for row, fault in refused[:MOST_EXPLAINED]]
        return [*explained, *(Refused(_id(row), (), refusal_of(fault)) for row, fault in refused[MOST_EXPLAINED:])]

    def _unfit_cells(self, row: Row, fault: psycopg.Error) -> tuple[tuple[str, ...], str]:
        """Find the columns that do not take their values, and why."""
        cells = list(zip(self.columns, row, strict=True))
        search = _Halving[tuple[str, Cell], None](
            self.tx, lambda part: self.copy([name for name, _ in part], [tuple(cell for _, cell in part)])
        )
        with self._without_trace():
            search.run(cells)
        columns = tuple(name for (name, _), _ in search.refused)
        return columns, refusal_of(search.refused[0][1] if search.refused else fault)

    def _unwanted(
        self, record_id: int, fault: psycopg.Error, write: Callable[[sql.Composable], object] | None
    ) -> Refused:
        """Describe a row that a constraint, an index or a generated column refuses, with the columns to blame."""
        named = fault.diag.column_name
        columns = (named,) if named else self._guarded(fault.diag.constraint_name)
        if not columns and write is not None:
            columns = tuple(name for name in self.columns[1:] if self._is_wanted(record_id, name, write))
        return Refused(record_id, columns, refusal_of(fault))

    def _is_wanted(self, record_id: int, without: str, write: Callable[[sql.Composable], object]) -> bool:
        """Say whether a row would be accepted without one of its values."""
        column = sql.Identifier(without)
        row = _with_ids([record_id])
        trial = _Halving[str, object](self.tx, lambda _: write(row))
        with self._without_trace():
            self.tx.run(
                "UPDATE {staging} AS staged SET {column} = NULL WHERE {row}", staging=STAGING, column=column, row=row
            )
            return bool(trial.run([without]))

    @contextmanager
    def _without_trace(self) -> Iterator[None]:
        """Roll back what is done in the block."""
        self.tx.run("SAVEPOINT odoo_shadow_search")
        yield
        self.tx.run("ROLLBACK TO SAVEPOINT odoo_shadow_search; RELEASE SAVEPOINT odoo_shadow_search")

    def _guarded(self, constraint: str | None) -> tuple[str, ...]:
        """Return the columns of a constraint or an index."""
        rows = self.tx.run(
            "WITH guarded AS (SELECT unnest(conkey) AS at FROM pg_constraint"
            " WHERE conrelid = to_regclass({name}) AND conname = {constraint}"
            " UNION SELECT unnest(i.indkey) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = to_regclass({name}) AND c.relname = {constraint})"
            " SELECT attname FROM pg_attribute JOIN guarded ON attnum = at WHERE attrelid = to_regclass({name})"
            " ORDER BY attnum",
            name=self.tx.own(self.table).as_string(self.tx.cursor),
            constraint=constraint,
        )
        return tuple(str(name) for (name,) in rows)


@dataclass
class _Halving(Generic[_Item, _Result]):
    """Does something with many items at once, or with as many as PostgreSQL accepts together.

    :param do: is called within a savepoint.
    :ivar refused: items that could not be done even alone, and why.
    """

    tx: Transaction
    do: Callable[[Sequence[_Item]], _Result]
    refused: list[tuple[_Item, psycopg.Error]] = field(default_factory=list)

    def run(self, items: Sequence[_Item]) -> list[_Result]:
        """Return the results of `do`, in the items' order. Raises when far too many items are refused."""
        if not items:
            return []
        self.tx.run("SAVEPOINT odoo_shadow_part")
        try:
            done = self.do(items)
        except psycopg.Error as fault:
            if not is_about_a_row(fault) or len(self.refused) >= MOST_REFUSED:
                raise
            self.tx.run("ROLLBACK TO SAVEPOINT odoo_shadow_part; RELEASE SAVEPOINT odoo_shadow_part")
            if len(items) == 1:
                self.refused.append((items[0], fault))
                return []
        else:
            self.tx.run("RELEASE SAVEPOINT odoo_shadow_part")
            return [done]
        middle = len(items) // 2
        return [*self.run(items[:middle]), *self.run(items[middle:])]


def listed(columns: Sequence[str]) -> sql.Composed:
    """Return a comma-separated list of columns."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _with_ids(ids: Sequence[int]) -> sql.Composed:
    return sql.SQL("staged.{} = ANY({})").format(sql.Identifier(names.ID), list(ids))


def _id(row: Row) -> int:
    if not isinstance(row[0], int):
        raise TypeError("a row begins with its id")
    return row[0]
