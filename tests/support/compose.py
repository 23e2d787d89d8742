"""docker-compose.airflow.yml as compose reads it, without Docker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[2] / "docker-compose.airflow.yml"
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")


def read_services() -> dict[str, dict[str, Any]]:
    """Return the services by name, with invented settings filled in."""
    text = COMPOSE.read_text(encoding="utf-8")
    settings = {name: f"the-{name.lower()}" for name, kind, _ in VARIABLE.findall(text) if kind == "?"}
    found: dict[str, dict[str, Any]] = yaml.safe_load(_interpolated(text, settings))["services"]
    return found


def airflow_services(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return those that run Airflow."""
    return {name: service for name, service in services.items() if name.startswith("airflow-")}


def _interpolated(text: str, settings: dict[str, str]) -> str:
    """Fill in variables as compose does; one that is required and missing is a KeyError."""

    def value(match: re.Match[str]) -> str:
        name, kind, text = match.groups()
        given = settings.get(name)
        return given if given else (text if kind == "-" else settings[name])

    return VARIABLE.sub(value, text)
