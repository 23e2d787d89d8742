"""A mapped task that mirrors several models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run import batches
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.kind import SourceKind
from odoo_stand_in import Fault, StandIn
from tests.support.airflow_connections import odoo_connection
from tests.support.clients import source_of
from tests.support.dag_runs import OUR_LOGGERS, run, states, tries
from tests.support.no_rights import NO_RIGHTS
from tests.support.planning import plan, work_of

if TYPE_CHECKING:
    from airflow.sdk import DAG

MirrorDag = Callable[..., "DAG"]
MODELS = ["res.company", "res.country", "res.currency"]

ANSWERS_OF_19 = pytest.mark.parametrize("odoo", ["19"], indirect=True)

pytestmark = pytest.mark.one_flavour


def log_of(database: str) -> list[tuple[str, str]]:
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT replace(table_name, 'odoo_shadow_', ''), status FROM own.odoo_shadow_sync_log"
            " WHERE NOT metadata ? 'closing' ORDER BY id"
        ).fetchall()


@pytest.mark.nightly
def test_small_models_share_a_task_that_is_called_after_all_of_them(mirror_dag: MirrorDag, database: str) -> None:
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1))
    (task,) = [ti for ti in dag_run.get_task_instances() if ti.task_id == "mirror"]
    assert (task.rendered_map_index, task.state) == ("res.company, res.country, res.currency", "success")
    assert log_of(database) == [("res_company", "success"), ("res_country", "success"), ("res_currency", "success")]


def test_a_label_has_room_for_some_names_and_the_number_of_the_others() -> None:
    from airflow_provider_odoo_shadow.dag_factory.batch import LONGEST_LABEL, label_of

    names = [f"x.a.rather.long.name.{number:02}" for number in range(15)]
    assert label_of(names) == f"{', '.join(names[:9])} and 6 more"
    assert label_of(["x" * LONGEST_LABEL]) == "x" * LONGEST_LABEL
    assert label_of(["x" * (LONGEST_LABEL + 1)]) == "1 models"


def test_a_model_that_fails_does_not_stop_the_others_and_is_the_only_one_tried_again(
    mirror_dag: MirrorDag, odoo: StandIn, database: str
) -> None:
    odoo.faults.add(Fault(model="res.country", method="search_read", status=500, times=3))  # those of one try
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1, retries=1, retry_delay_seconds=0.1))
    assert dag_run.state == "success"
    assert tries(dag_run)["res.country"] == 2
    assert log_of(database) == [
        ("res_company", "success"),
        ("res_country", "error"),
        ("res_currency", "success"),
        ("res_country", "success"),
    ]


@ANSWERS_OF_19
def test_a_task_names_all_models_that_failed(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level("ERROR", logger=name)
    for model in ("res.company", "res.currency"):
        odoo.faults.add(Fault(model=model, method="search_read", times=100, **NO_RIGHTS))
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1, retries=3, retry_delay_seconds=0.1))
    assert (dag_run.state, tries(dag_run)["res.company"]) == ("failed", 1)  # no retry can help
    assert [status for _, status in log_of(database)] == ["error", "success", "error"]
    told = [record.getMessage() for record in caplog.records if record.name.startswith(OUR_LOGGERS)]
    assert "2 of 3 models failed: res.company, res.currency; the lines above say why." in told
    assert sum(text.startswith("res.company: ") for text in told) == 1


@ANSWERS_OF_19
def test_a_server_that_refuses_the_login_is_not_asked_for_every_model(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", logger=OUR_LOGGERS[1])
    odoo.faults.add(Fault(model="res.company", method="search_read", times=100, **(NO_RIGHTS | {"status": 401})))
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1, retries=0))
    assert (dag_run.state, states(dag_run)["res.company"]) == ("failed", "failed")
    assert log_of(database) == [("res_company", "error")]
    assert any("not tried: res.country, res.currency" in record.getMessage() for record in caplog.records)


def test_a_model_on_which_the_connection_breaks_does_not_keep_those_behind_it_from_being_mirrored(
    mirror_dag: MirrorDag, odoo: StandIn, database: str
) -> None:
    odoo.faults.add(Fault(model="res.company", method="search_read", times=100, close=True))
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1, retries=1, retry_delay_seconds=0.1))
    assert (dag_run.state, tries(dag_run)["res.company"]) == ("failed", 2)
    assert log_of(database) == [
        ("res_company", "error"),
        ("res_country", "success"),
        ("res_currency", "success"),
        ("res_company", "error"),
    ]


def test_a_variable_that_is_no_watermark_fails_its_own_model_only(
    mirror_dag: MirrorDag, odoo: StandIn, database: str
) -> None:
    from airflow.models.variable import Variable

    Variable.set("odoo_shadow_watermark__own__odoo_shadow_res_company", "yesterday")
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1, retries=3, retry_delay_seconds=0.1))
    assert (dag_run.state, tries(dag_run)["res.company"]) == ("failed", 1)  # no retry can help
    assert log_of(database) == [("res_company", "error"), ("res_country", "success"), ("res_currency", "success")]


@pytest.mark.nightly
def test_models_that_are_not_installed_fail_nothing(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    odoo.uninstall("project.task")
    dag_run = run(mirror_dag(models=["project.task", "res.company"], parallel_models=1))
    assert (dag_run.state, states(dag_run)["res.company"]) == ("success", "success")
    assert sorted(status for _, status in log_of(database)) == ["skipped", "success"]


def test_a_task_that_was_cleared_after_it_had_succeeded_mirrors_all_of_its_models(odoo: StandIn, database: str) -> None:
    from airflow_provider_odoo_shadow.dag_factory.batch import models_left

    this = Run()
    with source_of(odoo) as source, ShadowDatabase.from_url(database, schema="own") as shadow:
        for model in MODELS[:2]:
            mirror_model(source, shadow, model, run=this, options=MirrorOptions())
        assert models_left(shadow, this, MODELS) == ["res.currency"]
        assert models_left(shadow, Run(), MODELS) == MODELS
        assert models_left(shadow, this, MODELS[:2]) == MODELS[:2]


def test_a_run_that_was_cleared_as_a_whole_takes_up_what_its_new_plan_found(odoo: StandIn, database: str) -> None:
    from airflow_provider_odoo_shadow.dag_factory.batch import models_left

    this = Run()
    with source_of(odoo) as source, ShadowDatabase.from_url(database, schema="own") as shadow:
        plan(source, shadow, MODELS, run=this)
        for model in MODELS[:2]:
            mirror_model(source, shadow, model, run=this, options=MirrorOptions())
        assert models_left(shadow, this, MODELS) == ["res.currency"]
        (one,) = odoo.execute("res.company", "search", [], limit=1)
        odoo.execute("res.company", "write", [one], {"name": "Renamed"})
        again = plan(source, shadow, MODELS, run=this)
        assert "res.company" in work_of(again)
        assert models_left(shadow, this, MODELS) == ["res.currency", *(m for m in MODELS[:2] if m in work_of(again))]


def test_the_tasks_of_a_run_share_the_calls_a_second(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of mapped tasks each has its share, however few they are; the other tasks have all."""
    limits: list[float | None] = []

    class Noting(OdooClient):
        def __init__(self, connection: OdooConnection) -> None:
            limits.append(connection.requests_per_second)
            super().__init__(connection)

    monkeypatch.setattr("airflow_provider_odoo_shadow.hooks.source.OdooClient", Noting)
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo, requests_per_second=300))
    dags = mirror_dags(models=MODELS, parallel_models=5)
    assert run(dags["own_sync"]).state == "success"
    assert (limits.count(100), set(limits)) == (3, {100, 300})
    del limits[:]
    assert run(dags["own_verify"], models=MODELS[:2]).state == "success"
    assert limits == [150, 150]


