"""Rows: cells in the order of their columns, and characters that PostgreSQL cannot store."""

from __future__ import annotations

import logging

import pytest

from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.shadow.tables.staging import FEWEST_TELLING, Cell, Row
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.types import Json, Record
from odoo_shadow.source.values import NUL_SHOWN_AS, SURROGATE_SHOWN_AS

FIELDS = [
    Field("active", "boolean"),
    Field("amount", "float"),
    Field("color", "integer"),
    Field("extra", "json"),
    Field("name", "char"),
    Field("write_date", "datetime"),
]
RECORD: Record = {
    "id": 7,
    "write_date": "2024-02-29 12:00:00",
    "active": False,
    "amount": 0.0,
    "color": 0,
    "extra": {"a": 1, "b": 2},
    "name": "Zoë",
}
NUL, HALF = "\0", "\ud83d"


def build(record: Record, builder: RowBuilder | None = None) -> Row:
    (row,) = (builder or RowBuilder(Layout.of("x.model", FIELDS))).build([record]).rows
    return row


def cell_of(field: str, value: Json, builder: RowBuilder | None = None) -> Cell:
    builder = builder or RowBuilder(Layout.of("x.model", FIELDS))
    return build({**RECORD, field: value}, builder)[builder.columns.index(field)]


def test_a_row_has_the_projects_columns_first() -> None:
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    assert builder.columns == ["id", "_odoo_write_date", "active", "amount", "color", "extra", "name"]
    row = build(RECORD, builder)
    assert row[:2] == (7, "2024-02-29 12:00:00+00")
    assert row[2:] == (False, 0.0, 0, '{"a": 1, "b": 2}', "Zoë")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (f"a{NUL}b", f"a{NUL_SHOWN_AS}b"),
        (f"{NUL}{NUL}", NUL_SHOWN_AS * 2),
        (f"a{HALF}b", f"a{SURROGATE_SHOWN_AS}b"),
        (f"é{NUL}{HALF}", f"é{NUL_SHOWN_AS}{SURROGATE_SHOWN_AS}"),
    ],
)
def test_a_text_that_cannot_be_stored_gets_visible_stand_ins(sent: str, stored: str) -> None:
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    assert cell_of("name", sent, builder) == stored
    assert builder.unstorable_cells == 1


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"k": f"a{NUL}"}, f'{{"k": "a{NUL_SHOWN_AS}"}}'),
        ({f"k{NUL}": [f"{HALF}", 1]}, f'{{"k{NUL_SHOWN_AS}": ["{SURROGATE_SHOWN_AS}", 1]}}'),
        ([[{"k": NUL}], None, 0.5, True], f'[[{{"k": "{NUL_SHOWN_AS}"}}], null, 0.5, true]'),
    ],
)
def test_so_does_json(sent: Json, stored: str) -> None:
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    assert cell_of("extra", sent, builder) == stored
    assert builder.unstorable_cells == 1


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("name", "\\u0000 spelled out"),
        ("name", "\\\\u0000"),
        ("name", "😀 whole"),
        ("extra", {"k": "\\u0000 spelled out", "é": "😀"}),
        ("extra", ["\\\\u0000"]),
    ],
)
def test_what_only_looks_unstorable_is_left_alone(field: str, sent: Json) -> None:
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    assert cell_of(field, sent, builder) == cell_of(field, sent)
    assert builder.unstorable_cells == 0
    assert NUL_SHOWN_AS not in str(cell_of(field, sent))


def test_unstorable_cells_are_counted_and_told_once_without_their_value(caplog: pytest.LogCaptureFixture) -> None:
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    records: list[Record] = [
        {**RECORD, "id": number, "name": f"hunter2{NUL}", "extra": {"k": NUL}} for number in (7, 8, 9)
    ]
    with caplog.at_level(logging.DEBUG):
        assert len(builder.build(records).rows) == 3
    assert builder.unstorable_cells == 6
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    assert "x.model 7" in told.getMessage()
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    "broken",
    [
        {key: value for key, value in RECORD.items() if key != "name"},
        {key: value for key, value in RECORD.items() if key != "write_date"},
        {**RECORD, "id": "7"},
    ],
    ids=["no name", "no write_date", "id"],
)
def test_an_answer_that_does_not_fit_can_be_tried_again(broken: Record) -> None:
    with pytest.raises(OdooServerError, match=r"^x\.model 7: the answer does not fit") as raised:
        build(broken)
    assert "hunter2" not in str(raised.value)  # a row's value has no place in a log


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("color", "hunter2", "not a whole number"),
        ("color", 2.0**53, "beyond 2**53"),
        ("amount", "hunter2", "not a number"),
        ("write_date", "hunter2", "not a date and time"),
        ("active", "hunter2", "neither true nor false"),
    ],
)
def test_one_value_that_does_not_fit_keeps_one_record_out(field: str, value: Json, reason: str) -> None:
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    built = builder.build([{**RECORD, "id": 6}, {**RECORD, field: value}, {**RECORD, "id": 8}])
    assert [row[0] for row in built.rows] == [6, 8]
    (refused,) = built.refused
    assert (refused.id, refused.fields) == (7, (field,))
    assert reason in refused.reason and "hunter2" not in refused.reason


@pytest.mark.parametrize("number", [19, 20])
def test_when_no_record_of_many_fits_the_fields_are_others_by_now(number: int) -> None:
    records: list[Record] = [{**RECORD, "id": item, "color": "hunter2"} for item in range(1, number + 1)]
    builder = RowBuilder(Layout.of("x.model", FIELDS))
    if number < FEWEST_TELLING:
        assert len(builder.build(records).refused) == number
        return
    with pytest.raises(OdooServerError, match=r"^x\.model 1: the answer does not fit .*'color': not a whole number"):
        builder.build(records)
    assert len(builder.build([*records, {**RECORD, "id": 99}]).refused) == number


def test_a_model_without_write_date_has_none_in_its_rows() -> None:
    builder = RowBuilder(Layout.of("x.model", [Field("name", "char")]))
    assert build({"id": 1, "name": "a"}, builder) == (1, None, "a")
