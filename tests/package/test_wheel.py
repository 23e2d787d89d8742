"""The wheel, installed into a clean environment with nothing but what it asks for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALL_SECONDS = 600


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, in the versions of the lock; the folder of its programs."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    constraints = folder / "constraints.txt"
    pinned = re.findall(r"^[\w.-]+(?:\[[^]]*\])?==[^\\\n]+", (ROOT / "requirements.lock").read_text(), flags=re.M)
    constraints.write_text("\n".join(re.sub(r"\[.*?\]", "", line) for line in pinned))
    programs = folder / "bin"
    run(str(programs / "pip"), "install", "-q", "--disable-pip-version-check", "-c", str(constraints), str(wheel))
    return programs


def run(*command: str, home: Path | None = None) -> str:
    """Run a program to its end and return what it printed."""
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
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


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"airflow_provider_odoo_shadow"}
    assert "airflow_provider_odoo_shadow/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.timeout(INSTALL_SECONDS)
def test_airflow_lists_the_provider(environment: Path, tmp_path: Path) -> None:
    listed = json.loads(run(str(environment / "airflow"), "providers", "list", "-o", "json", home=tmp_path))
    assert "airflow-provider-odoo-shadow" in {item["package_name"] for item in listed}
    hooks = json.loads(run(str(environment / "airflow"), "providers", "hooks", "-o", "json", home=tmp_path))
    (odoo,) = [item for item in hooks if item["connection_type"] == "odoo"]
    assert (odoo["hook_name"], odoo["class"]) == ("Odoo", "airflow_provider_odoo_shadow.hooks.odoo.OdooHook")


@pytest.mark.timeout(INSTALL_SECONDS)
def test_the_connection_form_has_its_fields(environment: Path, tmp_path: Path) -> None:
    script = (
        "from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService as S; import json;"
        "[odoo] = [m for m in S.hook_meta_data() if m.connection_type == 'odoo'];"
        "print(json.dumps([odoo.hook_name, sorted(odoo.extra_fields), odoo.standard_fields.model_dump()]))"
    )
    printed = run(str(environment / "python"), "-c", script, home=tmp_path)
    name, extras, standard = json.loads(printed.strip().splitlines()[-1])
    assert name == "Odoo"
    assert ", ".join(extras) == (
        "allow_http, company_ids, hash_secret, lang, max_connections, protocol, requests_per_second, timeout, verify"
    )
    assert standard["url_schema"]["title"] == "Database"


@pytest.mark.timeout(INSTALL_SECONDS)
def test_the_command_line_answers(environment: Path, tmp_path: Path) -> None:
    program = str(environment / "odoo-shadow")
    assert "0.1.0" in run(program, "--version", home=tmp_path)
    for command in ("sync", "status", "models", "ddl"):
        assert command in run(program, "--help", home=tmp_path)
        assert "Usage: odoo-shadow" in run(program, command, "--help", home=tmp_path)
