"""`--source database`: what it needs, what it refuses, what it shows, and that a mirror may change its source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.counting import in_odoo
from tests.support.flavours import Flavour
from tests.support.odoo_database import reading_role
from tests.support.restoring import UUID, set_uuid
from tests.support.shell import Outcome, Shell, shell_for

DATABASE = ("--source", "database")
PASSWORD = "reads-odoo-7Hq2"
COMPANIES = ("--models", "res.company")
NO_API: Mapping[str, None] = dict.fromkeys(("ODOO_URL", "ODOO_DB", "ODOO_USER", "ODOO_PASSWORD"))
KNOWN = "--i-know-that-record-rules-do-not-apply"


@pytest.fixture(scope="module")
def reader(shared_odoos: dict[Flavour, StandIn]) -> Iterator[str]:
    """The URL of Odoo 19's own database, for a role that may only SELECT."""
    with reading_role(shared_odoos["19"].dsn) as url:
        yield url.replace(":@", f":{PASSWORD}@")


@pytest.fixture
def both(shell: Shell, reader: str) -> Shell:
    """A shell that knows the API and Odoo's own database."""
    return Shell({**shell.env, "ODOO_DATABASE_URL": reader}, (*shell.secrets, PASSWORD))


def alone(shell: Shell, *arguments: str, **changed: str | None) -> Outcome:
    """Run a command in an environment that says nothing of the API."""
    return shell.run(*arguments, **{**NO_API, **changed})


def mirrored(shell: Shell) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shell.run("status", "--json").out)
    return {name: document[name] for name in ("odoo_url", "odoo_database", "source")}


def test_a_mirror_may_change_its_source_and_each_is_a_witness_of_the_other(both: Shell, odoo19: StandIn) -> None:
    by_api = {"odoo_url": odoo19.url, "odoo_database": odoo19.database, "source": "api"}
    models = ("--models", "product.category,res.currency,res.country.state")
    assert both.run("sync", *models).code == 0
    assert mirrored(both) == by_api
    odoo19.calls.clear()
    told = alone(both, "sync", *models, *DATABASE, "--json")
    assert told.code == 0 and odoo19.calls == [], told.err
    done = json.loads(told.out)
    assert (done["rows_inserted"], done["rows_updated"], done["rows_deleted"]) == (0, 0, 0)
    assert mirrored(both) == {**by_api, "source": "database"}
    assert "read from its own PostgreSQL" in both.run("status").out
    for against in ("api", "database"):
        told = both.run("verify", "--against", against, ODOO_SOURCE="database")
        assert told.code == 0, told.out
    back = json.loads(both.run("sync", *models, "--json").out)
    assert (back["rows_inserted"], back["rows_updated"]) == (0, 0) and mirrored(both) == by_api


def test_a_witness_tells_what_the_login_does_not_see_from_what_is_wrong(
    both: Shell, odoo19: StandIn, database: str
) -> None:
    """The API shows no archived records in many2many, and a limited login not all records."""
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    models = ("--models", "res.partner.category,res.partner")
    assert both.run("sync", *models, **limited).code == 0
    told = both.run("verify", "--against", "database", "--json", **limited)
    found = {item["model"]: item for item in json.loads(told.out)["models"]}
    assert told.code == 0, told.out
    assert found["res.partner.category"]["explained"] > 0 and found["res.partner.category"]["differing"] == 0
    assert json.loads(both.run("status", "--json").out)["is_well"]
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE odoo_shadow.odoo_shadow_res_partner_category SET partner_ids = partner_ids[2:]")
        connection.execute(
            "DELETE FROM odoo_shadow.odoo_shadow_res_partner WHERE id = (SELECT max(id) FROM"
            " odoo_shadow.odoo_shadow_res_partner)"
        )
    told = both.run("verify", "--against", "database", "--json", **limited)
    found = {item["model"]: item for item in json.loads(told.out)["models"]}
    assert told.code == 1
    assert found["res.partner.category"]["differing"] > 0 and found["res.partner"]["missing"] == 1
    told = alone(both, "sync", *models, *DATABASE)  # this login could not read the database's uuid
    assert told.last_error.endswith(
        f"say so: set ODOO_URL (in Airflow, the extra odoo_url of its connection) to {odoo19.url}."
    )
    assert alone(both, "sync", *models, *DATABASE, ODOO_URL=odoo19.url).code == 0
    told = both.run("verify", "--against", "api", "--json", ODOO_SOURCE="database", **limited)
    assert told.code == 0, told.out + told.err
    assert sum(item["explained"] for item in json.loads(told.out)["models"]) > 0


