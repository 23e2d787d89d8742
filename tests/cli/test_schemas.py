"""Where a mirror stands: a mistyped schema, a second mirror, a mirror in `public`."""

from __future__ import annotations

from tests.support.shell import Outcome, Shell

COMPANIES = ("--models", "res.company")


def told(outcome: Outcome) -> str:
    """Return what was said, with the lines of a table's cell joined."""
    return " ".join((outcome.out + outcome.err).replace("│", " ").split())


def test_a_mistyped_schema_does_not_look_healthy(shell: Shell) -> None:
    meant = (
        "There is no shadow in schema 'odoo_shadw' (this database has one in schema 'odoo_shadow': correct the schema"
    )
    commands = [("doctor",), ("models",), ("sync", "--dry-run")]
    for command in commands:
        fresh = shell.run(*command, *COMPANIES, "--schema", "odoo_shadw")
        assert fresh.code == 0 and "There is no shadow" not in told(fresh), command  # a first mirror, to be
    assert shell.run("sync", *COMPANIES).code == 0
    for command in commands:
        outcome = shell.run(*command, *COMPANIES, "--schema", "odoo_shadw")
        assert outcome.code == 0 and meant in told(outcome), command
        assert "There is no shadow" not in told(shell.run(*command, *COMPANIES)), command
    verified = shell.run("verify", "--schema", "odoo_shadw")
    assert verified.code == 2 and meant in verified.err


def test_a_second_mirror_is_told_in_one_line_whose_the_names_in_public_are(shell: Shell) -> None:
    assert shell.run("sync", *COMPANIES).code == 0
    outcome = shell.run("sync", "--models", "res.company,res.country", "--schema", "second")
    assert outcome.code == 0
    (line,) = outcome.err.splitlines()
    assert "Schema 'second' gets views in public only under names that are free" in line
    assert "the others show the mirror in schema 'odoo_shadow'" in line
    again = shell.run("sync", *COMPANIES, "--schema", "second", "--full")
    assert (again.code, again.err) == (0, "")


def test_a_mirror_in_public_is_warned_of_by_the_doctor_and_once_by_the_first_run(shell: Shell) -> None:
    public = (*COMPANIES, "--schema", "public")
    for _ in range(2):
        first = shell.run("doctor", *public)
        assert first.code == 0 and "warning on hosts such as Supabase everybody with" in told(first)
        shell.run("sync", *public)
    assert "on hosts" not in told(shell.run("doctor", *COMPANIES))


def test_the_first_run_into_public_says_what_it_means(shell: Shell) -> None:
    first, second = (shell.run("sync", *COMPANIES, "--schema", "public") for _ in range(2))
    assert first.code == second.code == 0
    (line,) = first.err.splitlines()
    assert "anon key can read a mirror in schema public: choose a schema of its own" in line
    assert second.err == ""
