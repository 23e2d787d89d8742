"""The witness: what a cell should hold, worked out without the converter that wrote it."""

from __future__ import annotations

import ast
import inspect
import json
from typing import Any

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.proof import witness
from odoo_shadow.mirror.proof.witness import Witness
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.tables.staging import Cell
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.reading import Labels
from odoo_shadow.source.types import Json, Record
from tests.support.conversions import CONVERSIONS, REFUSED

SECRET = "k" * 40


def told(layout: Layout, record: Record, secret: str | None = None) -> Cell:
    """What the witness says of the one column of a layout."""
    rows, doubtful = Witness(layout, secret).rows([record])
    assert not doubtful
    return rows[0][2]


def as_postgresql_reads(kind: ColumnType, cell: Cell) -> Any:
    """The value behind a cell's text, since there are several texts for one value."""
    if cell is None or kind in (ColumnType.TEXT, ColumnType.BIGINT_ARRAY, ColumnType.DATE, ColumnType.TIMESTAMPTZ):
        return cell
    if kind is ColumnType.JSONB:
        return json.loads(str(cell))
    return str(cell).lower()


@pytest.mark.parametrize(("kind", "column_type", "sent", "stored"), CONVERSIONS)
def test_it_says_what_the_converter_says(kind: str, column_type: ColumnType, sent: Json, stored: Cell) -> None:
    found = told(Layout.of("x.model", [Field("x", kind)]), {"id": 1, "x": sent})
    assert found is None or isinstance(found, str)
    assert as_postgresql_reads(column_type, found) == as_postgresql_reads(column_type, stored)


@pytest.mark.parametrize(("kind", "sent"), REFUSED, ids=lambda item: ascii(item)[:20])
def test_it_doubts_what_the_converter_refuses(kind: str, sent: Json, caplog: pytest.LogCaptureFixture) -> None:
    found = Witness(Layout.of("x.model", [Field("x", kind)]), None)
    assert found.rows([{"id": 1, "x": False}, {"id": 7, "x": sent}])[1] == [7]
    found.rows([{"id": 7, "x": sent}])
    (line,) = [record.getMessage() for record in caplog.records]  # told once, though it is looked at again
    assert "x.model 7" in line and "'x'" in line and "hunter2" not in line


@pytest.mark.parametrize(("kind", "column_type", "sent", "stored"), CONVERSIONS)
def test_it_makes_the_same_hashes(kind: str, column_type: ColumnType, sent: Json, stored: Cell) -> None:
    settings = ModelSettings(hashed_fields=("x",))
    layout = Layout.of("x.model", [Field("x", kind)], settings, hash_secret=SECRET)
    record: Record = {"id": 1, "x": sent}
    ((_, _, written),) = RowBuilder(layout).build([record]).rows
    assert told(layout, record, SECRET) == written


VARIANTS: list[tuple[str, Json, Json]] = [
    ("date", "24-05-13", "0024-05-13"),
    ("datetime", "24-05-13 01:02:03", "0024-05-13 01:02:03+00"),
    ("integer", 3000000000.0, 3000000000),
    ("float", float("inf"), "Infinity"),
    ("float", 0.1, 0.1),
    ("boolean", False, False),
    ("many2one", [7, "Zoë"], 7),
    ("char", "a\0b\ud800", "a\u2400b\ufffd"),
    ("char", False, None),
]


@pytest.mark.parametrize(("kind", "sent", "meant"), VARIANTS)
def test_values_by_company_are_covered(kind: str, sent: Json, meant: Json) -> None:
    fields, settings = [Field("x", kind, company_dependent=True)], ModelSettings(all_companies=True)
    layout = Layout.of("x.model", fields, settings, companies=Labels("1"))
    fitting: dict[str, Json] = {"1": sent, "2": False}
    record: Record = {"id": 1, "x": sent, "x@companies": fitting}
    empty: Json = False if kind == "boolean" else None
    for (row,) in (Witness(layout, None).rows([record])[0], RowBuilder(layout).build([record]).rows):
        assert json.loads(str(row[-1])) == {"1": meant, "2": empty}


def test_values_by_company_are_doubted_too() -> None:
    fields, settings = [Field("x", "date", company_dependent=True)], ModelSettings(all_companies=True)
    layout = Layout.of("x.model", fields, settings, companies=Labels("1"))
    misfits: list[Json] = [{"1": "soon"}, [], "soon"]
    for misfit in misfits:
        assert Witness(layout, None).rows([{"id": 1, "x": False, "x@companies": misfit}]) == ([], [1])


def test_characters_that_postgresql_cannot_store_are_shown() -> None:
    sent_as: dict[str, Json] = {"char": "a\0b\ud800é", "json": {"k\0": ["\ud800", "\\u0000"]}}
    for kind, sent in sent_as.items():
        layout = Layout.of("x.model", [Field("x", kind)])
        record: Record = {"id": 1, "x": sent}
        assert told(layout, record) == RowBuilder(layout).build([record]).rows[0][2]


def test_the_cursor_is_read_like_any_moment() -> None:
    layout = Layout.of("x.model", [Field("write_date", "datetime")])
    assert Witness(layout, None).rows([{"id": 1, "write_date": "24-05-13 01:02:03"}])[0] == [
        (1, "0024-05-13 01:02:03+00")
    ]
    assert Witness(layout, None).rows([{"id": 1, "write_date": "soon"}]) == ([], [1])
    assert Witness(Layout.of("x.model", []), None).rows([{"id": 1}])[0] == [(1, None)]


@pytest.mark.parametrize("record", [{"id": 1}, {"x": "a"}, {"id": "1", "x": "a"}])
def test_an_answer_that_is_no_record_is_refused(record: Record) -> None:
    with pytest.raises(OdooServerError, match=r"x\.model"):
        Witness(Layout.of("x.model", [Field("x", "char")]), None).rows([record])


def test_it_shares_no_code_with_the_converter() -> None:
    """What both used could be wrong in both."""
    tree = ast.parse(inspect.getsource(witness))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported = {f"{node.module}.{name.name}" for node in imports for name in node.names}
    converting = ("odoo_shadow.mirror.shape.conversions", "odoo_shadow.mirror.shape.rows", "odoo_shadow.source.values")
    assert not [name for name in imported if name.startswith(converting)]
