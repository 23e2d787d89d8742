"""Odoo field → PostgreSQL column: types, conversions, and which fields have a column at all."""

from __future__ import annotations

import json
import math

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.shape.conversions import MisfitError
from odoo_shadow.mirror.shape.layout import FieldColumn, Layout
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.tables.staging import Cell
from odoo_shadow.source.api.fields import parse_field
from odoo_shadow.source.fields import Field
from odoo_shadow.source.reading import Labels
from odoo_shadow.source.types import Json
from tests.support.conversions import CONVERSIONS, REFUSED


def column_of(field: Field) -> FieldColumn:
    (column,) = Layout.of("x.model", [field]).columns
    return column


@pytest.mark.parametrize(("kind", "column_type", "sent", "stored"), CONVERSIONS)
def test_values_are_converted_by_declared_type(kind: str, column_type: ColumnType, sent: Json, stored: Cell) -> None:
    item = column_of(Field("x", kind))
    assert item.column.type is column_type
    cell = item.convert(sent)
    assert cell == stored
    assert type(cell) is type(stored)  # 0 is not False


def test_a_float_with_digits_is_exact() -> None:
    assert column_of(Field("x", "float", has_digits=True)).column.type is ColumnType.NUMERIC
    assert column_of(Field("x", "float", has_digits=True)).convert(2.675) == 2.675


def test_json_is_stored_whole_whatever_its_depth() -> None:
    nested: Json = {"a": [{"b": {"c": ["\\u0000", "é", 1e300, 0.1, 2**70]}}]}
    cell = column_of(Field("x", "json")).convert(nested)
    assert isinstance(cell, str)
    assert json.loads(cell) == nested


@pytest.mark.parametrize(("kind", "sent"), REFUSED, ids=lambda item: ascii(item)[:20])
def test_what_is_no_value_of_its_type_is_refused_without_being_told(kind: str, sent: Json) -> None:
    with pytest.raises(MisfitError) as raised:
        column_of(Field("x", kind)).convert(sent)
    assert not isinstance(sent, str) or len(sent) < 2 or sent not in str(raised.value)


def test_nan_is_a_number() -> None:
    for kind in ("float", "monetary"):
        cell = column_of(Field("x", kind)).convert(float("nan"))
        assert isinstance(cell, float) and math.isnan(cell)


def test_minus_zero_is_zero() -> None:
    """PostgreSQL takes them for equal, and writes them otherwise, which would show in hashes."""
    assert str(column_of(Field("x", "float")).convert(-0.0)) == "0.0"


def test_values_by_company_are_of_their_type_too() -> None:
    fields = [Field("day", "date", company_dependent=True), Field("rate", "float", company_dependent=True)]
    layout = Layout.of("x.model", fields, ModelSettings(all_companies=True), companies=Labels("1"))
    convert = {item.key: item.convert for item in layout.columns}
    assert convert["day@companies"]({"1": "24-05-13", "2": False}) == '{"1": "0024-05-13", "2": null}'
    assert convert["rate@companies"]({"1": float("inf"), "2": 3}) == '{"1": "Infinity", "2": 3.0}'
    with pytest.raises(MisfitError):
        convert["day@companies"]({"1": "2024-02-30"})


def test_a_list_is_an_id_only_where_a_many2one_is_declared() -> None:
    assert column_of(Field("x", "many2one")).convert([3, 4]) == 3
    assert column_of(Field("x", "json")).convert([3, 4]) == "[3, 4]"


@pytest.mark.parametrize(
    "field",
    [
        Field("image", "binary"),
        Field("image", "image"),
        Field("line_ids", "one2many", relation="x.line"),
        Field("tag_ids", "many2many", relation="x.tag", store=False),
        Field("computed", "char", store=False),
        Field("id", "integer"),
        Field("write_date", "datetime"),
        Field("access_token", "char"),
        Field("image_by_company", "binary", store=False, company_dependent=True),
    ],
    ids=lambda field: field.name,
)
def test_fields_without_a_column(field: Field) -> None:
    assert Layout.of("x.model", [field]).columns == ()


@pytest.mark.parametrize(
    "field",
    [
        Field("name", "char"),
        Field("by_company", "float", store=False, company_dependent=True),
        Field("create_date", "datetime"),
        Field("create_uid", "many2one"),
        Field("write_uid", "many2one"),
        Field("x_embedding", "vector"),
    ],
    ids=lambda field: field.name,
)
def test_fields_with_a_column(field: Field) -> None:
    assert [item.key for item in Layout.of("x.model", [field]).columns] == [field.name]


def test_a_layout_reads_what_it_stores_in_one_order() -> None:
    fields = [Field(name, "char") for name in ("b", "xmin", "a")] + [Field("write_date", "datetime")]
    layout = Layout.of("x.model", fields)
    assert layout == Layout.of("x.model", reversed(fields))
    assert layout.has_write_date
    assert layout.reading.fields == ("id", "write_date", "a", "b", "xmin")
    assert [item.column.name for item in layout.columns][:2] == ["a", "b"]


def test_a_field_with_an_odd_name_is_read_like_any_other() -> None:
    fields = [Field("name", "char", translate=True), Field("a@b", "char"), Field("x@translations", "char")]
    layout = Layout.of("x.model", fields, ModelSettings(all_languages=True), languages=Labels("en_US"))
    assert layout.reading.fields == ("id", "a@b", "name", "x@translations")


@pytest.mark.parametrize("fields", [[], [Field("write_date", "datetime", store=False)]])
def test_a_model_without_write_date(fields: list[Field]) -> None:
    layout = Layout.of("mail.followers", fields)
    assert not layout.has_write_date
    assert layout.reading.fields == ("id",)


def test_fields_get_is_read_by_attribute() -> None:
    described: dict[str, Json] = {"type": "float", "store": False, "digits": [16, 2], "company_dependent": True}
    assert parse_field("x", described) == Field("x", "float", store=False, has_digits=True, company_dependent=True)
    assert parse_field("x", {"type": "many2one", "store": True, "relation": "a.b"}).relation == "a.b"
    assert parse_field("x", {}) == Field("x", "unknown", store=False)


@pytest.mark.parametrize(("digits", "kind"), [([16, 2], "numeric"), (False, "numeric"), (0, "numeric")])
def test_a_float_is_exact_whatever_its_digits_are(digits: Json, kind: str) -> None:
    field = parse_field("x", {"type": "float", "store": True, "digits": digits})
    assert column_of(field).column.type == kind
    assert column_of(parse_field("x", {"type": "float", "store": True})).column.type == "double precision"
