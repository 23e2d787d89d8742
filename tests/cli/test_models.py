"""`odoo-shadow models`: what would be mirrored, what is left out, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_stand_in import StandIn
from tests.support.catalog import contents, structure
from tests.support.flavours import Flavour
from tests.support.shell import Outcome, Shell, shell_for
from tests.support.source_of_truth import SECRETS, expected_rows, mirrored_fields, name_types

NO_DATABASE = {"SUPABASE_DB_URL": None}
# As a server tells them, whatever else it has.
LEFT_OUT = {
    "account.invoice.report": "an SQL view",
    "base.language.install": "transient",
    "mail.thread": "abstract",
    "ir.config_parameter": "it holds credentials",
    "res.users.apikeys": "its name says that it holds credentials",
}


def listed(outcome: Outcome) -> dict[str, list[str]]:
    """Return the cells of the table of models, by model."""
    upper, _, _ = outcome.out.partition("What is left out")
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in upper.splitlines() if line[:1] == "│"]
    return {row[0]: row[1:] for row in rows}


def left_out(outcome: Outcome) -> dict[str, str]:
    """Return the reasons of the table of what is left out."""
    _, _, lower = outcome.out.partition("What is left out")
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in lower.splitlines() if line[:1] == "│"]
    return dict(rows)


def as_json(outcome: Outcome) -> dict[str, dict[str, Any]]:
    """Return what a program reads: the models by name."""
    document = json.loads(outcome.out)
    assert set(document) == {"models", "left_out"}
    return {item["model"]: item for item in document["models"]}


def test_the_priority_models_before_the_first_sync(shared_odoo: StandIn, database: str) -> None:
    outcome = shell_for(shared_odoo, database).run("models")
    assert (outcome.code, outcome.err) == (0, "")
    *models, total = listed(outcome)
    assert models == list(PRIORITY_MODELS) and total == "13 models"
    for model in models:
        table, rows, columns, size, mirrored, last_sync = listed(outcome)[model]
        assert table == "odoo_shadow_" + model.replace(".", "_")
        assert rows == str(len(expected_rows(shared_odoo, model)))
        assert columns == str(len(mirrored_fields(shared_odoo, model)) + len(name_types(shared_odoo, model)))
        assert size.startswith("~") and (mirrored, last_sync) == ("", "never")
    assert structure(database)["relations"] == []


def test_after_a_sync(shell: Shell, odoo19: StandIn, database: str) -> None:
    shell.run("sync", "--models", "res.company")
    before = contents(database)
    outcome = shell.run("models", "--models", "res.company,res.country")
    _, rows, _, size, mirrored, last_sync = listed(outcome)["res.company"]
    assert rows == mirrored == str(len(expected_rows(odoo19, "res.company")))
    assert not size.startswith("~") and last_sync.startswith("20") and last_sync.endswith(" UTC")
    assert listed(outcome)["res.country"][-2:] == ["", "never"]
    assert contents(database) == before


def test_without_a_database(shell: Shell) -> None:
    outcome = shell.run("models", "--models", "res.company", **NO_DATABASE)
    assert (outcome.code, outcome.err) == (0, "")
    assert listed(outcome)["res.company"][3].startswith("~")


def test_json_for_programs(shell: Shell, odoo19: StandIn) -> None:
    shell.run("sync", "--models", "res.company")
    found = as_json(shell.run("models", "--models", "res.*,ir.config*", "--json"))
    company, country = found["res.company"], found["res.country"]
    assert company["rows"] == company["rows_mirrored"] == len(expected_rows(odoo19, "res.company"))
    assert company["table"] == "odoo_shadow_res_company" and company["last_sync_at"].startswith("20")
    assert (company["size_is_guess"], country["size_is_guess"]) == (False, True)
    assert isinstance(company["size"], int) and isinstance(country["size"], int)
    assert (country["rows_mirrored"], country["last_sync_at"], country["problem"]) == (None, None, None)


def test_json_lists_what_is_left_out(shell: Shell) -> None:
    outcome = shell.run("models", "--models", "ir.config*,sale.*,nonsense.*", "--json", **NO_DATABASE)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["left_out"] == [
        {"model": "ir.config_parameter", "reason": "it holds credentials"},
        {"model": "nonsense.*", "reason": "matches no model of this server"},
    ]


def test_json_says_by_which_rule_a_field_is_left_out(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / "mirrors.yaml"
    config.write_text(
        "mirrors: {a: {models: [sale.order, project.task], model_settings:"
        " {sale.order: {exclude_fields: [note]}, project.task: {allow_fields: [access_token]}}}}"
    )
    found = as_json(shell.run("models", "--config", str(config), "--json", **NO_DATABASE))
    assert found["sale.order"]["left_out_because"] == {
        "access_token": "its name says that it holds a credential ('token')",
        "note": "the settings exclude it",
    }
    assert found["sale.order"]["left_out_fields"] == ["access_token", "note"]
    assert found["project.task"]["left_out_because"] == {
        "html_field_history": "it keeps values of other fields, including those that are left out"
    }


def test_why(shared_odoo: StandIn, database: str) -> None:
    shell = shell_for(shared_odoo, database)
    outcome = shell.run("models", "--models", "all,!project.*,helpdesk.*", "--why", **NO_DATABASE)
    assert (outcome.code, outcome.err) == (0, "")
    models, reasons = listed(outcome), left_out(outcome)
    for model, reason in LEFT_OUT.items():
        assert reasons[model].startswith(reason) and model not in models
    assert reasons["project.task"] == "excluded by the mirror's own settings"
    assert reasons["helpdesk.*"] == "matches no model of this server"
    secrets = {
        f"{model}, field {field.name}"
        for model in models.keys() & shared_odoo.registry.models.keys()
        for field in shared_odoo.registry.models[model].fields.values()
        if field.name in SECRETS and field.store
    }
    assert "sale.order, field access_token" in secrets <= reasons.keys()
    assert reasons["sale.order, field access_token"] == "its name says that it holds a credential ('token')"
    assert reasons["hr.employee, field barcode"] == "Odoo keeps a credential in it"
    assert not any(left in models for left in reasons)
    plain = shell.run("models", "--models", "all,!project.*,helpdesk.*", **NO_DATABASE)
    assert plain.out.splitlines()[-1] == f"{sum(', field ' not in name for name in reasons)} models are left out; " + (
        "--why shows why."
    )


def test_fields_that_the_settings_leave_out(shell: Shell, tmp_path: Path) -> None:
    config = tmp_path / "mirrors.yaml"
    config.write_text("mirrors: {a: {models: [res.company], model_settings: {res.*: {exclude_fields: [phone]}}}}")
    outcome = shell.run("models", "--config", str(config), "--why", **NO_DATABASE)
    assert outcome.code == 0
    assert list(listed(outcome)) == ["res.company", "1 model"]
    assert left_out(outcome)["res.company, field phone"] == "the settings exclude it"


@pytest.mark.parametrize("flavour", ["17", "19"])
def test_a_limited_login(shell: Shell, shared_odoos: dict[Flavour, StandIn], database: str, flavour: Flavour) -> None:
    odoo = shared_odoos[flavour]
    secret = odoo.limited_api_key if flavour == "19" else odoo.limited_password
    limited = {"ODOO_URL": odoo.url, "ODOO_DB": odoo.database, "ODOO_USER": odoo.limited_login, "ODOO_PASSWORD": secret}
    outcome = shell.run("models", "--models", "all,account.move", "--json", **limited, **NO_DATABASE)
    assert outcome.code == 0
    assert "cannot read ir.model: patterns take only models that it can read" in " ".join(outcome.err.split())
    found = as_json(outcome)
    assert found["res.partner"]["rows"] > 0 and found["res.partner"]["problem"] is None
    assert "is not allowed to call" in found["account.move"]["problem"] and found["account.move"]["rows"] is None
    assert "sale.order" not in found and "ir.config_parameter" not in found
    reasons = {item["model"]: item["reason"] for item in json.loads(outcome.out)["left_out"]}
    assert reasons["mail.followers"].startswith("without write_date")


def test_a_model_that_is_not_installed(shell: Shell) -> None:
    outcome = shell.run("models", "--models", "helpdesk.ticket,res.company", "--json", **NO_DATABASE)
    found = as_json(outcome)
    assert outcome.code == 0
    assert "not installed" in found["helpdesk.ticket"]["problem"]
    assert found["res.company"]["problem"] is None


def test_an_sql_view_that_is_named(shell: Shell) -> None:
    outcome = shell.run("models", "--models", "account.invoice.report", "--json", **NO_DATABASE)
    assert as_json(outcome)["account.invoice.report"]["problem"] is None


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"ODOO_PASSWORD": "0" * 40}, "refused the login 'admin'"),
        ({"SUPABASE_DB_URL": "postgresql://postgres@127.0.0.1:1/postgres"}, "cannot be reached"),
        ({"SUPABASE_DB_URL": " "}, "SUPABASE_DB_URL is empty"),
    ],
    ids=["key", "database", "blank"],
)
def test_what_cannot_begin_is_told_in_one_sentence(shell: Shell, env: dict[str, str], said: str) -> None:
    outcome = shell.run("models", **env)
    assert outcome.code == 2 and outcome.out == ""
    assert outcome.last_error.startswith("Error: ") and said in outcome.last_error
    assert "Traceback" not in outcome.err
