"""Values of another shape than Odoo's: each is refused with its record and field."""

from __future__ import annotations

import pytest

from odoo_shadow.mirror.shape.conversions import boolean, integer, jsonb, many2one, number
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.shape.rows import RowBuilder
from odoo_shadow.source.api.fields import parse_field
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.types import Json

pytestmark = pytest.mark.attack

VALUES: list[tuple[str, Json]] = [
    ("integer", 2**63),
    ("integer", -(2**63) - 1),
    ("integer", "1" * 5000),
    ("integer", "x"),
    ("integer", 1.5),
    ("integer", float("inf")),
    ("integer", float(2**53)),
    ("integer", []),
    ("many2one", [2**64, "x"]),
    ("many2one", [[], "x"]),
    ("many2one", {}),
    ("many2many", [2**64]),
    ("many2many", [[1]]),
    ("many2many", [True]),
    ("boolean", "x"),
    ("float", "1" * 5000),
    ("float", []),
    ("monetary", "x"),
    ("date", "2024-02-30"),
    ("datetime", "soon"),
    ("properties", [{"value": 1}]),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=lambda item: str(item)[:15])
def test_a_value_that_does_not_fit_names_record_and_field(kind: str, value: Json) -> None:
    builder = RowBuilder(Layout.of("x.model", [Field("x", kind)]))
    (refused,) = builder.build([{"id": 7, "x": value}]).refused
    assert (refused.id, refused.fields) == (7, ("x",))
    with pytest.raises(OdooServerError, match=r"x\.model 1: the answer does not fit .*'x'"):
        builder.build([{"id": number, "x": value} for number in range(1, 21)])


def test_values_at_the_edge_are_taken() -> None:
    assert [integer(value) for value in (2**63 - 1, -(2**63), 3000000000.0, "-7")] == [
        2**63 - 1,
        -(2**63),
        3 * 10**9,
        -7,
    ]
    assert many2one([3000000000.0, "x"]) == 3 * 10**9
    assert number(1e308) == 1e308 and boolean(True) is True and jsonb({"a": 10**30}) == '{"a": 1' + "0" * 30 + "}"


def test_labels_are_what_postgresql_can_store() -> None:
    details: dict[str, Json] = {"type": "char", "string": "a\x00b\ud800", "selection": [["\x00", "\udfff"], ["a"], 7]}
    field = parse_field("x", details)
    assert field.label == "a\u2400b\ufffd" and field.selection == (("\u2400", "\ufffd"),)