def test_what_is_missing_is_listed(both: Shell) -> None:
    for command in ("sync", "verify", "models", "doctor", "ddl"):
        told = alone(both, command, *DATABASE, ODOO_DATABASE_URL=None, ODOO_DB_URL="x")
        assert told.code == 2
        assert "missing: ODOO_DATABASE_URL (--odoo-database-url)" in told.last_error
        assert told.last_error.endswith("The variable ODOO_DB_URL is not read: did you mean ODOO_DATABASE_URL?")
    told = alone(both, "verify", "--against", "api", ODOO_SOURCE="database")
    assert "missing: ODOO_URL (--odoo-url), ODOO_DB (--odoo-db), ODOO_USER" in told.last_error
    told = alone(both, "sync", *DATABASE, ODOO_PASSWORD="a-password")
    assert "missing: ODOO_URL (--odoo-url), ODOO_DB (--odoo-db), ODOO_USER (--odoo-user)." in told.last_error
    assert told.last_error.endswith("leave out ODOO_PASSWORD: with it, the API is read beside Odoo's own database.")


@pytest.mark.parametrize("models", ["all", "*", "res.company,?*", "*.line", "!hr.*"])
def test_everything_is_mirrored_only_by_those_who_know_what_that_is(both: Shell, models: str, tmp_path: Path) -> None:
    told = alone(both, "sync", *DATABASE, "--models", models)
    assert told.code == 2
    assert "no record rule and no group applies in Odoo's own database" in told.last_error
    assert told.last_error.endswith(f"or write {KNOWN}.")
    config = tmp_path / "mirrors.yaml"
    listed = json.dumps(models.split(","))
    config.write_text(f"mirrors:\n  own:\n    source: database\n    models: {listed}\n", encoding="utf-8")
    told = alone(both, "sync", "--config", str(config))
    assert told.code == 2
    assert f"{config}, line 4: mirror 'own', models is a list: no record rule and no group applies" in told.last_error
    assert told.last_error.endswith("or write i_know_that_record_rules_do_not_apply: true.")


def test_those_who_know_it_mirror_everything(both: Shell, tmp_path: Path) -> None:
    dry = ("sync", "--dry-run", "--models", "res.comp*,*.category,!product.*")
    assert alone(both, *dry, *DATABASE, KNOWN).code == 0
    known = {"source": "database", "i_know_that_record_rules_do_not_apply": True, "models": ["*.category"]}
    config = tmp_path / "mirrors.yaml"
    config.write_text(json.dumps({"mirrors": {"own": known}}), encoding="utf-8")
    assert alone(both, *dry, "--config", str(config)).code == 0
    assert alone(both, "models", "--models", "*.category", *DATABASE).code == 0  # shows, and mirrors nothing


def test_the_password_of_the_database_is_shown_nowhere(both: Shell, reader: str) -> None:
    wrong = reader.replace(PASSWORD, "wrong-Zx81").replace("127.0.0.1", "localhost")
    told = [
        alone(both, "sync", *DATABASE, *COMPANIES, "--verbose"),
        alone(both, "doctor", *DATABASE, *COMPANIES, "--verbose"),
        alone(both, "sync", "--source", reader),  # in the wrong place
        alone(both, "models", *DATABASE, "--odoo-database-url", wrong, "--odoo-database-schema", "nowhere"),
        alone(both, "models", *DATABASE, "--odoo-database-url", f"{wrong}{'&' if '?' in wrong else '?'}sslmode=x"),
    ]
    assert [item.code for item in told] == [0, 0, 2, 2, 2]
    shown = "\n".join(item.out + item.err for item in told)
    assert PASSWORD not in shown and "wrong-Zx81" not in shown


