"""The DAG that ships, run by Airflow's own `dag.test()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from odoo_shadow.mirror import identity
from odoo_shadow.mirror.clock import DEFAULT_LOOK_BACK
from odoo_shadow.mirror.config.patterns import PRIORITY_MODELS
from odoo_shadow.mirror.run.closing import Closed, close_run
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.dag_runs import OUR_LOGGERS, run, states, tries
from tests.support.failing_over import LaggingServer
from tests.support.restoring import Backup
from tests.support.windows import written_since

if TYPE_CHECKING:
    from airflow.sdk import DAG

Variables = Callable[[], dict[str, dict[str, object]]]


def test_mirrors_all_models_then_only_changes(
    sync_dag: DAG, odoo: StandIn, database: str, variables: Variables
) -> None:
    first = run(sync_dag)
    assert states(first) == dict.fromkeys(
        ("plan", "doctor", *PRIORITY_MODELS, "settle", "complete", "report"), "success"
    )
    assert first.state == "success"
    with psycopg.connect(database) as connection:
        rows: dict[str, int] = dict(connection.execute("SELECT odoo_model, row_count FROM odoo_shadow_meta").fetchall())
        marks = connection.execute("SELECT table_name, last_write_date FROM odoo_shadow_watermark").fetchall()
    for model in PRIORITY_MODELS:
        assert rows[model] == len(odoo.execute(model, "search", [], context={"active_test": False})), model
    written = variables()
    assert len(marks) == len(PRIORITY_MODELS)
    for table, last_write_date in marks:
        assert written[f"odoo_shadow_watermark__odoo_shadow__{table}"]["last_write_date"] == last_write_date.isoformat()

    (customer,) = odoo.execute("res.partner", "search", [], limit=1)
    odoo.execute("res.partner", "write", [customer], {"name": "Renamed, Ltd."})
    changed = written_since(odoo, PRIORITY_MODELS, min(mark for _, mark in marks) - DEFAULT_LOOK_BACK)
    assert "res.partner" in changed != set(PRIORITY_MODELS)
    second = run(sync_dag)
    assert second.state == "success"
    assert states(second) == dict.fromkeys(("plan", "doctor", *changed, "settle", "complete", "report"), "success")
    with psycopg.connect(database) as connection:
        ((name,),) = connection.execute(
            "SELECT name FROM odoo_shadow.odoo_shadow_res_partner WHERE id = %s", [customer]
        ).fetchall()
        ((inserted, updated),) = connection.execute(
            "SELECT rows_inserted, rows_updated FROM odoo_shadow_sync_log"
            " WHERE table_name = 'odoo_shadow_res_partner' ORDER BY id DESC LIMIT 1"
        ).fetchall()
    assert (name, inserted) == ("Renamed, Ltd.", 0)
    assert updated >= 1


def test_a_failing_model_fails_alone_and_the_run_ends_failed(
    sync_dag: DAG, odoo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.airflow_connections import odoo_connection

    monkeypatch.setattr(odoo, "login", odoo.limited_login)
    monkeypatch.setattr(odoo, "password", odoo.limited_password)
    monkeypatch.setattr(odoo, "api_key", odoo.limited_api_key)
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    dag_run = run(sync_dag, models=["res.partner", "account.move", "product.product"])
    assert states(dag_run) == {
        "plan": "success",
        "doctor": "failed",
        "res.partner": "success",
        "account.move": "failed",
        "product.product": "success",
        "settle": "success",
        "complete": "upstream_failed",
        "report": "success",
    }
    assert dag_run.state == "failed"


def test_a_refused_login_makes_the_doctor_red(
    sync_dag: DAG, odoo: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.support.airflow_connections import odoo_connection

    monkeypatch.setattr(odoo, "password", "wrong-secret-1")
    monkeypatch.setattr(odoo, "api_key", "wrong-secret-1")
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    dag_run = run(sync_dag, models=["res.company"])
    assert dag_run.state == "failed"
    assert {name: states(dag_run)[name] for name in ("plan", "doctor")} == {"plan": "failed", "doctor": "failed"}
    assert any("refused the login" in record.getMessage() for record in caplog.records)


@pytest.mark.nightly
def test_a_model_that_is_not_installed_is_skipped(sync_dag: DAG, odoo: StandIn, database: str) -> None:
    odoo.uninstall("project.task")
    dag_run = run(sync_dag, models=["project.task", "project.project"])
    assert states(dag_run)["project.task"] == "skipped"
    assert dag_run.state == "success"
    with psycopg.connect(database) as connection:
        logged = connection.execute(
            "SELECT table_name, status FROM odoo_shadow_sync_log ORDER BY table_name"
        ).fetchall()
    assert logged == [("odoo_shadow_project_project", "success"), ("odoo_shadow_project_task", "skipped")]


@pytest.mark.nightly
def test_one_report_sums_a_dry_run_up(
    sync_dag: DAG, odoo: StandIn, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    (made,) = odoo.execute("res.partner", "create", [{"name": "Soon gone"}])
    assert run(sync_dag, models=["res.partner"]).state == "success"
    odoo.execute("res.partner", "unlink", [made])
    caplog.clear()
    for name in OUR_LOGGERS:
        caplog.set_level("INFO", logger=name)
    dry = run(sync_dag, models=["res.partner", "res.users"], dry_run=True)
    assert set(states(dry).values()) == {"success"}
    (text,) = [item.getMessage() for item in caplog.records if "What a run would do" in item.getMessage()]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]
    told = {row[0]: row[1:] for row in rows}
    assert told["res.partner"][0] == "incremental" and told["res.partner"][2] == "1"
    assert told["res.users"][::3] == ["first load", "table created"]


def test_a_dry_run_writes_nothing(sync_dag: DAG, database: str, variables: Variables) -> None:
    dag_run = run(sync_dag, dry_run=True)
    assert dag_run.state == "success"
    with psycopg.connect(database) as connection:
        schemas = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'odoo_shadow'").fetchall()
    assert (schemas, variables()) == ([], {})


@pytest.mark.one_flavour
def test_what_was_lost_before_the_run_ended_makes_it_red(
    sync_dag: DAG, odoo: StandIn, postgres: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shadow's server is replaced by one that lagged, after the last task that wrote a model."""
    run(sync_dag, models=["res.partner", "res.users"])
    server = LaggingServer(postgres, database)
    server.copy()
    (customer,) = odoo.execute("res.partner", "search", [], limit=1)
    odoo.execute("res.partner", "write", [customer], {"name": "Lost, Ltd."})
    with monkeypatch.context() as patched:
        patched.setattr("airflow_provider_odoo_shadow.dag_factory.report.close_run", server.close_run)
        lost = run(sync_dag, models=["res.partner"])
    assert (lost.state, states(lost)["res.partner"], states(lost)["settle"]) == ("failed", "success", "failed")
    assert run(sync_dag, models=["res.partner"]).state == "success"
    with psycopg.connect(database) as connection:
        ((name,),) = connection.execute(
            "SELECT name FROM odoo_shadow.odoo_shadow_res_partner WHERE id = %s", [customer]
        ).fetchall()
    assert name == "Lost, Ltd."


@pytest.mark.one_flavour
def test_a_backup_that_is_restored_during_a_run_makes_it_red_and_stops_later_ones(
    sync_dag: DAG, odoo: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_PAUSES_AT_END", (0.0,))
    (project,) = odoo.execute("project.project", "search", [], limit=1)
    age(odoo, "project.project")
    run(sync_dag, models=["project.project"])
    backup = Backup(odoo, ["project.project"])
    odoo.execute("project.project", "write", [project], {"name": "Taken back"})

    def close_restored(*given: Any, **more: Any) -> Iterator[Closed]:
        backup.restore()
        return close_run(*given, **more)

    with monkeypatch.context() as patched:
        patched.setattr("airflow_provider_odoo_shadow.dag_factory.report.close_run", close_restored)
        restored = run(sync_dag, models=["project.project"])
    assert (restored.state, states(restored)["project.project"], states(restored)["settle"]) == (
        "failed",
        "success",
        "failed",
    )
    assert tries(restored)["settle"] == 1  # no retry can help
    assert states(run(sync_dag, models=["project.project"]))["plan"] == "failed"
    assert run(sync_dag, models=["project.project"], full=True).state == "success"
