"""A page with rows that PostgreSQL does not take: they are found and told without their values, all others written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

import pytest
from psycopg import sql

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.errors import ShadowConflictError
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.tables import staging
from odoo_shadow.shadow.tables.compare import compare_rows, id_range
from odoo_shadow.shadow.tables.ids import LiveIds, add_mark_column
from odoo_shadow.shadow.tables.merge import Filled, Merged, Overwrite, fill_columns, merge_rows, refresh_columns
from odoo_shadow.shadow.tables.staging import FEWEST_TELLING, MOST_EXPLAINED, Cell, Row
from tests.support.tables import NOON, hash_of, make_table, rows_of

FIELDS = (
    Column("amount", ColumnType.NUMERIC, "amount"),
    Column("code", ColumnType.TEXT, "code"),
    Column("color", ColumnType.BIGINT, "color"),
    Column("day", ColumnType.DATE, "day"),
    Column("extra", ColumnType.JSONB, "extra"),
)
COLUMNS = ("id", "_odoo_write_date", *(item.name for item in FIELDS))
SECRET = "hunter2"


@pytest.fixture
def table(shadow: ShadowDatabase) -> str:
    return make_table(shadow, columns=FIELDS)


def row(number: int, **cells: Cell) -> Row:
    usual: dict[str, Cell] = {"amount": 1.5, "code": f"c{number}", "color": number, "day": "2024-02-29", "extra": "{}"}
    return (number, NOON.isoformat(), *{**usual, **cells}.values())


def page(numbers: range, **odd: Row) -> list[Row]:
    """Rows of these numbers, some of them odd: `_7=row(7, …)`."""
    return [odd.get(f"_{number}", row(number)) for number in numbers]


def merge(shadow: ShadowDatabase, table: str, rows: list[Row], *, revive: bool = False) -> Merged:
    with shadow.transaction() as tx:
        return merge_rows(tx, hash_of(tx, table, COLUMNS), COLUMNS, rows, overwrite=Overwrite.CHANGED, revive=revive)


def run(shadow: ShadowDatabase, statement: LiteralString, table: str) -> None:
    with shadow.transaction() as tx:
        tx.run(statement, table=tx.own(table))


def ids(shadow: ShadowDatabase, table: str) -> list[object]:
    return [number for (number,) in rows_of(shadow, table, ("id",))]


MISFITS: list[tuple[str, Cell]] = [
    ("day", "2024-02-30"),
    ("day", SECRET),
    ("color", 2**63),
    ("color", SECRET),
    ("amount", SECRET),
    ("extra", SECRET),
    ("extra", '{"a": "\\u0000"}'),
    ("code", f"{SECRET}\0"),
]


@pytest.mark.parametrize(("field", "cell"), MISFITS, ids=str)
@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_value_that_does_not_fit_keeps_one_row_out(
    shadow: ShadowDatabase, table: str, field: str, cell: Cell, number: int
) -> None:
    merged = merge(shadow, table, page(range(1, 8), **{f"_{number}": row(number, **{field: cell})}))
    assert ids(shadow, table) == [each for each in range(1, 8) if each != number]
    assert merged.counts == RowCounts(inserted=6) and merged.oldest == NOON
    (refused,) = merged.refused
    assert (refused.id, refused.fields) == (number, (field,))
    assert refused.reason.startswith("a value does not fit (") and str(cell)[:7] not in refused.reason


def test_each_column_of_a_row_is_looked_at(shadow: ShadowDatabase, table: str) -> None:
    merged = merge(shadow, table, [row(1), row(2, color="x", day="y"), row(3, extra="{")])
    assert [(item.id, item.fields) for item in merged.refused] == [(2, ("color", "day")), (3, ("extra",))]


def test_a_row_that_is_there_stays_as_it_was(shadow: ShadowDatabase, table: str) -> None:
    merge(shadow, table, page(range(1, 5)))
    before = rows_of(shadow, table, ("id", "code", "_synced_at", "_sync_hash", "xmin"))
    news = [row(1, code="news"), row(2, code="news", day=SECRET), row(3), row(4, code="news"), row(5)]
    merged = merge(shadow, table, news)
    assert (merged.counts, [item.id for item in merged.refused]) == (RowCounts(1, 2, 1), [2])
    after = rows_of(shadow, table, ("id", "code", "_synced_at", "_sync_hash", "xmin"))
    assert [code for _, code, *_ in after] == ["news", "c2", "c3", "news", "c5"]
    assert (after[1], after[2]) == (before[1], before[2])


GUARDS: list[tuple[LiteralString, dict[str, Cell], tuple[str, ...], str]] = [
    ("ADD CONSTRAINT guard CHECK (color < 100)", {"color": 100}, ("color",), 'check constraint "guard"'),
    ("ADD CONSTRAINT guard CHECK (color < 100 OR code = 'x')", {"color": 100}, ("code", "color"), '"guard"'),
    ("ALTER COLUMN code SET NOT NULL", {"code": None}, ("code",), 'null value in column "code"'),
    ("ADD CONSTRAINT guard UNIQUE (color)", {"color": 1}, ("color",), 'unique constraint "guard"'),
    ("ADD UNIQUE (color) DEFERRABLE INITIALLY DEFERRED", {"color": 1}, ("color",), "unique constraint"),
    (
        "ADD CONSTRAINT guard EXCLUDE USING btree (color WITH =)",
        {"color": 1},
        ("color",),
        'exclusion constraint "guard"',
    ),
    ("ADD COLUMN made int GENERATED ALWAYS AS (code::int) STORED", {"code": SECRET}, ("code",), "does not fit"),
    ("ADD COLUMN made int GENERATED ALWAYS AS (1 / color) STORED", {"color": 0}, ("color",), "does not fit"),
]


@pytest.mark.parametrize(("guard", "cells", "fields", "said"), GUARDS, ids=lambda item: str(item)[:40])
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_what_somebody_added_to_the_table_keeps_one_row_out(
    shadow: ShadowDatabase,
    table: str,
    guard: LiteralString,
    cells: dict[str, Cell],
    fields: tuple[str, ...],
    said: str,
    known: bool,
) -> None:
    usual = {f"_{number}": row(number, code=str(number)) for number in range(1, 8)}
    if known:
        merge(shadow, table, page(range(1, 8), **usual))
    run(shadow, f"ALTER TABLE {{table}} {guard}", table)
    merged = merge(shadow, table, page(range(1, 8), **{**usual, "_4": row(4, **{"code": "4", **cells})}))
    (refused,) = merged.refused
    assert (refused.id, refused.fields) == (4, fields)
    assert said in refused.reason and SECRET not in refused.reason
    assert ids(shadow, table) == [each for each in range(1, 8) if known or each != 4]
    assert merged.counts == (RowCounts(unchanged=6) if known else RowCounts(inserted=6))


@pytest.mark.parametrize("length", [1_500, 4_000])
@pytest.mark.parametrize("indexed", ["code", "(code || extra::text)"])
def test_a_value_that_is_too_large_for_an_index_keeps_one_row_out(
    shadow: ShadowDatabase, table: str, indexed: LiteralString, length: int
) -> None:
    run(shadow, f"CREATE INDEX ON {{table}} ({indexed})", table)
    large = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(length))
    (refused,) = merge(shadow, table, page(range(1, 8), _4=row(4, code=large))).refused
    assert (refused.id, refused.fields) == (4, ("code",) if indexed == "code" else ("code", "extra"))
    assert refused.reason == "a value is too large (ProgramLimitExceeded)"
    assert len(ids(shadow, table)) == 6


def test_what_one_row_lets_go_another_may_take(shadow: ShadowDatabase, table: str) -> None:
    run(shadow, "ALTER TABLE {table} ADD UNIQUE (code)", table)
    merge(shadow, table, [row(1, code="a"), row(2, code="b")])
    merged = merge(shadow, table, [row(1, code="b"), row(2, code="c")])  # refused as one statement
    assert (merged.counts, merged.refused) == (RowCounts(updated=2), ())
    assert [code for (code,) in rows_of(shadow, table, ("code",))] == ["b", "c"]


def test_updates_are_counted_as_such_where_a_page_is_written_in_parts(shadow: ShadowDatabase, table: str) -> None:
    merge(shadow, table, page(range(1, 20)))
    run(shadow, "ALTER TABLE {table} ADD CHECK (color < 100)", table)
    news = {f"_{number}": row(number, code="news") for number in range(1, 15)}
    merged = merge(shadow, table, page(range(1, 25), **{**news, "_9": row(9, color=100), "_20": row(20, color=100)}))
    assert merged.counts == RowCounts(inserted=4, updated=13, unchanged=5)
    assert [item.id for item in merged.refused] == [9, 20]


def test_rows_that_are_here_again_are_counted_once(shadow: ShadowDatabase, table: str) -> None:
    merge(shadow, table, page(range(1, 6)))
    with shadow.transaction() as tx:
        add_mark_column(tx, table)
        tx.run("UPDATE {table} SET _deleted_at = now() WHERE id IN (2, 4)", table=tx.own(table))
    run(shadow, "ALTER TABLE {table} ADD CHECK (color < 100)", table)
    merged = merge(shadow, table, page(range(1, 6), _4=row(4, color=100)), revive=True)
    assert (merged.revived, [item.id for item in merged.refused]) == (1, [4])


@pytest.mark.parametrize("known", [0, 1], ids=["all", "all but one"])
def test_where_no_row_of_many_is_taken_something_else_is_wrong(shadow: ShadowDatabase, table: str, known: int) -> None:
    run(shadow, "ALTER TABLE {table} ADD CONSTRAINT guard CHECK (color < 100)", table)
    rows = [row(number, color=100) for number in range(1, FEWEST_TELLING + 1)]
    if known:
        assert len(merge(shadow, table, [*rows, row(999, color=1)]).refused) == FEWEST_TELLING
        return
    with pytest.raises(ShadowConflictError, match='violates check constraint "guard"'):
        merge(shadow, table, rows)
    assert len(merge(shadow, table, rows[1:]).refused) == FEWEST_TELLING - 1


def test_far_too_many_are_not_tried_one_by_one(
    shadow: ShadowDatabase, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MOST_REFUSED", 30)
    odd = {f"_{number}": row(number, day=SECRET) for number in range(1, 63, 2)}
    with pytest.raises(ShadowConflictError, match="a value does not fit") as raised:
        merge(shadow, table, page(range(1, 63), **odd))
    assert SECRET not in str(raised.value) and ids(shadow, table) == []
    with counted(monkeypatch) as sent, pytest.raises(ShadowConflictError):
        merge(shadow, table, [row(number, day=SECRET) for number in range(1, 1001)])
    assert len(sent) < 250
    del odd["_1"]
    merged = merge(shadow, table, page(range(1, 63), **odd))
    assert len(merged.refused) == 30 and merged.counts.inserted == 32
    explained = [item.fields for item in merged.refused]
    assert explained == [("day",)] * MOST_EXPLAINED + [()] * (30 - MOST_EXPLAINED)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that are sent, besides COPY."""
    sent: list[str] = []
    run_one, run_all = Transaction.run, Transaction.run_all

    def noted(tx: Transaction, template: LiteralString, **parts: object) -> object:
        sent.append(template)
        return run_one(tx, template, **parts)

    def all_noted(tx: Transaction, statements: list[sql.Composed]) -> None:
        sent.append(";".join(one.as_string(tx.cursor) for one in statements))
        run_all(tx, statements)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "run", noted)
        patch.setattr(Transaction, "run_all", all_noted)
        yield sent