def test_doctor_models_and_plan_say_what_the_login_would_not_have_seen(both: Shell, odoo19: StandIn) -> None:
    limited = {"ODOO_USER": odoo19.limited_login, "ODOO_PASSWORD": odoo19.limited_api_key}
    models = ("--models", "res.partner,ir.config_parameter", *DATABASE)
    told = both.run("models", *models, "--json", **limited)
    entries = {item["model"]: item for item in json.loads(told.out)["models"]}
    parameters = entries["ir.config_parameter"]
    assert parameters["hidden_rows"] == parameters["rows"] > 0
    doctor = both.run("doctor", *models, **limited).out
    said = f"the API's login '{odoo19.limited_login}' cannot read this model"
    assert said in doctor.replace("\n", " ")
    found = json.loads(both.run("doctor", "--json", *models, **limited).out)
    (hidden,) = (item["items"] for item in found["findings"] if item["subject"] == "hidden models")
    assert hidden == [{"model": "ir.config_parameter", "field": None, "rows": parameters["rows"]}] and found["is_good"]
    assert said in both.run("sync", "--dry-run", *models, **limited).out
    assert "not seen by API" not in alone(both, "models", *models).out


def test_an_api_of_another_odoo_beside_it_is_refused(
    both: Shell, odoo19: StandIn, shared_odoos: dict[Flavour, StandIn]
) -> None:
    other = shared_odoos["17"]
    named = {"ODOO_URL": other.url, "ODOO_DB": other.database, "ODOO_PASSWORD": other.password}
    told = both.run("sync", *DATABASE, *COMPANIES, ODOO_USER=other.login, **named)
    assert told.code == 2
    assert told.last_error.startswith(f"Error: The API at {other.url}, database '{other.database}', is not of the Odoo")


def test_a_copy_with_another_uuid_is_refused_through_either_source(both: Shell, odoo19: StandIn) -> None:
    assert both.run("sync", *COMPANIES).code == 0
    set_uuid(odoo19, "another")
    try:
        told = alone(both, "sync", *DATABASE, *COMPANIES)
    finally:
        set_uuid(odoo19, UUID)
    assert told.code == 2
    assert f"Schema 'odoo_shadow' mirrors the Odoo database '{odoo19.database}' at {odoo19.url}" in told.last_error


def test_what_odoo_calls_itself_is_its_address_only_if_it_is_one(both: Shell, odoo19: StandIn) -> None:
    statement = "UPDATE ir_config_parameter SET value = %s WHERE key = 'web.base.url'"
    addresses = {"https://erp.example.com:443/": "https://erp.example.com", "javascript:alert(1)": ""}
    try:
        for given, shown in addresses.items():
            in_odoo(odoo19, statement, given)
            assert alone(both, "sync", *DATABASE, *COMPANIES).code == 0
            assert mirrored(both) == {"odoo_url": shown, "odoo_database": odoo19.database, "source": "database"}
    finally:
        in_odoo(odoo19, statement, "http://localhost:8069")
    assert f"Shadow of the Odoo database '{odoo19.database}', read from its own" in both.run("status").out


def test_only_the_mirrors_own_source_repairs(both: Shell) -> None:
    assert both.run("sync", *COMPANIES).code == 0
    told = both.run("verify", "--against", "database", "--repair")
    assert told.code == 2
    assert told.last_error.startswith(
        "Error: --repair and --against database exclude each other, as long as the mirror"
    )
    assert alone(both, "sync", *DATABASE, *COMPANIES).code == 0
    assert alone(both, "verify", "--against", "database", "--repair", *DATABASE).code == 0


@pytest.mark.nightly
def test_a_large_first_load_is_divided_among_threads(postgres: str, database: str) -> None:
    rows = 50_001  # the fewest that are two parts
    with StandIn(postgres, flavour="19", database="threads", copied=True) as odoo:
        odoo.add_model("x_note", {"x_name": "char", "x_number": "integer"})
        odoo.fill("x_note", rows)
        shell = shell_for(odoo, database)
        shell = Shell({**shell.env, "ODOO_DATABASE_URL": odoo.dsn}, shell.secrets)
        told = shell.run("sync", "--models", "x_note", *DATABASE, "--verbose")
        assert told.code == 0 and "x_note: first load, divided into 2 ranges of ids" in told.err
        assert shell.run("verify", "--models", "x_note").code == 0
        again = json.loads(shell.run("sync", "--models", "x_note", *DATABASE, "--json").out)
    assert (again["rows_inserted"], again["rows_updated"]) == (0, 0)
    with psycopg.connect(database) as connection:
        ((present, synced),) = connection.execute(
            "SELECT m.row_count, w.rows_synced FROM odoo_shadow.odoo_shadow_meta m"
            " JOIN odoo_shadow.odoo_shadow_watermark w USING (table_name)"
        ).fetchall()
    assert (present, synced) == (rows, rows)
