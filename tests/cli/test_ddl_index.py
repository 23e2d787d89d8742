"""`odoo-shadow ddl --index`: the migrations from a model index file, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from odoo_shadow.shadow.names import distinct_table_name
from odoo_stand_in import Field, Model, StandIn, registry_of
from tests.support.catalog import contents, structure, without_relationships
from tests.support.psql import FILES, run_by_psql
from tests.support.shell import Outcome, Shell, shell_for
from tests.support.source_of_truth import assert_equal

pytestmark = pytest.mark.one_flavour

NO_ODOO = {"ODOO_URL": None, "ODOO_DB": None, "ODOO_USER": None, "ODOO_PASSWORD": None, "SUPABASE_DB_URL": None}
COMPANIES = {
    "name": "res.company",
    "table": "res_company",
    "fields": [{"name": "name", "type": "Char", "store": True}],
}
ABSTRACT: dict[str, Any] = {"name": "mail.thread", "table": None, "fields": []}
HOLDING_SECRETS = ("hr.employee", "res.device")  # a badge, sessions: an index lists them, a sync leaves them out


def indexed(model: Model) -> dict[str, Any]:
    """A model of the stand-in as an index tells it."""
    table = model.table if model.has_table else None
    fields = [_indexed_field(field) for field in model.fields.values()]
    return {"name": model.name, "table": table, "module": model.module, "inherits": [], "fields": fields}


def _indexed_field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": "".join(word.capitalize() for word in field.type.split("_")),
        "store": field.store,
        "compute": None,
        "related": field.related,
        "relation": field.relation,
        "required": field.required,
        "index": False,
        "ondelete": field.ondelete if field.type == "many2one" else None,
    }


def _index_tells_all(model: Model) -> bool:
    """Say whether no column hangs on what an index does not tell: digits, and values by company that are not stored.

    Models that nobody may read are none that a sync could take.
    """
    unknown = (field.digits is not None or (field.company_dependent and not field.store) for field in _own(model))
    return model.kind == "table" and bool(model.read_groups) and not any(unknown)


def _own(model: Model) -> list[Field]:
    return [field for field in model.fields.values() if not field.inherited]


def written(folder: Path, *entries: object) -> Path:
    path = folder / "index.json"
    path.write_text(json.dumps({"models": entries}), encoding="utf-8")
    return path


def ddl(shell: Shell, index: Path, output: Path, *arguments: str) -> Outcome:
    return shell.run("ddl", "--index", str(index), "--output", str(output), *arguments, **NO_ODOO)


def registered(database: str) -> dict[str, str]:
    with psycopg.connect(database) as connection:
        return dict(connection.execute("SELECT odoo_model, table_name FROM odoo_shadow.odoo_shadow_meta").fetchall())


def without_names(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Leave out what an index does not tell: comments, and the views that show how records are called."""
    told = {
        what: [row for row in rows if not _is_named_view(row[1])] for what, rows in found.items() if what != "schemas"
    }
    return {**told, "schemas": found["schemas"], "relations": [row[:-1] for row in told["relations"]]}


def _is_named_view(relation: str) -> bool:
    return relation.endswith("_named")


@pytest.mark.nightly
def test_a_sync_after_the_files_changes_no_table(shared_odoo: StandIn, database: str, tmp_path: Path) -> None:
    models = [model for model in shared_odoo.registry.models.values() if _index_tells_all(model)]
    names = sorted(model.name for model in models)
    assert {"res.users", "res.company", "project.project", "ir.attachment", "mail.followers"} <= set(names)
    shell = shell_for(shared_odoo, database)
    outcome = ddl(shell, written(tmp_path, *map(indexed, models), ABSTRACT), tmp_path)
    assert (outcome.code, outcome.err) == (0, "mail.thread: skipped: it is abstract.\n")
    assert outcome.out.splitlines() == [f"Wrote {tmp_path / name}" for name in FILES]

    run_by_psql(database, tmp_path)
    made = structure(database)
    run_by_psql(database, tmp_path)
    assert structure(database) == made
    assert sorted(registered(database)) == names
    synced = shell.run("sync", "--models", ",".join(names))
    assert synced.code == 0
    assert all("mirrored because it is named, although" in line for line in synced.err.splitlines())
    assert without_names(without_relationships(structure(database))) == without_names(made)
    assert contents(database)["odoo_shadow_schema_log"] == []
    assert_equal(shared_odoo, database, [name for name in names if name not in HOLDING_SECRETS])


