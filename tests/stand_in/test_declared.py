"""The stand-in tells of models and fields what real servers told, and the tool that asks them forgets nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from odoo_stand_in import StandIn
from odoo_stand_in.declared.captured import OF_DICTIONARY, file_of
from odoo_stand_in.declared.supplement import OF_BUSINESS, SELDOM
from tests.support.wire import Wire
from tools.capture_declarations import attributes, written

pytestmark = pytest.mark.both_flavours


@pytest.fixture
def captured(wire: Wire) -> dict[str, dict[str, Any]]:
    """The file of this flavour, but for models that a stand-in has only when it is asked for them."""
    found: dict[str, dict[str, Any]] = json.loads(file_of(wire.odoo.flavour).read_text(encoding="utf-8"))
    return {name: entry for name, entry in found.items() if name not in SELDOM}


def test_fields_are_told_as_they_were_captured(wire: Wire, captured: dict[str, dict[str, Any]]) -> None:
    for model, entry in captured.items():
        told = wire.call(model, "fields_get")
        for name, expected in entry["fields"].items():
            expected = {key: value for key, value in expected.items() if key not in OF_DICTIONARY}
            assert {key: told[name].get(key) for key in expected} == expected, (model, name)


def test_models_are_told_as_they_were_captured(wire: Wire, captured: dict[str, dict[str, Any]]) -> None:
    rows = wire.call("ir.model", "search_read", [["model", "in", list(captured)]], ["model", "name", "transient"])
    assert {row["model"]: (row["name"], row["transient"]) for row in rows} == {
        name: (entry["name"], entry.get("transient", False)) for name, entry in captured.items()
    }


def test_capturing_the_stand_in_gives_the_file_again(wire: Wire, captured: dict[str, dict[str, Any]]) -> None:
    flavour, names = wire.odoo.flavour, ["model", "name", "relation_table", "column1", "column2", "currency_field"]
    rows = wire.call("ir.model.fields", "search_read", [["model", "in", list(captured)]], names)
    dictionary = {(row["model"], row["name"]): row for row in rows}
    for model, entry in captured.items():
        told = wire.call(model, "fields_get")
        declared = wire.odoo.registry.models[model].fields
        for name, expected in entry["fields"].items():
            # The stand-in's `ir.model.fields` does not tell what PostgreSQL does when a record goes.
            row = {**dictionary[model, name], "on_delete": declared[name].ondelete}
            assert attributes(flavour, model, name, told[name], row) == expected, (model, name)


def test_the_file_is_written_as_it_stands(wire: Wire) -> None:
    text = file_of(wire.odoo.flavour).read_text(encoding="utf-8")
    assert written(json.loads(text)) == text


def test_models_of_a_business_are_told_as_they_were_captured(postgres: str, wire: Wire) -> None:
    flavour = wire.odoo.flavour
    entries = json.loads(file_of(flavour).read_text(encoding="utf-8"))
    with StandIn(postgres, flavour, database=f"declared{flavour}", schema="business", copied=True) as odoo:
        for model in OF_BUSINESS:
            told = odoo.execute(model, "fields_get")
            for name, expected in entries[model]["fields"].items():
                expected = {key: value for key, value in expected.items() if key not in OF_DICTIONARY}
                assert {key: told[name].get(key) for key in expected} == expected, (model, name)
