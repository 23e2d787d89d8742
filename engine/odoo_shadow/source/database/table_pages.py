"""Reads the records of a table page by page: as Odoo's API gives them, or as text for COPY.

A value that is not of its field's type, or bytes that are no text, cost their own record only: the page ends before it,
and the record is passed over and reported.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql
from psycopg.adapt import Buffer, Loader

from odoo_shadow.source.database.faults import BadValueError
from odoo_shadow.source.database.links import FOR_RANGES, ROW
from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.plan import Plan, as_id
from odoo_shadow.source.database.properties import merge_properties
from odoo_shadow.source.database.session import Sessions, Transaction
from odoo_shadow.source.errors import OdooUnreadableRecordsError, misfit, shared_id
from odoo_shadow.source.pages import CopyPage, Page, Unreadable
from odoo_shadow.source.reading import Where, variant_key
from odoo_shadow.source.types import Record
from odoo_shadow.text.log import logger

log = logger(__name__)

MOST_BYTES = 16 * 2**20
"""Of a page: beyond that it ends early, whatever its size in records."""

COPIED_AT_ONCE = 20_000
"""Records of a page of text for COPY: there is no call to Odoo to be kept short."""

MOST_UNREADABLE = 20
"""Records of one scan that may be passed over; with more, something else is wrong."""

_FETCHED_FIRST = 20
_FETCHED_BYTES = 2**20
"""How many records are fetched together: they are held in memory before their size is known."""

_MOST_FIELDS = 5
_MOST_EXPLAINED = 3
"""Fields that are named of a record that cannot be read, and records of which they are: each field costs a question."""

_WRITE_DATE = "write_date"


class _Bytes(Loader):
    """Leaves text as it comes: a database without an encoding (SQL_ASCII) may hold any bytes."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


@dataclass(frozen=True)
class _Row:
    """One row of a page.

    :param text: the record as JSON.
    """

    id: int
    write_date: str | None
    text: bytes