def test_a_sync_fills_the_table_that_the_index_names(
    shell: Shell, odoo19: StandIn, database: str, tmp_path: Path
) -> None:
    entry = {**indexed(odoo19.registry.models["res.company"]), "table": "companies"}
    assert ddl(shell, written(tmp_path, entry), tmp_path).code == 0
    run_by_psql(database, tmp_path)
    made = structure(database)
    assert shell.run("sync", "--models", "res.company").code == 0
    assert without_names(without_relationships(structure(database))) == without_names(made)
    companies = odoo19.execute("res.company", "search_count", [])
    assert len(contents(database)["odoo_shadow_companies"]) == companies > 0


def test_a_sync_after_the_files_only_adds_labels_to_the_views(
    shell: Shell, odoo19: StandIn, database: str, tmp_path: Path
) -> None:
    models = ["res.company", "res.partner", "res.country"]
    assert (
        ddl(shell, written(tmp_path, *(indexed(odoo19.registry.models[name]) for name in models)), tmp_path).code == 0
    )
    run_by_psql(database, tmp_path)
    made = structure(database)
    assert shell.run("sync", "--models", ",".join(models)).code == 0
    synced = structure(database)
    plain = [[row for row in found["views"] if not _is_named_view(str(row[1]))] for found in (made, synced)]
    assert plain[0] == plain[1]
    added = {row[:4] for row in synced["columns"]} - {row[:4] for row in made["columns"]}
    assert {row[:4] for row in made["columns"]} <= {row[:4] for row in synced["columns"]}
    assert added and all(_is_named_view(str(row[1])) and str(row[3]).endswith("_label") for row in added)


