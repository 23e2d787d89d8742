"""`odoo-shadow sync`: what it does, says and returns."""

from __future__ import annotations

import json
import re
from typing import Any

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import Fault, StandIn
from tests.support.recording import recording
from tests.support.running import log_of, watermark_of
from tests.support.shell import Shell, done_to, shell_for
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows
from tests.support.windows import written_since

pytestmark = pytest.mark.one_flavour

PARTNERS = ("--models", "res.partner")


def test_the_priority_models_are_mirrored_by_default(shared_odoo: StandIn, database: str) -> None:
    shell = shell_for(shared_odoo, database)
    first = shell.run("sync")
    assert (first.code, first.err) == (0, "")
    assert_equal(shared_odoo, database, PRIORITY_MODELS)
    for model in PRIORITY_MODELS:
        (line,) = [line for line in first.out.splitlines() if f" {model} " in line]
        assert "first load" in line and f" {len(expected_rows(shared_odoo, model))} " in line
    with ShadowDatabase.from_url(database) as shadow:
        marks = [watermark_of(shadow, "odoo_shadow_" + model.replace(".", "_")) for model in PRIORITY_MODELS]
    earliest = min(mark.last_write_date for mark in marks if mark is not None)
    changed = written_since(shared_odoo, PRIORITY_MODELS, earliest - DEFAULT_LOOK_BACK)
    second = shell.run("sync")
    assert (second.code, second.err) == (0, "")
    assert changed != set(PRIORITY_MODELS)
    for model in PRIORITY_MODELS:
        assert done_to(second, model) == ("incremental" if model in changed else "unchanged")
    assert_equal(shared_odoo, database, PRIORITY_MODELS)


def test_output_that_is_no_terminals_is_plain(shell: Shell) -> None:
    outcome = shell.run("sync", *PARTNERS, "--batch-size", "100")
    assert "\x1b" not in outcome.out and "\r" not in outcome.out
    assert outcome.out.splitlines()[0].startswith("res.partner: first load, ")
    assert outcome.err == ""


def test_without_a_terminal_nothing_is_printed_twice(shell: Shell) -> None:
    outcome = shell.run("sync", *PARTNERS)
    assert (outcome.code, outcome.out.count("res.partner")) == (0, 1)
    wrong = shell.run("sync", *PARTNERS, ODOO_LANG="xx_XX")
    assert (wrong.code, wrong.out, len(wrong.err.splitlines())) == (2, "", 1)
    assert "correct ODOO_LANG (--odoo-lang), or activate it in Odoo." in wrong.err


def test_only_some_models(shell: Shell, odoo19: StandIn, database: str) -> None:
    assert shell.run("sync", "--models", " res.company , res.users ").code == 0
    assert_equal(odoo19, database, ["res.company", "res.users"])
    with ShadowDatabase.from_url(database) as shadow:
        assert {entry["table_name"] for entry in log_of(shadow)} == {"odoo_shadow_res_company", "odoo_shadow_res_users"}


def test_the_models_of_a_command_are_one_run(shell: Shell, database: str) -> None:
    shell.run("sync", "--models", "res.company,res.users")
    shell.run("sync", "--models", "res.company")
    with ShadowDatabase.from_url(database) as shadow:
        first, second, third = (entry["sync_run_id"] for entry in log_of(shadow))
    assert first == second != third


def test_a_full_run(shell: Shell) -> None:
    shell.run("sync", *PARTNERS)
    outcome = shell.run("sync", *PARTNERS, "--full")
    assert outcome.code == 0 and " full " in outcome.out