def test_an_error_that_is_about_no_row_is_not_looked_into(shadow: ShadowDatabase, table: str) -> None:
    with pytest.raises(ShadowConflictError, match="UndefinedColumn"), shadow.transaction() as tx:
        merge_rows(tx, hash_of(tx, table, COLUMNS), [*COLUMNS, "no_such"], [(*row(1), None), (*row(2), None)])


def filled(shadow: ShadowDatabase, table: str, rows: list[Row], *, hashed: bool) -> Filled:
    with shadow.transaction() as tx:
        if hashed:
            return fill_columns(tx, hash_of(tx, table, COLUMNS), ["id", "day"], rows)
        return refresh_columns(tx, table, ["id", "day"], rows)


@pytest.mark.parametrize("hashed", [True, False], ids=["filling", "refreshing"])
def test_single_columns_are_written_row_by_row_too(shadow: ShadowDatabase, table: str, hashed: bool) -> None:
    merge(shadow, table, page(range(1, 8)))
    run(shadow, "ALTER TABLE {table} ADD CONSTRAINT guard CHECK (day > '2000-01-01')", table)
    rows: list[Row] = [(number, "2024-03-01") for number in range(1, 8)]
    rows[2], rows[5] = (3, SECRET), (6, "1999-12-31")
    done = filled(shadow, table, rows, hashed=hashed)
    assert done.changed == 5
    assert [(item.id, item.fields) for item in done.refused] == [(3, ("day",)), (6, ("day",))]
    assert filled(shadow, table, rows, hashed=hashed).changed == 0
    days = [str(day) for (day,) in rows_of(shadow, table, ("day",))]
    assert days == ["2024-02-29" if number in (3, 6) else "2024-03-01" for number in range(1, 8)]


def test_a_row_that_cannot_be_compared_differs(shadow: ShadowDatabase, table: str) -> None:
    merge(shadow, table, page(range(1, 6)))
    rows = page(range(1, 8), _2=row(2, day=SECRET), _4=row(4, code="news"), _7=row(7, color=2**63))
    del rows[2]  # which Odoo has, but whose value is none of its type
    with shadow.transaction() as tx:
        found = compare_rows(tx, LiveIds.of(tx, table), COLUMNS, rows, id_range(0, None), beyond=[3])
    assert found == {
        2: Difference.DIFFERING,
        3: Difference.DIFFERING,
        4: Difference.DIFFERING,
        6: Difference.MISSING,
        7: Difference.MISSING,
    }


def test_a_page_without_trouble_costs_no_more_statements(
    shadow: ShadowDatabase, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shadow.transaction() as tx:
        row_hash = hash_of(tx, table, COLUMNS)
        with counted(monkeypatch) as sent:
            merge_rows(tx, row_hash, COLUMNS, page(range(1, 8)))
    assert len(sent) == 2  # besides COPY: a staging table with its savepoint, and one statement
    assert sent[0].count("SAVEPOINT") == 1
