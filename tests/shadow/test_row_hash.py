"""`_sync_hash`: a real HMAC of a row's stored values, equal where all of them are, and made anew when it must be."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import LiteralString

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.tables.merge import fill_columns
from odoo_shadow.shadow.tables.row_hash import note_hashed, rehash_rows
from odoo_shadow.shadow.tables.staging import Cell
from tests.support.tables import COLUMNS, hash_of, make_table, merge, row, rows_of

KINDS = {
    "active": ColumnType.BOOLEAN,
    "amount": ColumnType.NUMERIC,
    "color": ColumnType.BIGINT,
    "extra": ColumnType.JSONB,
    "name": ColumnType.TEXT,
    "ratio": ColumnType.DOUBLE,
    "tags": ColumnType.BIGINT_ARRAY,
    "day": ColumnType.DATE,
}
LISTED = ("id", "_odoo_write_date", *KINDS)
CELLS: dict[str, Cell] = {
    "_odoo_write_date": "2024-02-29 12:00:00+00",
    "active": False,
    "amount": 0.5,
    "color": 0,
    "extra": '{"a": 1, "b": 2}',
    "name": "Zoë",
    "ratio": 0.1,
    "tags": "{1,2}",
    "day": "2024-02-29",
}
KEYS = {"as it is made": None, "short": b"k", "a block": b"k" * 64, "longer than a block": b"k" * 65}


def key_of(shadow: ShadowDatabase) -> bytes:
    with shadow.transaction() as tx:
        ((key,),) = tx.run("SELECT hash_key FROM {mirror}", mirror=tx.internal("mirror"))
        return bytes(key)


def set_key(shadow: ShadowDatabase, key: bytes) -> None:
    with shadow.transaction() as tx:
        tx.run("UPDATE {mirror} SET hash_key = {key}", mirror=tx.internal("mirror"), key=key)


def hashes(shadow: ShadowDatabase, table: str) -> list[object]:
    return [found for (found,) in rows_of(shadow, table, ("_sync_hash",))]


def make_wide(shadow: ShadowDatabase) -> str:
    return make_table(shadow, "x.wide", [Column(name, kind, name) for name, kind in KINDS.items()])


def hash_with(shadow: ShadowDatabase, table: str, **changed: Cell) -> object:
    """Return the hash of the only row, once these cells are merged."""
    cells = {**CELLS, **changed}
    with shadow.transaction() as tx:
        tx.run("DELETE FROM {table}", table=tx.own(table))
    merge(shadow, table, (7, *(cells[name] for name in LISTED[1:])), columns=LISTED)
    (found,) = hashes(shadow, table)
    return found


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_it_is_the_hmac_that_others_make_with_the_key(shadow: ShadowDatabase, key: bytes | None) -> None:
    table = make_table(shadow)
    if key is not None:
        set_key(shadow, key)
    merge(shadow, table, row(1, 'a "quoted", é\\'), row(2, None), row(3, "", None))
    messages = [
        f'({table},1,"2024-02-29 12:00:00+00","a ""quoted"", é\\\\")',
        f'({table},2,"2024-02-29 12:00:00+00",)',
        f'({table},3,,"")',
    ]
    made = [hmac.new(key_of(shadow), text.encode(), hashlib.sha256).hexdigest()[:32] for text in messages]
    assert hashes(shadow, table) == [f"v1:{digest}" for digest in made]


@pytest.mark.parametrize(
    "changed",
    [
        {"active": True},
        {"active": None},
        {"amount": 0.1},
        {"color": 1},
        {"color": None},
        {"extra": '{"a": 1, "b": "2"}'},
        {"extra": None},
        {"name": "Zoe"},
        {"name": ""},
        {"name": None},
        {"name": "Zoë "},
        {"ratio": 0.10000000000000002},
        {"tags": "{}"},
        {"tags": None},
        {"day": None},
        {"_odoo_write_date": "2024-02-29 12:00:01+00"},
    ],
    ids=str,
)
def test_it_changes_with_a_cell(shadow: ShadowDatabase, changed: dict[str, Cell]) -> None:
    table = make_wide(shadow)
    assert hash_with(shadow, table, **changed) != hash_with(shadow, table)


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"extra": '{"b":2,"a":1}'},
        {"amount": "0.50"},
        {"amount": "5e-1"},
        {"ratio": "1e-1"},
        {"_odoo_write_date": "2024-02-29 13:00:00+01"},
        {"active": "f"},
    ],
    ids=str,
)
def test_it_stays_however_the_same_value_is_written(shadow: ShadowDatabase, same: dict[str, Cell]) -> None:
    table = make_wide(shadow)
    assert hash_with(shadow, table, **same) == hash_with(shadow, table)


@pytest.mark.parametrize(
    "statement",
    [
        "SET datestyle TO 'German'",
        "SET timezone TO 'Asia/Tokyo'",
        "SET extra_float_digits TO -5",
        "SET intervalstyle TO 'iso_8601'",
        "SET bytea_output TO 'escape'",
    ],
)
def test_it_does_not_depend_on_what_a_session_has_set(shadow: ShadowDatabase, statement: LiteralString) -> None:
    table = make_wide(shadow)
    before = hash_with(shadow, table)
    with shadow.transaction() as tx:
        tx.run(statement)
    assert hash_with(shadow, table) == before


texts = st.sampled_from([None, "", "1", "null", ",", '"', "\\", "(", "),", '","']) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8
)


@given(st.lists(st.tuples(texts, texts), min_size=2, max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_it_is_equal_where_all_cells_are_and_a_value_does_not_wander_into_the_next_column(
    shadow: ShadowDatabase, pairs: list[tuple[str | None, str | None]]
) -> None:
    table = make_table(shadow, "x.pair", [Column(name, ColumnType.TEXT, name) for name in ("a", "b")])
    listed = ("id", "_odoo_write_date", "a", "b")
    found: dict[tuple[str | None, str | None], object] = {}
    for a, b in pairs:  # always in row 1: the id is hashed as well
        with shadow.transaction() as tx:
            tx.run("DELETE FROM {table}", table=tx.own(table))
        merge(shadow, table, (1, None, a, b), columns=listed)
        (made,) = hashes(shadow, table)
        assert found.setdefault((a, b), made) == made
    assert len(set(found.values())) == len(found)


def test_equal_rows_do_not_show_as_equal(shadow: ShadowDatabase) -> None:
    tables = [make_table(shadow, model) for model in ("x.one", "x.two")]
    for table in tables:
        merge(shadow, table, row(1, "same"), row(2, "same"))
    assert len({found for table in tables for found in hashes(shadow, table)}) == 4


def test_the_columns_order_in_the_table_makes_no_difference(shadow: ShadowDatabase) -> None:
    table = make_table(shadow, columns=[Column(name, ColumnType.TEXT, name) for name in ("a", "b")])
    merge(shadow, table, (1, None, "x", "y"), columns=("id", "_odoo_write_date", "a", "b"))
    assert merge(shadow, table, (1, None, "y", "x"), columns=("id", "_odoo_write_date", "b", "a")) == RowCounts(
        unchanged=1
    )


def test_columns_that_are_no_part_of_it_may_be_written_as_well(shadow: ShadowDatabase) -> None:
    table = make_table(shadow, columns=[Column(name, ColumnType.TEXT, name) for name in ("name", "refreshed")])
    merge(shadow, table, row(1, "a"))
    with shadow.transaction() as tx:
        tx.run("UPDATE {table} SET refreshed = 'now'", table=tx.own(table))
    assert merge(shadow, table, row(1, "a")) == RowCounts(unchanged=1)


# Made anew.


def rehash(shadow: ShadowDatabase, table: str, columns: Iterable[str] = COLUMNS, batch: int = 2) -> list[int]:
    """Hash all rows anew as a run does, in small batches; return the last id of each."""
    ends: list[int] = []
    while True:
        with shadow.transaction() as tx:
            last_id = rehash_rows(tx, hash_of(tx, table, columns), ends[-1] if ends else None, batch)
        if last_id is None:
            return ends
        ends.append(last_id)


def test_hashes_are_made_anew_of_the_stored_values_in_batches(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    merge(shadow, table, *(row(number, f"name {number}") for number in (-3, 1, 2, 5, 8)))
    wanted, stamps = hashes(shadow, table), rows_of(shadow, table, ("id", "_synced_at", "name"))
    with shadow.transaction() as tx:
        tx.run("UPDATE {table} SET _sync_hash = nullif(id, 2)::text", table=tx.own(table))
    assert rehash(shadow, table) == [1, 5, 8]
    assert hashes(shadow, table) == wanted
    assert rows_of(shadow, table, ("id", "_synced_at", "name")) == stamps


def test_a_hash_that_is_right_is_not_written_again(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    merge(shadow, table, *(row(number, "a") for number in range(5)))
    versions = rows_of(shadow, table, ("id", "xmin"))
    rehash(shadow, table)
    assert rows_of(shadow, table, ("id", "xmin")) == versions


def outdated(shadow: ShadowDatabase, table: str, columns: Iterable[str] = COLUMNS) -> str | None:
    with shadow.transaction() as tx:
        return hash_of(tx, table, columns).outdated(tx)


def note(shadow: ShadowDatabase, table: str) -> None:
    with shadow.transaction() as tx:
        note_hashed(tx, table, str(hash_of(tx, table).outdated(tx)))


def test_they_are_outdated_until_they_are_noted(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    wanted = outdated(shadow, table)
    assert wanted is not None and wanted.startswith("v1:")
    note(shadow, table)
    assert outdated(shadow, table) is None


def test_another_key_outdates_them_and_is_not_told(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    note(shadow, table)
    with shadow.transaction() as tx:
        tx.run("UPDATE {mirror} SET hash_key = DEFAULT", mirror=tx.internal("mirror"))
    wanted = outdated(shadow, table)
    assert wanted is not None
    assert key_of(shadow).hex()[:16] not in wanted
    assert hashlib.sha256(key_of(shadow)).hexdigest()[:16] not in wanted


@pytest.mark.parametrize(
    "columns",
    [
        [],
        [Column("name", ColumnType.TEXT, "name"), Column("other", ColumnType.TEXT, "other")],
        [Column("renamed", ColumnType.TEXT, "name")],
        [Column("name", ColumnType.BIGINT, "name")],
    ],
    ids=["fewer", "more", "another name", "another type"],
)
def test_other_columns_outdate_them(shadow: ShadowDatabase, columns: list[Column]) -> None:
    table = make_table(shadow)
    note(shadow, table)
    make_table(shadow, columns=columns)
    assert outdated(shadow, table, ("id", "_odoo_write_date", *(column.name for column in columns))) is not None


def test_a_filled_column_is_part_of_the_hash_at_once(shadow: ShadowDatabase) -> None:
    table, listed = make_table(shadow), (*COLUMNS, "other")
    merge(shadow, table, row(1, "a"), row(2, "b"))
    make_table(shadow, columns=[Column(name, ColumnType.TEXT, name) for name in ("name", "other")])
    with shadow.transaction() as tx:
        fill_columns(tx, hash_of(tx, table, listed), ["id", "other"], [(1, "x"), (2, "y")])
    rows = [(*row(1, "a"), "x"), (*row(2, "b"), "y")]
    assert merge(shadow, table, *rows, columns=listed) == RowCounts(unchanged=2)
