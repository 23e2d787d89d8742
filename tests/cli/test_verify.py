"""`odoo-shadow verify`: what it finds, mends, prints and returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state import proofs
from odoo_shadow.text.amounts import counted
from odoo_stand_in import StandIn
from tests.support.catalog import contents
from tests.support.shell import Outcome, Shell
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows

MODELS = ("--models", "res.partner,res.company")
PARTNERS = "odoo_shadow_res_partner"
HEAD = ["model", "rows", "missing", "extra", "stale", "differing", "repaired", "seconds"]


@pytest.fixture
def synced(shell: Shell) -> Shell:
    assert shell.run("sync", *MODELS).code == 0
    return shell


def in_shadow(database: str, *statements: LiteralString) -> None:
    with psycopg.connect(database, options="-c search_path=odoo_shadow") as connection:
        for statement in statements:
            connection.execute(statement)


def damage(database: str) -> None:
    """Let the shadow lack two partners, hold one too many, one that is old, and one that is wrong."""
    in_shadow(
        database,
        "DELETE FROM odoo_shadow_res_partner WHERE id IN (20, 21)",
        "INSERT INTO odoo_shadow_res_partner (id, name) VALUES (99999, 'Who is this?')",
        "UPDATE odoo_shadow_res_partner SET _odoo_write_date = '2001-01-01' WHERE id = 22",
        "UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 23",
    )


def cells(outcome: Outcome, model: str) -> list[str]:
    """The cells of a model's line in the table, without the seconds."""
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("│") and f" {model} " in line]
    return [cell.strip() for cell in line.strip("│").split("│")][:-1]


def test_equal(synced: Shell, odoo19: StandIn) -> None:
    outcome = synced.run("verify")
    assert (outcome.code, outcome.err) == (0, "")
    (head,) = [line for line in outcome.out.splitlines() if "missing" in line]
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == HEAD
    for model in ("res.partner", "res.company"):
        assert cells(outcome, model) == [model, str(len(expected_rows(odoo19, model))), "0", "0", "0", "0", ""]


def test_what_differs_is_told_and_not_touched(synced: Shell, odoo19: StandIn, database: str) -> None:
    damage(database)
    before = contents(database)
    outcome = synced.run("verify")
    assert (outcome.code, outcome.err) == (1, "")
    rows = str(len(expected_rows(odoo19, "res.partner")))
    assert cells(outcome, "res.partner") == ["res.partner", rows, "2", "1", "1", "1", ""]
    assert cells(outcome, "res.company")[2:6] == ["0"] * 4
    city = expected_rows(odoo19, "res.partner")[23]["city"]
    assert f"res.partner 23, city: 'Elsewhere' in the shadow, '{city}' in Odoo\n" in outcome.out
    assert "res.partner 22, _odoo_write_date: '2001-01-01 00:00:00+00' in the shadow, '20" in outcome.out
    assert "Compared every cell of 2 models: not all is equal: 5 rows differ.\n" in outcome.out
    told = [line for line in outcome.out.splitlines() if line.startswith("res.partner: ")]
    assert told == [
        "res.partner: 2 missing: 20, 21",
        "res.partner: 1 extra: 99999",
        "res.partner: 1 stale: 22",
        "res.partner: 1 differing: 23",
    ]
    after = contents(database)
    assert len(after.pop("odoo_shadow_verification")) == 2
    before.pop("odoo_shadow_verification")
    noted = set(map(str, after.pop("odoo_shadow_meta"))) - set(map(str, before.pop("odoo_shadow_meta")))
    assert sorted(row.split("'")[5] for row in noted) == ["res.company", "res.partner"]  # proven, and not proven
    assert after == before


def test_a_repair(synced: Shell, odoo19: StandIn, database: str) -> None:
    damage(database)
    outcome = synced.run("verify", "--repair")
    assert outcome.code == 0, outcome.err
    assert cells(outcome, "res.partner")[2:] == ["2", "1", "1", "1", "5"]
    assert outcome.out.endswith("all is equal now; 5 rows were wrong in the shadow until now and are repaired.\n")
    assert "res.partner 23, city: 'Elsewhere' in the shadow, " in outcome.out
    assert_equal(odoo19, database, ["res.partner", "res.company"])
    again = synced.run("verify")
    assert again.code == 0 and cells(again, "res.partner")[2:] == ["0", "0", "0", "0", ""]


def test_a_repair_reads_rows_again_that_point_to_what_it_removed(synced: Shell, odoo19: StandIn, database: str) -> None:
    in_shadow(
        database,
        "INSERT INTO odoo_shadow_res_partner (id, name) VALUES (99999, 'Gone')",
        "UPDATE odoo_shadow_res_company SET partner_id = 99999, _sync_hash = NULL WHERE id = 1",
    )
    assert synced.run("verify", "--repair", "--models", "res.partner").code == 0
    assert_equal(odoo19, database, ["res.company"])


