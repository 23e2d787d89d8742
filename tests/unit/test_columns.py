"""Odoo field → PostgreSQL column: types, conversions, and which fields have a column at all."""

from __future__ import annotations

import json

import pytest

from airflow_provider_odoo_shadow.job.layout import FieldColumn, Labels, Layout
from airflow_provider_odoo_shadow.job.settings import ModelSettings
from airflow_provider_odoo_shadow.source.fields import Field
from airflow_provider_odoo_shadow.source.types import Json
from airflow_provider_odoo_shadow.target.merge import Cell
from airflow_provider_odoo_shadow.target.tables import ColumnType

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
    ("reference", ColumnType.TEXT, "res.partner,12", "res.partner,12"),
    ("reference", ColumnType.TEXT, False, None),
    ("integer", ColumnType.BIGINT, 0, 0),
    ("integer", ColumnType.BIGINT, -7, -7),
    ("integer", ColumnType.BIGINT, 2**53 + 1, 2**53 + 1),
    ("integer", ColumnType.BIGINT, "12", 12),
    ("integer", ColumnType.BIGINT, False, None),
    ("integer", ColumnType.BIGINT, None, None),
    ("many2one", ColumnType.BIGINT, 12, 12),
    ("many2one", ColumnType.BIGINT, [12, "Zoë"], 12),
    ("many2one", ColumnType.BIGINT, False, None),
    ("many2one", ColumnType.BIGINT, None, None),
    ("many2many", ColumnType.BIGINT_ARRAY, [3, 1, 2], "{1,2,3}"),
    ("many2many", ColumnType.BIGINT_ARRAY, [], "{}"),
    ("many2many", ColumnType.BIGINT_ARRAY, False, None),
    ("many2one_reference", ColumnType.BIGINT, 12, 12),
    ("many2one_reference", ColumnType.BIGINT, False, None),
    ("boolean", ColumnType.BOOLEAN, True, True),
    ("boolean", ColumnType.BOOLEAN, False, False),
    ("date", ColumnType.DATE, "2024-02-29", "2024-02-29"),
    ("date", ColumnType.DATE, False, None),
    ("datetime", ColumnType.TIMESTAMPTZ, "2024-02-29 23:59:59", "2024-02-29 23:59:59+00"),
    ("datetime", ColumnType.TIMESTAMPTZ, False, None),
    ("monetary", ColumnType.NUMERIC, 0.1, 0.1),
    ("monetary", ColumnType.NUMERIC, 0, 0.0),
    ("monetary", ColumnType.NUMERIC, 1234.567, 1234.567),
    ("monetary", ColumnType.NUMERIC, False, None),
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
    ("float", ColumnType.DOUBLE, 0.1, 0.1),
    ("float", ColumnType.DOUBLE, 0.0, 0.0),
    ("float", ColumnType.DOUBLE, 3, 3.0),
    ("float", ColumnType.DOUBLE, False, None),
    ("float", ColumnType.DOUBLE, None, None),
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


@pytest.mark.parametrize("kind", ["integer", "many2one", "many2one_reference"])
@pytest.mark.parametrize("sent", ["Zoë", [], {}, [[]], "1.5"])
def test_what_is_no_id_is_refused(kind: str, sent: Json) -> None:
    with pytest.raises((ValueError, TypeError)):
        column_of(Field("x", kind)).convert(sent)


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
