"""Odoo field → PostgreSQL column: types, conversions, and which fields have a column at all."""

from __future__ import annotations

import json
import math

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.shape.columns import MisfitError
from odoo_shadow.mirror.shape.layout import FieldColumn, Labels, Layout
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.tables.staging import Cell
from odoo_shadow.source.api.fields import Field
from odoo_shadow.source.types import Json

JSON_TYPES = ("json", "properties_definition", "vector", "unknown")
JSON_CELLS: list[tuple[Json, Cell]] = [
    ({"b": [1, None, False], "a": "é"}, '{"a": "é", "b": [1, null, false]}'),
    ([], "[]"),
    (0, "0"),
    (True, "true"),
    ("text", '"text"'),
    (False, None),
    (None, None),
]
# type, column type, what Odoo sends, what is stored
CONVERSIONS: list[tuple[str, ColumnType, Json, Cell]] = [
    *[
        (kind, ColumnType.TEXT, sent, stored)
        for kind in ("char", "text", "html", "selection")
        for sent, stored in (("Zoë\n\t'\"\\", "Zoë\n\t'\"\\"), ("", ""), ("0", "0"), (False, None), (None, None))
    ],
    ("selection", ColumnType.TEXT, 0, "0"),  # selections may have integer keys
    ("char", ColumnType.TEXT, True, "true"),
    # SQL views whose columns are of another type than the fields' (Odoo 17.0 and 19.0 pass them on as they are).
    ("char", ColumnType.TEXT, 7, "7"),
    ("char", ColumnType.TEXT, 7.5, "7.5"),
    ("text", ColumnType.TEXT, {"a": 1}, '{"a": 1}'),
    ("text", ColumnType.TEXT, float("-inf"), "-Infinity"),
    ("html", ColumnType.TEXT, "0024-05-13", "0024-05-13"),
    ("reference", ColumnType.TEXT, "res.partner,12", "res.partner,12"),
    ("reference", ColumnType.TEXT, False, None),
    ("integer", ColumnType.BIGINT, 0, 0),
    ("integer", ColumnType.BIGINT, -7, -7),
    ("integer", ColumnType.BIGINT, 2**53 + 1, 2**53 + 1),
    ("integer", ColumnType.BIGINT, "12", 12),
    ("integer", ColumnType.BIGINT, 3000000000.0, 3000000000),
    ("integer", ColumnType.BIGINT, float(2**53 - 1), 2**53 - 1),
    ("integer", ColumnType.BIGINT, -3000000000, -3000000000),
    ("integer", ColumnType.BIGINT, -0.0, 0),
    ("integer", ColumnType.BIGINT, True, 1),
    ("integer", ColumnType.BIGINT, -(2**63), -(2**63)),
    ("integer", ColumnType.BIGINT, False, None),
    ("integer", ColumnType.BIGINT, None, None),
    ("many2one", ColumnType.BIGINT, 12, 12),
    ("many2one", ColumnType.BIGINT, [12, "Zoë"], 12),
    ("many2one", ColumnType.BIGINT, [12.0, "Zoë"], 12),
    ("many2one", ColumnType.BIGINT, 0, 0),
    ("many2one", ColumnType.BIGINT, 3000000000, 3000000000),
    ("many2one", ColumnType.BIGINT, False, None),
    ("many2one", ColumnType.BIGINT, None, None),
    ("many2many", ColumnType.BIGINT_ARRAY, [3, 1, 2], "{1,2,3}"),
    ("many2many", ColumnType.BIGINT_ARRAY, [], "{}"),
    ("many2many", ColumnType.BIGINT_ARRAY, False, None),
    ("many2many", ColumnType.BIGINT_ARRAY, [9.0, 7, 9], "{7,9}"),
    ("many2one_reference", ColumnType.BIGINT, 12, 12),
    ("many2one_reference", ColumnType.BIGINT, False, None),
    ("many2one_reference", ColumnType.BIGINT, 2147483648.0, 2147483648),
    ("boolean", ColumnType.BOOLEAN, True, True),
    ("boolean", ColumnType.BOOLEAN, False, False),
    ("boolean", ColumnType.BOOLEAN, None, False),
    ("boolean", ColumnType.BOOLEAN, 1, True),
    ("boolean", ColumnType.BOOLEAN, 0, False),
    ("boolean", ColumnType.BOOLEAN, 2, True),
    ("date", ColumnType.DATE, "2024-02-29", "2024-02-29"),
    ("date", ColumnType.DATE, False, None),
    ("date", ColumnType.DATE, "24-05-13", "0024-05-13"),
    ("date", ColumnType.DATE, "1-01-01", "0001-01-01"),
    ("date", ColumnType.DATE, "999-12-31", "0999-12-31"),
    ("date", ColumnType.DATE, "0024-05-13", "0024-05-13"),
    ("date", ColumnType.DATE, "9999-12-31", "9999-12-31"),
    ("date", ColumnType.DATE, "2024-02-29 10:00:00", "2024-02-29"),  # a view's timestamp, as Odoo passes it on
    ("date", ColumnType.DATE, "24-05-13 10:00:00", "0024-05-13"),
    ("date", ColumnType.DATE, "2024-02-29T23:59:59-05:00", "2024-02-29"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59", "2024-02-29 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, False, None),
    ("datetime", ColumnType.TIMESTAMPTZ, "24-05-13 01:02:03", "0024-05-13 01:02:03+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "1-01-01 00:00:00", "0001-01-01 00:00:00+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "9999-12-31 23:59:59", "9999-12-31 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29", "2024-02-29 00:00:00+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59.123456", "2024-02-29 23:59:59.123456+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29T23:59:59Z", "2024-02-29 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59+05:30", "2024-02-29 18:29:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59+01", "2024-02-29 22:59:00+00"),  # as long as the usual
    ("monetary", ColumnType.NUMERIC, 0.1, 0.1),
    ("monetary", ColumnType.NUMERIC, 0, 0.0),
    ("monetary", ColumnType.NUMERIC, 1234.567, 1234.567),
    ("monetary", ColumnType.NUMERIC, False, None),
    ("monetary", ColumnType.NUMERIC, "0.10", 0.1),
    ("monetary", ColumnType.NUMERIC, "12345678901234567890.125", "12345678901234567890.125"),
    ("monetary", ColumnType.NUMERIC, 2**53 + 1, 2**53 + 1),
    ("monetary", ColumnType.NUMERIC, float("inf"), float("inf")),
    ("monetary", ColumnType.NUMERIC, "-Infinity", float("-inf")),
    ("properties", ColumnType.JSONB, False, None),
    ("properties", ColumnType.JSONB, [], "{}"),
    ("properties", ColumnType.JSONB, {"b": 1}, '{"b": 1}'),
    (
        "properties",
        ColumnType.JSONB,
        [
            {"name": "b", "type": "char", "string": "Label", "value": "é"},
            {"name": "a", "type": "many2one", "comodel": "res.users", "value": [7, "Zoë"]},
            {"name": "c", "type": "many2many", "comodel": "res.users", "value": [[7, "Zoë"], [8, "Li"]]},
            {"name": "d", "type": "tags", "value": ["x", "y"]},
            {"name": "e", "type": "separator"},
            {"name": "f", "type": "many2one", "value": False},
        ],
        '{"a": 7, "b": "é", "c": [7, 8], "d": ["x", "y"], "f": false}',
    ),
    (
        "properties",
        ColumnType.JSONB,
        [
            {"name": "bd2fa91c44cff2fa", "type": "char", "string": "Colour", "value": "red"},
            {"name": "aa01", "type": "char", "string": "WiFi password", "value": "hunter2"},
            {"name": "aa02", "type": "text", "string": "Zugangsdaten", "value": "hunter2"},
            {"name": "aa03", "type": "integer", "string": "PIN", "value": 1234},
            {"name": "api_key", "type": "char", "string": "Remark", "value": "hunter2"},
            {"name": "aa04", "type": "boolean", "string": "Has a password", "value": True},
            {"name": "aa05", "type": "many2one", "string": "Password of", "value": [7, "Zoë"]},
        ],
        '{"aa04": true, "aa05": 7, "bd2fa91c44cff2fa": "red"}',
    ),
    ("properties", ColumnType.JSONB, {"b": 1, "api_key": "hunter2"}, '{"b": 1}'),
    (
        "properties_definition",
        ColumnType.JSONB,
        [
            {"name": "aa01", "type": "char", "string": "WiFi password", "default": "hunter2"},
            {"name": "aa02", "type": "char", "string": "Colour", "default": "red"},
        ],
        '[{"name": "aa01", "string": "WiFi password", "type": "char"},'
        ' {"default": "red", "name": "aa02", "string": "Colour", "type": "char"}]',
    ),
    ("serialized", ColumnType.JSONB, {"x_colour": "red", "smtp_pass": "hunter2"}, '{"x_colour": "red"}'),
    ("float", ColumnType.DOUBLE, 0.1, 0.1),
    ("float", ColumnType.DOUBLE, 0.0, 0.0),
    ("float", ColumnType.DOUBLE, 3, 3.0),
    ("float", ColumnType.DOUBLE, False, None),
    ("float", ColumnType.DOUBLE, None, None),
    ("float", ColumnType.DOUBLE, True, 1.0),
    ("float", ColumnType.DOUBLE, float("-inf"), float("-inf")),
    ("float", ColumnType.DOUBLE, 1.7976931348623157e308, 1.7976931348623157e308),
    ("float", ColumnType.DOUBLE, "1e5", 100000.0),
    ("json", ColumnType.JSONB, [float("inf"), {"a": float("nan")}], '["Infinity", {"a": "NaN"}]'),
    ("json", ColumnType.JSONB, "", '""'),
    ("json", ColumnType.JSONB, {}, "{}"),
    *[(kind, ColumnType.JSONB, sent, stored) for kind in JSON_TYPES for sent, stored in JSON_CELLS],
]


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


