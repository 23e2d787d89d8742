"""The functions' files, as Deno sees them: formatted, without what its linter knows to be wrong, of the right types."""

from __future__ import annotations

import json
import re
import subprocess

import yaml

from odoo_shadow.mirror.config.patterns import MOST_TERMS, TERM
from tests.support.book import page, rows_of, section
from tests.support.edge_functions import DENO, FUNCTIONS, deno_environment

SERVED = ("ops-job-worker", "shadow-read")
SOURCES = sorted(FUNCTIONS.rglob("*.ts"))
LONGEST_FILE = 400


def deno(*arguments: str) -> str:
    done = subprocess.run(
        [str(DENO), *arguments], cwd=FUNCTIONS, env=deno_environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_they_are_formatted_and_linted() -> None:
    deno("fmt", "--check", ".")
    deno("lint", ".")


def test_types_are_right() -> None:
    deno("check", "--no-remote", *(f"{name}/index.ts" for name in SERVED))


def test_nothing_is_fetched_from_elsewhere() -> None:
    """They deploy, and start, without a registry; and nobody else's code sees the project's keys."""
    for path in SOURCES:
        for imported in re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", path.read_text(encoding="utf-8")):
            assert imported.startswith(("./", "../_shared/")), path
    for path in FUNCTIONS.rglob("deno.json"):
        assert json.loads(path.read_text(encoding="utf-8")) == {"imports": {}}


def test_models_are_named_as_in_the_trigger_form() -> None:
    """Airflow checks once more; a pattern that only it knows would be refused without a sentence that names it."""
    jobs = (FUNCTIONS / "ops-job-worker" / "jobs.ts").read_text(encoding="utf-8")
    assert f"/^{TERM}$/" in jobs
    assert f"MOST_MODELS = {MOST_TERMS:_};" in jobs


def test_the_workflow_takes_what_the_function_dispatches() -> None:
    """GitHub refuses a dispatch with an input that the workflow does not have."""
    text = (FUNCTIONS.parents[1] / "github" / "odoo-shadow.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text.replace("@@", ""))  # places where a project's own words get in
    inputs = workflow[True]["workflow_dispatch"]["inputs"]  # YAML 1.1 reads `on` as true
    jobs = (FUNCTIONS / "ops-job-worker" / "jobs.ts").read_text(encoding="utf-8")
    sync = jobs[jobs.index('slug: "sync_odoo_shadow"') : jobs.index('slug: "verify_odoo_shadow"')]
    assert {*inputs} == {*re.findall(r'\["(\w+)",', sync), "run_name"}
    assert workflow["run-name"].startswith("${{ inputs.run_name ||")


def test_the_page_has_every_refusal() -> None:
    codes = {"internal"}
    for path in SOURCES:
        codes |= {*re.findall(r'Refusal\(\s*\w+,\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    text = page("how-to/edge-functions.md")
    rows = [*rows_of(section(text, "## Answers")), *rows_of(section(text, "## Read with caches"))]
    assert {code for cells in rows for code in re.findall(r"`(\w+)`", cells[1])} == codes


def test_files_stay_short() -> None:
    assert all(len(path.read_text(encoding="utf-8").splitlines()) < LONGEST_FILE for path in SOURCES)