def test_quick_sees_ids_and_write_dates_only(synced: Shell, database: str) -> None:
    damage(database)
    outcome = synced.run("verify", "--quick")
    assert outcome.code == 1 and cells(outcome, "res.partner")[2:] == ["2", "1", "1", "0", ""]
    assert synced.run("verify", "--quick", "--repair").code == 0
    assert synced.run("verify", "--quick").code == 0
    full = synced.run("verify")
    assert full.code == 1 and cells(full, "res.partner")[2:] == ["0", "0", "0", "1", ""]


def test_only_some_models(synced: Shell, database: str) -> None:
    damage(database)
    outcome = synced.run("verify", "--models", "res.company")
    assert outcome.code == 0 and "res.partner" not in outcome.out


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("models", "compared"),
    [("res.c*", ["res.company"]), ("all", ["res.company", "res.partner"]), ("!res.comp*", ["res.partner"])],
)
def test_patterns_choose_from_what_is_mirrored(synced: Shell, database: str, models: str, compared: list[str]) -> None:
    damage(database)
    outcome = synced.run("verify", "--models", models)
    assert outcome.code == (1 if "res.partner" in compared else 0) and outcome.err == ""
    rows = [line.split("│")[1].strip() for line in outcome.out.splitlines() if line.startswith("│")]
    assert sorted(rows) == compared
    assert f"Compared every cell of {counted(len(compared), 'model')}: " in outcome.out


def test_a_pattern_of_nothing_that_is_mirrored(synced: Shell) -> None:
    outcome = synced.run("verify", "--models", "sale.*")
    assert outcome.code == 2 and len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith("Error: ") and "sale.*" in outcome.err


def test_many_ids_are_cut_short(synced: Shell, database: str) -> None:
    in_shadow(database, "UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id BETWEEN 101 AND 150")
    outcome = synced.run("verify", "--models", "res.partner")
    listed = ", ".join(map(str, range(101, 111)))
    assert f"res.partner: 50 differing: {listed} …" in outcome.out.splitlines()


def test_a_suspicious_share_is_only_removed_when_allowed(synced: Shell, odoo19: StandIn, database: str) -> None:
    in_shadow(
        database,
        "INSERT INTO odoo_shadow_res_partner (id) SELECT 90000 + n FROM generate_series(1, 120) n",
        "UPDATE odoo_shadow_meta SET row_count = row_count + 120 WHERE odoo_model = 'res.partner'",
    )
    outcome = synced.run("verify", "--repair")
    assert outcome.code == 1
    (sentence,) = outcome.err.splitlines()
    assert sentence.startswith("res.partner: res.partner: 120 of ") and "--allow-mass-delete" in sentence
    assert "FAILED" in outcome.out and cells(outcome, "res.company")[1] != ""
    assert 90001 in shadow_rows(database, PARTNERS)
    assert synced.run("verify", "--repair", "--allow-mass-delete").code == 0
    assert_equal(odoo19, database, ["res.partner"])


def test_a_mirror_that_marks_deleted_rows_is_repaired_by_marking(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS, "--on-delete", "mark")
    damage(database)
    assert shell.run("verify", "--repair").code == 0
    assert shadow_rows(database, PARTNERS)[99999]["_deleted_at"] is not None
    assert shell.run("verify").code == 0


def test_before_the_first_sync(shell: Shell) -> None:
    outcome = shell.run("verify")
    assert outcome.code == 2
    assert outcome.err == "Error: There is no shadow in schema 'odoo_shadow': run odoo-shadow sync first.\n"


def test_a_model_that_cannot_be_compared_fails_alone(synced: Shell) -> None:
    outcome = synced.run("verify", "--models", "sale.order,helpdesk.ticket,res.company")
    assert outcome.code == 1
    orders, tickets = outcome.err.splitlines()
    assert orders == "sale.order: sale.order has no table in schema 'odoo_shadow': run a sync first."
    assert tickets == "helpdesk.ticket: helpdesk.ticket has no table in schema 'odoo_shadow': run a sync first."
    assert outcome.out.count("FAILED") == 2 and cells(outcome, "res.company")[2:6] == ["0"] * 4


def test_no_secret_is_shown(synced: Shell, database: str) -> None:
    damage(database)
    outcome = synced.run("verify", "--verbose")
    assert not any(secret in outcome.out + outcome.err for secret in synced.secrets)


def test_a_model_whose_first_load_has_never_succeeded_is_not_passed_over(
    synced: Shell, odoo19: StandIn, database: str
) -> None:
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    assert synced.run("sync", "--models", "account.move,sale.order", **limited).code == 1
    for models in ("all", "account.*,sale.*"):
        outcome = synced.run("verify", "--models", models)
        assert outcome.code == 1
        for model in ("account.move", "sale.order"):
            (told,) = [line for line in outcome.err.splitlines() if line.startswith(f"{model}: ")]
            assert f"{model} was never mirrored: its first load has not succeeded. Its last run failed: " in told
            assert "is not allowed to call" in told
            assert cells(outcome, model)[:2] == [model, "FAILED"]
    assert synced.run("status").code == 1
    assert synced.run("sync", "--models", "account.move,sale.order").code == 0
    assert synced.run("verify", "--models", "all").code == 0


