"""Odoo's own record of its models stays true while fields and models come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from odoo_stand_in import StandIn

pytestmark = pytest.mark.both_flavours


@pytest.fixture(scope="module", params=["17", "19"])
def odoo(request: pytest.FixtureRequest, server: str) -> Iterator[StandIn]:
    running = StandIn(server, request.param, database=f"dictionary{request.param}")
    yield running
    running.stop()


def told(odoo: StandIn, *domain: list[Any]) -> set[tuple[str, str]]:
    found = odoo.execute("ir.model.fields", "search_read", list(domain), ["model", "name"])
    return {(row["model"], row["name"]) for row in found}


def keys(odoo: StandIn, model: str) -> set[str]:
    found = odoo.execute("ir.model.constraint", "search_read", [["model.model", "=", model]], ["name"])
    return {row["name"] for row in found}


def known(odoo: StandIn) -> set[tuple[str, str]]:
    return {(model.name, name) for model in odoo.registry.models.values() for name in model.fields}


def test_a_field_comes_and_goes_with_those_that_inherit_it(odoo: StandIn) -> None:
    odoo.add_field("res.partner", "x_new", "char", string="New one")
    assert told(odoo, ["name", "=", "x_new"]) == {("res.partner", "x_new"), ("res.users", "x_new")}
    (row,) = odoo.execute(
        "ir.model.fields", "search_read", [["name", "=", "x_new"], ["model", "=", "res.partner"]], ["field_description"]
    )
    assert row["field_description"] == "New one"
    odoo.remove_field("res.partner", "x_new")
    assert told(odoo, ["name", "=", "x_new"]) == set()
    assert told(odoo) == known(odoo)


@pytest.mark.parametrize(("name", "state"), [("x_thing", "manual"), ("some.thing", "base")])
def test_a_model_comes_and_goes(odoo: StandIn, name: str, state: str) -> None:
    partner = {"type": "many2one", "relation": "res.partner"}
    odoo.add_model(name, {"x_name": "char", "partner_id": partner})
    (row,) = odoo.execute("ir.model", "search_read", [["model", "=", name]], ["state", "modules", "count"])
    assert (row["state"], row["modules"] == "", row["count"]) == (state, state == "manual", 0)
    assert name in {one["model"] for one in odoo.execute("ir.model", "get_available_models")}
    # Odoo keeps no record of the keys of custom models.
    assert (f"{name.replace('.', '_')}_partner_id_fkey" in keys(odoo, name)) is (state == "base")
    odoo.execute(name, "create", {"x_name": "one", "partner_id": 1})
    (row,) = odoo.execute("ir.model", "search_read", [["model", "=", name]], ["count"])
    assert row["count"] == 1
    odoo.uninstall(name)
    assert odoo.execute("ir.model", "search_count", [["model", "=", name]]) == 0
    assert told(odoo, ["model", "=", name]) == set()
    assert keys(odoo, name) == set()
    assert told(odoo) == known(odoo)


def test_a_field_that_is_there_already_keeps_its_row(odoo: StandIn) -> None:
    before = odoo.execute("ir.model.fields", "search", [["model", "=", "res.partner"]])
    odoo.add_field("res.partner", "x_more", "many2many", relation="res.country")
    after = odoo.execute("ir.model.fields", "search", [["model", "=", "res.partner"]])
    odoo.remove_field("res.partner", "x_more")
    assert len(set(after) - set(before)) == 1 and set(before) < set(after)