NO_NUMBERS: tuple[Json, ...] = ("", "Zoë", "1_000", " 7", "\u0663", "0x10", "1,5", {}, [[]])
NO_WHOLE: tuple[Json, ...] = (*NO_NUMBERS, "1.5", 1.5, float("nan"), float("inf"), 2**63, "1" * 5000)
ROUNDED: tuple[Json, ...] = (2.0**53, -(2.0**53), 9.2e18)
NO_IDS: tuple[Json, ...] = ([1, True], [1, "2"], [[1, "Zoë"]], [2.0**53], {}, 7)
NO_DATES: tuple[Json, ...] = (
    *("", "soon", "2024-02-30", "2023-02-29", "2024-13-01", "0-01-01", "10000-01-01", "24-5", "20240229"),
    *(" 2024-02-29", "2024-02-29x", "2024-02-29\n", "\uff12\uff10\uff12\uff14-02-29", "-44-03-15", "44-03-15 BC"),
    *("2024-02-29 24:00:00", "2024-02-29 23:59:60", "2024-02-29 235959.1", "2024-W09-4", "2024-W09-4 23:59:59"),
    *("1-01-01 00:00:00+01", "9999-12-31 23:59:59-01", "infinity", 7, True, [], {}),
)
REFUSED: list[tuple[str, Json]] = [
    *((kind, sent) for kind in ("integer", "many2one", "many2one_reference") for sent in (*NO_WHOLE, *ROUNDED)),
    *((kind, sent) for kind in ("float", "monetary") for sent in NO_NUMBERS),
    *(("many2many", sent) for sent in NO_IDS),
    *((kind, sent) for kind in ("date", "datetime") for sent in NO_DATES),
    ("many2one", []),
    ("boolean", "hunter2"),
    ("boolean", []),
    ("properties", [{"value": "hunter2"}]),
]


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
    assert Field.parse("x", described) == Field("x", "float", store=False, has_digits=True, company_dependent=True)
    assert Field.parse("x", {"type": "many2one", "store": True, "relation": "a.b"}).relation == "a.b"
    assert Field.parse("x", {}) == Field("x", "unknown", store=False)


@pytest.mark.parametrize(("digits", "kind"), [([16, 2], "numeric"), (False, "numeric"), (0, "numeric")])
def test_a_float_is_exact_whatever_its_digits_are(digits: Json, kind: str) -> None:
    field = Field.parse("x", {"type": "float", "store": True, "digits": digits})
    assert column_of(field).column.type == kind
    assert column_of(Field.parse("x", {"type": "float", "store": True})).column.type == "double precision"
