"""Airflow in trouble: each kind has its status and its sentence, and nothing that Airflow said is passed on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.edge_functions import SERVICE_KEY, EdgeFunction, edge_function
from tests.support.raw_server import RawServer, Reply, Request
from tests.support.scripted_airflow import API, TOKEN, ScriptedAirflow, document, run

SECRET = "never-passed-on-7"
LOGIN = ("POST", "/auth/token")
DAG = ("GET", API)
RUNS = ("GET", f"{API}/dagRuns")
START = ("POST", f"{API}/dagRuns")
STALE = document({"dag_id": "odoo_shadow_sync", "is_stale": True, "is_paused": True})
PAUSED = document({"dag_id": "odoo_shadow_sync", "is_paused": True, "has_import_errors": False})
BROKEN = document({"dag_id": "odoo_shadow_sync", "is_paused": False, "has_import_errors": True})


@pytest.fixture
def airflow(upstream: RawServer) -> ScriptedAirflow:
    return ScriptedAirflow(upstream)


def endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    while True:
        yield b"[" * 65536


def says(status: int) -> Reply:
    return document({"detail": f"Traceback: {SECRET}"}, status)


@pytest.mark.parametrize(
    ("place", "reply", "status", "code", "words"),
    [
        (LOGIN, says(401), 502, "airflow_refuses_login", "AIRFLOW_USERNAME and AIRFLOW_PASSWORD"),
        (LOGIN, says(404), 502, "upstream_unclear", "does not answer as Airflow does"),
        (LOGIN, says(500), 502, "airflow_in_trouble", "status 500"),
        (LOGIN, document({"access_token": f"{SECRET}\r\nX: 1"}, 201), 502, "upstream_unclear", "AIRFLOW_URL"),
        (LOGIN, document({"access_token": 7}, 201), 502, "upstream_unclear", "AIRFLOW_URL"),
        (LOGIN, Reply(302, headers={"Location": "http://127.0.0.1:9/"}), 502, "upstream_redirects", "AIRFLOW_URL"),
        (DAG, says(401), 502, "airflow_refuses_login", "AIRFLOW_USERNAME"),
        (DAG, says(403), 502, "airflow_forbids", "DAG odoo_shadow_sync"),
        (DAG, says(404), 502, "dag_missing", "no DAG odoo_shadow_sync"),
        (DAG, says(503), 502, "airflow_in_trouble", "status 503"),
        (DAG, Reply(200, f"<html>{SECRET}</html>", "text/html"), 502, "upstream_unclear", "does not answer"),
        (DAG, Reply(stream=endless, raw=b""), 502, "upstream_unclear", "bytes"),
        (DAG, STALE, 502, "dag_missing", "no DAG odoo_shadow_sync"),
        (DAG, PAUSED, 503, "dag_paused", "DAG odoo_shadow_sync is paused"),
        (DAG, BROKEN, 502, "dag_broken", "import error"),
        (RUNS, document({"dag_runs": SECRET}), 502, "upstream_unclear", "does not answer"),
        (RUNS, document({"dag_runs": [run("other", SECRET)]}), 502, "upstream_unclear", "does not answer"),
        (START, says(400), 400, "refused_parameters", "trigger form"),
        (START, says(404), 502, "dag_missing", "no DAG"),
        (START, says(500), 502, "airflow_in_trouble", "status 500"),
        (START, Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Le", close=True), 502, "upstream_unreachable", "be reached"),
    ],
)
def test_each_trouble_has_its_sentence(
    worker: EdgeFunction,
    airflow: ScriptedAirflow,
    place: tuple[str, str],
    reply: Reply,
    status: int,
    code: str,
    words: str,
) -> None:
    airflow.trouble[place] = reply
    answer = worker.start(models=["res.partner"])
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert words in answer.json()["message"]
    for secret in (SECRET, TOKEN, SERVICE_KEY):
        assert secret not in answer.text and secret not in worker.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("key", ["one", None])
def test_an_airflow_that_fails_for_a_moment_is_asked_again(
    worker: EdgeFunction, airflow: ScriptedAirflow, key: str | None
) -> None:
    """As it does when several requests write at once. The second failure comes after it has made the run."""
    own, failures = airflow.server.everything, [says(500), says(503)]
    assert own is not None

    def fails_at_first(request: Request) -> Reply:
        if (request.method, request.path) != START or not failures:
            return own(request)
        if len(failures) == 1:
            own(request)
        return failures.pop(0)

    airflow.server.everything = fails_at_first
    answer = worker.start(idempotency_key=key)
    assert (answer.status_code, answer.json()["run_id"]) == (200 if key else 202, *airflow.runs)
    assert len({str(started["dag_run_id"]) for started in airflow.started}) == 1


def test_an_airflow_that_hangs_is_given_up(upstream: RawServer, tmp_path: Path) -> None:
    """Wherever it does so: before its answer, or within it."""
    airflow, gone = ScriptedAirflow(upstream), threading.Event()

    def begun() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        gone.wait(10)

    settings = {"AIRFLOW_URL": upstream.url, "AIRFLOW_TOKEN": TOKEN, "OPS_JOB_WORKER_TIMEOUT_SECONDS": "1"}
    with edge_function("ops-job-worker", tmp_path, **settings) as worker:
        try:
            for reply in (Reply(hold=gone), Reply(raw=b"", stream=begun)):
                airflow.trouble[DAG] = reply
                answer = worker.start()
                assert (answer.status_code, answer.json()["error"]) == (504, "upstream_slow")
        finally:
            gone.set()


@pytest.mark.attack
def test_credentials_do_not_follow_a_redirect(worker: EdgeFunction, airflow: ScriptedAirflow) -> None:
    with RawServer() as elsewhere:
        elsewhere.everything = lambda _: document({"access_token": "taken"}, 201)
        for status in (301, 307, 308):
            airflow.trouble[LOGIN] = Reply(status, headers={"Location": f"{elsewhere.url}/auth/token"})
            assert worker.start().json()["error"] == "upstream_redirects"
        assert elsewhere.requests == []


def test_nobody_listens(tmp_path: Path) -> None:
    with edge_function("ops-job-worker", tmp_path, AIRFLOW_URL="http://127.0.0.1:9", AIRFLOW_TOKEN=TOKEN) as worker:
        answer = worker.start()
        assert (answer.status_code, answer.json()["error"]) == (502, "upstream_unreachable")
        assert "AIRFLOW_URL" in answer.json()["message"]


def test_a_token_serves_instead_of_a_login(upstream: RawServer, tmp_path: Path) -> None:
    airflow = ScriptedAirflow(upstream)
    with edge_function(
        "ops-job-worker", tmp_path, AIRFLOW_URL=f"{upstream.url}/", AIRFLOW_TOKEN=f"{TOKEN}\n"
    ) as worker:
        assert worker.start().status_code == 202
        assert not any(request.path == "/auth/token" for request in upstream.requests)
        airflow.runs.clear()
        for status in (401, 403):  # Airflow answers the second to a token that it cannot read
            airflow.trouble[DAG] = says(status)
            assert "AIRFLOW_TOKEN" in worker.start().json()["message"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "AIRFLOW_URL, AIRFLOW_USERNAME and AIRFLOW_PASSWORD (or AIRFLOW_TOKEN), or else GITHUB_REPOSITORY"),
        ({"AIRFLOW_URL": "http://airflow.example.com"}, "AIRFLOW_ALLOW_HTTP=true"),
        ({"AIRFLOW_URL": "http://127.0.0.1.example.com"}, "AIRFLOW_ALLOW_HTTP=true"),
        ({"AIRFLOW_URL": "airflow.example.com"}, "AIRFLOW_URL"),
        ({"AIRFLOW_URL": "ftp://airflow.example.com"}, "https://"),
        ({"AIRFLOW_URL": f"https://me:{SECRET}@airflow.example.com"}, "without login"),
        ({"AIRFLOW_URL": "https://airflow.example.com"}, "AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN"),
        ({"AIRFLOW_URL": "https://airflow.example.com", "AIRFLOW_TOKEN": f"{SECRET}\n{SECRET}"}, "AIRFLOW_TOKEN"),
        ({"AIRFLOW_URL": "https://a.example.com", "ODOO_SHADOW_MIRROR": "../x"}, "ODOO_SHADOW_MIRROR"),
        ({"AIRFLOW_URL": "https://a.example.com", "OPS_JOB_WORKER_TIMEOUT_SECONDS": "ten"}, "a number from 1 to 120"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    with edge_function("ops-job-worker", tmp_path, **settings) as worker:
        answer = worker.start()
        assert (answer.status_code, answer.json()["error"]) == (503, "misconfigured")
        assert words in answer.json()["message"]
        assert SECRET not in answer.text
