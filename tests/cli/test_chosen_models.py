"""`odoo-shadow sync` of patterns and of all models, and what `--config` takes from a mirrors file."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from odoo_stand_in import StandIn
from tests.support.catalog import structure
from tests.support.shell import Shell, done_to
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows

ODD = ("x_awkward", "hr.employee", "res.device.log", "project.task")  # fields of these have tests of their own
HASH_SECRET = "a-key-that-nobody-guesses"
CONFIG = """
mirrors:
  north:
    schema: north
    models: [res.c*, "!res.country.state"]
    on_delete: mark
    batch_size: 2
    schedule: "0 5 * * *"
    model_settings:
      res.company: {hashed_fields: [email], exclude_fields: [phone], domain: [[id, "!=", 1]]}
  south:
    schema: south
    models: [res.country]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "odoo_shadow.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def tables(database: str, schema: str = "odoo_shadow") -> list[str]:
    """Return the models that have a table."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            sql.SQL("SELECT odoo_model FROM {} ORDER BY 1").format(sql.Identifier(schema, "odoo_shadow_meta"))
        ).fetchall()
    return [str(model) for (model,) in rows]


def columns(database: str, table: str, schema: str) -> set[str]:
    return {str(row[3]) for row in structure(database)["columns"] if row[:2] == (schema, table)}


def test_patterns_and_exclusions(shell: Shell, odoo19: StandIn, database: str) -> None:
    outcome = shell.run("sync", "--models", "res.c*,*.tag*,!res.country*,helpdesk.*,ir.config*")
    assert outcome.code == 0
    assert "models are left out; odoo-shadow models --why shows why." in outcome.err
    models = ["product.tag", "project.tags", "res.company", "res.currency"]
    assert tables(database) == models
    assert_equal(odoo19, database, models)


@pytest.mark.nightly
def test_all_models(shell: Shell, odoo19: StandIn, database: str) -> None:
    first = shell.run("sync", "--models", "all")
    assert first.code == 0 and "FAILED" not in first.out
    mirrored = tables(database)
    assert {"res.partner", "hr.employee", "mail.followers", "x_awkward", "ir.model.fields"} <= set(mirrored)
    for model in ("account.invoice.report", "mail.thread", "ir.config_parameter", "res.users.apikeys"):
        assert model not in mirrored
    assert_equal(odoo19, database, [model for model in mirrored if model not in ODD])
    second = shell.run("sync", "--models", "all", "--look-back", "0")
    assert second.code == 0
    assert {model: done_to(second, model) for model in ("res.partner", "sale.order", "mail.followers")} == {
        "res.partner": "unchanged",
        "sale.order": "unchanged",
        "mail.followers": "full",  # it has no write_date
    }


def test_exclusions_alone_mean_all_but_those(shell: Shell) -> None:
    outcome = shell.run("sync", "--dry-run", "--models", "!*.*")
    assert outcome.code == 0
    assert [line.partition(":")[0] for line in outcome.out.splitlines()[:-1]] == ["x_awkward"]


def test_a_name_goes_before_what_a_pattern_leaves_out(shell: Shell, database: str) -> None:
    assert shell.run("sync", "--models", "ir.config*,ir.config_parameter").code == 0
    assert tables(database) == ["ir.config_parameter"]


@pytest.mark.parametrize("models", ["sale..*", "!", "sale.*,sale.*", "!res.partner,!res.partner", ",", "sale.*;"])
def test_patterns_that_make_no_sense(shell: Shell, odoo19: StandIn, models: str) -> None:
    outcome = shell.run("sync", "--models", models)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.last_error.startswith("Error: ") and len(outcome.err.splitlines()) == 1
    assert odoo19.calls == []


def test_a_mirror_of_a_file(shell: Shell, odoo19: StandIn, database: str, config: Path) -> None:
    outcome = shell.run("sync", "--config", f"{config}:north", ODOO_HASH_SECRET=HASH_SECRET)
    assert (outcome.code, outcome.err.splitlines()[1:]) == (0, [])
    assert {row[0] for row in structure(database)["schemas"]} == {"public", "north", "north_internal"}
    assert tables(database, "north") == ["res.company", "res.country", "res.currency"]
    companies = shadow_rows(database, "odoo_shadow_res_company", "north")
    plain = expected_rows(odoo19, "res.company")
    assert companies.keys() == plain.keys() - {1}
    for number, row in companies.items():
        hashed = f"email\0{plain[number]['email']}".encode()
        assert row["email"] == hmac.new(HASH_SECRET.encode(), hashed, hashlib.sha256).hexdigest()
    assert "phone" not in columns(database, "odoo_shadow_res_company", "north")
    assert "_deleted_at" in columns(database, "odoo_shadow_res_country", "north")
    pages = -(-len(expected_rows(odoo19, "res.currency")) // 2)
    # The newest date, the pages, and whether Odoo's database is still the same at the end.
    assert odoo19.calls.count(("res.currency", "search_read")) == 2 + pages > 3


def test_another_mirror_of_the_file(shell: Shell, database: str, config: Path) -> None:
    assert shell.run("sync", "--config", f"{config}:south").code == 0
    assert tables(database, "south") == ["res.country"]
    assert "_deleted_at" not in columns(database, "odoo_shadow_res_country", "south")


def test_options_go_before_the_file(shell: Shell, database: str, config: Path) -> None:
    options = ("--schema", "mine", "--models", "res.currency", "--on-delete", "delete")
    for order in ((*options, "--config", f"{config}:north"), ("--config", f"{config}:north", *options)):
        assert shell.run("sync", *order).code == 0
    assert {row[0] for row in structure(database)["schemas"]} == {"public", "mine", "mine_internal"}
    assert tables(database, "mine") == ["res.currency"]
    assert "_deleted_at" not in columns(database, "odoo_shadow_res_currency", "mine")


def test_settings_are_kept_when_no_file_is_given(shell: Shell, odoo19: StandIn, database: str, config: Path) -> None:
    options = ("--schema", "north")
    secret = {"ODOO_HASH_SECRET": HASH_SECRET}
    assert shell.run("sync", "--config", f"{config}:north", **secret).code == 0
    before = shadow_rows(database, "odoo_shadow_res_company", "north")
    idle = shell.run("sync", *options, "--models", "res.company", **secret)
    assert (idle.code, done_to(idle, "res.company")) == (0, "unchanged")
    full = shell.run("sync", *options, "--models", "res.company", "--full", **secret)
    assert (full.code, done_to(full, "res.company")) == (0, "full")
    assert shadow_rows(database, "odoo_shadow_res_company", "north") == before
    with psycopg.connect(database) as connection:
        (kept,) = connection.execute("SELECT DISTINCT on_delete FROM north.odoo_shadow_meta").fetchall()
    assert kept == ("mark",)
    assert shell.run("verify", "--schema", "north", **secret).code == 0

    plain = config.with_name("plain.yaml")
    plain.write_text("mirrors: {north: {schema: north, models: [res.company], on_delete: mark}}")
    other = shell.run("sync", "--config", str(plain))
    assert (other.code, done_to(other, "res.company")) == (0, "new domain")
    after = shadow_rows(database, "odoo_shadow_res_company", "north")
    expected = expected_rows(odoo19, "res.company")
    assert {number: row["email"] for number, row in after.items()} == {n: row["email"] for n, row in expected.items()}


def test_a_hash_without_a_key(shell: Shell, config: Path) -> None:
    outcome = shell.run("sync", "--config", f"{config}:north")
    assert outcome.code == 1
    assert outcome.last_error.endswith("has no hash_secret: set it (ODOO_HASH_SECRET).")
    assert done_to(outcome, "res.company") == "FAILED" and done_to(outcome, "res.country") == "first load"


@pytest.mark.parametrize(
    ("text", "mirror", "said"),
    [
        (None, "", "the mirrors cannot be read (No such file or directory)."),
        (CONFIG, "", "has several mirrors: name one of north, south."),
        (CONFIG, ":west", "has no mirror 'west', only north, south."),
        (CONFIG.replace("hashed_fields", "hash"), ":north", "no setting 'hash' (did you mean hashed_fields?)."),
        (CONFIG.replace('"!res.country.state"', "!res.x"), ":north", "this is not YAML"),
        (CONFIG.replace("on_delete: mark", "on_delete: keep"), ":north", "on_delete: it must be"),
        ("mirrors: 5", "", "there must be one entry, mirrors"),
    ],
    ids=["no file", "which mirror", "no mirror", "settings", "no YAML", "value", "no mirrors"],
)
def test_a_wrong_file_or_mirror_is_told_in_one_sentence(
    shell: Shell, odoo19: StandIn, tmp_path: Path, text: str | None, mirror: str, said: str
) -> None:
    path = tmp_path / "odoo_shadow.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    outcome = shell.run("sync", "--config", f"{path}{mirror}")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.last_error.startswith(f"Error: {path}") and said in outcome.last_error
    assert len(outcome.err.splitlines()) == 1
    assert odoo19.calls == []


@pytest.mark.parametrize("command", ["verify", "models", "doctor", "ddl"])
def test_the_other_commands_say_the_same(shell: Shell, config: Path, command: str) -> None:
    outcome = shell.run(command, "--config", f"{config}:west")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"Error: {config} has no mirror 'west', only north, south.\n"


@pytest.mark.parametrize("command", ["sync", "verify", "status", "models", "doctor", "ddl"])
def test_help(shell: Shell, command: str) -> None:
    outcome = shell.run(command, "--help", **dict.fromkeys(("ODOO_URL", "ODOO_DB", "SUPABASE_DB_URL")))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: odoo-shadow {command} [OPTIONS]")
    if command != "status":
        assert "--config FILE[:MIRROR]" in outcome.out
        words = " ".join(outcome.out.split())
        assert "names, patterns such as sale.*, exclusions such as !mail.*, priority, business or all" in words


def test_verify_passes_over_what_a_file_names_and_the_server_lacks(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "odoo_shadow.yaml"
    path.write_text("mirrors: {odoo_shadow: {models: [res.country, helpdesk.ticket]}}", encoding="utf-8")
    assert shell.run("sync", "--config", str(path)).code == 0
    outcome = shell.run("verify", "--config", str(path))
    assert (outcome.code, outcome.err) == (0, "")
    assert "Compared every cell of 1 model: all is equal." in outcome.out
    typed = shell.run("verify", "--models", "res.country,helpdesk.ticket")
    assert typed.code == 1 and "helpdesk.ticket has no table" in typed.err
    assert "Compared every cell of 1 model: all is equal; 1 could not be compared." in typed.out
