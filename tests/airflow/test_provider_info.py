"""What Airflow, and who lists providers, reads about this one, besides the connection form."""

from __future__ import annotations

import inspect
import json
import pkgutil
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseSensorOperator
from airflow.triggers.base import BaseTrigger

import airflow_provider_odoo_shadow
from airflow_provider_odoo_shadow.get_provider_info import get_provider_info

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).parents[2]
DOCUMENTED = {"how-to-guide", "logo"}
"""Keys whose values are paths in the repository."""


@pytest.fixture
def info() -> dict[str, Any]:
    return get_provider_info()


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(resources.files("airflow").joinpath(name).read_text())
    return schema


def test_it_is_what_airflow_reads_at_run_time(info: dict[str, Any]) -> None:
    schema = schema_of("provider_info.schema.json")
    jsonschema.validate(info, schema)
    assert info.keys() <= schema["properties"].keys()


def test_each_part_is_as_airflows_own_providers_are_described(info: dict[str, Any]) -> None:
    """The stricter schema, of `provider.yaml`; as a whole it also asks for what only Airflow's own releases have."""
    schema = schema_of("provider.yaml.schema.json")
    for key, value in info.items():
        jsonschema.validate(value, {**schema["properties"][key], "definitions": schema.get("definitions", {})})


def modules_of(*folders: str) -> set[str]:
    """The modules of some folders of the provider that define a sensor or a trigger of their own."""
    found = set()
    for module in pkgutil.walk_packages(airflow_provider_odoo_shadow.__path__, "airflow_provider_odoo_shadow."):
        if module.name.split(".")[1] in folders and not module.ispkg:
            classes = inspect.getmembers(import_module(module.name), inspect.isclass)
            if any(
                issubclass(kind, BaseSensorOperator | BaseTrigger) and kind.__module__ == module.name
                for _, kind in classes
            ):
                found.add(module.name)
    return found


@pytest.mark.parametrize("key", ["sensors", "triggers"])
def test_every_sensor_and_trigger_is_listed(info: dict[str, Any], key: str) -> None:
    listed = {module for entry in info[key] for module in entry["python-modules"]}
    assert listed == modules_of(key)


def test_integrations_that_are_named_exist(info: dict[str, Any]) -> None:
    known = {entry["integration-name"] for entry in info["integrations"]}
    for key in ("hooks", "sensors", "triggers"):
        assert {entry["integration-name"] for entry in info[key]} <= known
    assert {entry["source-integration-name"] for entry in info["transfers"]} <= known


def test_guides_and_logo_are_in_the_repository(info: dict[str, Any]) -> None:
    paths: list[str] = []
    for entry in (entry for value in info.values() if isinstance(value, list) for entry in value):
        if isinstance(entry, dict):
            for key in DOCUMENTED & entry.keys():
                paths += entry[key] if isinstance(entry[key], list) else [entry[key]]
    assert len(paths) >= 4
    for path in paths:
        assert path.startswith("/docs/") and (ROOT / path.lstrip("/")).is_file(), path


def test_airflow_lists_the_provider_with_its_trigger(airflow_database: None) -> None:
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()  # type: ignore[no-untyped-call]
    assert "airflow-provider-odoo-shadow" in manager.providers
    # What Airflow calls a class is the module, as in its own providers.
    listed = {item.trigger_class_name for item in manager.trigger if "odoo" in item.package_name}
    assert listed == {"airflow_provider_odoo_shadow.triggers.odoo_shadow"}
