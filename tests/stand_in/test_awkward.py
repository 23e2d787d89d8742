"""The awkward flavour: every kind of field, names that nobody would choose, and values to go with them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from odoo_stand_in import StandIn
from odoo_stand_in.declared.schema import KNOWN_TYPES
from odoo_stand_in.invented.awkward import EMPTY, FIELD_NAMES, FULL, HIGH, KINDS, LOW, MISNAMED, MODEL_NAMES, TEXTS
from tests.support.wire import Wire

pytestmark = pytest.mark.both_flavours

EVERYTHING = {"active_test": False}
BY_COMPANY = {"char", "text", "html", "float", "integer", "boolean", "date", "datetime", "selection", "many2one"}


@pytest.fixture(scope="module", params=["17", "19"])
def wire(request: pytest.FixtureRequest, server: str) -> Iterator[Wire]:
    with StandIn(server, request.param, database=f"awkward{request.param}", schema="awkward") as odoo:
        yield Wire(odoo)


def test_every_kind_of_field_is_there(wire: Wire) -> None:
    fields = wire.odoo.registry.models[KINDS].fields.values()
    assert {field.type for field in fields} == KNOWN_TYPES
    assert {field.type for field in fields if field.translate} == {"char", "text", "html"}
    assert {field.type for field in fields if field.company_dependent} == BY_COMPANY
    assert {field.store for field in fields if field.related} == {True, False}
    assert {field.digits for field in fields if field.type == "float"} == {None, (16, 3), 0}


def test_the_full_row_is_full_and_the_empty_one_empty(wire: Wire) -> None:
    row = wire.call(KINDS, "read", [FULL], load="", context={"allowed_company_ids": [1, 2, 3]})[0]
    empty = {name for name, value in row.items() if value in (False, 0, [], "")}
    assert empty <= {"x_parent_id", "x_partner_ids", "x_properties"}
    row = wire.call(KINDS, "read", [EMPTY], load="", context={"allowed_company_ids": [1, 2, 3]})[0]
    kept = {"id", "display_name", "x_name", "create_uid", "create_date", "write_uid", "write_date"}
    linked = {"x_partner_ids", "x_line_ids", "x_line_count"}
    assert all(value in (False, 0, []) for name, value in row.items() if name not in kept | linked)


def test_texts_and_extremes_come_whole(wire: Wire) -> None:
    rows = wire.call(KINDS, "search_read", [["id", ">", LOW]], ["x_text", "x_json"], order="id", context=EVERYTHING)
    assert tuple(row["x_text"] for row in rows) == TEXTS
    assert all(row["x_json"]["text"] == row["x_text"] for row in rows)
    high, low = wire.call(KINDS, "read", [HIGH, LOW], ["x_integer", "x_float", "x_date", "x_json"])
    assert (high["x_integer"], low["x_integer"]) == (2**31 - 1, -(2**31))
    assert (high["x_float"], low["x_float"]) == (1.7976931348623157e308, -5e-324)
    assert (high["x_date"], low["x_date"]) == ("9999-12-31", "1-01-01")
    assert (high["x_json"]["big"], low["x_json"]) == (2**53 + 1, [])


def test_two_languages_and_three_companies_differ(wire: Wire) -> None:
    names = ["x_title", "x_note", "x_page"]
    english, french = (wire.call(KINDS, "read", [FULL], names, context={"lang": one})[0] for one in ("en_US", "fr_FR"))
    assert all(english[name] != french[name] for name in names)
    dependent = [f"x_by_company_{kind}" for kind in BY_COMPANY]
    told = [
        wire.call(KINDS, "read", [FULL], dependent, load="", context={"allowed_company_ids": ids})[0]
        for ids in ([1, 2, 3], [2, 1], [3, 1, 2])
    ]
    for name in dependent:
        assert len({row[name] for row in told}) == (2 if name.endswith(("boolean", "selection")) else 3), name


def test_a_computed_value_changes_without_a_trace(wire: Wire) -> None:
    (before,) = wire.call(KINDS, "read", [LOW], ["x_line_count", "write_date"])
    new = wire.odoo.execute("x_kinds.line", "create", {"x_name": "new", "x_kind_id": LOW})
    (after,) = wire.call(KINDS, "read", [LOW], ["x_line_count", "write_date"])
    wire.odoo.execute("x_kinds.line", "unlink", [new])
    assert after == {**before, "x_line_count": before["x_line_count"] + 1}


def test_every_field_name_keeps_its_own_values(wire: Wire) -> None:
    rows = wire.call("awkward.names", "search_read", [], order="id")
    assert all(row[name] == f"{name} {row['id']}" for row in rows for name in FIELD_NAMES)
    told = wire.call("ir.model.fields", "search_read", [["model", "=", "awkward.names"]], ["name"])
    assert {row["name"] for row in told} >= set(FIELD_NAMES)
    awkward = 'x"; DROP TABLE res_partner; --'
    assert wire.call("awkward.names", "search", [[awkward, "=", f"{awkward} 2"]]) == [2]
    assert wire.call("awkward.names", "write", [1], {"ctid": "new", "per%s": "100%s"}) is True
    (row,) = wire.call("awkward.names", "read", [1], ["ctid", "per%s"])
    assert (row["ctid"], row["per%s"]) == ("new", "100%s")
    wire.call("awkward.names", "write", [1], {"ctid": "ctid 1", "per%s": "per%s 1"})


def test_every_model_name_has_its_own_rows(wire: Wire) -> None:
    tables = {wire.odoo.registry.models[name].table for name in MODEL_NAMES}
    assert len(tables) == len(MODEL_NAMES)
    for name in MODEL_NAMES:
        assert [row["name"] for row in wire.call(name, "search_read", [], ["name"], order="id")] == [
            f"{name} {number}" for number in (1, 2, 3)
        ]
        if wire.odoo.flavour == "19":
            answer = wire.json2(quote(name, safe=""), "search_read", {"domain": [["id", "=", 1]], "fields": ["name"]})
            assert answer.json() == [{"id": 1, "name": f"{name} 1"}]
    told = wire.call("ir.model", "get_available_models")
    assert {one["model"] for one in told} >= {*MODEL_NAMES, *MISNAMED}
