"""Reads the records of models from their tables: ids, counts, pages, and text for COPY."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from odoo_shadow.source.database.cells import ROW, Cells
from odoo_shadow.source.database.conditions import domain_clause, where_clause
from odoo_shadow.source.database.properties import merge_properties
from odoo_shadow.source.database.session import Sessions, Transaction
from odoo_shadow.source.errors import OdooRecordIdError, misfit, shared_id
from odoo_shadow.source.pages import CopyPage, Page
from odoo_shadow.source.port import RecordDates
from odoo_shadow.source.reading import EVERYWHERE, Reading, Where, variant_key
from odoo_shadow.source.types import Record

WRITE_DATE = "write_date"
CREATE_DATE = "create_date"

MOST_BYTES = 16 * 2**20
"""Of a page: beyond that it ends early, whatever its size in records."""

COPIED_AT_ONCE = 20_000
"""Records of a page of text for COPY: there is no call to Odoo to be kept short."""


@dataclass(frozen=True)
class Plan:
    """How one model's records are read.

    :param definitions: the SQL of the definitions of properties fields, by field.
    :param omits: whether properties without a value are left out.
    """

    cells: Cells
    definitions: dict[str, sql.Composable]
    omits: bool

    @property
    def table(self) -> sql.Composed:
        """The model's table, called `r`."""
        table = self.cells.model.table
        if table is None:
            raise AssertionError("a model without a table is not read here")
        return sql.SQL("{} AS {}").format(sql.Identifier(self.cells.schema, table.name), ROW)


class TableRecords:
    """The records of one reading, in one table."""

    def __init__(self, sessions: Sessions, plan: Plan, reading: Reading) -> None:
        self._sessions = sessions
        self._plan = plan
        self._reading = reading
        self._domain = domain_clause(plan.cells.model, reading.domain)
        self._asked = f"{sessions.database}: {reading.model}"
        variants = (variant_key(name, item.kind) for item in reading.variants for name in item.fields)
        self._variant_keys = tuple(dict.fromkeys(variants))

    def _where(self, where: Where) -> sql.Composed:
        return sql.SQL("{} AND {}").format(where_clause(where), self._domain)

    def _one(self, what: sql.Composable, where: sql.Composable) -> object:
        with self._sessions.transaction(self._reading.model) as tx:
            rows = tx.run("SELECT {what} FROM {table} WHERE {where}", what=what, table=self._plan.table, where=where)
        return rows[0][0] if rows else None

    def count(self, where: Where = EVERYWHERE) -> int:
        return _whole(self._one(sql.SQL("count(*)"), self._where(where)))

    def count_all(self) -> int:
        return _whole(self._one(sql.SQL("count(*)"), self._domain))

    def count_without_id(self) -> int:
        without = sql.SQL("{}.id IS NULL AND {}").format(ROW, self._domain)
        return _whole(self._one(sql.SQL("count(*)"), without))

    def ids(self, where: Where = EVERYWHERE) -> set[int]:
        with self._sessions.transaction(self._reading.model) as tx:
            rows = tx.run("SELECT r.id FROM {table} WHERE {where}", table=self._plan.table, where=self._where(where))
        found = {_id(self._asked, row[0]) for row in rows}
        if len(found) < len(rows):
            ((twice, _),) = Counter(row[0] for row in rows).most_common(1)
            raise shared_id(self._asked, twice)
        return found

    def highest_id(self, where: Where = EVERYWHERE) -> int | None:
        highest = self._one(sql.SQL("max({}.id)").format(ROW), self._where(where))
        return None if highest is None else _id(self._asked, highest)

    def lowest_id(self) -> int | None:
        lowest = self._one(sql.SQL("min({}.id)").format(ROW), self._where(EVERYWHERE))
        return None if lowest is None else _id(self._asked, lowest)

    def newest_write_date(self, where: Where, up_to: datetime) -> datetime | None:
        limit = up_to.astimezone(UTC).replace(tzinfo=None)
        until = sql.SQL("{} AND {}.write_date <= {}::timestamp").format(self._where(where), ROW, limit.isoformat(" "))
        newest = self._one(sql.SQL("date_trunc('second', max({}.write_date))").format(ROW), until)
        return newest.replace(tzinfo=UTC) if isinstance(newest, datetime) else None

    def dates(self, ids: Sequence[int], *, made: bool) -> dict[int, RecordDates]:
        columns = self._plan.cells.model.table.columns if self._plan.cells.model.table else {}
        written = _moment_column(WRITE_DATE, columns)
        created = _moment_column(CREATE_DATE, columns if made else {})
        with self._sessions.transaction(self._reading.model) as tx:
            rows = tx.run(
                "SELECT r.id, {written}, {created} FROM {table} WHERE r.id = ANY({ids}::bigint[])",
                written=written,
                created=created,
                table=self._plan.table,
                ids=list(ids),
            )
        return {_id(self._asked, row[0]): RecordDates(_utc(row[1]), _utc(row[2])) for row in rows}

    def pages(self, where: Where, *, after_id: int, up_to_id: int | None, page_size: int) -> Iterator[Page]:
        """Yield the records as Odoo's API gives them."""
        reached, is_last = after_id, up_to_id is None
        if is_last:
            yield Page([], reached, is_last=True)
        while not is_last:
            records, is_last = self._page(_within(where, reached, up_to_id), page_size)
            reached = _last_id(self._asked, records, reached)
            yield Page(records, reached, is_last)

    def _page(self, where: Where, page_size: int) -> tuple[list[Record], bool]:
        with self._sessions.transaction(self._reading.model) as tx:
            records, is_last = self._read(tx, where, page_size)
            if self._plan.definitions and records:
                names = [name for name in self._plan.definitions if name in records[0]]

                def existing(model: str, ids: Collection[int]) -> set[int] | None:
                    return _existing(tx, self._plan.cells.comodels.get(model), ids)

                merge_properties(records, names, existing, omits=self._plan.omits)
        return records, is_last

    def _read(self, tx: Transaction, where: Where, page_size: int) -> tuple[list[Record], bool]:
        statement = sql.SQL(
            "SELECT row_to_json(page)::text"
            " FROM (SELECT {cells} FROM {table} WHERE {where} ORDER BY r.id LIMIT {limit}) page"
        ).format(cells=self._as_json(), table=self._plan.table, where=self._where(where), limit=page_size + 1)
        records: list[Record] = []
        size = 0
        for (text,) in tx.cursor.stream(statement):
            if len(records) == page_size or (size > MOST_BYTES and records):
                return records, False
            size += len(text)
            record = _record(self._asked, text)
            for at, key in enumerate(self._variant_keys):
                record[key] = record.pop(_place(at))
            records.append(record)
        return records, True

    def _as_json(self) -> sql.Composed:
        cells = self._plan.cells
        listed = [sql.SQL("{}.id").format(ROW)]
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
        return sql.SQL(", ").join(listed)

    def copy_pages(self, where: Where, *, after_id: int, up_to_id: int | None, page_size: int) -> Iterator[CopyPage]:
        """Yield the records as text for COPY: one statement for all, cut into pages as it arrives."""
        reached = after_id
        if up_to_id is None:
            yield CopyPage(b"", reached, is_last=True)
            return
        typed = [self._plan.cells.of(name).typed for name in self._reading.fields if name != "id"]
        listed = sql.SQL(", ").join([sql.SQL("{}.id").format(ROW), *typed])
        statement = sql.SQL("COPY (SELECT {listed} FROM {table} WHERE {where} ORDER BY r.id) TO STDOUT").format(
            listed=listed, table=self._plan.table, where=self._where(_within(where, reached, up_to_id))
        )
        with (
            self._sessions.transaction(self._reading.model) as tx,
            tx.cursor.copy(statement) as copy,
        ):
            for text in _cut(copy, max(page_size, COPIED_AT_ONCE)):
                reached = _id_of_line(self._asked, text)
                yield CopyPage(text, reached, is_last=False)
        yield CopyPage(b"", reached, is_last=True)


