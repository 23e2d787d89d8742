"""Marts of two mirrors in one database: of Odoo 17 and 19, each in a schema of its own, and never in the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from odoo_shadow.marts.building import MartsSettings
from odoo_shadow.marts.environment import find_dbt
from odoo_shadow.marts.project import run_dbt
from odoo_shadow.marts.target import connection_variables
from odoo_stand_in import StandIn
from tests.support.flavours import Flavour
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.shell import Shell, shell_for
from tests.support.waiting import wait_until_blocked
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.timeout(240)

MODELS = ("--models", "account.move.line,account.account,res.partner,res.company,res.currency")
SEVENTEEN = ("--schema", "odoo_seventeen")
PLACES: tuple[tuple[Flavour, tuple[str, ...]], ...] = (("17", SEVENTEEN), ("19", ()))


@pytest.fixture(scope="module")
def database(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture(scope="module")
def shells(shared_odoos: Mapping[Flavour, StandIn], database: str) -> dict[Flavour, Shell]:
    """Both mirrors, with their marts."""
    shells = {flavour: shell_for(odoo, database) for flavour, odoo in shared_odoos.items()}
    for flavour, schema in PLACES:
        assert shells[flavour].run("sync", *MODELS, *schema).code == 0
        assert shells[flavour].run("marts", "build", *schema).code == 0
    return shells


@pytest.mark.nightly
def test_two_versions_of_odoo_side_by_side(shells: dict[Flavour, Shell]) -> None:
    for flavour, schema in PLACES:
        verified = shells[flavour].run("marts", "verify", *schema, "--marts", "trial_balance")
        assert verified.code == 0, verified.out
        marts = json.loads(shells[flavour].run("status", "--json", *schema).out)["marts"]
        assert {mart["marts_schema"] for mart in marts} == {"odoo_marts_odoo_seventeen" if schema else "odoo_marts"}
        assert {mart["mart"]: mart["verdict"] for mart in marts}["mart_trial_balance"] == "equal"


@pytest.mark.nightly
def test_one_does_not_take_the_place_of_the_other(shells: dict[Flavour, Shell], database: str, tmp_path: Path) -> None:
    refused = shells["17"].run("marts", "build", *SEVENTEEN, "--marts-schema", "odoo_marts")
    assert refused.code == 2
    assert refused.last_error.startswith(
        "Error: Schema 'odoo_marts' holds the marts of the shadow in schema 'odoo_shadow', not of 'odoo_seventeen': "
    )
    plain = run_dbt(
        find_dbt(),
        ["build", "--select", "mart_trial_balance"],
        connection=connection_variables("own", database, "odoo_seventeen"),
        variables=MartsSettings("odoo_marts").variables("odoo_seventeen"),
        target=tmp_path,
    )
    said = f"{plain.could_not_begin} {plain.failed} {plain.output}"
    assert "Schema odoo_marts holds the marts of the shadow in schema odoo_shadow, not of odoo_seventeen" in said
    with psycopg.connect(database) as connection:
        whose = connection.execute("SELECT DISTINCT shadow_schema FROM odoo_marts.mart_freshness").fetchall()
    assert whose == [("odoo_shadow",)]


@pytest.mark.nightly
def test_a_mart_is_never_older_than_it_says(shells: dict[Flavour, Shell], database: str) -> None:
    """A sync that ends while a mart is made moves the watermark, of rows that the mart does not have."""
    later = "UPDATE odoo_shadow.odoo_shadow_watermark SET last_write_date = last_write_date + interval '1 day'"
    as_of = b"SELECT as_of FROM odoo_marts.mart_freshness WHERE mart = 'mart_payables'"
    with psycopg.connect(database) as before:
        ((was,),) = before.execute(as_of).fetchall()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database) as syncing:
        syncing.execute("LOCK TABLE odoo_shadow.odoo_shadow_account_move_line IN ACCESS EXCLUSIVE MODE")
        building = pool.submit(shells["19"].run, "marts", "build")
        wait_until_blocked(database, 2, seconds=60)  # dbt works on two marts at once
        syncing.execute(later)
        syncing.commit()
        assert building.result().code == 0
        assert syncing.execute(as_of).fetchall() == [(was,)]


@pytest.mark.nightly
def test_a_role_from_which_rows_are_hidden_builds_no_smaller_mart(shells: dict[Flavour, Shell], database: str) -> None:
    assert shells["19"].run("sync", *MODELS, "--row-level-security", "company").code == 0
    with new_role(database) as builder:
        with psycopg.connect(database) as owner:
            owner.execute(f"GRANT CREATE ON DATABASE {owner.info.dbname} TO {builder}".encode())
        run_as_owner(database, "GRANT USAGE ON SCHEMA odoo_shadow TO {role}", role=builder)
        run_as_owner(database, "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}", role=builder)
        built = shells["19"].run(
            "marts", "build", "--marts-schema", "theirs", SUPABASE_DB_URL=as_role(database, builder)
        )
        with psycopg.connect(database) as owner:
            marts = owner.execute("SELECT mart FROM theirs.mart_freshness WHERE built_at IS NOT NULL").fetchall()
        run_as_owner(database, "DROP OWNED BY {role} CASCADE", role=builder)
    assert built.code == 1 and marts == []
    assert "query would be affected by row-level security policy" in built.err