class TablePages:
    """The pages of one reading, from one table."""

    def __init__(self, sessions: Sessions, plan: Plan) -> None:
        self._sessions = sessions
        self._plan = plan
        self._reading = plan.reading
        variants = (variant_key(name, item.kind) for item in self._reading.variants for name in item.fields)
        self._variant_keys = tuple(dict.fromkeys(variants))
        self._unreadable = 0

    def pages(self, where: Where, *, after_id: int, up_to_id: int | None, page_size: int) -> Iterator[Page]:
        """Yield the records as Odoo's API gives them."""
        if up_to_id is None:
            yield Page([], after_id, is_last=True)
            return
        page = self._page(_within(where, after_id, up_to_id), page_size)
        while not page.is_last:
            yield page
            page = self._page(_within(where, page.last_id, up_to_id), page_size)
        yield page

    def copy_pages(
        self, where: Where, *, after_id: int, up_to_id: int | None, page_size: int
    ) -> Iterator[CopyPage | Page]:
        """Yield the records as text for COPY: one statement for all, cut into pages as it arrives.

        What comes after a value that PostgreSQL cannot convert is given as records, until that one is passed over.
        """
        reached = after_id
        while up_to_id is not None:
            try:
                for page in self._copied(_within(where, reached, up_to_id), max(page_size, COPIED_AT_ONCE)):
                    reached = page.last_id
                    yield page
                break
            except BadValueError as error:
                log.warning("%s after id %d: not as text for COPY: %s", self._reading.model, reached, error)
            records = self._page(_within(where, reached, up_to_id), page_size)
            reached = records.last_id
            yield records
            if records.is_last:
                return
        yield CopyPage(b"", reached, is_last=True)

    def _page(self, where: Where, page_size: int) -> Page:
        """Read the next page, in halves if it has a value that PostgreSQL cannot convert."""
        while True:
            try:
                return self._read(where, page_size)
            except BadValueError as error:
                if page_size == 1:
                    return self._passed_over(where, error)
                page_size = max(1, page_size // 2)

    def _read(self, where: Where, page_size: int) -> Page:
        with self._plan.opened(self._sessions, values=True) as tx:
            rows, is_last = self._rows(tx, where, page_size)
        page = self._page_of(rows, where.after_id, is_last)
        names = [name for name in self._plan.definitions if page.records and name in page.records[0]]
        if names:
            merge_properties(page.records, names, self._existing, omits=self._plan.omits)
        return page

    def _existing(self, model: str, ids: Collection[int]) -> set[int] | None:
        """Return which of some records exist; None for a model that has no table."""
        table = self._plan.cells.comodels.get(model)
        if table is None:
            return None
        with self._sessions.transaction(self._reading.model, Relations((table,))) as tx:
            rows = tx.run(
                "SELECT id FROM {table} WHERE id = ANY({ids}::bigint[])", table=tx.odoos(table), ids=sorted(ids)
            )
        return {int(one) for (one,) in rows}

    def _rows(self, tx: Transaction, where: Where, page_size: int) -> tuple[list[_Row], bool]:
        """Fetch the next records, and say whether there are no more: a cursor holds back what was not asked for.

        Nothing is read beyond a single record: it may be the next one that cannot be.
        """
        has_write_date = _WRITE_DATE in self._plan.table.columns
        limit = page_size + 1 if page_size > 1 else 1
        tx.cursor.execute(
            sql.SQL(
                "DECLARE page NO SCROLL CURSOR FOR SELECT p.id, {written}, row_to_json(p)::text"
                " FROM (SELECT {cells} FROM {table} WHERE {where} ORDER BY r.id LIMIT {limit}) p"
            ).format(
                written=sql.SQL("p.{}").format(sql.Identifier(_WRITTEN)) if has_write_date else sql.SQL("NULL"),
                cells=self._cells(has_write_date),
                table=self._plan.source,
                where=self._plan.where(where),
                limit=limit,
            )
        )
        tx.cursor.adapters.register_loader("text", _Bytes)
        rows: list[_Row] = []
        size, step = 0, min(limit, _FETCHED_FIRST)
        while step > 0:
            tx.cursor.execute(sql.SQL("FETCH {} FROM page").format(sql.Literal(step)))
            found = [_row(self._plan.asked, row) for row in tx.cursor.fetchall()]
            rows += found
            size += sum(len(row.text) for row in found)
            if len(found) < step:
                break
            if size > MOST_BYTES:
                return rows, False
            step = min(limit - len(rows), max(1, _FETCHED_BYTES * len(rows) // max(size, 1)))
        return rows[:page_size], len(rows) < limit

    def _page_of(self, rows: list[_Row], after_id: int, is_last: bool) -> Page:
        """Turn rows into records, up to the first that is no text."""
        records: list[Record] = []
        reached = after_id
        for row in rows:
            if row.id <= reached:
                raise shared_id(self._plan.asked, row.id)
            try:
                record = json.loads(row.text.decode())
            except UnicodeDecodeError:
                if records:
                    return Page(records, reached, is_last=False)
                return self._unreadable_page(Unreadable(row.id, row.write_date, _NO_TEXT))
            if not isinstance(record, dict):
                raise misfit(self._plan.asked, "a record that is none")
            record.pop(_WRITTEN, None)
            for at, key in enumerate(self._variant_keys):
                record[key] = record.pop(_place(at))
            records.append(record)
            reached = row.id
        return Page(records, reached, is_last)

    def _passed_over(self, where: Where, error: BadValueError) -> Page:
        """Return a page for the first record, whose values cannot be read, but its id can."""
        has_write_date = _WRITE_DATE in self._plan.table.columns
        with self._plan.opened(self._sessions, values=True) as tx:
            rows = tx.run(
                "SELECT {id}, {written} FROM {table} WHERE {where} ORDER BY r.id LIMIT 1",
                id=self._plan.id,
                written=_written(has_write_date),
                table=self._plan.source,
                where=self._plan.where(where),
            )
        if not rows:
            return Page([], where.after_id, is_last=True)
        ((found, written),) = rows
        if self._unreadable >= MOST_UNREADABLE:
            raise error
        record_id = as_id(self._plan.asked, found)
        is_explained = self._unreadable < _MOST_EXPLAINED
        fields = ", ".join(self._unreadable_fields(record_id)[:_MOST_FIELDS]) if is_explained else ""
        reason = f"{str(error).rstrip('.')} ({fields})." if fields else str(error)
        return self._unreadable_page(Unreadable(record_id, written, reason))

    def _unreadable_fields(self, record_id: int) -> list[str]:
        """Return the fields whose values cannot be read, of one record, as far as its own language and company go."""
        found: list[str] = []
        for name in self._reading.fields:
            if name == "id":
                continue
            try:
                with self._plan.opened(self._sessions, values=True) as tx:
                    tx.run(
                        "SELECT {cell} FROM {table} WHERE {where}",
                        cell=self._plan.cells.of(name).as_json,
                        table=self._plan.source,
                        where=self._plan.where(Where(ids=(record_id,))),
                    )
            except BadValueError:
                found.append(name)
        return found

    def _unreadable_page(self, item: Unreadable) -> Page:
        self._unreadable += 1
        if self._unreadable > MOST_UNREADABLE:
            raise OdooUnreadableRecordsError(
                f"{self._plan.asked}: more than {MOST_UNREADABLE} records cannot be read, such as {item.id}: "
                f"{item.reason}"
            )
        log.error("%s %d cannot be read: %s", self._reading.model, item.id, item.reason)
        return Page([], item.id, is_last=False, unreadable=item)

    def _cells(self, has_write_date: bool) -> sql.Composed:
        cells = self._plan.cells
        listed = [_named(self._plan.id, "id")]
        for name in self._reading.fields:
            if name == "id":
                continue
            value = cells.of(name).as_json
            definition = self._plan.definitions.get(name)
            if definition is not None:
                value = sql.SQL("json_build_object('own', {}, 'definition', {})").format(value, definition)
            listed.append(_named(value, name))
        for at, key in enumerate(self._variant_keys):
            pairs = [
                sql.SQL("{}::text, {}").format(variant.label, cells.of_variant(name, variant))
                for variant in self._reading.variants
                for name in variant.fields
                if variant_key(name, variant.kind) == key
            ]
            listed.append(_named(sql.SQL("json_build_object({})").format(sql.SQL(", ").join(pairs)), _place(at)))
        if has_write_date:
            listed.append(_named(_written(has_write_date), _WRITTEN))
        return sql.SQL(", ").join(listed)

    def _copied(self, where: Where, lines: int) -> Iterator[CopyPage]:
        typed, joins = self._typed(where)
        statement = sql.SQL("COPY (SELECT {listed} FROM {table}{joins} WHERE {where} ORDER BY r.id) TO STDOUT").format(
            listed=sql.SQL(", ").join([self._plan.id, *typed]),
            table=self._plan.source,
            joins=sql.Composed(joins),
            where=self._plan.where(where),
        )
        with self._plan.opened(self._sessions, values=True) as tx:
            if joins:
                tx.cursor.execute(FOR_RANGES)
            with tx.cursor.copy(statement) as copy:
                for text in _cut(copy, lines):
                    yield CopyPage(text, _id_of_line(self._plan.asked, text), is_last=False)

    def _typed(self, where: Where) -> tuple[list[sql.Composable], list[sql.Composable]]:
        """Return the values of the fields, and what is to be joined for them."""
        cells, is_range = self._plan.cells, where.written_since is None and where.ids is None
        typed: list[sql.Composable] = []
        joins: list[sql.Composable] = []
        for name in self._reading.fields:
            if name == "id":
                continue
            links = cells.links_of(name) if is_range and name in self._plan.joined else None
            if links is None:
                typed.append(cells.of(name).typed)
                continue
            ids, join = links.joined(f"links_{len(joins)}", where)
            typed.append(ids)
            joins.append(join)
        return typed, joins


_WRITTEN = "@written"
_NO_TEXT = "its bytes are no text in UTF-8, as they may be in a database without an encoding (SQL_ASCII)."


def _cut(copy: psycopg.Copy, lines: int) -> Iterator[bytes]:
    """Yield what a COPY sends in parts of so many lines, or of `MOST_BYTES`. Each block that it sends is a line.

    What came before an error is yielded before it is raised.
    """
    blocks: list[bytes] = []
    size = 0
    failed: psycopg.DataError | None = None
    try:
        for block in copy:
            blocks.append(bytes(block))
            size += len(blocks[-1])
            if len(blocks) >= lines or size >= MOST_BYTES:
                yield b"".join(blocks)
                blocks, size = [], 0
    except psycopg.DataError as error:
        failed = error
    if blocks:
        yield b"".join(blocks)
    if failed is not None:
        raise failed


def _row(asked: str, found: tuple[object, ...]) -> _Row:
    record_id, written, text = found
    if not isinstance(text, bytes) or not isinstance(written, bytes | None):
        raise misfit(asked, "a record that is none")
    return _Row(as_id(asked, record_id), written.decode() if written is not None else None, text)


def _id_of_line(asked: str, text: bytes) -> int:
    """Return the id in the last of some lines."""
    line = text[text.rfind(b"\n", 0, -1) + 1 :]
    try:
        return int(line.partition(b"\t")[0])
    except ValueError:
        raise misfit(asked, "a line without an id") from None


def _within(where: Where, after_id: int, up_to_id: int) -> Where:
    up_to = up_to_id if where.up_to_id is None else min(where.up_to_id, up_to_id)
    return replace(where, after_id=max(where.after_id, after_id), up_to_id=up_to)


def _place(at: int) -> str:
    """Return a name for a column of variants: their keys may be longer than a column's name."""
    return f"@{at}"


def _named(value: sql.Composable, name: str) -> sql.Composed:
    return sql.SQL("{} AS {}").format(value, sql.Identifier(name))


def _written(has_write_date: bool) -> sql.Composable:
    if not has_write_date:
        return sql.SQL("NULL::text")
    return sql.SQL("date_trunc('second', {}.write_date)::text").format(ROW)
