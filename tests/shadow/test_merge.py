"""Merging: new rows come in, changed ones change, equal ones stay untouched, and time does not run back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from odoo_shadow.shadow.columns import Column, ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.tables.merge import Merged, Overwrite, merge_rows
from odoo_shadow.shadow.tables.staging import Cell
from tests.support.tables import COLUMNS, NOON, hash_of, make_table, merge, row, rows_of

EARLIER, LATER = NOON - timedelta(seconds=1), NOON + timedelta(seconds=1)


def test_counts_tell_what_became_of_each_row(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    assert merge(shadow, table, row(1, "a"), row(2, "b"), row(3, "c")) == RowCounts(3, 0, 0)
    assert merge(shadow, table, row(1, "a"), row(2, "B"), row(4, "d")) == RowCounts(1, 1, 1)
    assert [found[2] for found in rows_of(shadow, table)] == ["a", "B", "c", "d"]


def test_no_rows_are_no_work(shadow: ShadowDatabase) -> None:
    assert merge(shadow, make_table(shadow)) == RowCounts()


def test_an_equal_row_is_not_written(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, "a"), row(2, "b"))
    stamps = ("id", "_synced_at", "xmin")
    before = rows_of(shadow, table, stamps)
    merge(shadow, table, row(1, "a"), row(2, "B"))
    after = rows_of(shadow, table, stamps)
    assert after[0] == before[0]
    assert after[1][1:] > before[1][1:]


@pytest.mark.parametrize(
    ("stored", "sent", "written"),
    [
        (NOON, LATER, True),
        (NOON, NOON, True),  # several writes share a second
        (NOON, EARLIER, False),
        (None, NOON, True),
        (None, None, True),
        (NOON, None, True),
    ],
)
def test_an_older_row_never_replaces_a_younger_one(
    shadow: ShadowDatabase, stored: datetime | None, sent: datetime | None, written: bool
) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, "stored", stored))
    counts = merge(shadow, table, row(1, "sent", sent))
    assert counts == (RowCounts(0, 1, 0) if written else RowCounts(0, 0, 1))
    assert rows_of(shadow, table)[0][2] == ("sent" if written else "stored")


def test_a_full_run_takes_even_older_rows(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, "stored"))
    with shadow.transaction() as tx:
        rows = [row(1, "restored", EARLIER)]
        merged = merge_rows(tx, hash_of(tx, table), list(COLUMNS), rows, overwrite=Overwrite.EVEN_YOUNGER)
    assert merged.counts == RowCounts(0, 1, 0)
    assert rows_of(shadow, table)[0][2] == "restored"


def test_a_row_whose_hash_got_lost_is_written_again(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, "a"))
    with shadow.transaction() as tx:
        tx.run("UPDATE {table} SET _sync_hash = NULL, name = 'spoilt'", table=tx.own(table))
    assert merge(shadow, table, row(1, "a")) == RowCounts(0, 1, 0)
    assert rows_of(shadow, table)[0][2] == "a"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\t\n\r\v\f\b",
        "\\N",
        "\\.",
        "\n\\.\n",
        "\\",
        "\\t",
        "a\\",
        "'; DROP TABLE odoo_shadow.odoo_shadow_meta; --",
        '"quoted"',
        "100%s %(name)s {braces}",
        "😀 é 語 \u2028 \ufeff \x01\x7f",
        "x" * 1_000_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_texts_arrive_as_they_are(shadow: ShadowDatabase, text: str) -> None:
    table = make_table(shadow)
    merge(shadow, table, row(1, text), row(2, None))
    assert [found[2] for found in rows_of(shadow, table)] == [text, None]


@pytest.mark.parametrize(
    ("kind", "cell", "stored"),
    [
        (ColumnType.BIGINT, 2**63 - 1, 2**63 - 1),
        (ColumnType.BIGINT, -1, -1),
        (ColumnType.BOOLEAN, False, False),
        (ColumnType.DATE, "0202-02-28", date(202, 2, 28)),
        (ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59+00", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        (ColumnType.NUMERIC, 0.1, Decimal("0.1")),
        (ColumnType.NUMERIC, 1234567890.123, Decimal("1234567890.123")),
        (ColumnType.NUMERIC, 1e22, Decimal("1e22")),
        (ColumnType.NUMERIC, 5e-324, Decimal("5e-324")),
        (ColumnType.DOUBLE, 0.1, 0.1),
        (ColumnType.DOUBLE, 1.7976931348623157e308, 1.7976931348623157e308),
        (ColumnType.JSONB, '{"a": [1.10, null]}', {"a": [1.1, None]}),
        (ColumnType.JSONB, '"a\\\\u0000b"', "a\\u0000b"),
        *[(kind, None, None) for kind in ColumnType],
    ],
)
def test_values_of_every_type_arrive_uncut(
    shadow: ShadowDatabase, kind: ColumnType, cell: Cell, stored: object
) -> None:
    table = make_table(shadow, columns=[Column("value", kind)])
    columns = ("id", "_odoo_write_date", "value")
    merge(shadow, table, (1, None, cell), columns=columns)
    ((found,),) = rows_of(shadow, table, ("value",))
    assert found == stored
    assert type(found) is type(stored)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (ColumnType.DATE, "hunter2"),
        (ColumnType.TIMESTAMPTZ, "hunter2+00"),
        (ColumnType.BIGINT, 2**63),
        (ColumnType.JSONB, "hunter2"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_without_being_told(
    shadow: ShadowDatabase, kind: ColumnType, cell: Cell
) -> None:
    table = make_table(shadow, columns=[Column("value", kind)])
    columns = ("id", "_odoo_write_date", "value")
    with shadow.transaction() as tx:
        merged = merge_rows(tx, hash_of(tx, table, columns), columns, [(1, None, None), (2, None, cell)])
    assert rows_of(shadow, table, ("id",)) == [(1,)]
    (refused,) = merged.refused
    assert (refused.id, refused.fields) == (2, ("value",))
    assert str(cell).removesuffix("+00") not in refused.reason


def test_rows_are_gone_when_their_transaction_fails(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    with pytest.raises(KeyboardInterrupt), shadow.transaction() as tx:
        merge_rows(tx, hash_of(tx, table), list(COLUMNS), [row(1, "a")])
        raise KeyboardInterrupt
    assert rows_of(shadow, table) == []


def test_an_error_while_rows_are_built_keeps_its_class(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)

    def rows() -> object:
        yield row(1, "a")
        raise LookupError("no such field")

    with pytest.raises(LookupError, match="no such field"), shadow.transaction() as tx:
        merge_rows(tx, hash_of(tx, table), list(COLUMNS), rows())  # type: ignore[arg-type]
    assert rows_of(shadow, table) == []
    assert merge(shadow, table, row(1, "a")) == RowCounts(inserted=1)


def test_a_mirror_in_between_is_not_disturbed_by_a_staging_table_of_its_name(shadow: ShadowDatabase) -> None:
    # Somebody else's public.odoo_shadow_staging must not be taken for the temporary one.
    table = make_table(shadow)
    with shadow.transaction() as tx:
        tx.run("CREATE TABLE public.odoo_shadow_staging (x int)")
    assert merge(shadow, table, row(1, "a")) == RowCounts(inserted=1)
    with shadow.transaction() as tx:
        assert tx.run("SELECT * FROM public.odoo_shadow_staging") == []


def test_a_page_of_which_no_row_is_left_writes_nothing(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    with shadow.transaction() as tx:
        merged = merge_rows(tx, hash_of(tx, table), list(COLUMNS), [], overwrite=Overwrite.EVEN_YOUNGER)
    assert merged == Merged(RowCounts())
