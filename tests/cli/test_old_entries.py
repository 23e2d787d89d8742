"""`odoo-shadow sync` ends with removing old log entries: `keep_log_days` of `--config`, else 90 days."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.shell import Shell

pytestmark = pytest.mark.one_flavour

COMPANIES = ("--models", "res.company")


def add_entry(database: str, days: int) -> None:
    """Let the company's table have had another run so many days ago."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_sync_log (sync_run_id, table_name, status, started_at, completed_at)"
            " SELECT gen_random_uuid(), 'odoo_shadow_res_company', 'success', moment, moment"
            " FROM (SELECT now() - %s * interval '1 day') AS m (moment)",
            [days],
        )


def ages(database: str) -> list[int]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT extract(day FROM now() - started_at) FROM odoo_shadow.odoo_shadow_sync_log")
        return sorted({int(row[0]) for row in rows})


def test_without_a_file_90_days_are_kept(shell: Shell, database: str) -> None:
    shell.run("sync", *COMPANIES)
    add_entry(database, 89)
    add_entry(database, 91)
    assert shell.run("sync", *COMPANIES, "--dry-run").code == 0
    assert ages(database) == [0, 89, 91]
    assert shell.run("sync", *COMPANIES).code == 0
    assert ages(database) == [0, 89]


def test_the_mirrors_file_says_how_many_days_are_kept(shell: Shell, database: str, tmp_path: Path) -> None:
    path = tmp_path / "mirrors.yaml"
    path.write_text("mirrors: {own: {models: [res.company], keep_log_days: 7}}")
    shell.run("sync", "--config", str(path))
    add_entry(database, 6)
    add_entry(database, 8)
    assert shell.run("sync", "--config", str(path)).code == 0
    assert ages(database) == [0, 6]


@pytest.mark.nightly
def test_models_by_hand_leave_the_mirrors_list_of_what_is_left_out_alone(
    shell: Shell, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "mirrors.yaml"
    path.write_text('mirrors: {own: {models: [res.company, "res.country*", "!res.country.group"]}}')

    def left_out() -> list[tuple[str, ...]]:
        with psycopg.connect(database) as connection:
            return connection.execute(
                "SELECT odoo_model FROM odoo_shadow.odoo_shadow_left_out WHERE field_name = ''"
            ).fetchall()

    assert shell.run("sync", "--config", str(path)).code == 0
    assert left_out() == [("!res.country.group",)]
    assert shell.run("sync", *COMPANIES).code == 0
    assert shell.run("sync", "--config", str(path), *COMPANIES).code == 0
    assert left_out() == [("!res.country.group",)]
    assert shell.run("sync").code == 0
    assert left_out() == []


def test_a_failure_there_does_not_fail_the_run(shell: Shell, database: str) -> None:
    shell.run("sync", *COMPANIES)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_schema_log RENAME changed_at TO moment")
    outcome = shell.run("sync", *COMPANIES)
    assert outcome.code == 0
    assert "Old log entries were not removed; the next run tries again" in " ".join(outcome.err.split())
