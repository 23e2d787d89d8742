"""`odoo-shadow marts`: what is built from a shadow, what is left out, and who sees which rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from odoo_shadow.marts.project import project_folder
from odoo_stand_in import StandIn
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Outcome, Shell, shell_for
from tools.embedded_postgres import drop_database, new_database

pytestmark = [pytest.mark.one_flavour, pytest.mark.timeout(240)]

LATE, GONE = 7, 8
SETTINGS = """mirrors:
  odoo_shadow: {models: business, time_zone: Europe/Vienna, mart_fields: {crm.lead: [priority]}}
  clash: {schema: odoo_shadow, mart_fields: {purchase.order.line: [state], account.move: [x_nowhere]}}
"""


@pytest.fixture(scope="module")
def database(postgres: str) -> Iterator[str]:
    """One database for all tests here: builds take seconds."""
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, "19", database="trading19", schema="business", copied=True) as running:
        yield running


@pytest.fixture(scope="module")
def shell(odoo: StandIn, database: str) -> Shell:
    with psycopg.connect(odoo.dsn) as connection:
        # In Vienna it was November already.
        connection.execute("UPDATE crm_lead SET create_date = '2026-10-31 23:30' WHERE id = %s", [LATE])
    shell = shell_for(odoo, database)
    kept = ("--row-level-security", "company", "--on-delete", "mark")
    assert shell.run("sync", "--models", "business", *kept).code == 0
    odoo.execute("crm.lead", "unlink", [GONE])
    assert shell.run("sync", "--models", "crm.lead", *kept).code == 0
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = '2026-11-02 12:00+00'"
            " WHERE table_name = 'odoo_shadow_crm_stage'"
        )
    return shell


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "mirrors.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="module")
def built(shell: Shell, settings: Path) -> Outcome:
    return shell.run("marts", "build", "--json", "--config", f"{settings}:odoo_shadow")


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode()).fetchall()


def documented() -> dict[str, list[str]]:
    models = yaml.safe_load((project_folder() / "models" / "marts" / "marts.yml").read_text())["models"]
    return {mart["name"]: [column["name"] for column in mart["columns"]] for mart in models}


def test_marts_are_built_as_documented_or_left_out_by_name(built: Outcome, database: str) -> None:
    assert (built.code, built.err) == (0, "")
    document = json.loads(built.out)
    assert document["failed"] == [] and document["time_zone"] == "Europe/Vienna"
    marts = {mart["name"]: mart for mart in document["marts"]}
    assert set(marts) == set(documented())
    assert {mart["left_out_because"] for mart in marts.values()} == {None}
    found: dict[str, list[str]] = {}
    for mart, column in rows(
        database,
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'odoo_marts'"
        " AND table_name <> 'mart_freshness' ORDER BY table_name, ordinal_position",
    ):
        found.setdefault(mart, []).append(column)
    wanted = documented()
    assert found == {**wanted, "mart_pipeline": [*wanted["mart_pipeline"], "priority"]}
    assert rows(database, "SELECT count(*) FROM odoo_marts.mart_sales")[0][0] == marts["mart_sales"]["rows"] > 0


def test_leads_are_open_won_or_lost_in_months_of_the_zone_and_gone_ones_are_not_there(
    built: Outcome, odoo: StandIn, database: str
) -> None:
    found = rows(database, "SELECT state, count(*) FROM odoo_marts.mart_pipeline GROUP BY 1 ORDER BY 1")
    everyone = {"context": {"active_test": False}}
    asked = {"lost": "lost", "open": "pending", "won": "won"}
    assert found == [
        (state, odoo.execute("crm.lead", "search_count", [["won_status", "=", value]], **everyone))
        for state, value in asked.items()
    ]
    months = dict(rows(database, "SELECT lead_id, created_month::text FROM odoo_marts.mart_pipeline"))
    assert (months[LATE], GONE in months) == ("2026-11-01", False)
    as_of = (
        "SELECT as_of = '2026-11-02 12:00+00', made_of ->> 'odoo_shadow_crm_stage', time_zone, length(definition)"
        " FROM odoo_marts.mart_freshness WHERE mart = 'mart_pipeline'"
    )
    assert rows(database, as_of) == [(True, "2026-11-02T12:00:00+00:00", "Europe/Vienna", 32)]


@pytest.mark.nightly
def test_the_next_build_keeps_readers_and_names_what_it_cannot_build(
    built: Outcome, shell: Shell, settings: Path, database: str
) -> None:
    assert rows(database, "SELECT relacl FROM pg_class WHERE oid = 'odoo_marts.mart_sales'::regclass") == [(None,)]
    with new_role(database) as reader:
        with psycopg.connect(database) as owner:
            owner.execute(f"GRANT USAGE ON SCHEMA odoo_shadow, odoo_marts TO {reader}".encode())
            owner.execute(
                f"GRANT SELECT ON odoo_shadow.odoo_shadow_company_access, odoo_marts.mart_sales TO {reader}".encode()
            )
            owner.execute(
                "INSERT INTO odoo_shadow.odoo_shadow_company_access (role_name, company_id) VALUES (%s, 1)", [reader]
            )
            owner.execute("CREATE VIEW public.my_sales AS SELECT order_name FROM odoo_marts.mart_sales")
            owner.execute(
                "UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = '1970-01-01' WHERE table_name"
                " IN ('odoo_shadow_account_account', 'odoo_shadow_product_category')"
            )
            owner.execute("DROP TABLE odoo_shadow.odoo_shadow_crm_lead, odoo_shadow.odoo_shadow_res_currency CASCADE")
            # As earlier versions made it: the build adds columns to what it has read itself.
            owner.execute(
                "ALTER TABLE odoo_marts.mart_freshness DROP COLUMN made_of, DROP COLUMN time_zone, DROP COLUMN"
                " definition, ADD COLUMN made_of text[]"
            )
        mine = "SELECT DISTINCT company_id FROM odoo_marts.mart_sales"
        assert rows(as_role(database, reader), mine) == [(1,)]
        # As a build from before the rows were restricted has left it; the view keeps the table where it is.
        run_as_owner(database, "ALTER TABLE odoo_marts.mart_sales DISABLE ROW LEVEL SECURITY")
        outcome = shell.run("marts", "build", "--config", f"{settings}:clash", "--marts-schema", "odoo_marts")
        assert rows(as_role(database, reader), mine) == [(1,)]
        run_as_owner(database, "DROP OWNED BY {reader}", reader=reader)
    assert outcome.code == 1
    assert "mart_pipeline is left out: crm.lead is not mirrored." in outcome.out
    assert "mart_trial_balance is left out: the first load of account.account has not ended." in outcome.out
    as_of = "SELECT as_of, shadow_schema FROM odoo_marts.mart_freshness WHERE mart = 'mart_sales'"
    assert rows(database, as_of) == [(None, "odoo_shadow")], "the categories in it are not all there yet"
    assert rows(database, "SELECT to_regclass('odoo_marts.mart_pipeline')") == [(None,)]
    assert (
        "mart_purchases has a column state of its own, so that of purchase_order_line cannot come along" in outcome.err
    )
    assert "account_move has no column x_nowhere in the shadow: mirror the field, or leave it out." in outcome.err
    sales = rows(database, "SELECT count(*), count(currency) FROM odoo_marts.mart_sales")
    assert rows(database, "SELECT count(*) FROM public.my_sales") == [(sales[0][0],)] and sales[0][1] == 0


def test_what_others_have_where_the_marts_belong_is_refused(shell: Shell, database: str) -> None:
    with new_role(database) as mallory:
        with psycopg.connect(database) as owner:
            owner.execute(f"CREATE SCHEMA their_marts AUTHORIZATION {mallory}".encode())
            owner.execute("CREATE SCHEMA my_marts")
            owner.execute("CREATE TABLE my_marts.mart_freshness ()")
            owner.execute(f"GRANT TRIGGER ON my_marts.mart_freshness TO {mallory}".encode())
        whose = shell.run("marts", "build", "--marts-schema", "their_marts")
        trigger = shell.run("marts", "build", "--marts-schema", "my_marts")
        run_as_owner(database, "DROP SCHEMA my_marts CASCADE; DROP OWNED BY {mallory} CASCADE", mallory=mallory)
    assert (whose.code, trigger.code) == (2, 2)
    assert "contains what other roles own or control" in whose.last_error and "schema their_marts" in whose.last_error
    assert "right TRIGGER on mart_freshness" in trigger.last_error


def test_another_shadows_marts_are_not_replaced(built: Outcome, shell: Shell, database: str) -> None:
    with psycopg.connect(database) as owner:
        owner.execute("CREATE SCHEMA theirs")
        owner.execute("CREATE TABLE theirs.mart_freshness AS SELECT 'odoo_eighteen' AS shadow_schema")
    refused = shell.run("marts", "build", "--marts-schema", "theirs")
    assert refused.code == 2
    assert refused.last_error.startswith(
        "Error: Schema 'theirs' holds the marts of the shadow in schema 'odoo_eighteen'"
    )


def test_a_second_build_at_once_is_refused(shell: Shell, database: str) -> None:
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('marts odoo_marts', 15))")
        outcome = shell.run("marts", "build")
    assert outcome.code == 2
    assert (
        outcome.last_error == "Error: The marts in schema 'odoo_marts' are being built already: wait until that ends."
    )


def test_what_cannot_begin_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    missing = shell.run("marts", "build", XDG_CACHE_HOME=str(tmp_path), PATH=str(tmp_path / "bin"))
    assert missing.code == 2
    assert missing.last_error == ("Error: dbt, which builds the marts, is not there: run odoo-shadow marts setup once.")
    zone = shell.run("marts", "build", "--time-zone", "Europe/Viena")
    assert zone.code == 2 and zone.last_error.endswith("no time zone 'Europe/Viena' (did you mean Europe/Vienna?).")
    elsewhere = shell.run("marts", "build", "--schema", "nowhere")
    assert elsewhere.code == 2 and "There is no shadow in schema 'nowhere'" in elsewhere.last_error