def test_a_model_that_the_server_does_not_have_is_passed_over(synced: Shell) -> None:
    assert synced.run("sync", "--models", "res.company,helpdesk.ticket").code == 0
    outcome = synced.run("verify", "--models", "all")
    assert (outcome.code, outcome.err) == (0, "") and "helpdesk.ticket" not in outcome.out


def test_where_rows_that_are_gone_stay_nobody_can_know(shell: Shell, database: str) -> None:
    told = "res.company: rows that are gone from Odoo stay (on_delete: ignore), so counts cannot show"
    synced = shell.run("sync", "--models", "res.company", "--on-delete", "ignore")
    assert synced.code == 0 and told in synced.out
    in_shadow(database, "INSERT INTO odoo_shadow_res_company (id, name) VALUES (99999, 'Gone')")
    outcome = shell.run("verify")
    assert outcome.code == 0 and told in outcome.out


def test_what_was_found_as_json(synced: Shell, odoo19: StandIn, database: str) -> None:
    damage(database)
    outcome = synced.run("verify", "--repair", "--json")
    assert outcome.code == 0
    document = json.loads(outcome.out)
    assert (document["is_equal"], document["repaired"], document["failed"]) == (True, 5, [])
    partners = next(item for item in document["models"] if item["model"] == "res.partner")
    assert (partners["missing"], partners["extra"], partners["stale"], partners["differing"]) == (2, 1, 1, 1)
    assert partners["ids"]["missing"] == [20, 21]
    city = expected_rows(odoo19, "res.partner")[23]["city"]
    assert {"id": 23, "column": "city", "shadow": "Elsewhere", "odoo": city} in partners["cells"]
    in_shadow(database, "UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 23")
    unequal = synced.run("verify", "--json", "--models", "res.partner")
    assert (unequal.code, json.loads(unequal.out)["is_equal"]) == (1, False)


def test_cells_that_nobody_may_see_are_masked(
    shell: Shell, odoo19: StandIn, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    odoo19.add_field("res.partner", "x_token", "char", default="a token that was let in")
    request.addfinalizer(lambda: odoo19.remove_field("res.partner", "x_token"))
    path = tmp_path / "odoo_shadow.yaml"
    settings = "{res.partner: {hashed_fields: [phone], allow_fields: [x_token]}}"
    path.write_text(f"mirrors: {{one: {{models: [res.partner], model_settings: {settings}}}}}")
    secret = {"ODOO_HASH_SECRET": "x7#Kd92mQ!vL4tRz8wPn"}
    assert shell.run("sync", "--config", str(path), **secret).code == 0
    in_shadow(database, "UPDATE odoo_shadow_res_partner SET phone = 'abc', x_token = 'def', city = 'X' WHERE id = 23")
    for option in ((), ("--json",)):
        outcome = shell.run("verify", *option, **secret)
        assert outcome.code == 1
        assert "abc" not in outcome.out and "def" not in outcome.out and "a token" not in outcome.out
        assert "***" in outcome.out and "phone" in outcome.out and "x_token" in outcome.out


def test_values_are_shortened_and_shown_as_text(synced: Shell, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_res_partner SET city = %s WHERE id = 23", ["\x1b[31m[bold]" + "y" * 5000]
        )
    outcome = synced.run("verify")
    assert outcome.code == 1
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("res.partner 23, city")]
    assert "\x1b" not in line and "[bold]" in line and len(line) < 600


def test_what_a_verification_found_stays_in_sight_until_a_run_has_mended_it(
    synced: Shell, odoo19: StandIn, database: str
) -> None:
    in_shadow(database, "UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 23")
    assert synced.run("verify").code == 1
    status = synced.run("status")
    assert status.code == 1
    assert (
        "res.partner: 1 failed run since its last good run: verify: 1 row differs from Odoo or cannot be compared"
        in status.err
    )
    mended = synced.run("sync", *MODELS, "--look-back", "0")
    assert mended.code == 0 and "rolling proof" in mended.out
    assert_equal(odoo19, database, ["res.partner", "res.company"])
    assert synced.run("status").code == 0


def test_more_than_are_kept_in_mind_are_all_mended_by_the_next_run(
    synced: Shell, odoo19: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_shadow(database, "UPDATE odoo_shadow_res_partner SET city = 'Elsewhere'")
    rows = len(expected_rows(odoo19, "res.partner"))
    with ShadowDatabase.from_url(database) as shadow, shadow.transaction() as tx:
        monkeypatch.setattr(proofs, "MOST_UNPROVEN", 3)
        proofs.note_unproven(tx, PARTNERS, range(1, rows))
    assert synced.run("sync", *MODELS, "--look-back", "0").code == 0
    assert_equal(odoo19, database, ["res.partner", "res.company"])


def test_what_was_found_is_shown_when_the_end_fails(synced: Shell, database: str) -> None:
    in_shadow(database, "UPDATE odoo_shadow_res_partner SET city = 'Elsewhere' WHERE id = 23")
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow_internal.due_row RENAME due_from TO since")
    outcome = synced.run("verify", "--repair")
    assert outcome.code == 1
    assert "Rows that point to removed rows: Shadow database" in outcome.err
    assert "1 row was wrong in the shadow until now and is repaired" in outcome.out
