"""`odoo-shadow ddl`: the migrations, which make what a sync makes."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_stand_in import StandIn
from tests.support.catalog import registered, structure, without_relationships
from tests.support.emptying import empty
from tests.support.psql import run_by_psql
from tests.support.shell import Shell, shell_for
from tests.support.source_of_truth import assert_equal

pytestmark = pytest.mark.one_flavour

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
    assert structure(database) == without_relationships(synced)
    apply(tmp_path, database)
    assert structure(database) == without_relationships(synced)
    assert shell.run("sync").code == 0
    assert structure(database) == synced
    assert_equal(shared_odoo, database, PRIORITY_MODELS)


def test_the_same_model_gives_the_same_text(shell: Shell, tmp_path: Path) -> None:
    texts = []
    for folder, models in (("a", "res.users,res.company"), ("b", "res.company,res.users")):
        assert shell.run("ddl", "--models", models, "--output", str(tmp_path / folder)).code == 0
        texts.append([(tmp_path / folder / name).read_text() for name in FILES])
    assert texts[0] == texts[1]


@pytest.mark.nightly
def test_all_models_of_a_server(shared_odoo: StandIn, database: str, tmp_path: Path) -> None:
    shell = shell_for(shared_odoo, database)
    first, second = (shell.run("ddl", "--all", "--output", str(tmp_path / name)) for name in ("a", "b"))
    assert (first.code, second.code) == (0, 0)
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in FILES)
    assert "ir.config_parameter: left out: it holds credentials." in first.err.splitlines()
    assert structure(database)["relations"] == []  # it wrote files, and nothing else

    run_by_psql(database, tmp_path / "a")
    made = structure(database), registered(database, "odoo_shadow")
    assert len(made[1][0]) > 30 and made[1][2] != []
    run_by_psql(database, tmp_path / "a")
    assert (structure(database), registered(database, "odoo_shadow")) == made
    synced = shell.run("sync", "--models", "all")
    assert synced.code == 0
    after = without_relationships(structure(database)), registered(database, "odoo_shadow")
    assert after == made  # a sync finds nothing to mend

    empty(database)
    assert shell.run("sync", "--models", "all").code == 0
    assert (without_relationships(structure(database)), registered(database, "odoo_shadow")) == made


def test_patterns(shell: Shell, tmp_path: Path) -> None:
    outcome = shell.run("ddl", "--models", "res.co*,!res.country*,helpdesk.*", "--output", str(tmp_path))
    assert outcome.code == 0
    assert outcome.err.splitlines() == [
        "res.country: left out: excluded by the mirror's own settings.",
        "res.country.state: left out: excluded by the mirror's own settings.",
        "helpdesk.*: left out: matches no model of this server.",
    ]
    text = (tmp_path / FILES[1]).read_text()
    assert "odoo_shadow_res_company" in text and '"odoo_shadow_res_country"' not in text


def test_settings_of_a_file(shell: Shell, database: str, tmp_path: Path) -> None:
    config = tmp_path / "mirrors.yaml"
    config.write_text(
        "mirrors: {a: {schema: other, models: [res.company], model_settings:"
        " {res.company: {exclude_fields: [phone], hashed_fields: [email]}}}}"
    )
    secret = {"ODOO_HASH_SECRET": "a-key-that-nobody-guesses"}
    assert shell.run("ddl", "--config", str(config), "--output", str(tmp_path), **secret).code == 0
    run_by_psql(database, tmp_path)
    made = structure(database)
    assert shell.run("sync", "--config", str(config), **secret).code == 0
    assert without_relationships(structure(database)) == made
    assert not [row for row in made["columns"] if row[1] == "odoo_shadow_res_company" and row[3] == "phone"]


def test_a_model_that_is_not_installed_is_skipped(shell: Shell, tmp_path: Path) -> None:
    outcome = shell.run("ddl", "--models", "helpdesk.ticket,res.company", "--output", str(tmp_path))
    assert outcome.code == 0
    assert (
        outcome.err.startswith("helpdesk.ticket: skipped: ")
        and "not installed, or the name is misspelled" in outcome.err
    )
    text = (tmp_path / FILES[1]).read_text()
    assert "odoo_shadow_res_company" in text and "helpdesk" not in text


def test_another_schema(shell: Shell, database: str, tmp_path: Path) -> None:
    schema = 'Quo"ted'
    assert shell.run("ddl", "--models", "res.company", "--schema", schema, "--output", str(tmp_path)).code == 0
    apply(tmp_path, database)
    assert shell.run("sync", "--models", "res.company", "--schema", schema).code == 0
    assert {row[0] for row in structure(database)["schemas"]} == {"public", schema, f"{schema}_internal"}


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_folder_that_cannot_be_is_told_in_one_sentence(shell: Shell, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    outcome = shell.run("ddl", "--models", "res.company", "--output", f"{tmp_path / 'file'}{below}")
    assert outcome.code == 2
    assert outcome.last_error.startswith("Error: ")
    assert "Traceback" not in outcome.err
