"""Models that a person names: a typing error is told apart from a module that is not installed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from odoo_stand_in import Fault, StandIn
from tests.support.catalog import structure
from tests.support.shell import Shell

pytestmark = pytest.mark.one_flavour


@pytest.mark.parametrize("command", ["sync", "sync --dry-run", "sync --full", "models", "doctor", "verify", "ddl"])
def test_a_typing_error_stops_everything_before_it_begins(shell: Shell, database: str, command: str) -> None:
    if command == "verify":
        assert shell.run("sync", "--models", "res.company").code == 0
    before = structure(database)
    outcome = shell.run(*command.split(), "--models", "res.company,res.partnr,sale.oder")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "Error: There is no model 'res.partnr' (did you mean res.partner?), 'sale.oder' (did you mean sale.order?): "
        "neither the server nor any module of Odoo has it; correct the list of models.\n"
    )
    assert structure(database) == before


def test_a_name_that_is_like_no_other_gets_no_guess(shell: Shell) -> None:
    outcome = shell.run("sync", "--models", "zzzz.qqqq")
    assert outcome.code == 2
    assert "There is no model 'zzzz.qqqq': neither" in outcome.err


@pytest.mark.parametrize("model", ["fleet.vehicle", "helpdesk.ticket"])
def test_a_model_of_odoo_that_is_not_installed_is_skipped(shell: Shell, model: str) -> None:
    outcome = shell.run("sync", "--models", f"{model},res.company")
    assert outcome.code == 0
    assert "skipped: not installed" in outcome.out


def test_a_server_that_cannot_say_whether_it_has_a_model_makes_it_no_typing_error(
    shell: Shell, odoo19: StandIn
) -> None:
    odoo19.faults.add(Fault("x_secret", "fields_get", times=100, status=403, body="{}"))
    outcome = shell.run("sync", "--models", "x_secret,res.company")
    assert outcome.code == 1
    assert "There is no model" not in outcome.err
    assert "x_secret" in outcome.err


def test_a_model_that_was_mirrored_and_is_gone_is_skipped(shell: Shell, odoo19: StandIn, database: str) -> None:
    odoo19.add_model("x_gone")
    odoo19.execute("x_gone", "create", [{"x_name": "One"}])
    assert shell.run("sync", "--models", "x_gone").code == 0
    odoo19.uninstall("x_gone")
    outcome = shell.run("sync", "--models", "x_gone")
    assert outcome.code == 0
    assert "skipped: not installed" in outcome.out
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_x_gone").fetchall() == [(1,)]


def test_a_typing_error_in_the_mirrors_file(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "odoo_shadow.yaml"
    path.write_text("mirrors: {one: {models: [res.partners]}}", encoding="utf-8")
    outcome = shell.run("sync", "--config", str(path))
    assert outcome.code == 2
    assert "There is no model 'res.partners' (did you mean res.partner?)" in outcome.err


def test_patterns_of_fields_that_match_nothing_are_told_on_every_run(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "odoo_shadow.yaml"
    settings = "{'*': {exclude_fields: ['*_iban', 'ph*']}, res.company: {hashed_fields: ['acc_num*']}}"
    path.write_text(f"mirrors: {{one: {{models: [res.company, res.currency], model_settings: {settings}}}}}")
    said = [
        "WARNING  exclude_fields: '*_iban' matches no field of the 2 models that have it in this run, so it protects "
        "nothing.",
        "WARNING  hashed_fields: 'acc_num*' matches no field of res.company, so it protects nothing.",
    ]
    by_file, as_before = ("--config", str(path)), ("--models", "res.company,res.currency")
    for options in (by_file, (*by_file, "--look-back", "0"), (*by_file, "--dry-run"), as_before):
        outcome = shell.run("sync", *options, ODOO_HASH_SECRET="x7#Kd92mQ!vL4tRz8wPn")
        assert (outcome.code, outcome.err.splitlines()) == (0, said)


@pytest.mark.parametrize("name", ["res.partnr", "res.partner.titel"])
def test_a_typing_error_beside_a_model_index(shell: Shell, tmp_path: Path, name: str) -> None:
    index = tmp_path / "index.json"
    index.write_text('{"models": []}')
    outcome = shell.run("ddl", "--index", str(index), "--models", name)
    assert outcome.code == 2
    assert f"There is no model '{name}' (did you mean res.partner" in outcome.err


@pytest.mark.parametrize("command", ["sync", "sync --dry-run", "models"])
def test_a_store_of_credentials_that_is_named_is_warned_of(shell: Shell, command: str) -> None:
    outcome = shell.run(*command.split(), "--models", "ir.config_parameter,res.users")
    assert outcome.code == 0
    assert outcome.err == (
        "WARNING  ir.config_parameter is mirrored because it is named, although it holds credentials: whoever can read "
        "the shadow sees them.\n"
    )


@pytest.mark.parametrize("command", ["doctor", "sync --dry-run", "sync"])
def test_a_language_that_the_server_does_not_have(shell: Shell, command: str) -> None:
    outcome = shell.run(*command.split(), "--models", "res.company", ODOO_LANG="xx_XX")
    told = " ".join((outcome.out + outcome.err).replace("│", " ").split())
    assert "the server has no language 'xx_XX': correct ODOO_LANG (--odoo-lang)" in told
    assert "the server has 'xx_XX'" not in told
    assert outcome.code in (1, 2)
