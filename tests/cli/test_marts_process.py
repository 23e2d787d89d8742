"""What dbt's process is given: the shadow's password in one variable, and none of the engine's own secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from odoo_shadow.marts.building import MartsSettings
from odoo_shadow.marts.environment import Dbt
from odoo_shadow.marts.project import run_dbt
from odoo_shadow.marts.target import PASSWORD, connection_variables
from odoo_shadow.shadow.connection.database import ShadowDatabase

SECRET, URL = "s3cret%", "postgresql://analyst:s3cret%25@127.0.0.1:5432/shop?sslmode=disable&options=-c%20role%3Dx"
ENDS = """#!/bin/sh
printf '%s\\n' "$@" > arguments
env -0 > variables
echo "password authentication failed for s3cret%"
exit 1
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str], str]:
    """The arguments and variables of a dbt that notes them and ends, and what became of its words."""
    for name in ("ODOO_PASSWORD", "SUPABASE_DB_URL", "NOTIFY_URL", "DBT_PROFILES_DIR"):
        monkeypatch.setenv(name, "the engine's")
    program = tmp_path / "python"
    program.write_text(ENDS)
    program.chmod(0o700)
    target = tmp_path / "target"
    target.mkdir()
    settings = MartsSettings("odoo_marts", "Europe/Vienna", {"sale.order.line": ("x_margin",)})
    with ShadowDatabase.from_url(URL):  # not reached, but since then known to have a password
        run = run_dbt(
            Dbt(program, "1.11.0"),
            ["build"],
            connection=connection_variables("shop", URL, "odoo_shadow"),
            variables=settings.variables("mine"),
            target=target,
        )
    variables = dict(item.split("=", 1) for item in (target / "variables").read_text().split("\0") if item)
    assert run.could_not_begin is not None
    return (target / "arguments").read_text(), variables, run.output + run.could_not_begin


def test_the_password_is_in_one_variable(started: tuple[str, dict[str, str], str]) -> None:
    arguments, variables, said = started
    assert [name for name, value in variables.items() if SECRET in value] == [PASSWORD]
    assert SECRET not in arguments and SECRET not in said
    assert "the engine's" not in variables.values()
    assert "analyst" in variables.values() and variables["PGOPTIONS"] == "-c role=x"


def test_the_project_is_told_what_the_mirror_asks_for(started: tuple[str, dict[str, str], str]) -> None:
    *_, said = started[0].splitlines()
    assert json.loads(said) == {
        "odoo_shadow_schema": "mine",
        "odoo_shadow_internal_schema": "mine_internal",
        "odoo_marts_schema": "odoo_marts",
        "odoo_shadow_time_zone": "Europe/Vienna",
        "odoo_shadow_pass_through": {"sale_order_line": ["x_margin"]},
    }
