"""Each variable of docker-compose.airflow.yml is read by the software in its image, and only who reads it gets it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from airflow.cli import cli_parser
from airflow.configuration import conf

from tests.support.compose import airflow_services, read_services

ROOT = Path(__file__).parents[2]

CELERY = {"RESULT_BACKEND", "BROKER_URL", "WORKER_CONCURRENCY"}
"""Of apache-airflow-providers-celery 3.26.0, which is in Airflow's image and not installed here: `celery` in its
`get_provider_info`. The other provider of the image that is not installed here, fab, is set by no variable."""

OF_IMAGES = {
    # The entry point of the official image, also in pgvector's, which is built on it.
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
    "pgvector/pgvector": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
    "redis": {"REDISCLI_AUTH"},  # redis-cli, in the health check
    # The configuration page of PostgREST 14.
    "postgrest/postgrest": {
        "PGRST_DB_URI",
        "PGRST_DB_SCHEMAS",
        "PGRST_DB_ANON_ROLE",
        "PGRST_JWT_SECRET",
        "PGRST_ADMIN_SERVER_HOST",
        "PGRST_ADMIN_SERVER_PORT",
    },
    "airflow-odoo-shadow": {"DUMB_INIT_SETSID"},  # dumb-init, in its entry point
}

READERS = {
    "AIRFLOW_CONN_ODOO_DEFAULT": {"airflow-worker"},
    "AIRFLOW_CONN_ODOO_DATABASE": {"airflow-worker"},
    "AIRFLOW_CONN_ODOO_SHADOW_DB": {"airflow-worker", "airflow-triggerer", "airflow-apiserver"},
    "AIRFLOW_CONN_ODOO_SHADOW_NOTIFY": {"airflow-worker", "airflow-triggerer", "airflow-dag-processor"},
    "AIRFLOW_CONN_ODOO_SHADOW_EMBEDDINGS": {"airflow-worker"},
}
"""Tasks read all; sensors and deadlines wait on the triggerer; the page is in the API server; callbacks of DAG runs are
called by the DAG processor."""


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return read_services()


def image_of(service: dict[str, Any]) -> str:
    return str(service["image"]).rpartition(":")[0]


def is_of_airflow(name: str) -> bool:
    """Say whether Airflow, or a provider that is installed here, has a setting of this name."""
    found = re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name)
    if not found:
        return False
    section, option = (part.lower() for part in found.groups())
    if section == "celery":
        return found[2] in CELERY
    return option in conf.configuration_description.get(section, {}).get("options", {})


def test_each_variable_is_read_by_what_is_in_the_image(services: dict[str, dict[str, Any]]) -> None:
    unknown = [
        (name, variable)
        for name, service in services.items()
        for variable in service["environment"]
        if not (
            variable in OF_IMAGES[image_of(service)]
            or (name in airflow_services(services) and (is_of_airflow(variable) or variable in READERS))
            or is_of_our_own(service, variable)
        )
    ]
    assert unknown == []


def is_of_our_own(service: dict[str, Any], variable: str) -> bool:
    """Say whether the command of a service, or a script that is mounted into it, reads a variable."""
    scripts = [str(volume).split(":")[0] for volume in service.get("volumes", []) if str(volume).startswith("./docker")]
    texts = [json.dumps(service.get("command", "")), *((ROOT / path).read_text(encoding="utf-8") for path in scripts)]
    return any(re.search(rf"\\getenv \w+ {variable}\b|\$\${variable}\b", text) for text in texts)


@pytest.mark.parametrize("variable", ["AIRFLOW__CORE__EXECUTER", "AIRFLOW__API__PORTS", "AIRFLOW__CELERY__BROKER"])
def test_a_misspelt_setting_of_airflow_would_be_noticed(variable: str) -> None:
    assert not is_of_airflow(variable)


def test_each_component_gets_the_connections_that_it_reads(services: dict[str, dict[str, Any]]) -> None:
    given: dict[str, set[str]] = {}
    for name, service in services.items():
        for variable in service["environment"]:
            if variable.startswith("AIRFLOW_CONN_"):
                given.setdefault(variable, set()).add(name)
    assert given == READERS
    for variable, names in given.items():
        assert len({services[name]["environment"][variable] for name in names}) == 1, variable


def test_no_other_service_sees_a_password_of_odoo_or_the_shadow(services: dict[str, dict[str, Any]]) -> None:
    for secret, readers in (
        ("the-odoo_password", READERS["AIRFLOW_CONN_ODOO_DEFAULT"]),
        ("the-shadow_db_password", {*READERS["AIRFLOW_CONN_ODOO_SHADOW_DB"], "shadow-db"}),
        ("the-shadow_admin_password", {"shadow-db"}),
        ("the-postgrest_db_password", {"postgrest", "shadow-db"}),
    ):
        assert {name for name, service in services.items() if secret in json.dumps(service)} == readers


def test_a_webhook_that_is_not_given_leaves_the_connection_to_airflow(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty variable is no connection: one of this id in Airflow's database is found."""
    from airflow.secrets.environment_variables import EnvironmentVariablesBackend

    variable = "AIRFLOW_CONN_ODOO_SHADOW_NOTIFY"
    monkeypatch.setenv(variable, services["airflow-worker"]["environment"][variable])
    assert EnvironmentVariablesBackend().get_connection("odoo_shadow_notify") is None


