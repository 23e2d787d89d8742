"""`odoo-shadow init github-actions`, `n8n` and `dags`: files that their programs take, and what their scripts do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
import yaml
from click.testing import CliRunner

from odoo_shadow import __version__
from odoo_shadow.mirror.config.mirrors_file import read_mirror
from tests.support.book import ROOT
from tests.support.shell import Shell

pytestmark = pytest.mark.one_flavour

WORKFLOW = ".github/workflows/odoo-shadow.yml"


def init(shell: Shell, project: Path, what: str, *arguments: str) -> None:
    outcome = shell.run("init", what, "--output", str(project), *arguments)
    assert outcome.code == 0, outcome.err


# --- GitHub Actions


def workflow_of(project: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load((project / WORKFLOW).read_text("utf-8"))
    return document


def step(project: Path, name: str) -> dict[str, Any]:
    (found,) = [item for item in workflow_of(project)["jobs"]["sync"]["steps"] if item["name"] == name]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("schema", ["odoo_shadow", 'Quo"ted: #${{ secrets.X }}', "no"])
def test_the_workflow_is_one_and_says_what_was_asked(shell: Shell, tmp_path: Path, schema: str) -> None:
    init(shell, tmp_path, "github-actions", "--schema", schema, "--schedule", "15 3 * * mon-fri")
    command = ["--builtin-schema", "vendor.github-workflows", str(tmp_path / WORKFLOW)]
    checked = CliRunner().invoke(check_jsonschema.main, command)
    assert checked.exit_code == 0, checked.output
    workflow = workflow_of(tmp_path)
    assert workflow[True]["schedule"] == [{"cron": "15 3 * * mon-fri"}]  # YAML 1.1 takes "on" for true
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert f"odoo-shadow=={__version__}" in step(tmp_path, "Install odoo-shadow")["run"]
    given = step(tmp_path, "Sync")["env"]["SCHEMA"]
    assert "${{" not in given.replace("${{ '${{' }}", "")  # GitHub makes the braces of this text alone
    assert given.replace("${{ '${{' }}", "${{") == schema
    assert step(tmp_path, "Summary")["if"] == "always()"


def test_its_lines_for_odoos_own_database_are_settings(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path, "github-actions")
    written = tmp_path / WORKFLOW
    text = re.sub(r"^( +)# (ODOO_SOURCE|ODOO_DATABASE_URL):", r"\1\2:", written.read_text("utf-8"), flags=re.M)
    written.write_text(text, "utf-8")
    given = step(tmp_path, "Sync")["env"]
    assert given["ODOO_SOURCE"] == "database" and given["ODOO_DATABASE_URL"] == "${{ secrets.ODOO_DATABASE_URL }}"
    command = ["--builtin-schema", "vendor.github-workflows", str(written)]
    assert CliRunner().invoke(check_jsonschema.main, command).exit_code == 0


def test_it_takes_what_the_function_sends(shell: Shell, tmp_path: Path) -> None:
    """A dispatch with an input that the workflow does not know is refused by GitHub."""
    init(shell, tmp_path, "github-actions")
    inputs = workflow_of(tmp_path)[True]["workflow_dispatch"]["inputs"]
    assert set(inputs) == {"models", "full", "dry_run", "batch_size", "allow_mass_delete", "run_name"}
    assert workflow_of(tmp_path)["run-name"].startswith("${{ inputs.run_name || ")


@pytest.mark.attack
def test_no_script_contains_an_expression(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path, "github-actions")
    for item in workflow_of(tmp_path)["jobs"]["sync"]["steps"]:
        assert "${{" not in item["run"]


def run_step(project: Path, name: str, folder: Path, **env: str) -> tuple[int, str]:
    """Run a step as the runner does; return its exit code, and what stands in the summary then."""
    summary = folder / "summary.md"
    variables = {
        "RUNNER_TEMP": str(folder),
        "GITHUB_STEP_SUMMARY": str(summary),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **env,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(project, name)["run"]]
    done = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, summary.read_text("utf-8") if summary.exists() else done.stderr


def test_the_steps_run_the_sync_and_sum_it_up(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path, "github-actions")
    folder = tmp_path / "runner"
    folder.mkdir()
    # As on a schedule: inputs are empty.
    inputs = dict.fromkeys(step(tmp_path, "Sync")["env"], "")
    env = {**inputs, **shell.env, "SCHEMA": "odoo_shadow"}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    code, _ = run_step(tmp_path, "Sync", folder, **{**env, "MODELS": "res.company,helpdesk.ticket", "FULL": "true"})
    assert code == 0
    code, summary = run_step(tmp_path, "Summary", folder)
    assert code == 0
    assert summary.startswith("**All is well.**")
    (row,) = re.findall(r"^\| res\.company \|.*$", summary, re.MULTILINE)
    assert row.split("|")[2].strip() == "mirrored" and row.split("|")[3].strip() != "0"
    assert "| helpdesk.ticket | skipped |" in summary

    # What somebody typed is a value, and nothing of it is run.
    code, _ = run_step(tmp_path, "Sync", folder, **{**env, "MODELS": '"; touch pwned; $(touch pwned) `touch pwned`'})
    assert code == 2
    (folder / "summary.md").unlink()
    assert run_step(tmp_path, "Summary", folder)[1].startswith("**The run could not begin")
    assert not (folder / "pwned").exists()


@pytest.mark.attack
def test_texts_of_odoo_are_no_markup_in_the_summary(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path, "github-actions")
    evil = "<img src=x>|[a](http://x)\n# `b` @all " + "x" * 1000
    entry = {"model": evil, "outcome": "failed", "rows_inserted": 3, "seconds": 1.25, "error": evil}
    run = {"is_good": False, "schema": "a", "dry_run": False, "models": [entry], "end_error": evil, "problems": [evil]}
    (tmp_path / "sync.json").write_text(json.dumps(run))
    code, summary = run_step(tmp_path, "Summary", tmp_path)
    assert code == 0 and summary.startswith("**Something failed.**")
    shown = [line for line in summary.splitlines() if "img" in line]
    assert len(shown) == 3 and not set("<>[]`@") & set("".join(shown))
    assert shown[0].count("|") == 9 and max(map(len, shown)) < 2_000


# --- n8n


def test_the_n8n_workflow_is_whole(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / "mirrors.yaml"
    config.write_text("mirrors: {acme: {}, other: {}}")
    init(shell, tmp_path, "n8n", "--config", f"{config}:acme", "--schedule", "*/30 * * * *")
    text = (tmp_path / "n8n" / "odoo-shadow.json").read_text("utf-8")
    workflow = json.loads(text)
    assert workflow["name"] == "Odoo shadow: acme" and "@@" not in text
    names = {node["name"] for node in workflow["nodes"]}
    reached = {link["node"] for ends in workflow["connections"].values() for end in ends["main"] for link in end}
    assert reached | {"Read me", "Schedule"} == names
    (schedule,) = [node for node in workflow["nodes"] if node["name"] == "Schedule"]
    assert schedule["parameters"]["rule"]["interval"][0]["expression"] == "*/30 * * * *"
    for node in workflow["nodes"]:
        if node["type"].endswith(".httpRequest"):  # credentials go nowhere else
            assert node["parameters"]["options"]["redirect"] == {"redirect": {"followRedirects": False}}


# --- Airflow


def test_the_dag_files_are_those_of_the_repository(shell: Shell, tmp_path: Path) -> None:
    init(shell, tmp_path, "dags")
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "dags").iterdir()}
    assert written == {path.name: path.read_text("utf-8") for path in (ROOT / "dags").glob("odoo_shadow*")}
    init(shell, tmp_path, "dags", "--schedule", "none")
    assert read_mirror(tmp_path / "dags" / "odoo_shadow.yaml", None).schedule is None
    init(shell, tmp_path, "dags", "--schedule", "5 * * * *")
    assert read_mirror(tmp_path / "dags" / "odoo_shadow.yaml", None).schedule == "5 * * * *"
