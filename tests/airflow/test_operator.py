"""The operator alone in a DAG, its retries, and the trigger form's checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk.definitions.mappedoperator import MappedOperator

from odoo_stand_in import Fault, StandIn
from tests.support.airflow_connections import shadow_connection
from tests.support.dag_runs import run, states, tries
from tests.support.failing_over import LaggingServer

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour


def test_the_operator_alone_mirrors_one_model(
    dags: Mapping[str, DAG], odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    assert run(dags["one_model"]).state == "success"
    with psycopg.connect(database) as connection:
        ((rows,),) = connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_res_partner").fetchall()
    assert rows == len(odoo.execute("res.partner", "search", [], context={"active_test": False}))


def test_the_operator_alone_reads_again_what_the_shadows_server_has_lost(
    dags: Mapping[str, DAG], postgres: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    assert run(dags["one_model"]).state == "success"
    server = LaggingServer(postgres, database)
    server.copy()
    with monkeypatch.context() as patched:
        patched.setattr("airflow_provider_odoo_shadow.transfers.odoo_to_postgres.close_run", server.close_run)
        assert run(dags["one_model"]).state == "failed"
    assert run(dags["one_model"]).state == "success"


def test_the_operator_alone_tells_of_patterns_that_protect_nothing(
    dags: Mapping[str, DAG], database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    assert run(dags["one_guarded_model"]).state == "success"
    said = "exclude_fields: '*_iban' matches no field of res.company, so it protects nothing."
    assert said in [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("dag", "state"), [("one_mistyped_model", "failed"), ("one_model_that_is_not_installed", "skipped")]
)
def test_the_operator_tells_a_typing_error_from_a_module_that_is_not_installed(
    dags: Mapping[str, DAG], database: str, monkeypatch: pytest.MonkeyPatch, dag: str, state: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    assert set(states(run(dags[dag])).values()) == {state}


def test_a_throttled_model_is_retried_after_the_time_that_odoo_asked_for(
    sync_dag: DAG, odoo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored = sync_dag.get_task("mirror")
    assert isinstance(mirrored, MappedOperator)
    mirrored.partial_kwargs["retry_delay"] = 3600  # would take an hour, were it not for Retry-After
    monkeypatch.setattr("odoo_shadow.source.api.client.LONGEST_WAIT", 0.5)
    odoo.faults.add(Fault(model="res.company", method="search_read", status=429, headers={"Retry-After": "1"}))
    dag_run = run(sync_dag, models=["res.company"])
    assert dag_run.state == "success"
    assert tries(dag_run)["res.company"] == 2


def test_a_wrong_password_is_not_retried(sync_dag: DAG, odoo: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.airflow_connections import odoo_connection

    monkeypatch.setattr(odoo, "password", "wrong")
    monkeypatch.setattr(odoo, "api_key", odoo.expired_api_key)
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    dag_run = run(sync_dag, models=["res.company"])
    assert dag_run.state == "failed"
    assert states(dag_run)["plan"] == "failed"
    assert tries(dag_run)["plan"] == 1


@pytest.mark.sampled
@pytest.mark.parametrize(
    "conf",
    [
        {"models": ["res.partner; DROP TABLE x"]},
        {"models": ["res.partner", "res.partner"]},
        {"models": "res.partner"},
        {"full": "perhaps"},
        {"batch_size": 0},
        {"batch_size": 1_000_000},
        {"batch_size": "many"},
    ],
)
def test_nonsense_in_the_trigger_form_is_refused(sync_dag: DAG, conf: dict[str, object]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        run(sync_dag, **conf)


def test_a_parameter_that_does_not_exist_fails_the_run(sync_dag: DAG, database: str) -> None:
    dag_run = run(sync_dag, model=["res.partner"])
    assert dag_run.state == "failed"
    assert states(dag_run)["plan"] == "failed"
    with psycopg.connect(database) as connection:
        assert not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'odoo_shadow'").fetchall()


def test_choosing_no_model_means_all(sync_dag: DAG) -> None:
    assert len(states(run(sync_dag, models=None, dry_run=True))) == 5 + 13  # plan, doctor, settle, complete, report


def test_a_connection_that_is_not_there_is_told_in_one_sentence(airflow_database: None) -> None:
    from airflow_provider_odoo_shadow.hooks.odoo import OdooHook

    works, message = OdooHook("nowhere").test_connection()
    assert not works
    assert "no Airflow connection 'nowhere'" in message


def test_a_shadow_without_a_connection_fails_at_once(
    sync_dag: DAG, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ODOO_SHADOW_DB")
    dag_run = run(sync_dag, models=["res.company"])
    assert states(dag_run)["plan"] == "failed"
    assert tries(dag_run)["plan"] == 1