def test_page_and_api_are_reached_through_one_port(services: dict[str, dict[str, Any]]) -> None:
    """The page is an application of a plugin, which the API server serves: its image needs the provider."""
    server = services["airflow-apiserver"]
    assert server["command"] == "api-server", "without --apps, so it serves all applications"
    assert {image_of(one) for one in airflow_services(services).values()} == {image_of(server)}
    assert "/home/airflow/odoo-shadow" in (ROOT / server["build"]["dockerfile"]).read_text(encoding="utf-8")
    assert "airflow.plugins =" in (ROOT / "setup.cfg").read_text(encoding="utf-8")
    inside = str(conf.get_default_value("api", "port"))
    (published,) = server["ports"]
    outside = published.split(":")[1]
    assert published.endswith(f":{inside}")
    assert urlsplit(server["environment"]["AIRFLOW__API__BASE_URL"]).port == int(outside)
    (url,) = (part for part in server["healthcheck"]["test"] if part.startswith("http"))
    assert url == f"http://localhost:{inside}/api/v2/version"


def test_the_schedulers_health_is_asked_at_its_own_port(services: dict[str, dict[str, Any]]) -> None:
    (url,) = (part for part in services["airflow-scheduler"]["healthcheck"]["test"] if part.startswith("http"))
    assert url == f"http://localhost:{conf.get_default_value('scheduler', 'scheduler_health_check_server_port')}/health"
    assert services["airflow-scheduler"]["environment"]["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "true"


def test_every_lasting_service_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"airflow-init"}


PROGRAMS = {
    "postgres": {"pg_isready"},
    "pgvector/pgvector": {"pg_isready"},
    "redis": {"redis-cli"},
    "postgrest/postgrest": {"postgrest"},  # and no shell
    "airflow-odoo-shadow": {"curl", "airflow", "celery"},
}
"""What health checks may call in each image; Docker cannot be run here."""


def test_health_checks_call_what_is_in_the_image(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if "healthcheck" in service:
            kind, program, *rest = service["healthcheck"]["test"]
            assert kind == "CMD" or (kind == "CMD-SHELL" and image_of(service) != "postgrest/postgrest"), name
            words = [program, *rest] if kind == "CMD" else shlex.split(program)
            assert words[0] in PROGRAMS[image_of(service)], name


def test_airflows_own_commands_are_commands_of_airflow(services: dict[str, dict[str, Any]]) -> None:
    commands = [line for line in init_lines(services) if not line.startswith("airflow users create ")]  # of fab
    for service in airflow_services(services).values():
        test = service.get("healthcheck", {}).get("test", [])
        commands += [text for text in test if text.startswith("airflow ")]
    commands += [
        f"airflow {service['command']}"
        for name, service in airflow_services(services).items()
        if name not in ("airflow-init", "airflow-worker")  # celery worker: of the celery provider
    ]
    assert len(commands) >= 7
    for command in commands:
        _, *arguments = shlex.split(command)
        assert cli_parser.get_parser().parse_args(arguments).func, command


def init_lines(services: dict[str, dict[str, Any]]) -> list[str]:
    script = services["airflow-init"]["command"][-1].replace("\\\n", " ")
    return [line.strip() for line in script.splitlines() if line.strip()]


def test_the_pools_of_the_shipped_mirrors_are_created(services: dict[str, dict[str, Any]]) -> None:
    """Airflow never runs tasks of a pool that it does not have, and says so in the scheduler's log only."""
    mirrors = yaml.safe_load((ROOT / "dags/odoo_shadow.yaml").read_text(encoding="utf-8"))["mirrors"]
    pools = {settings["pool"] for settings in mirrors.values() if settings.get("pool")} - {"default_pool"}
    made = {shlex.split(line)[3] for line in init_lines(services) if line.startswith("airflow pools set ")}
    assert made == pools
