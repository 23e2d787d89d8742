"""`odoo-shadow doctor`: what it prints and returns."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from odoo_stand_in import StandIn
from tests.support.catalog import contents, structure
from tests.support.roles import as_role, new_role
from tests.support.shell import Outcome, Shell

MODELS = ("--models", "res.partner,res.company")


def findings(outcome: Outcome) -> dict[str, tuple[str, str]]:
    """The table's lines: verdict and text, by what they are about; text that takes two lines is joined."""
    found: dict[str, tuple[str, str]] = {}
    subject = ""
    for line in outcome.out.splitlines():
        if not line.startswith("│"):
            continue
        what, verdict, text = (cell.strip() for cell in line.strip("│").split("│"))
        subject = what or subject
        before = found.get(subject, (verdict, ""))
        found[subject] = (before[0], f"{before[1]} {text}".strip())
    return found


def test_all_well(shell: Shell, odoo19: StandIn, database: str) -> None:
    before = structure(database)
    outcome = shell.run("doctor", *MODELS)
    assert (outcome.code, outcome.err) == (0, "")
    assert structure(database) == before
    (head,) = [line for line in outcome.out.splitlines() if "verdict" in line]
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == ["what", "verdict", "finding"]
    found = findings(outcome)
    assert found["Odoo"] == ("ok", f"19.0 at {odoo19.url}, database '{odoo19.database}'")
    assert found["login"] == ("ok", "'admin' (user 2) accepted over JSON-2")
    for subject in ("clock", "companies", "res.partner", "res.company", "database", "schema", "staging"):
        assert found[subject][0] == "ok", subject


def test_the_priority_models_are_examined_by_default(shell: Shell) -> None:
    assert "project.task" in findings(shell.run("doctor"))


def test_after_a_sync_the_look_back_is_judged_and_nothing_is_written(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    before = structure(database), contents(database)
    outcome = shell.run("doctor", *MODELS, "--look-back", "30")
    assert outcome.code == 0
    assert findings(outcome)["look-back"] == ("ok", "0:30:00; no row has been found late so far")
    assert (structure(database), contents(database)) == before


def test_a_proof_that_is_late_is_told(shell: Shell, database: str) -> None:
    shell.run("sync", *MODELS)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_meta SET created_at = now() - interval '3 days'")
    outcome = shell.run("doctor", *MODELS)
    told = " ".join(outcome.out.replace("│", " ").split())
    assert outcome.code == 0 and "warning its rows should be proven every day, and are 2 days" in told


def test_a_model_without_rights_is_a_problem(shell: Shell, odoo19: StandIn) -> None:
    outcome = shell.run(
        *("doctor", "--models", "account.move,res.company"),
        ODOO_USER=odoo19.limited_login,
        ODOO_PASSWORD=odoo19.limited_api_key,
    )
    assert outcome.code == 1
    found = findings(outcome)
    assert found["account.move"][0] == "PROBLEM" and "'limited' is not allowed to call" in found["account.move"][1]
    assert found["res.company"][0] == "ok"


@pytest.mark.parametrize(
    ("changed", "subject", "said"),
    [
        ({"ODOO_PASSWORD": "0123456789abcdef"}, "Odoo", "refused the login"),
        ({"ODOO_URL": "http://127.0.0.1:9"}, "Odoo", "cannot be reached"),
        ({"SUPABASE_DB_URL": "postgresql://x:pg-hunter2@127.0.0.1:9/x"}, "database", "cannot be reached"),
    ],
    ids=["a refused key", "no Odoo", "no database"],
)
def test_trouble_with_one_side_is_a_finding_and_the_other_is_examined(
    shell: Shell, changed: dict[str, str | None], subject: str, said: str
) -> None:
    outcome = shell.run("doctor", *MODELS, **changed)
    assert outcome.code == 1
    found = findings(outcome)
    assert found[subject][0] == "PROBLEM" and said in found[subject][1]
    other = "login" if subject == "database" else "staging"
    assert found[other][0] == "ok"
    shown = outcome.out + outcome.err
    assert not any(secret in shown for secret in (*shell.secrets, "0123456789abcdef"))


def test_a_role_without_rights_is_a_problem(shell: Shell, database: str) -> None:
    with new_role(database) as role:
        outcome = shell.run("doctor", *MODELS, SUPABASE_DB_URL=as_role(database, role))
    assert outcome.code == 1
    assert findings(outcome)["schema"] == ("PROBLEM", "the role needs CREATE on the database")


def test_a_warning_is_no_failure(shell: Shell) -> None:
    outcome = shell.run("doctor", *MODELS, ODOO_COMPANY_IDS="1")
    assert outcome.code == 0
    verdict, text = findings(outcome)["companies"]
    assert verdict == "warning" and "ODOO_COMPANY_IDS (--odoo-company-ids) leaves out 2, 3" in text


def test_wrong_usage(shell: Shell) -> None:
    assert shell.run("doctor", "--models", "not a model").code == 2
    assert shell.run("doctor", *MODELS, ODOO_DB=None).code == 2


def test_a_read_only_database_is_told(shell: Shell, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        read_only = "ALTER DATABASE {} SET default_transaction_read_only = on"
        connection.execute(sql.SQL(read_only).format(name))
        doctor, sync = shell.run("doctor", *MODELS), shell.run("sync", *MODELS)
        connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
    assert doctor.code == 1 and "it is read-only" in " ".join(doctor.out.split())
    assert "can write schema" not in doctor.out
    assert sync.code == 2 and "is read-only" in sync.last_error and "when the disk is full" in sync.last_error


def test_policies_that_hide_rows_are_told(shell: Shell, database: str) -> None:
    assert shell.run("sync", *MODELS).code == 0
    with psycopg.connect(database) as connection, new_role(database) as role:
        of_role = sql.Identifier(role)
        for statement in (
            "GRANT ALL ON SCHEMA odoo_shadow, odoo_shadow_internal TO {}",
            "GRANT ALL ON ALL TABLES IN SCHEMA odoo_shadow, odoo_shadow_internal TO {}",
        ):
            connection.execute(sql.SQL(statement).format(of_role))
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_res_company ENABLE ROW LEVEL SECURITY")
        connection.commit()
        outcome = shell.run("doctor", *MODELS, SUPABASE_DB_URL=as_role(database, role))
    verdict, text = findings(outcome)["policies"]
    assert verdict == "PROBLEM" and "odoo_shadow.odoo_shadow_res_company" in text and "BYPASSRLS" in text


def test_the_room_that_the_first_load_takes_is_told_until_it_is_there(shell: Shell) -> None:
    verdict, text = findings(shell.run("doctor", *MODELS))["room"]
    assert verdict == "ok" and "the first load of 2 models will take about" in text and "its disk has" in text
    assert shell.run("sync", *MODELS).code == 0
    assert "room" not in findings(shell.run("doctor", *MODELS))
