"""Names: any Odoo name becomes a PostgreSQL identifier that is distinct and stable."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.shadow.names import (
    LONGEST_NAME,
    column_name,
    distinct_table_name,
    free_column_name,
    index_name,
    name_column,
    table_name,
    table_names,
    view_names,
)

SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
OWN_COLUMNS = ("_odoo_write_date", "_synced_at", "_sync_hash")


@pytest.mark.parametrize("model", PRIORITY_MODELS)
def test_the_tables_of_priority_models_are_called_after_them(model: str) -> None:
    assert table_name(model) == "odoo_shadow_" + model.replace(".", "_")


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("name", "name"),
        ("x_studio_UPPER", "x_studio_UPPER"),
        ("select", "select"),
        ('x_";DROP TABLE a;--', 'x_";DROP TABLE a;--'),
        ("x_100%s", "x_100%s"),
        ("größe", "größe"),
        ("a" * 63, "a" * 63),
    ],
)
def test_a_column_bears_the_name_of_its_field(field: str, column: str) -> None:
    assert column_name(field) == column


# These stand in people's databases: another spelling would be another column, with everything read again.
@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("xmin", "xmin_db29f1af"),
        ("_sync_hash", "_sync_hash_eb13344e"),
        ("x_" + "a" * 62, "x_" + "a" * 52 + "_7b39f504"),
    ],
)
def test_changed_names_stay_as_they_were_in_earlier_versions(field: str, column: str) -> None:
    assert column_name(field) == column


@pytest.mark.parametrize("field", [*SYSTEM_COLUMNS, *OWN_COLUMNS])
def test_names_that_no_column_can_have_are_changed(field: str) -> None:
    assert column_name(field).startswith(f"{field}_")
    assert column_name(field) not in (*SYSTEM_COLUMNS, *OWN_COLUMNS)


@pytest.mark.parametrize("length", [61, 62, 63, 64, 65, 200])
@pytest.mark.parametrize("letter", ["a", "é", "語", "🜁"])
def test_long_names_are_cut_between_characters(length: int, letter: str) -> None:
    field = letter * length
    column = column_name(field)
    assert len(column.encode()) <= LONGEST_NAME
    if len(field.encode()) <= LONGEST_NAME:
        assert column == field
    else:
        head, _, digest = column.rpartition("_")
        assert set(head) == {letter}
        assert len(head.encode()) > LONGEST_NAME - len("_12345678") - len(letter.encode())
        assert len(digest) == 8


def test_long_names_with_one_beginning_stay_apart() -> None:
    beginning = "x_" + "very_" * 12
    assert len({column_name(beginning + end) for end in ("", "a", "b", "ab")}) == 4


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), max_size=20))
def test_distinct_fields_have_distinct_columns_that_fit(fields: set[str]) -> None:
    columns = {column_name(field) for field in fields}
    assert len(columns) == len(fields)
    assert all(1 <= len(column.encode()) <= LONGEST_NAME for column in columns)
    assert columns.isdisjoint(SYSTEM_COLUMNS) and columns.isdisjoint(OWN_COLUMNS)


def test_two_models_of_one_spelling_can_be_told_apart() -> None:
    assert table_name("sale.order_line") == table_name("sale.order.line")
    assert distinct_table_name("sale.order_line") != distinct_table_name("sale.order.line")
    assert distinct_table_name("sale.order.line").startswith("odoo_shadow_sale_order_line_")


def test_long_models_of_one_spelling_need_no_registry() -> None:
    first, second = (f"x.{'long_' * 12}{dot}end" for dot in (".", "_"))
    assert table_name(first) != table_name(second)
    assert len(table_name(first).encode()) <= LONGEST_NAME


@pytest.mark.parametrize("ending", ["pkey", "named"])
def test_no_table_is_called_as_something_that_is_made_of_anothers_name(ending: str) -> None:
    for model in ("x", "x" * 50, "x" * 44, "x" * 46, "sync.log"):
        assert not table_name(f"{model}.{ending}").endswith(f"_{ending}")
        assert not distinct_table_name(f"{model}.{ending}").endswith(f"_{ending}")


@pytest.mark.parametrize("model", ["res.partner", "x." + "long_" * 20, "x" * 46, "x." + "größe_" * 12])
def test_a_view_has_a_name_of_its_own(model: str) -> None:
    views = list(islice(view_names(table_name(model)), 3))
    assert len(set(views)) == 3
    assert all(view.endswith("_named") and len(view.encode()) <= LONGEST_NAME for view in views)
    assert views != list(islice(view_names(table_name(f"{model}.line")), 3))
    assert next(view_names("odoo_shadow_res_partner")) == "odoo_shadow_res_partner_named"


def test_there_is_always_another_name_for_a_table() -> None:
    found = list(islice(table_names("sale.order", "odoo_shadow_sale_order"), 20))
    assert found[:2] == ["odoo_shadow_sale_order", distinct_table_name("sale.order")]
    assert len(set(found)) == 20


@pytest.mark.parametrize("field", ["name", "xmin", "x" * 63, "x" * 64, "größe" * 20])
def test_fields_that_would_share_a_column_get_one_each(field: str) -> None:
    taken: list[str] = []
    for _ in range(5):
        taken.append(free_column_name(field, taken))
    assert taken[0] == column_name(field)
    assert len(set(taken)) == 5
    assert all(len(column.encode()) <= LONGEST_NAME for column in taken)


@pytest.mark.parametrize("column", ["partner_id", "x" * 58, "x" * 59, "x" * 63, "é" * 31])
def test_the_name_of_a_record_gives_way_to_every_column(column: str) -> None:
    taken: list[str] = [column]
    for _ in range(5):
        taken.append(name_column(column, taken))
    assert len(set(taken)) == 6
    assert all(len(name.encode()) <= LONGEST_NAME for name in taken)
    assert name_column("partner_id", ["partner_id"]) == "partner_id_name"


@pytest.mark.parametrize("model", ["res.partner", "x." + "long_" * 20, "x." + "größe_" * 12])
def test_an_index_has_a_name_of_its_own(model: str) -> None:
    table, other = table_name(model), table_name(f"{model}.line")
    assert len({table, other, index_name(table), index_name(other)}) == 4
    assert len(index_name(table).encode()) <= LONGEST_NAME


@pytest.mark.parametrize("field", ["x\0y", "x\ud800y", "\0"])
def test_characters_that_no_identifier_can_have_are_replaced(field: str) -> None:
    column = column_name(field)
    column.encode()
    assert "\0" not in column  # libpq ends the identifier there
    assert column not in (column_name("x"), column_name("xy"))
