"""Odoo's models change while a mirror runs for years: fields come, go and change their type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.columns import ColumnType
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.catalog import structure
from tests.support.clients import source_of
from tests.support.running import PARTNERS, StoppedError, column, mirror, statuses_of, stop_after
from tests.support.source_of_truth import assert_equal, column_types, shadow_rows

pytestmark = pytest.mark.one_flavour


@pytest.fixture
def own_client(own_odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(own_odoo) as opened:
        yield opened


def columns_of(database: str, schema: str = "odoo_shadow") -> dict[str, str]:
    found = structure(database)["columns"]
    return {str(row[3]): str(row[4]) for row in found if row[:2] == (schema, PARTNERS)}


def test_a_new_field_gets_a_column_that_is_filled_for_all_rows(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(own_client, shadow)
    own_odoo.add_field("res.partner", "x_grade", "char", default="A")
    own_odoo.add_field("res.partner", "x_limit", "monetary")
    result = mirror(own_client, shadow)
    assert (result.kind, result.counts.updated) == (ScanKind.INCREMENTAL, 0)  # those columns alone were read
    assert columns_of(database)["x_grade"] == ColumnType.TEXT
    assert columns_of(database)["x_limit"] == ColumnType.NUMERIC
    assert "x_grade" in columns_of(database, "public")
    assert {row["x_grade"] for row in shadow_rows(database, PARTNERS).values()} == {"A"}
    assert_equal(own_odoo, database, ["res.partner"])
    assert mirror(own_client, shadow).kind is ScanKind.INCREMENTAL


def test_filling_a_new_column_survives_a_crash(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(own_client, shadow)
    own_odoo.add_field("res.partner", "x_grade", "char", default="A")
    with pytest.raises(StoppedError):
        mirror(own_client, shadow, batch_size=30, on_progress=stop_after(2))
    filled = [row["x_grade"] for row in shadow_rows(database, PARTNERS).values()]
    assert filled.count("A") == 60
    mirror(own_client, shadow)
    assert_equal(own_odoo, database, ["res.partner"])


def test_a_second_new_field_during_the_filling_is_filled_as_well(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(own_client, shadow)
    own_odoo.add_field("res.partner", "x_grade", "char", default="A")
    with pytest.raises(StoppedError):
        mirror(own_client, shadow, batch_size=30, on_progress=stop_after(2))
    own_odoo.add_field("res.partner", "x_level", "integer", default=3)
    mirror(own_client, shadow)
    assert_equal(own_odoo, database, ["res.partner"])


def test_a_field_that_goes_leaves_its_column(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    own_odoo.add_field("res.partner", "x_grade", "char", default="A")
    mirror(own_client, shadow)
    own_odoo.remove_field("res.partner", "x_grade")
    own_odoo.execute("res.partner", "write", [5], {"name": "Written since"})
    (created,) = own_odoo.execute("res.partner", "create", [{"name": "Created since"}])
    result = mirror(own_client, shadow)
    assert result.kind is ScanKind.INCREMENTAL
    assert column(shadow, "x_grade", [5, 6, created]) == {5: "A", 6: "A", created: None}
    assert column(shadow, "name", [5]) == {5: "Written since"}
    assert_equal(own_odoo, database, ["res.partner"])


def test_a_field_that_comes_back_is_filled_again(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    own_odoo.add_field("res.partner", "x_grade", "char", default="A")
    mirror(own_client, shadow)
    own_odoo.remove_field("res.partner", "x_grade")
    mirror(own_client, shadow)
    own_odoo.add_field("res.partner", "x_grade", "char", default="B")
    mirror(own_client, shadow)
    assert_equal(own_odoo, database, ["res.partner"])


@pytest.mark.parametrize(
    ("before", "after", "old", "new", "kept"),
    [
        ("integer", "char", 7, "A", None),  # a bigint widens to text
        ("char", "integer", "A", 7, "x_grade__text"),
    ],
)
def test_a_field_that_changes_its_type(
    own_odoo: StandIn,
    own_client: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    before: str,
    after: str,
    old: object,
    new: object,
    kept: str | None,
) -> None:
    own_odoo.add_field("res.partner", "x_grade", before, default=old)
    mirror(own_client, shadow)
    own_odoo.remove_field("res.partner", "x_grade")
    own_odoo.add_field("res.partner", "x_grade", after, default=new)
    mirror(own_client, shadow)
    assert_equal(own_odoo, database, ["res.partner"])
    if kept is not None:
        assert {row[kept] for row in shadow_rows(database, PARTNERS).values()} == {old}
    assert (kept or "x_grade") in columns_of(database, "public")


def test_a_model_that_comes_with_a_module_is_loaded(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    own_odoo.add_model("x_visit", {"x_name": "char", "x_partner_id": {"type": "many2one", "relation": "res.partner"}})
    own_odoo.execute("x_visit", "create", [{"x_name": "first", "x_partner_id": 5}])
    assert mirror(own_client, shadow, "x_visit").counts.inserted == 1
    assert_equal(own_odoo, database, ["x_visit"])
    types = {
        row[3]: row[4] for row in structure(database)["columns"] if row[:2] == ("odoo_shadow", "odoo_shadow_x_visit")
    }
    assert types == column_types(own_odoo, "x_visit")


def test_a_model_called_like_one_of_the_books_gets_another_table(
    own_odoo: StandIn, own_client: ApiSource, shadow: ShadowDatabase
) -> None:
    own_odoo.add_model("sync.log", {"x_name": "char"})
    own_odoo.execute("sync.log", "create", [{"x_name": "a row of Odoo's"}])
    result = mirror(own_client, shadow, "sync.log")
    assert result.table != "odoo_shadow_sync_log"
    assert column(shadow, "x_name", [1], result.table) == {1: "a row of Odoo's"}
    assert statuses_of(shadow) == ["success"]