def test_a_first_load_in_parts_of_which_one_fails_at_first(
    mirror_dag: MirrorDag, odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its retry goes on alone; the model is logged once, with all of its rows, and its Variable follows at the end."""
    monkeypatch.setitem(batches.ROWS_PER_PART, SourceKind.API, 4)
    odoo.faults.add(Fault(model="res.country", method="search_read", status=500, times=3))  # those of one try
    dag_run = run(mirror_dag(models=["res.country"], parallel_models=2, retries=1, retry_delay_seconds=0.1))
    rows = odoo.execute("res.country", "search_count", [], context={"active_test": False})
    labels = [f"res.country (part {number} of {-(-rows // 4)})" for number in range(1, -(-rows // 4) + 1)]
    assert dag_run.state == "success" and len(labels) > 1
    assert sorted(tries(dag_run)[label] for label in labels) == [*([1] * (len(labels) - 1)), 2]
    assert log_of(database) == [("res_country", "error"), ("res_country", "success")]
    with psycopg.connect(database) as connection:
        (counts,) = connection.execute(
            "SELECT l.rows_inserted, m.row_count, w.rows_synced FROM own.odoo_shadow_sync_log l"
            " JOIN own.odoo_shadow_meta m USING (table_name) JOIN own.odoo_shadow_watermark w USING (table_name)"
            " WHERE l.status = 'success' AND NOT metadata ? 'closing'"
        ).fetchall()
    assert counts == (rows, rows, rows)
