"""Reading and writing through the stand-in: values, domains, write_date, companies, schema changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.wire import Wire

pytestmark = pytest.mark.both_flavours

LONG_AGO = "2020-01-01 12:00:00.5"


@pytest.fixture
def partner(wire: Wire) -> Iterator[int]:
    """A company whose row was last written at half past a second, long ago."""
    new = wire.odoo.execute("res.partner", "create", {"name": "Old", "is_company": True})
    _age(wire.odoo, "res_partner", new)
    yield new
    wire.odoo.execute("res.partner", "unlink", [new])


def _age(odoo: StandIn, table: str, *ids: int) -> None:
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(f"UPDATE {table} SET write_date = %s WHERE id = ANY(%s)", (LONG_AGO, list(ids)))  # noqa: S608


def _moved(wire: Wire, model: str, record: int) -> bool:
    return bool(wire.call(model, "read", [record], ["write_date"])[0]["write_date"] > "2021")


def test_seconds_are_cut_and_compared_by_flavour(wire: Wire, partner: int) -> None:
    assert wire.call("res.partner", "read", [partner], ["write_date"])[0]["write_date"] == "2020-01-01 12:00:00"
    found = {
        operator: wire.call(
            "res.partner", "search_count", [["id", "=", partner], ["write_date", operator, LONG_AGO[:19]]]
        )
        for operator in (">", ">=", "=", "<", "<=")
    }
    newer = wire.odoo.flavour == "19"
    assert found == {">": int(not newer), ">=": 1, "=": int(newer), "<": 0, "<=": int(newer)}


def test_empty_is_false_except_for_numbers(wire: Wire, partner: int) -> None:
    names = [
        "street",
        "comment",
        "parent_id",
        "x_last_visit",
        "x_settings",
        "color",
        "x_score",
        "category_id",
        "employee",
    ]
    row = wire.call("res.partner", "read", [partner], names)[0]
    assert row == {
        "id": partner,
        **dict.fromkeys(names[:5], False),
        "color": 0,
        "x_score": 0.0,
        "category_id": [],
        "employee": False,
    }


def test_many2one_by_load(wire: Wire) -> None:
    def company(**load: Any) -> Any:
        return wire.call("res.users", "read", [2], ["company_id"], **load)[0]["company_id"]

    assert company() == [1, "Acme Nordwind GmbH"]
    assert company(load="") == company(load=None) == 1


def test_archived_rows_hide(wire: Wire) -> None:
    everything = wire.call("res.partner", "search_count", [], context={"active_test": False})
    archived = wire.call("res.partner", "search_count", [["active", "=", False]])
    assert archived > 0
    assert wire.call("res.partner", "search_count", []) == everything - archived


def test_companies_and_their_values(wire: Wire, partner: int) -> None:
    counts = [
        wire.call("sale.order", "search_count", [], context={"allowed_company_ids": ids}) for ids in ([1], [2], [3])
    ]
    assert all(counts)
    assert wire.call("sale.order", "search_count", []) == sum(counts)
    wire.call("res.partner", "write", [partner], {"credit_limit": 5.5})
    fields = wire.call("res.partner", "fields_get", ["credit_limit"], ["store", "company_dependent"])
    assert fields == {"credit_limit": {"store": wire.odoo.flavour == "19", "company_dependent": True}}
    other = wire.call("res.partner", "read", [partner], ["credit_limit"], context={"allowed_company_ids": [2]})
    assert (
        other[0]["credit_limit"],
        wire.call("res.partner", "read", [partner], ["credit_limit"])[0]["credit_limit"],
    ) == (0.0, 5.5)


def test_domains(wire: Wire, partner: int) -> None:
    def matches(*domain: Any) -> bool:
        return bool(wire.call("res.partner", "search_count", [["id", "=", partner], *domain]))

    assert matches("|", ["name", "=", "nope"], "&", ["name", "ilike", "oL"], ["parent_id", "=", False])
    assert matches("!", "&", ["name", "=", "Old"], ["street", "=", "x"])
    assert matches("!", ["street", "ilike", "x"])
    assert matches(["street", "!=", "x"])
    assert matches(["id", "child_of", partner])
    assert not matches(["parent_id.name", "=", "Old"])
    # An empty number counts as 0 from 19 on only.
    assert matches(["x_score", "=", 0]) is (wire.odoo.flavour == "19")


def test_write_date_moves_where_odoo_moves_it(wire: Wire, partner: int) -> None:
    odoo = wire.odoo
    child = odoo.execute("res.partner", "create", {"name": "Child", "parent_id": partner})
    tag = odoo.execute("res.partner.category", "create", {"name": "Tag"})
    _age(odoo, "res_partner", partner, child)
    wire.call("res.partner.category", "write", [tag], {"partner_ids": [[4, child]]})
    assert not _moved(wire, "res.partner", child)
    assert wire.call("res.partner", "read", [child], ["category_id"])[0]["category_id"] == [tag]
    wire.call("res.partner", "write", [partner], {"name": "New"})
    assert wire.call("res.partner", "read", [child], ["complete_name"])[0]["complete_name"] == "New, Child"
    assert _moved(wire, "res.partner", child)
    product = odoo.execute("product.product", "search", [], limit=1)[0]
    template = odoo.execute("product.product", "read", [product], ["product_tmpl_id"], load="")[0]["product_tmpl_id"]
    _age(odoo, "product_product", product)
    wire.call("product.template", "write", [template], {"description_sale": "x"})
    assert _moved(wire, "product.product", product)
    odoo.execute("res.partner.category", "unlink", [tag])
    odoo.execute("res.partner", "unlink", [child])


def test_an_open_transaction_keeps_its_start(wire: Wire) -> None:
    with wire.odoo.transaction() as env:
        new = env.execute("res.partner", "create", {"name": "Slow"})
        assert wire.call("res.partner", "search", [["id", "=", new]]) == []
        time.sleep(1.1)
        later = wire.odoo.execute("res.partner", "create", {"name": "Quick"})
    slow, quick = (wire.call("res.partner", "read", [one], ["write_date"])[0]["write_date"] for one in (new, later))
    assert slow < quick
    wire.odoo.execute("res.partner", "unlink", [new, later])


def test_schema_changes_live(server: str) -> None:
    with StandIn(server, "19", database="live", schema="awkward") as odoo:
        odoo.add_field("res.partner", "x_new", "char", default="hello")
        assert odoo.execute("res.partner", "read", [1], ["x_new"]) == [{"id": 1, "x_new": "hello"}]
        assert "x_new" in odoo.execute("res.users", "fields_get")
        odoo.remove_field("res.partner", "x_new")
        assert "x_new" not in odoo.execute("res.users", "fields_get")
        odoo.add_model("x_thing", {"x_name": "char", "x_partner_id": {"type": "many2one", "relation": "res.partner"}})
        new = odoo.execute("x_thing", "create", {"x_name": "one", "x_partner_id": 1})
        assert odoo.execute("x_thing", "read", [new], ["display_name"])[0]["display_name"] == "one"
        odoo.uninstall("x_thing")
        assert Wire(odoo).call("x_thing", "search", [])["message"] == "Object x_thing doesn't exist"
        before = odoo.execute("res.partner", "search_count", [], context={"active_test": False})
        odoo.fill("res.partner", 1000, city="Fillville")
        assert odoo.execute("res.partner", "search_count", [["city", "=", "Fillville"]]) == 1000
        (filled,) = Wire(odoo).call("res.partner", "search_read", [["city", "=", "Fillville"]], limit=1)
        assert filled["x_preferred"].startswith("res.partner,")  # of all fields, each can be read
        assert odoo.execute("res.partner", "search", [], limit=1, order="id desc") == [before + 1000]
        odoo.rewrite = lambda model, rows: [{**row, "name": "a\0b"} for row in rows] if model == "res.partner" else rows
        assert Wire(odoo).call("res.partner", "read", [1], ["name"]) == [{"id": 1, "name": "a\0b"}]
        rows = Wire(odoo).call("x_awkward", "search_read", [], limit=3)
        assert any(len(name) > 63 for name in rows[0])
        assert any(";" in name for name in rows[0])


@pytest.mark.nightly
def test_data_is_the_same_for_the_same_seed(server: str) -> None:
    def names(seed: int) -> Any:
        odoo = StandIn(server, "17", database="seeded", seed=seed)
        rows = odoo.execute("res.partner", "search_read", [], ["name", "city", "x_score"], order="id")
        odoo.stop()
        return rows

    first = names(7)
    assert len(first) > 300
    assert first == names(7)
    assert first != names(8)


def test_a_copy_is_as_the_first_one_was_filled(server: str) -> None:
    def names(odoo: StandIn) -> Any:
        return odoo.execute("res.partner", "search_read", [], ["name", "write_date"], order="id")

    with StandIn(server, "17", database="copied", seed=9, scale=0.1, copied=True) as first:
        filled = names(first)
        first.execute("res.partner", "write", [1], {"name": "Changed"})
    with StandIn(server, "17", database="copied", seed=9, scale=0.1, copied=True) as second:
        assert names(second) == filled  # to the second, so it was not filled anew
    with StandIn(server, "17", database="copied", seed=10, scale=0.1, copied=True) as other:
        assert names(other) != filled
