"""`odoo-shadow sync --dry-run`: says what would happen, and nothing does."""

from __future__ import annotations

import json

import psycopg

from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_stand_in import Fault, StandIn
from tests.support.catalog import contents, structure
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Shell
from tests.support.source_of_truth import expected_rows

MODELS = ("--models", "res.partner,res.company")
JSON = {"Content-Type": "application/json"}
REFUSAL = '{"name": "odoo.exceptions.AccessError", "message": "no rights for you", "arguments": []}'


def test_before_the_first_load(shell: Shell, odoo19: StandIn, database: str) -> None:
    before = structure(database)
    outcome = shell.run("sync", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    assert structure(database) == before
    *lines, last = outcome.out.splitlines()
    assert last == "Nothing was written."
    assert len(lines) == len(PRIORITY_MODELS)
    for model, line in zip(PRIORITY_MODELS, lines, strict=True):
        rows, table = len(expected_rows(odoo19, model)), "odoo_shadow_" + model.replace(".", "_")
        assert line.startswith(f"{model}: first load, would read {rows} rows of ")
        assert line.endswith(f"into odoo_shadow.{table}; table created.")


def test_after_it(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_res_company DROP COLUMN name CASCADE")
    before = structure(database), contents(database)
    outcome = shell.run("sync", "--dry-run", *MODELS)
    assert (structure(database), contents(database)) == before
    assert outcome.code == 0
    partners, companies, _ = outcome.out.splitlines()
    assert partners.startswith("res.partner: incremental, would read ") and " written since 20" in partners
    assert companies.startswith("res.company: incremental, ")
    assert companies.endswith("into odoo_shadow.odoo_shadow_res_company; column added: name.")


def test_rows_that_fill_a_new_column_are_counted(shell: Shell, odoo19: StandIn, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_res_company DROP COLUMN name CASCADE")
    dry = shell.run("sync", "--dry-run", "--look-back", "0", *MODELS)
    odoo19.calls.clear()
    shell.run("sync", "--look-back", "0", *MODELS)
    assert ("res.company", "search_read") in odoo19.calls
    assert "would read 3 rows" in dry.out


def test_a_full_run(shell: Shell, odoo19: StandIn, database: str) -> None:
    shell.run("sync", *MODELS)
    before = contents(database)
    outcome = shell.run("sync", "--dry-run", "--full", *MODELS)
    assert f"res.partner: full, would read {len(expected_rows(odoo19, 'res.partner'))} rows" in outcome.out
    assert contents(database) == before


def test_the_rows_that_would_go_are_named(shell: Shell, odoo19: StandIn, database: str) -> None:
    options = ("--models", "res.partner.category")
    for on_delete, verb in (("delete", "remove"), ("mark", "mark")):
        made = odoo19.execute("res.partner.category", "create", [{"name": "One"}, {"name": "Two"}])
        assert shell.run("sync", *options, "--on-delete", on_delete).code == 0
        odoo19.execute("res.partner.category", "unlink", made)
        before = contents(database)
        outcome = shell.run("sync", "--dry-run", *options)
        assert outcome.code == 0
        assert f"; would {verb} 2 rows that are gone from Odoo: {made[0]}, {made[1]}" in outcome.out
        assert contents(database) == before
    assert "would" not in shell.run("sync", "--dry-run", *options, "--on-delete", "ignore").out.partition(" rows")[2]


def test_a_run_that_would_stop_before_a_mass_deletion(shell: Shell, odoo19: StandIn) -> None:
    made = odoo19.execute("res.partner.category", "create", [{"name": f"Tag {number}"} for number in range(300)])
    options = ("--models", "res.partner.category")
    assert shell.run("sync", *options).code == 0
    odoo19.execute("res.partner.category", "unlink", made)
    outcome = shell.run("sync", "--dry-run", *options)
    assert outcome.code == 1
    assert outcome.err.startswith("res.partner.category: would fail: ") and "300" in outcome.err
    allowed = shell.run("sync", "--dry-run", "--allow-mass-delete", *options)
    assert allowed.code == 0 and "would remove 300 rows" in allowed.out


def test_an_unfinished_or_foreign_state_is_not_touched(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_sync_log SET status = 'running'")
        connection.execute("UPDATE odoo_shadow_internal.lease SET held_by = 'x', held_until = now() + '1 h'")
    before = contents(database)
    assert shell.run("sync", "--dry-run", *MODELS).code == 0
    assert contents(database) == before


def test_a_role_that_may_only_read_can_ask(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT USAGE ON SCHEMA odoo_shadow_internal TO {role}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow_internal TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        outcome = shell.run("sync", "--dry-run", *MODELS, SUPABASE_DB_URL=as_role(database, role))
    assert (outcome.code, outcome.err) == (0, "")


# Fails: it asks tables that only an upgrade makes.
def test_a_schema_of_an_older_release_is_not_upgraded(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow_internal.mirror SET schema_version = 1")
        connection.execute("DROP TABLE odoo_shadow.odoo_shadow_field CASCADE")
    before = structure(database), contents(database)
    outcome = shell.run("sync", "--dry-run", *MODELS)
    assert (outcome.code, outcome.err) == (0, "")
    assert (structure(database), contents(database)) == before


def test_a_model_that_is_not_installed_would_be_skipped(shell: Shell, database: str) -> None:
    outcome = shell.run("sync", "--dry-run", "--models", "helpdesk.ticket,res.company")
    assert outcome.code == 0
    assert "helpdesk.ticket: would be skipped: " in outcome.out
    assert "res.company: first load" in outcome.out


def test_a_model_without_rights_would_fail(shell: Shell, odoo19: StandIn) -> None:
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    outcome = shell.run("sync", "--dry-run", "--models", "account.move,res.company", **limited)
    assert outcome.code == 1
    assert outcome.err.startswith("account.move: would fail: ")
    assert "res.company: first load" in outcome.out


def test_json_for_programs(shell: Shell, odoo19: StandIn, database: str) -> None:
    made = odoo19.execute("res.partner.category", "create", [{"name": f"Tag {number}"} for number in range(60)])
    assert shell.run("sync", "--models", "res.partner.category").code == 0
    odoo19.execute("res.partner.category", "unlink", made)
    before = contents(database)
    odoo19.faults.add(Fault("account.move", "fields_get", times=9, status=403, headers=JSON, body=REFUSAL))
    models = ("--models", "res.partner.category,res.company,account.move,helpdesk.ticket")
    outcome = shell.run("sync", "--dry-run", "--json", *models)
    document = json.loads(outcome.out)
    assert (outcome.code, document["dry_run"], document["is_good"]) == (1, True, False)
    entries = {item["model"]: item for item in document["models"]}
    category, company = entries["res.partner.category"], entries["res.company"]
    assert category["removed_ids"] == sorted(made) and category["rows_removed"] == 60
    assert category["on_delete"] == "delete" and category["outcome"] == "would be mirrored"
    assert company["rows_read"] == len(expected_rows(odoo19, "res.company"))
    assert (company["kind"], company["since"], company["changes"]) == ("first load", None, ["table created"])
    assert entries["helpdesk.ticket"]["outcome"] == "would be skipped"
    error = entries["account.move"]["error"]
    assert outcome.err.splitlines() == [f"account.move: would fail: {error}", "Nothing was written."]
    assert contents(database) == before