def test_names_that_nobody_would_choose(shell: Shell, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.victim (id int)")
    sql = "x'; DROP TABLE victim; --"
    long = "x_" + "long_" * 20
    names = ['a"b', sql, "$$", "%s", "{}", "back\\slash", "a\nb", "\\! touch x", ":v", "GRÖẞE", "select", "/*"]
    fields = [
        *names,
        long,
        f"{long}too",
        "id",
        "ID",
        "ctid",
        "tableoid",
        "_sync_hash",
        "_odoo_write_date",
        "write_date",
    ]
    listed = [{"name": name, "type": "Char", "store": True} for name in fields]
    models = [*names, long, f"{long}too", "meta", "a.b", "a_b", "res.partner", "RES.PARTNER"]
    entries = [{"name": name, "table": name.replace(".", "_"), "fields": listed} for name in models]
    assert ddl(shell, written(tmp_path, *entries), tmp_path).code == 0
    run_by_psql(database, tmp_path)
    made = structure(database)
    run_by_psql(database, tmp_path)
    assert structure(database) == made

    tables = registered(database)
    assert set(tables) == set(models)
    assert len(set(tables.values())) == len(models)
    assert (tables["a.b"], tables["a_b"]) == ("odoo_shadow_a_b", distinct_table_name("a_b"))
    # id, _odoo_write_date, _synced_at and _sync_hash are the shadow's own.
    own = len(set(fields) - {"id", "write_date"}) + 4
    with psycopg.connect(database) as connection:
        counted = connection.execute(
            "SELECT table_name, count(*) FROM information_schema.columns"
            " WHERE table_schema = 'odoo_shadow' AND table_name = ANY(%s) GROUP BY 1",
            (list(tables.values()),),
        ).fetchall()
        assert dict(counted) == dict.fromkeys(tables.values(), own)
        assert connection.execute("SELECT to_regclass('public.victim')").fetchone() != (None,)


def test_models_restrict_and_all_takes_all(shell: Shell, tmp_path: Path) -> None:
    partners = {**COMPANIES, "name": "res.partner", "table": "res_partner"}
    index = written(tmp_path, partners, ABSTRACT, COMPANIES)
    some = ddl(shell, index, tmp_path / "some", "--models", "res.company,mail.thread,sale.order")
    assert some.code == 0
    assert some.err.splitlines() == [
        "mail.thread: skipped: it is abstract.",
        f"sale.order: skipped: {index} does not list it.",
    ]
    text = (tmp_path / "some" / FILES[1]).read_text()
    assert "odoo_shadow_res_company" in text and "odoo_shadow_res_partner" not in text

    assert ddl(shell, index, tmp_path / "plain").code == 0
    assert ddl(shell, index, tmp_path / "all", "--all").code == 0
    for name in FILES:
        assert (tmp_path / "all" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    text = (tmp_path / "all" / FILES[1]).read_text()
    assert "odoo_shadow_res_company" in text and "odoo_shadow_res_partner" in text


def test_another_schema(shell: Shell, database: str, tmp_path: Path) -> None:
    assert ddl(shell, written(tmp_path, COMPANIES), tmp_path, "--schema", 'Quo"ted').code == 0
    run_by_psql(database, tmp_path)
    assert {row[0] for row in structure(database)["schemas"]} == {"public", 'Quo"ted', 'Quo"ted_internal'}


@pytest.mark.parametrize("variable", ["ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD"])
def test_without_an_index_odoo_is_required_as_for_every_command(shell: Shell, tmp_path: Path, variable: str) -> None:
    outcome = shell.run("ddl", "--output", str(tmp_path / "out"), **{variable: None})
    option = f"--{variable.lower().replace('_', '-')}"
    assert outcome.code == 2
    assert outcome.last_error == (
        f"Error: A setting is missing: {variable} ({option}). Set the variables, or give the options."
    )
    assert shell.run("sync", **{variable: None}).err == outcome.err.replace("odoo-shadow ddl", "odoo-shadow sync")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all", "--models", "res.company"), "--all and --models exclude each other"),
        (("--all", "--models", "res.company", "--index", "index.json"), "--all and --models exclude each other"),
    ],
)
def test_options_that_do_not_go_together(shell: Shell, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    outcome = shell.run("ddl", "--output", str(tmp_path / "out"), *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.last_error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "the model index cannot be read (No such file or directory)."),
        ("{", "this is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."),
        (
            '{"models": [{"name": "m", "table": "m", "fields": [{"name": "a"}]}]}',
            "model 'm', field 'a', type is missing.",
        ),
        ('{"models": [{"name": "m\\u0000", "table": "m", "fields": []}]}', "PostgreSQL cannot store a NUL character."),
        (
            '{"models": [{"name": "\\ud800", "table": "m", "fields": []}]}',
            "unable to parse raw data as a unicode string.",
        ),
    ],
)
def test_a_bad_index_is_told_in_one_sentence_and_nothing_is_written(
    shell: Shell, tmp_path: Path, text: str | None, said: str
) -> None:
    index = tmp_path / "index.json"
    if text is not None:
        index.write_text(text)
    outcome = ddl(shell, index, tmp_path / "out")
    assert (outcome.code, outcome.out) == (2, "")
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.startswith(f"Error: {index}: ") and outcome.last_error.endswith(said)
    assert not (tmp_path / "out").exists()


def test_the_stand_ins_registry_makes_the_same_text_in_any_order(shell: Shell, tmp_path: Path) -> None:
    entries = [indexed(model) for model in registry_of("19", "awkward").models.values()]
    backwards = [{**entry, "fields": entry["fields"][::-1]} for entry in entries[::-1]]
    texts = []
    for order in (entries, backwards):
        assert ddl(shell, written(tmp_path, *order), tmp_path).code == 0
        texts.append([(tmp_path / name).read_bytes() for name in FILES])
    assert texts[0] == texts[1]
    assert texts[0][1].count(b"CREATE TABLE") > 20
