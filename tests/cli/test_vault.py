"""`--odoo-credentials vault`: Odoo's address and login from the Vault of the shadow's database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from odoo_shadow.shadow.vault import read_odoo_login
from odoo_shadow.text.redaction import redact
from odoo_stand_in import StandIn
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Outcome, Shell
from tests.support.statements import noting
from tests.support.vault import make_vault, secrets_of

VAULT = ("--odoo-credentials", "vault")
COMPANIES = ("--models", "res.company")
NOTHING_GIVEN: Mapping[str, None] = dict.fromkeys(("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD"))


def without_login(shell: Shell, *arguments: str) -> Outcome:
    """Run a command in an environment that says nothing of Odoo."""
    return shell.run(*arguments, **NOTHING_GIVEN)


def companies(database: str) -> int:
    with psycopg.connect(database) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_res_company").fetchall()
    return int(number)


def test_every_command_that_reads_odoo_takes_it_from_the_vault(
    shell: Shell, odoo19: StandIn, database: str, tmp_path: Path
) -> None:
    make_vault(database, **secrets_of(odoo19))
    config = tmp_path / "odoo_shadow.yaml"
    config.write_text("mirrors: {own: {models: [res.company], odoo_credentials: vault}}", encoding="utf-8")
    commands = (("models",), ("doctor",), ("verify",), ("ddl", "--output", str(tmp_path)))
    told = [without_login(shell, "sync", "--config", str(config), "--verbose")]
    told += [without_login(shell, *command, *VAULT, *COMPANIES) for command in commands]
    assert [(item.code, item.err) for item in told[1:]] == [(0, "")] * 4
    assert told[0].code == 0 and companies(database) > 0
    shown = "\n".join(item.out + item.err for item in told)
    assert odoo19.api_key not in shown and odoo19.url not in shown


def test_statements_hold_no_value_and_no_message_repeats_one(odoo19: StandIn, database: str) -> None:
    secrets = {**secrets_of(odoo19), "ODOO_DB": "acme-prod", "ODOO_USER": "sync@example.com"}
    secrets["ODOO_URL"] = "https://erp.example.com"
    make_vault(database, **secrets)
    with noting(database) as (shadow, statements):
        found = read_odoo_login(shadow)
    assert [found.url, found.database, found.login, found.password] == list(secrets.values())
    told = redact(f"{found} {' '.join(statements)} failed at erp.example.com: {' '.join(secrets.values())}")
    assert not [value for value in (*secrets.values(), "erp.example.com") if value in told]
    assert not [value for value in secrets.values() if value in f"{found} {' '.join(statements)}"]


def test_what_is_given_besides_is_refused_or_ignored_with_a_word(shell: Shell, odoo19: StandIn, database: str) -> None:
    make_vault(database, **secrets_of(odoo19))
    ignored = shell.run("sync", *COMPANIES, ODOO_CREDENTIALS="vault", ODOO_URL="https://wrong.invalid", ODOO_USER=None)
    assert ignored.code == 0
    assert ignored.err.startswith(
        "Odoo's address and login come from the Vault, so ODOO_URL, ODOO_DB, ODOO_PASSWORD of the environment is not"
    )
    refused = without_login(shell, "sync", *VAULT, "--odoo-db", "other")
    assert refused.code == 2
    assert refused.last_error == (
        "Error: --odoo-db and --odoo-credentials vault exclude each other: leave out one of them."
    )


def test_without_a_database_there_is_no_vault(shell: Shell) -> None:
    for command in ("models", "ddl", "sync"):
        outcome = shell.run(command, *VAULT, SUPABASE_DB_URL=None, **NOTHING_GIVEN)
        assert outcome.code == 2
        assert "A setting is missing: SUPABASE_DB_URL (--supabase-db-url)" in outcome.err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ODOO_PASSWORD": None}, "no ODOO_PASSWORD: add what is missing on the Vault's page"),
        ({"ODOO_DB": "  "}, "ODOO_DB is empty: store its value"),
        ({"ODOO_DB": "x" * 4097}, "ODOO_DB is longer than 4096 characters"),
        ({"ODOO_DB": "of another key"}, "its Vault cannot decrypt ODOO_URL, ODOO_DB, ODOO_USER, ODOO_PASSWORD, as"),
        ({"ODOO_URL": "ftp://erp.example.com"}, "Odoo connection 'Vault': ODOO_URL in the Vault"),
    ],
)
def test_a_secret_that_does_not_serve_is_named(
    shell: Shell, odoo19: StandIn, database: str, changed: dict[str, str | None], said: str
) -> None:
    secrets = {**secrets_of(odoo19), **changed}
    make_vault(database, **{name: value for name, value in secrets.items() if value is not None})
    outcome = without_login(shell, "sync", *VAULT)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err and outcome.err.count("\n") == 1
    assert odoo19.api_key not in outcome.err


def test_a_secret_that_is_there_twice_is_refused(shell: Shell, odoo19: StandIn, database: str) -> None:
    make_vault(database, **secrets_of(odoo19))
    with psycopg.connect(database) as connection:
        connection.execute("DROP INDEX vault.secrets_name_idx")  # earlier versions of the extension have none
        connection.execute("SELECT vault.create_secret('another-key', 'ODOO_PASSWORD')")
    outcome = without_login(shell, "sync", *VAULT)
    assert outcome.code == 2 and outcome.err.endswith("ODOO_PASSWORD is there more than once: delete all but one.\n")


def test_swapped_secrets_are_recognised_never_shown_and_can_be_swapped_back(
    shell: Shell, odoo19: StandIn, database: str
) -> None:
    swapped = secrets_of(odoo19)
    make_vault(database, **{value: name for name, value in swapped.items()})
    outcome = without_login(shell, "doctor", *VAULT)
    assert outcome.code == 2
    assert "name and value are swapped of ODOO_URL, ODOO_DB, ODOO_USER, ODOO_PASSWORD" in outcome.err
    assert not [value for value in swapped.values() if re.search(rf"\b{re.escape(value)}\b", outcome.err)]
    finding = " ".join(shell.run("doctor", *COMPANIES).out.replace("│", " ").split())
    assert "Vault PROBLEM name and value are swapped of ODOO_URL" in finding
    statement = re.search(r"SELECT vault\.update_secret.*?\)(?=;)", outcome.err)
    assert statement is not None
    with psycopg.connect(database) as connection:
        connection.execute(statement.group().encode())
    assert without_login(shell, "sync", *VAULT, *COMPANIES).code == 0


def test_a_role_without_the_right_gets_the_grants_that_help(shell: Shell, odoo19: StandIn, database: str) -> None:
    make_vault(database, **secrets_of(odoo19))
    with new_role(database) as role:
        run_as_owner(
            database, "GRANT CREATE, TEMPORARY ON DATABASE {name} TO {role}", name=name_of(database), role=role
        )
        run_as_owner(database, "GRANT USAGE ON SCHEMA vault TO {role}", role=role)
        run_as_owner(database, "GRANT SELECT ON vault.decrypted_secrets TO {role}", role=role)
        own = as_role(database, role)
        refused = shell.run("sync", *VAULT, *COMPANIES, SUPABASE_DB_URL=own, **NOTHING_GIVEN)
        assert refused.code == 2 and refused.out == ""
        _, _, grants = refused.err.strip().removesuffix(".").partition("postgres, run ")
        with psycopg.connect(database) as connection:
            connection.execute(grants.encode())
        assert shell.run("sync", *VAULT, *COMPANIES, SUPABASE_DB_URL=own, **NOTHING_GIVEN).code in (0, 1)
        assert companies(database) > 0


def test_a_vault_of_somebody_else_is_not_read(shell: Shell, odoo19: StandIn, database: str) -> None:
    make_vault(database, **secrets_of(odoo19))
    with new_role(database) as other, new_role(database) as role:
        run_as_owner(database, "ALTER VIEW vault.decrypted_secrets OWNER TO {other}", other=other)
        run_as_owner(database, "GRANT USAGE ON SCHEMA vault TO {role}", role=role)
        run_as_owner(database, "GRANT SELECT ON vault.decrypted_secrets TO {role}", role=role)
        outcome = shell.run("sync", *VAULT, SUPABASE_DB_URL=as_role(database, role), **NOTHING_GIVEN)
    assert outcome.code == 2 and f"vault.decrypted_secrets belongs to the role '{other}'" in outcome.err


def test_a_database_without_a_vault(shell: Shell) -> None:
    outcome = without_login(shell, "sync", *VAULT)
    assert outcome.code == 2
    assert outcome.last_error.startswith(
        "Error: Shadow database 'SUPABASE_DB_URL' has no Vault (vault.decrypted_secrets): enable the extension"
    )


def name_of(database: str) -> str:
    with psycopg.connect(database) as connection:
        return connection.info.dbname
