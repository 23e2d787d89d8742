"""`odoo-shadow ddl`: the migrations, which make what a sync makes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from airflow_provider_odoo_shadow.job.models import PRIORITY_MODELS
from odoo_stand_in import StandIn
from tests.cli.shell import Shell, shell_for
from tests.engine.source_of_truth import assert_equal
from tests.target.catalog import structure
from tests.target.emptying import empty

FILES = ("0001_odoo_shadow_base.sql", "0002_odoo_shadow_tables.sql")


def apply(folder: Path, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for name in FILES:
            connection.execute((folder / name).read_bytes())


def test_the_files_make_what_a_sync_makes(shared_odoo: StandIn, database: str, tmp_path: Path) -> None:
    shell = shell_for(shared_odoo, database)
    outcome = shell.run("ddl", "--output", str(tmp_path), SUPABASE_DB_URL=None)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [f"Wrote {tmp_path / name}" for name in FILES]
    assert structure(database)["relations"] == []  # it wrote files, and nothing else

    shell.run("sync")
    synced = structure(database)
    empty(database)
    apply(tmp_path, database)
    assert structure(database) == synced
    apply(tmp_path, database)
    assert structure(database) == synced
    assert shell.run("sync").code == 0
    assert structure(database) == synced
    assert_equal(shared_odoo, database, PRIORITY_MODELS)


def test_the_same_model_gives_the_same_text(shell: Shell, tmp_path: Path) -> None:
    texts = []
    for folder, models in (("a", "res.users,res.company"), ("b", "res.company,res.users")):
        assert shell.run("ddl", "--models", models, "--output", str(tmp_path / folder)).code == 0
        texts.append([(tmp_path / folder / name).read_text() for name in FILES])
    assert texts[0] == texts[1]


def test_a_model_that_is_not_installed_is_skipped(shell: Shell, tmp_path: Path) -> None:
    outcome = shell.run("ddl", "--models", "helpdesk.ticket,res.company", "--output", str(tmp_path))
    assert outcome.code == 0
    assert outcome.err.startswith("helpdesk.ticket: skipped: ") and "not installed, or it is a typo" in outcome.err
    text = (tmp_path / FILES[1]).read_text()
    assert "odoo_shadow_res_company" in text and "helpdesk" not in text


def test_another_schema(shell: Shell, database: str, tmp_path: Path) -> None:
    schema = 'Quo"ted'
    assert shell.run("ddl", "--models", "res.company", "--schema", schema, "--output", str(tmp_path)).code == 0
    apply(tmp_path, database)
    assert shell.run("sync", "--models", "res.company", "--schema", schema).code == 0
    assert {row[0] for row in structure(database)["schemas"]} == {"public", schema}


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_folder_that_cannot_be_is_told_in_one_sentence(shell: Shell, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    outcome = shell.run("ddl", "--models", "res.company", "--output", f"{tmp_path / 'file'}{below}")
    assert outcome.code == 2
    assert outcome.last_error.startswith("Error: ")
    assert "Traceback" not in outcome.err
