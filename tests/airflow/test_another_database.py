"""Another state of Odoo's database, or another one, stops the DAG; what accepts it is not undone by a Variable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.counting import in_odoo
from tests.support.dag_runs import run, states, tries
from tests.support.own_mirror import MirrorDag, Variables, ask, mapped, variable_of
from tests.support.restoring import UUID, set_uuid

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

COUNTRY = "res.country"


@pytest.fixture(scope="module")
def module_odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="restored", scale=0.1, copied=True) as running:
        yield running


@pytest.fixture
def odoo(module_odoo: StandIn) -> Iterator[StandIn]:
    age(module_odoo, COUNTRY)
    yield module_odoo
    set_uuid(module_odoo, UUID)


def refusal(dag_run: DagRun, capsys: pytest.CaptureFixture[str]) -> str:
    """The plan failed, at its only try, and this is why."""
    assert (dag_run.state, states(dag_run)["plan"], tries(dag_run)["plan"]) == ("failed", "failed", 1)
    told = (line.partition("ShadowOwnershipError: ")[2] for line in capsys.readouterr().out.splitlines())
    return next(text for text in told if text)


def rows_of_last_run(database: str) -> tuple[str, int]:
    ((status, unchanged),) = ask(
        database,
        "SELECT status, (metadata->>'rows_unchanged')::int FROM odoo_shadow_sync_log ORDER BY id DESC LIMIT 1",
    )
    return status, unchanged


@pytest.mark.nightly
def test_another_database_stops_the_run_until_it_is_accepted(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, variables: Variables, capsys: pytest.CaptureFixture[str]
) -> None:
    dag = mirror_dag(models=[COUNTRY])
    assert run(dag).state == "success"
    before = variables()[variable_of(COUNTRY)]
    set_uuid(odoo, "another-uuid")
    said = refusal(run(dag, full=True), capsys)
    assert f"its database.uuid is another-uuid, not {UUID}" in said
    statement = re.search(r"SELECT [^)]*\)", said)
    assert statement is not None
    with psycopg.connect(database) as connection:
        connection.execute(statement.group().encode())
    assert variables()[variable_of(COUNTRY)] == before  # which is newer than what the table's own row says now
    again = run(dag)
    assert mapped(again) == {COUNTRY: "success"}
    countries = len(odoo.execute(COUNTRY, "search", []))
    assert rows_of_last_run(database) == ("success", countries)  # all were read
    assert str(variables()[variable_of(COUNTRY)]["last_write_date"]) >= str(before["last_write_date"])


@pytest.mark.nightly
def test_rows_that_are_older_stop_the_run_until_all_is_read(
    mirror_dag: MirrorDag, odoo: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    dag = mirror_dag(models=[COUNTRY])
    assert run(dag).state == "success"
    in_odoo(odoo, "UPDATE res_country SET write_date = write_date - interval '3 hours'")
    assert "has a backup been restored" in refusal(run(dag), capsys)
    assert mapped(run(dag, full=True)) == {COUNTRY: "success"}
    assert (run(dag).state, capsys.readouterr().err.count("backup")) == ("success", 0)


@pytest.mark.nightly
def test_nothing_is_settled_after_a_plan_that_failed(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dag = mirror_dag(models=[COUNTRY])
    assert run(dag).state == "success"
    ask(
        database,
        "INSERT INTO own_internal.due_row (table_name, ids) VALUES ('odoo_shadow_res_country', '{1}') RETURNING 1",
    )
    set_uuid(odoo, "another-uuid")
    refused = run(dag)
    refusal(refused, capsys)
    assert states(refused)["settle"] == "skipped"
