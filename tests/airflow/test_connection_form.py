"""What Airflow reads about this provider."""

from __future__ import annotations

import json
from importlib import import_module, resources
from typing import Any

import pytest

from airflow_provider_odoo_shadow.get_provider_info import get_provider_info
from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.connection import OdooConnection, ProtocolChoice

jsonschema = pytest.importorskip("jsonschema")
EXTRAS = [
    *("protocol", "verify", "timeout", "lang", "company_ids", "max_connections", "requests_per_second"),
    "hash_secret",
    "allow_http",
]


@pytest.fixture
def info() -> dict[str, Any]:
    return get_provider_info()


@pytest.fixture
def connection_type(info: dict[str, Any]) -> dict[str, Any]:
    """The one connection type."""
    (found,) = info["connection-types"]
    return dict(found)


def test_airflow_accepts_it(info: dict[str, Any]) -> None:
    schema = json.loads(resources.files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(info, schema)


def test_the_package_is_named_as_the_distribution(info: dict[str, Any]) -> None:
    assert info["package-name"] == "airflow-provider-odoo-shadow"


def test_the_form_has_the_extras_by_their_own_names(connection_type: dict[str, Any]) -> None:
    assert list(connection_type["conn-fields"]) == EXTRAS
    for field in connection_type["conn-fields"].values():
        assert field["label"]
        jsonschema.Draft202012Validator.check_schema(field["schema"])


def test_the_hook_is_the_one_that_the_form_belongs_to(connection_type: dict[str, Any]) -> None:
    module, _, name = connection_type["hook-class-name"].rpartition(".")
    assert getattr(import_module(module), name) is OdooHook
    assert connection_type["connection-type"] == OdooHook.conn_type == "odoo"
    assert connection_type["hook-name"] == OdooHook.hook_name
    assert (OdooHook.conn_name_attr, OdooHook.default_conn_name) == ("odoo_conn_id", "odoo_default")


def test_no_standard_field_is_hidden(connection_type: dict[str, Any]) -> None:
    behaviour = connection_type["ui-field-behaviour"]
    assert behaviour["hidden-fields"] == []
    assert behaviour["relabeling"]["schema"] == "Database"
    assert "API key" in behaviour["relabeling"]["password"]


def test_the_forms_defaults_are_those_of_the_connection(connection_type: dict[str, Any]) -> None:
    defaults = {name: field["schema"].get("default") for name, field in connection_type["conn-fields"].items()}

    def parse(extras: dict[str, object] | None) -> OdooConnection:
        return OdooConnection.parse("form", host="https://x", database="d", login="l", password="p", extras=extras)

    assert parse(defaults) == parse(None)
    assert connection_type["conn-fields"]["protocol"]["schema"]["enum"] == list(ProtocolChoice)


def test_every_module_that_is_named_exists(info: dict[str, Any]) -> None:
    named = [module for hook in info["hooks"] for module in hook["python-modules"]]
    named += [transfer["python-module"] for transfer in info["transfers"]]
    assert len(named) == 2
    for module in named:
        import_module(module)


def test_the_setting_has_a_default_that_airflow_can_read(info: dict[str, Any]) -> None:
    options = info["config"]["odoo_shadow"]["options"]
    assert {name: option["default"] for name, option in options.items()} == {"mirrors_file": ""}
