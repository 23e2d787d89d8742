"""`row_level_security`: of the command line, of the mirrors file, and as it was."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.support.shell import Shell

pytestmark = pytest.mark.one_flavour

POLICIES = "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'odoo_shadow.{}'::regclass"


def policy_of(database: str, table: str) -> str:
    with psycopg.connect(database) as connection:
        rows = connection.execute(POLICIES.format(table).encode()).fetchall()
    return " ".join(str(row[0]) for row in rows)


def test_a_run_restricts_rows_as_it_is_told_and_as_before(shell: Shell, database: str, tmp_path: Path) -> None:
    models = ("--models", "res.company,res.country")
    assert shell.run("sync", *models).code == 0
    assert policy_of(database, "odoo_shadow_res_company") == ""
    first = shell.run("sync", *models, "--row-level-security", "company")
    assert (first.code, first.err.splitlines()) == (
        0,
        ["WARNING  odoo_shadow: row-level security is 'company' from now on."],
    )
    restricted = policy_of(database, "odoo_shadow_res_company")
    assert "odoo_shadow_companies()" in restricted and policy_of(database, "odoo_shadow_res_country") == "true"
    again = shell.run("sync", *models)
    assert (again.code, again.err) == (0, "") and policy_of(database, "odoo_shadow_res_company") == restricted
    told = " ".join(shell.run("doctor", *models).out.replace("│", " ").split())
    assert "odoo_shadow_company_access has no entries, so readers see no row that has a company" in told
    path = tmp_path / "mirrors.yaml"
    path.write_text("mirrors: {own: {schema: odoo_shadow, models: [res.company], row_level_security: none}}")
    assert shell.run("sync", "--config", str(path)).code == 0
    assert policy_of(database, "odoo_shadow_res_company") == "true"


def test_another_word_is_refused(shell: Shell, tmp_path: Path) -> None:
    outcome = shell.run("sync", "--row-level-security", "companies")
    assert outcome.code == 2 and "'companies' is not one of 'company', 'none'" in outcome.err
    path = tmp_path / "mirrors.yaml"
    path.write_text("mirrors: {own: {row_level_security: companies}}")
    outcome = shell.run("sync", "--config", str(path))
    assert outcome.code == 2 and "row_level_security: it must be 'company' or 'none'" in " ".join(outcome.err.split())