def test_pages_have_the_asked_size(shell: Shell, odoo19: StandIn) -> None:
    pages: list[int] = []

    def note(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == "res.partner" and rows and "name" in rows[0]:
            pages.append(len(rows))
        return rows

    odoo19.rewrite = note
    shell.run("sync", *PARTNERS, "--batch-size", "100")
    assert sum(pages) == len(expected_rows(odoo19, "res.partner"))
    assert set(pages[:-1]) == {100} and pages[-1] <= 100


def test_another_schema(shell: Shell, odoo19: StandIn, database: str) -> None:
    assert shell.run("sync", *PARTNERS, "--schema", "Another one").code == 0
    assert_equal(odoo19, database, ["res.partner"], schema="Another one")


def test_options_do_what_the_variables_do(shell: Shell, odoo19: StandIn, database: str) -> None:
    names = ("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD", "SUPABASE_DB_URL")
    options = [part for name in names for part in (f"--{name.lower().replace('_', '-')}", shell.env[name])]
    outcome = shell.run("sync", *PARTNERS, *options, **dict.fromkeys(names))
    assert outcome.code == 0, outcome.err
    assert_equal(odoo19, database, ["res.partner"])


def test_options_go_before_variables(shell: Shell) -> None:
    outcome = shell.run("sync", *PARTNERS, "--odoo-db", shell.env["ODOO_DB"], ODOO_DB="nonsense")
    assert outcome.code == 0


@pytest.mark.parametrize("protocol", ["auto", "json2", "jsonrpc", "xmlrpc"])
def test_every_protocol(shell: Shell, protocol: str, database: str) -> None:
    assert shell.run("sync", "--models", "res.company", ODOO_PROTOCOL=protocol).code == 0
    with ShadowDatabase.from_url(database) as shadow:
        (entry,) = log_of(shadow)
    label = {"auto": "JSON-2", "json2": "JSON-2", "jsonrpc": "JSON-RPC", "xmlrpc": "XML-RPC"}[protocol]
    assert entry["metadata"]["odoo"] == label


def test_language_and_companies(shell: Shell, odoo19: StandIn, database: str) -> None:
    outcome = shell.run("sync", "--models", "product.template,sale.order", ODOO_LANG="fr_FR", ODOO_COMPANY_IDS="1,3")
    assert outcome.code == 0, outcome.err
    orders = expected_rows(odoo19, "sale.order")
    wanted = {number for number, row in orders.items() if row["company_id"] in (1, 3)}
    assert set(shadow_rows(database, "odoo_shadow_sale_order")) == wanted != set(orders)
    french = shadow_rows(database, "odoo_shadow_product_template")
    expected = expected_rows(odoo19, "product.template", lang="fr_FR")
    assert french and all(row["name"] == expected[number]["name"] for number, row in french.items())


def test_a_look_back_of_nothing_reads_nothing_again(shell: Shell, odoo19: StandIn) -> None:
    shell.run("sync", *PARTNERS)
    with recording(odoo19) as read:
        assert shell.run("sync", *PARTNERS, "--look-back", "0").code == 0
    assert read == []


def test_verbose_tells_every_step_on_standard_error(shell: Shell) -> None:
    quiet, idle = shell.run("sync", *PARTNERS), shell.run("sync", *PARTNERS, "--verbose", "--look-back", "0")
    full = shell.run("sync", *PARTNERS, "--verbose", "--full")
    assert quiet.err == ""
    assert "0 models have work, 1 is unchanged" in idle.err
    assert "res.partner: everything is read again" in full.err
    assert "res.partner: full, reading everything" in full.err
    for verbose in (idle, full):
        assert not any(secret in verbose.out + verbose.err for secret in shell.secrets)


def test_a_model_that_is_not_installed_is_skipped(shell: Shell, odoo19: StandIn, database: str) -> None:
    outcome = shell.run("sync", "--models", "helpdesk.ticket,res.company")
    assert outcome.code == 0
    assert "skipped: not installed" in outcome.out
    assert_equal(odoo19, database, ["res.company"])


def test_a_model_that_fails_fails_alone(shell: Shell, odoo19: StandIn, database: str) -> None:
    outcome = shell.run(
        *("sync", "--models", "account.move,res.company"),
        ODOO_USER=odoo19.limited_login,
        ODOO_PASSWORD=odoo19.limited_api_key,
    )
    assert outcome.code == 1
    (sentence,) = outcome.err.splitlines()
    assert sentence.startswith("account.move: Odoo connection 'ODOO_URL'")
    assert "'limited' is not allowed to call" in sentence
    assert "FAILED" in outcome.out
    assert shadow_rows(database, "odoo_shadow_res_company")


def test_the_watermark_is_the_same_as_airflows(shell: Shell, database: str) -> None:
    shell.run("sync", *PARTNERS)
    with ShadowDatabase.from_url(database) as shadow:
        mark = watermark_of(shadow)
    assert mark is not None and mark.rows_synced == len(shadow_rows(database, "odoo_shadow_res_partner"))


def test_what_fails_at_the_end_of_a_run_is_told_with_its_step(shell: Shell, odoo19: StandIn) -> None:
    assert shell.run("sync", *PARTNERS).code == 0
    refusal = '{"name": "odoo.exceptions.AccessError", "message": "no rights for you", "arguments": []}'
    headers = {"Content-Type": "application/json"}
    odoo19.faults.add(
        Fault("res.partner", "search_read", times=100, after=1, status=403, headers=headers, body=refusal)
    )
    outcome = shell.run("sync", *PARTNERS)
    said = " ".join(outcome.err.split())
    assert outcome.code == 1
    assert "res.partner, columns that change without write_date: Odoo connection" in said and "no rights" in said
    assert "FAILED: columns that change without write_date" in outcome.out


def test_what_the_models_did_is_shown_when_the_end_of_the_run_fails(shell: Shell, database: str) -> None:
    assert shell.run("sync", "--models", "res.company").code == 0
    full_disk(database, "odoo_shadow_internal.proof")
    outcome = shell.run("sync", *PARTNERS)
    assert outcome.code == 1
    assert "At the end of the run: Shadow database 'SUPABASE_DB_URL': its disk is full" in outcome.err
    assert done_to(outcome, "res.partner") == "first load"


def full_disk(database: str, table: str) -> None:
    """Let a table take no row more, for want of room."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.execute(
            sql.SQL("CREATE TRIGGER no_room BEFORE INSERT ON {} EXECUTE FUNCTION public.no_room()").format(
                sql.Identifier(*table.split("."))
            )
        )


def test_one_sentence_sums_up(shell: Shell, odoo19: StandIn) -> None:
    rows = len(expected_rows(odoo19, "res.company"))
    first = shell.run("sync", "--models", "res.company,helpdesk.ticket")
    last = first.out.splitlines()[-1]
    said = rf"1 model mirrored, 1 not installed, in [0-9.]+ s: {rows} rows inserted, 0 updated, 0 deleted\."
    assert re.fullmatch(said, last) and first.out.count(" inserted") == 2  # a column, and the sentence
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    failed = shell.run("sync", "--models", "account.move,res.partner.category", **limited)
    last = failed.out.splitlines()[-1]
    assert last.startswith("1 model mirrored, 1 failed, in ")
    assert "; 1 model failed (account.move): do what the messages above say" in last


def test_json_for_programs(shell: Shell, odoo19: StandIn, database: str) -> None:
    wrong = shell.run("sync", *PARTNERS, "--json", ODOO_LANG="xx_XX")
    assert (wrong.code, wrong.out) == (2, "") and wrong.err.startswith("Error: ")
    models = ("--models", "res.company,res.partner.category,account.move,helpdesk.ticket")
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    outcome = shell.run("sync", *models, "--json", **limited)
    document = json.loads(outcome.out)
    assert outcome.code == 1 and document["is_good"] is document["dry_run"] is False
    entries = {item["model"]: item for item in document["models"]}
    found = {model: entry["outcome"] for model, entry in entries.items()}
    assert found == {
        "res.company": "mirrored",
        "res.partner.category": "mirrored",
        "account.move": "failed",
        "helpdesk.ticket": "skipped",
    }
    category = entries["res.partner.category"]
    rows = len(shadow_rows(database, "odoo_shadow_res_partner_category"))
    assert (category["table"], category["kind"]) == ("odoo_shadow_res_partner_category", "first load")
    assert category["rows_inserted"] == rows and category["seconds"] > 0 and category["watermark"] > "2020"
    error = entries["account.move"]["error"]
    assert f"account.move: {error}" in outcome.err.splitlines() and "2 models mirrored" in outcome.err
    totals = [document[f"rows_{what}"] for what in ("inserted", "updated", "deleted")]
    assert totals == [
        sum(item[f"rows_{what}"] for item in entries.values()) for what in ("inserted", "updated", "deleted")
    ]
    with psycopg.connect(database) as connection:
        logged = connection.execute(
            "SELECT DISTINCT sync_run_id::text FROM odoo_shadow.odoo_shadow_sync_log"
        ).fetchall()
    assert (document["run_id"],) in logged
    assert not any(secret in outcome.out + outcome.err for secret in shell.secrets)


def test_json_of_a_good_run_stands_alone_on_standard_output(shell: Shell) -> None:
    for lines in (1, 0):  # of progress
        outcome = shell.run("sync", *PARTNERS, "--json", "--look-back", "0", "--batch-size", "100")
        assert outcome.code == 0 and json.loads(outcome.out)["is_good"] is True
        *progress, summary = outcome.err.splitlines()
        assert " inserted, 0 updated" in summary and len(progress) >= lines
        assert all(line.startswith("res.partner: ") for line in progress)
    (entry,) = json.loads(outcome.out)["models"]
    assert (entry["outcome"], entry["kind"], entry["table"]) == ("unchanged", None, "odoo_shadow_res_partner")