def _cut(copy: psycopg.Copy, lines: int) -> Iterator[bytes]:
    """Yield what a COPY sends in parts of so many lines, or of `MOST_BYTES`. Each block that it sends is a line."""
    blocks: list[bytes] = []
    size = 0
    for block in copy:
        blocks.append(bytes(block))
        size += len(blocks[-1])
        if len(blocks) >= lines or size >= MOST_BYTES:
            yield b"".join(blocks)
            blocks, size = [], 0
    if blocks:
        yield b"".join(blocks)


def _id_of_line(asked: str, text: bytes) -> int:
    """Return the id in the last of some lines."""
    line = text[text.rfind(b"\n", 0, -1) + 1 :]
    try:
        return int(line.partition(b"\t")[0])
    except ValueError:
        raise misfit(asked, "a line without an id") from None


def _within(where: Where, after_id: int, up_to_id: int | None) -> Where:
    bounds = [bound for bound in (where.up_to_id, up_to_id) if bound is not None]
    return replace(where, after_id=max(where.after_id, after_id), up_to_id=min(bounds, default=None))


def _place(at: int) -> str:
    """Return a name for a column of variants: their keys may be longer than a column's name."""
    return f"@{at}"


def _named(value: sql.Composable, name: str) -> sql.Composed:
    return sql.SQL("{} AS {}").format(value, sql.Identifier(name))


def _record(asked: str, text: str) -> Record:
    record = json.loads(text)
    if not isinstance(record, dict) or not isinstance(record.get("id"), int):
        raise misfit(asked, "a record without an id")
    return record


def _last_id(asked: str, records: Sequence[Record], reached: int) -> int:
    for record in records:
        found = _id(asked, record["id"])
        if found <= reached:
            raise shared_id(asked, found)
        reached = found
    return reached


def _existing(tx: Transaction, table: str | None, ids: Collection[int]) -> set[int] | None:
    if table is None:
        return None
    rows = tx.run("SELECT id FROM {table} WHERE id = ANY({ids}::bigint[])", table=tx.odoos(table), ids=sorted(ids))
    return {int(one) for (one,) in rows}


def _moment_column(name: str, columns: Collection[str]) -> sql.Composable:
    if name not in columns:
        return sql.SQL("NULL::timestamp")
    return sql.SQL("date_trunc('second', {}.{})").format(ROW, sql.Identifier(name))


def _utc(moment: object) -> datetime | None:
    return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _id(asked: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise OdooRecordIdError(
        f"{asked} has a record whose id is not an integer, as SQL views may have: rows of the shadow are identified by "
        "integers, so this model cannot be mirrored; leave it out."
    )
