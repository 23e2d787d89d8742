"""Both wheels: the engine with nothing but what it asks for, the provider beside what Airflow brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from odoo_stand_in import StandIn
from tests.support.flavours import Flavour
from tests.support.packages import copy_sources
from tools.embedded_postgres import drop_database, new_database

ROOT = Path(__file__).parents[2]
INSTALL_SECONDS = 600
LARGEST_ENGINE = 100_000_000

pytestmark = pytest.mark.timeout(INSTALL_SECONDS)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, with all that a checkout has beside it as empty packages: nothing of that belongs into a wheel."""
    folder = tmp_path_factory.mktemp("sources")
    copy_sources(folder)
    for init in (*ROOT.glob("*/__init__.py"), ROOT / "engine" / "tests" / "__init__.py"):
        beside = folder / init.relative_to(ROOT)
        if not beside.exists():
            beside.parent.mkdir()
            beside.touch()
    return folder


@pytest.fixture(scope="module")
def engine_wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(sources / "engine", tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def provider_wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(sources, tmp_path_factory.mktemp("provider"))


def build(source: Path, folder: Path) -> Path:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def engine(engine_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the engine alone; the folder of its programs."""
    return install(tmp_path_factory.mktemp("alone"), engine_wheel)


@pytest.fixture(scope="module")
def provider(engine_wheel: Path, provider_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that had version 0.1.0, one distribution with its own command, and was upgraded.

    Airflow is the one that runs the tests: to install it once more would take minutes.
    """
    folder = tmp_path_factory.mktemp("upgraded")
    programs = install(folder, former_wheel(tmp_path_factory.mktemp("former")), alone=True)
    assert run(str(programs / "odoo-shadow")) == "I am 0.1.0\n"
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    install(folder, engine_wheel, provider_wheel, alone=True)
    run(str(programs / "pip"), "check")
    return programs


def former_wheel(folder: Path) -> Path:
    """Build what 0.1.0 was to pip: its name, its package and the command in it."""
    package = folder / "source" / "airflow_provider_odoo_shadow" / "cli"
    package.mkdir(parents=True)
    for init in (package / "__init__.py", package.parent / "__init__.py"):
        init.touch()
    (package / "main.py").write_text("def main() -> None:\n    print('I am 0.1.0')\n")
    (folder / "source" / "setup.cfg").write_text(
        "[metadata]\nname = airflow-provider-odoo-shadow\nversion = 0.1.0\n[options]\npackages = find:\n"
        "[options.entry_points]\nconsole_scripts =\n    odoo-shadow = airflow_provider_odoo_shadow.cli.main:main\n"
    )
    (folder / "source" / "pyproject.toml").write_text((ROOT / "engine" / "pyproject.toml").read_text())
    return build(folder / "source", folder)


def install(folder: Path, *wheels: Path, alone: bool = False) -> Path:
    """Install wheels, and what they need in the versions of the lock; return the folder of the programs.

    :param alone: install nothing but the wheels.
    """
    programs = folder / "bin"
    if not programs.exists():
        venv.create(folder, with_pip=True)
    constraints = folder / "constraints.txt"
    pinned = re.findall(r"^[\w.-]+(?:\[[^]]*\])?==[^\\\n]+", (ROOT / "requirements.lock").read_text(), flags=re.M)
    constraints.write_text("\n".join(re.sub(r"\[.*?\]", "", line) for line in pinned))
    options = ("-q", "--disable-pip-version-check", *["--no-deps"] * alone)
    run(str(programs / "pip"), "install", *options, "-c", str(constraints), *map(str, wheels))
    return programs


def run(*command: str, home: Path | None = None, more: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed."""
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), **(more or {})}
    done = subprocess.run(
        command,
        env={**_pip_settings(), **variables, **({"AIRFLOW_HOME": str(home)} if home else {})},
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        cwd=home or ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _pip_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper().startswith(("PIP_", "SSL_", "HTTP"))}


def version_of(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def test_each_wheel_holds_its_package_and_nothing_else(engine_wheel: Path, provider_wheel: Path) -> None:
    """Data files included: from a checkout, which tests use, they can be read although a wheel lacks them."""
    for wheel, package in (
        (engine_wheel, ROOT / "engine" / "odoo_shadow"),
        (provider_wheel, ROOT / "airflow_provider_odoo_shadow"),
    ):
        names = zipfile.ZipFile(wheel).namelist()
        assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {package.name}
        files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        assert {str(path.relative_to(package.parent)) for path in files} <= {*names}
        assert any(name.endswith("licenses/LICENSE") for name in names)


def test_both_have_one_version(engine_wheel: Path, provider_wheel: Path) -> None:
    archive = zipfile.ZipFile(provider_wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith("METADATA")]
    version = version_of(engine_wheel)
    assert version_of(provider_wheel) == version
    assert f"Requires-Dist: odoo-shadow=={version}\n" in archive.read(metadata).decode()


@pytest.fixture
def mirrored(shared_odoos: dict[Flavour, StandIn], postgres: str) -> Iterator[dict[str, str]]:
    """What the command line reads, of a stand-in and an empty database."""
    odoo, url = shared_odoos["19"], new_database(postgres)
    yield {
        "ODOO_URL": odoo.url,
        "ODOO_DB": odoo.database,
        "ODOO_USER": odoo.login,
        "ODOO_PASSWORD": odoo.api_key,
        "ODOO_DATABASE_URL": odoo.dsn,
        "SUPABASE_DB_URL": url,
    }
    drop_database(postgres, url)


@pytest.mark.nightly
def test_the_engine_works_without_airflow(engine: Path, mirrored: dict[str, str], tmp_path: Path) -> None:
    def shadow(*arguments: str) -> str:
        return run(str(engine / "odoo-shadow"), *arguments, home=tmp_path, more=mirrored)

    models = ("--models", "res.company,res.country")
    assert "2 models mirrored" in shadow("sync", *models)
    assert "all is equal" in shadow("verify")
    assert "2 models mirrored" in shadow("sync", "--source", "database", *models)
    assert json.loads(shadow("status", "--json"))
    shadow("ddl", "--output", str(tmp_path / "files"), *models)
    assert list((tmp_path / "files").glob("*.sql"))
    for what in ("supabase", "github-actions", "n8n", "dags"):
        shadow("init", what, "--output", str(tmp_path / "project"))
    written = {path.name for path in (tmp_path / "project").rglob("*") if path.is_file()}
    starter = ROOT / "engine" / "odoo_shadow" / "starter"
    files = {
        path
        for folder in ("dags", "n8n", "supabase/scripts", "supabase/functions", "github")
        for path in (starter / folder).rglob("*")
        if path.is_file() and not path.name.endswith((".pyc", "_test.ts"))
    }
    assert files and {path.name for path in files} <= written
    installed = run(str(engine / "pip"), "list", "--format", "json", home=tmp_path)
    assert not [item["name"] for item in json.loads(installed) if "airflow" in item["name"]]
    (packages,) = (engine.parent / "lib").glob("python*/site-packages")
    own = [path for path in packages.iterdir() if not path.name.startswith(("pip", "setuptools"))]
    assert sum(file.stat().st_size for path in own for file in path.rglob("*") if file.is_file()) < LARGEST_ENGINE


@pytest.mark.nightly
def test_airflow_lists_the_provider(provider: Path, tmp_path: Path) -> None:
    airflow = (str(provider / "python"), "-m", "airflow")
    listed = json.loads(run(*airflow, "providers", "list", "-o", "json", home=tmp_path))
    assert "airflow-provider-odoo-shadow" in {item["package_name"] for item in listed}
    hooks = json.loads(run(*airflow, "providers", "hooks", "-o", "json", home=tmp_path))
    (odoo,) = [item for item in hooks if item["connection_type"] == "odoo"]
    assert (odoo["hook_name"], odoo["class"]) == ("Odoo", "airflow_provider_odoo_shadow.hooks.odoo.OdooHook")


@pytest.mark.nightly
def test_the_connection_form_has_its_fields(provider: Path, tmp_path: Path) -> None:
    script = (
        "from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService as S; import json;"
        "[odoo] = [m for m in S.hook_meta_data() if m.connection_type == 'odoo'];"
        "print(json.dumps([odoo.hook_name, sorted(odoo.extra_fields), odoo.standard_fields.model_dump()]))"
    )
    printed = run(str(provider / "python"), "-c", script, home=tmp_path)
    name, extras, standard = json.loads(printed.strip().splitlines()[-1])
    assert name == "Odoo"
    assert ", ".join(extras) == (
        "allow_http, company_ids, hash_secret, lang, max_connections, protocol, requests_per_second, timeout, verify"
    )
    assert standard["url_schema"]["title"] == "Database"


@pytest.mark.nightly
def test_who_upgrades_keeps_the_command(provider: Path, engine_wheel: Path, tmp_path: Path) -> None:
    program = str(provider / "odoo-shadow")
    assert version_of(engine_wheel) in run(program, "--version", home=tmp_path)
    for command in ("sync", "status", "models", "ddl"):
        assert command in run(program, "--help", home=tmp_path)
        assert "Usage: odoo-shadow" in run(program, command, "--help", home=tmp_path)
