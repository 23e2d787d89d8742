"""`odoo-shadow status`: tables, rows, watermarks, lag, last errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg

from odoo_stand_in import StandIn
from tests.support.catalog import contents
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Shell
from tests.support.source_of_truth import expected_rows

MODELS = ("--models", "res.partner,res.company")
NO_ODOO = dict.fromkeys(("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD"))


def test_before_the_first_sync(shell: Shell) -> None:
    outcome = shell.run("status", **NO_ODOO)
    assert outcome.code == 2
    assert outcome.err == "Error: There is no shadow in schema 'odoo_shadow': run odoo-shadow sync first.\n"


def test_a_mistyped_schema(shell: Shell) -> None:
    shell.run("sync", "--models", "res.company")
    outcome = shell.run("status", "--schema", "odoo_shadw", **NO_ODOO)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "Error: There is no shadow in schema 'odoo_shadw' (this database has one in schema 'odoo_shadow': "
        "correct the schema, --schema, if that is meant): run odoo-shadow sync first.\n"
    )


def test_after_a_sync(shell: Shell, odoo19: StandIn, database: str) -> None:
    shell.run("sync", *MODELS)
    before = contents(database)
    outcome = shell.run("status", **NO_ODOO)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Shadow of the Odoo database '{odoo19.database}' at {odoo19.url}, in schema ")
    (line,) = [line for line in outcome.out.splitlines() if " res.partner " in line]
    assert f" {len(expected_rows(odoo19, 'res.partner'))} " in line
    assert " 0:0" in line  # the lag, in hours and minutes
    assert contents(database) == before


def test_the_lag_is_told_whatever_the_time_zone(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET TimeZone = 'Asia/Tokyo'".encode())
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = '2020-01-02 03:04:05+00'"
            " WHERE table_name = 'odoo_shadow_res_partner'"
        )
    (line,) = [line for line in shell.run("status").out.splitlines() if " res.partner " in line]
    assert "2020-01-02 03:04:05" in line
    assert " days, " in line


def test_a_failing_table_is_an_error_until_it_is_good_again(shell: Shell, odoo19: StandIn) -> None:
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    shell.run("sync", "--models", "account.move")
    for _ in range(2):
        assert shell.run("sync", "--models", "account.move", **limited).code == 1
    outcome = shell.run("status")
    assert outcome.code == 1
    assert outcome.err.startswith("account.move: 2 failed runs since its last good run: Odoo connection 'ODOO_URL'")
    shell.run("sync", "--models", "account.move")
    assert shell.run("status").code == 0


def test_a_first_load_that_has_not_ended_has_no_watermark(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = to_timestamp(0)")
    (line,) = [line for line in shell.run("status").out.splitlines() if " res.partner " in line]
    assert " never " in line


def test_a_role_that_may_only_read_can_ask(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        assert shell.run("status", SUPABASE_DB_URL=as_role(database, role)).code == 0


def test_another_schema(shell: Shell) -> None:
    shell.run("sync", *MODELS, "--schema", "other")
    assert shell.run("status", "--schema", "other").code == 0
    assert shell.run("status").code == 2


def test_long_names_are_not_cut(shell: Shell) -> None:
    shell.run("sync", "--models", "account.move.line")
    assert "account.move.line" in shell.run("status").out


def test_documents_that_do_not_follow_their_tables(shell: Shell, odoo19: StandIn, database: str) -> None:
    shell.run("sync", *MODELS)
    assert shell.run("embed", "--embeddings", "none").code == 0
    outcome = shell.run("status", **NO_ODOO)
    (line,) = [line for line in outcome.out.splitlines() if line.count(":") > 4 and " res.partner " in line][1:]
    assert f" {len(expected_rows(odoo19, 'res.partner'))} " in line
    assert outcome.out.endswith("Documents are without embeddings: searches are by words alone\n")
    assert (outcome.code, outcome.err) == (0, "")
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_document_model SET updated_at = '2026-01-01 12:00+00';"
            "UPDATE odoo_shadow.odoo_shadow_meta SET last_sync_at = '2026-01-02 11:00+00'"
        )
    late = (
        "The documents of res.partner were last brought up to date on 2026-01-01 12:00 UTC, and their tables after "
        "that, on 2026-01-02 11:00 UTC: run odoo-shadow embed, or let the mirror do it (knowledge: true)\n"
    )
    assert shell.run("status", **NO_ODOO).err == late
    document = json.loads(shell.run("status", "--json", **NO_ODOO).out)
    (entry,) = document["documents"]
    assert (entry["model"], entry["behind_seconds"], entry["without_embedding"]) == ("res.partner", 82_800, None)
    assert document["embedding_model"] is None and document["is_well"] is True
    assert "those of res.partner were last brought up to date" in shell.run("doctor", *MODELS).out


def test_json_for_programs(shell: Shell, odoo19: StandIn, database: str) -> None:
    nothing = shell.run("status", "--json", **NO_ODOO)
    assert (nothing.code, nothing.out) == (2, "") and "There is no shadow" in nothing.err
    shell.run("sync", *MODELS)
    shell.run("verify", "--quick", "--models", "res.company")
    outcome = shell.run("status", "--json", **NO_ODOO)
    assert (outcome.code, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    entries = {item.pop("model"): item for item in document.pop("models")}
    assert document == {
        "schema": "odoo_shadow",
        "odoo_url": odoo19.url,
        "odoo_database": odoo19.database,
        "source": "api",
        "is_well": True,
        "problems": [],
        "marts": [],
        "more_marts_schemas": 0,
        "documents": [],
        "embedding_model": None,
    }
    company, partner = entries["res.company"], entries["res.partner"]
    assert company["table"] == "odoo_shadow_res_company"
    assert partner["rows"] == len(expected_rows(odoo19, "res.partner"))
    verified = company["last_verification"]
    for moment in (partner["watermark"], partner["last_sync_at"], verified.pop("at")):
        assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(moment) < timedelta(minutes=5)
    assert 0 <= partner["lag_seconds"] < 300
    assert partner["last_verification"] is partner["proven_up_to"] is partner["last_error"] is None
    assert verified.pop("seconds") >= 0
    rows = len(expected_rows(odoo19, "res.company"))
    nothing_differs = dict.fromkeys(("missing", "extra", "stale", "differing", "repaired", "newer", "not_given"), 0)
    assert verified == {"compares": "quick", "is_equal": True, "rows": rows, **nothing_differs}
    assert [company[name] for name in ("failed_runs", "not_mirrored", "problems")] == [0, [], []]


def test_what_is_wrong_says_the_table_and_the_json(shell: Shell, odoo19: StandIn, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("DROP VIEW public.odoo_shadow_res_company CASCADE")
        connection.execute("CREATE TABLE public.odoo_shadow_res_company (id bigint)")
    assert shell.run("status").code == 1  # of good tables, one of which nobody finds under its name in public
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM odoo_shadow.odoo_shadow_res_partner WHERE id = 1")
    assert shell.run("verify", "--models", "res.partner").code == 1
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    assert shell.run("sync", "--models", "account.move", **limited).code == 1
    told, outcome = shell.run("status"), shell.run("status", "--json")
    document = json.loads(outcome.out)
    assert told.code == outcome.code == 1
    assert document["is_well"] is False and outcome.err == ""
    (in_public,) = document["problems"]
    assert "(public.odoo_shadow_res_company)" in in_public and "take-over" in in_public
    assert in_public in told.err.splitlines()
    entries = {item["model"]: item for item in document["models"]}
    (problem,) = entries["account.move"]["problems"]
    assert problem == f"1 failed run since its last good run: {entries['account.move']['last_error']}"
    assert f"account.move: {problem}" in told.err.splitlines()
    found = entries["res.partner"]["last_verification"]
    assert (found["compares"], found["is_equal"], found["missing"], found["repaired"]) == ("full", False, 1, 0)
    assert not any(secret in outcome.out for secret in shell.secrets)
