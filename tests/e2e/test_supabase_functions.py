"""The job worker, in Deno, in front of a real Airflow: what it starts runs, and rows arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.deployment import SECONDS_TO_RUN, Deployment
from tests.support.edge_functions import EdgeFunction, edge_function
from tools.airflow_home import DAG_ID
from tools.standalone import ADMIN

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def worker(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeFunction]:
    with edge_function("ops-job-worker", tmp_path_factory.mktemp("worker"), **settings(deployment)) as served:
        yield served


def settings(deployment: Deployment, **changed: str) -> dict[str, str]:
    airflow = deployment.airflow
    login = {"AIRFLOW_USERNAME": ADMIN, "AIRFLOW_PASSWORD": airflow.password}
    return {"AIRFLOW_URL": airflow.url, "OPS_JOB_WORKER_TIMEOUT_SECONDS": "60", **login, **changed}


def end_of(worker: EdgeFunction, run_id: str) -> dict[str, object]:
    """Ask until a run has ended, as a workflow of n8n does."""
    deadline = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < deadline:
        answer = worker.ask(path=f"?run_id={run_id}")
        assert answer.status_code == 200, answer.text
        if answer.json()["ended"]:
            return dict(answer.json())
        time.sleep(0.5)
    raise AssertionError(f"run {run_id} has not ended")


def test_a_job_runs_once_per_key_and_its_rows_arrive(deployment: Deployment, worker: EdgeFunction) -> None:
    (partner,) = deployment.odoo.execute("res.partner", "search", [], limit=1)
    deployment.odoo.execute("res.partner", "write", [partner], {"name": "Renamed for the function"})
    first = worker.start(idempotency_key="one", models=["res.partner"], batch_size=100)
    run_id = first.json()["run_id"]
    assert (first.status_code, first.json()["state"]) == (202, "queued")
    again, other = worker.start(idempotency_key="one"), worker.start(idempotency_key="two")
    assert (again.status_code, again.json()["run_id"]) == (200, run_id)
    assert (other.status_code, other.json()["error"], other.json()["run_id"]) == (409, "run_active", run_id)
    ended = end_of(worker, run_id)
    assert (ended["state"], ended["job_slug"]) == ("success", "sync_odoo_shadow")
    assert str(ended["note"]).startswith("Odoo shadow: models: 1 mirrored")
    run = deployment.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns/{run_id}")
    assert run["conf"] == {"models": ["res.partner"], "batch_size": 100}
    assert first.json()["url"] == f"{deployment.airflow.url}/dags/{DAG_ID}/runs/{run_id}"
    named = "SELECT id FROM odoo_shadow.odoo_shadow_res_partner WHERE name = 'Renamed for the function'"
    assert deployment.query(named) == [(partner,)]
    assert worker.start(idempotency_key="one").json()["state"] == "success"


@pytest.mark.nightly
def test_a_key_that_many_use_at_once_starts_one_run(deployment: Deployment, worker: EdgeFunction) -> None:
    answers: list[tuple[int, str]] = []

    def start() -> None:
        answer = worker.start(idempotency_key="at once", models=["res.company"], dry_run=True)
        answers.append((answer.status_code, str(answer.json().get("run_id", answer.text))))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (run_id,) = {run_id for _, run_id in answers}
    assert sorted(status for status, _ in answers) == [200, 200, 200, 202]
    assert end_of(worker, run_id)["state"] == "success"


def test_each_job_has_the_parameters_of_its_trigger_form(deployment: Deployment, worker: EdgeFunction) -> None:
    for job, dag in (("sync_odoo_shadow", DAG_ID), ("verify_odoo_shadow", "odoo_shadow_verify")):
        told = worker.start(job, no_such_parameter=True).json()["message"]
        form = deployment.airflow.call("GET", f"/dags/{dag}/details")["params"]
        assert told.partition("there are ")[2].rstrip(".").split(", ") == [*form]


def test_what_airflow_refuses_has_its_sentence(deployment: Deployment, worker: EdgeFunction) -> None:
    refused = worker.start(models=["no.such.model"])
    assert (refused.status_code, refused.json()["error"]) == (400, "refused_parameters")
    unknown = worker.ask(path="?run_id=no-such-run")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "unknown_run")
    paused = worker.start("verify_odoo_shadow", quick=True)
    assert (paused.status_code, paused.json()["error"]) == (503, "dag_paused")
    assert "no.such.model" not in refused.text


@pytest.mark.nightly
def test_a_wrong_login_or_mirror_has_its_sentence(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("wrong")
    for changed, code in (
        ({"AIRFLOW_PASSWORD": "wrong-secret-2"}, "airflow_refuses_login"),
        ({"AIRFLOW_TOKEN": "wrong-secret-2"}, "airflow_forbids"),
        ({"ODOO_SHADOW_MIRROR": "other"}, "dag_missing"),
    ):
        with edge_function("ops-job-worker", folder, **settings(deployment, **changed)) as worker:
            answer = worker.start()
            assert (answer.status_code, answer.json()["error"]) == (502, code)
            assert "wrong-secret-2" not in answer.text
