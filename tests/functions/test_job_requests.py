"""What ops-job-worker takes from callers: keys, bodies, jobs, parameters; what is refused never reaches Airflow."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from odoo_shadow.mirror.config.patterns import LONGEST_TERM
from odoo_shadow.mirror.options import LARGEST_PAGE
from tests.support.edge_functions import FUNCTIONS, SERVICE_KEY, EdgeFunction, edge_function
from tests.support.raw_server import RawServer
from tests.support.scripted_airflow import ScriptedAirflow, document, run

ANON_KEY = "eyJhbGciOiJub25lIn0.anon.key1"
LARGEST_BODY = 64 * 1024


@pytest.fixture
def airflow(upstream: RawServer) -> ScriptedAirflow:
    return ScriptedAirflow(upstream)


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Return status and code of an answer whose message is one sentence."""
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert document["message"].endswith((".", "?")) and "\n" not in document["message"]
    return answer.status_code, document["error"]


# --- keys


@pytest.mark.attack
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {ANON_KEY}", "apikey": ANON_KEY},
        {"Authorization": f"Bearer {SERVICE_KEY[:-1]}"},
        {"Authorization": f"Bearer {SERVICE_KEY}x"},
        {"Authorization": f"Basic {SERVICE_KEY}"},
        {"Authorization": SERVICE_KEY},
        {"Authorization": "Bearer undefined", "apikey": "undefined"},
        {"apikey": "default"},
    ],
    ids=str,
)
def test_without_a_key_nothing_is_read_or_started(
    worker: EdgeFunction, airflow: ScriptedAirflow, headers: dict[str, str]
) -> None:
    for method, path in (("POST", ""), ("GET", "?run_id=some"), ("DELETE", "")):
        answer = worker.ask(method, path, key=None, headers=headers, data=b"{" * 100)
        assert refusal(answer) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert airflow.server.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SERVICE_KEY}"},
        {"Authorization": f"bearer {SERVICE_KEY}", "apikey": ANON_KEY},
        {"Authorization": "Bearer sb_secret_two2"},
        {"apikey": "sb_secret_one1"},
        {"Authorization": "Bearer a-users-own-token", "apikey": "sb_secret_two2"},
    ],
    ids=str,
)
def test_each_of_the_projects_keys_lets_in(
    worker: EdgeFunction, airflow: ScriptedAirflow, headers: dict[str, str]
) -> None:
    answer = worker.ask("POST", key=None, headers=headers, json={"job_slug": "sync_odoo_shadow"})
    assert answer.status_code == 202
    assert len(airflow.started) == 1


def test_keys_are_compared_as_digests_to_the_end() -> None:
    """The time that a comparison takes cannot be tested reliably; that it cannot depend on the key can be read."""
    text = (FUNCTIONS / "ops-job-worker" / "key.ts").read_text(encoding="utf-8")
    assert 'subtle.digest("SHA-256"' in text
    body = text[text.index("export async function isAllowed") :].partition("\n}\n")[0]
    assert not re.search(r"===|includes|break|some\(", body) and body.count("return") == 1


# --- bodies


def test_a_body_is_read_up_to_its_limit(worker: EdgeFunction, airflow: ScriptedAirflow) -> None:
    def padded(size: int) -> bytes:
        return json.dumps({"job_slug": "sync_odoo_shadow"}).encode().ljust(size)

    def in_pieces() -> Iterator[bytes]:  # of which no Content-Length tells
        for _ in range(LARGEST_BODY // 1024 * 100):
            yield b" " * 1024

    assert worker.ask("POST", data=padded(LARGEST_BODY)).status_code == 202
    airflow.runs.clear()
    assert refusal(worker.ask("POST", data=padded(LARGEST_BODY + 1))) == (413, "too_large")
    with contextlib.suppress(requests.ConnectionError):  # it may have hung up on the rest
        assert refusal(worker.ask("POST", data=in_pieces())) == (413, "too_large")
    assert len(airflow.started) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"sync_odoo_shadow"', b"null", b'{"job_slug": "\xff"}', b"\x00", b'{"params": {}' * 20_000],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object_is_refused(worker: EdgeFunction, airflow: ScriptedAirflow, body: bytes) -> None:
    status, code = refusal(worker.ask("POST", data=body))
    assert (status, code) in ((400, "wrong_body"), (413, "too_large"))
    assert airflow.server.requests == []


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({}, "unknown_job", "names no job"),
        ({"job_slug": 7}, "unknown_job", "names no job"),
        ({"job_slug": "sync"}, "unknown_job", "there are sync_odoo_shadow and verify_odoo_shadow"),
        ({"job_slug": "constructor"}, "unknown_job", '"constructor"'),
        ({"job_slug": "x" * 500}, "unknown_job", f'"{"x" * 60}…"'),
        ({"job_slug": "a\n\u202eb"}, "unknown_job", '"a??b"'),
        ({"job_slg": "sync_odoo_shadow"}, "unknown_key", 'did you mean "job_slug"?'),
        ({"full": True, "job_slug": "sync_odoo_shadow"}, "unknown_key", '"params"'),
        ({"job_slug": "sync_odoo_shadow", "params": [1]}, "wrong_body", '"params"'),
        ({"job_slug": "sync_odoo_shadow", "idempotency_key": 7}, "wrong_idempotency_key", "1 to 200"),
        ({"job_slug": "sync_odoo_shadow", "idempotency_key": " "}, "wrong_idempotency_key", "1 to 200"),
        ({"job_slug": "sync_odoo_shadow", "idempotency_key": "k" * 201}, "wrong_idempotency_key", "1 to 200"),
    ],
    ids=str,
)
def test_requests_that_make_no_sense_are_named(
    worker: EdgeFunction, airflow: ScriptedAirflow, body: dict[str, object], code: str, words: str
) -> None:
    answer = worker.ask("POST", json=body)
    assert refusal(answer) == (400, code)
    assert words in answer.json()["message"]
    assert airflow.server.requests == []


@pytest.mark.parametrize(
    ("job", "params", "words"),
    [
        ("sync_odoo_shadow", {"modles": ["res.partner"]}, 'did you mean "models"?'),
        ("sync_odoo_shadow", {"__proto__": {"full": True}}, '"__proto__"'),
        ("sync_odoo_shadow", {"quick": True}, "there are models, full, dry_run, batch_size, allow_mass_delete"),
        ("verify_odoo_shadow", {"full": True}, "there are models, quick, repair"),
        ("sync_odoo_shadow", {"full": "yes"}, '"full" has to be true or false'),
        ("sync_odoo_shadow", {"batch_size": 0}, f"from 1 to {LARGEST_PAGE}"),
        ("sync_odoo_shadow", {"batch_size": LARGEST_PAGE + 1}, f"from 1 to {LARGEST_PAGE}"),
        ("sync_odoo_shadow", {"batch_size": "100"}, f"from 1 to {LARGEST_PAGE}"),
        ("sync_odoo_shadow", {"models": "res.partner"}, "has to be a list"),
        ("sync_odoo_shadow", {"models": ["res.partner", "res.partner"]}, '"res.partner" twice'),
        ("sync_odoo_shadow", {"models": ["res..partner"]}, "look like res.partner"),
        ("sync_odoo_shadow", {"models": ["a" * (LONGEST_TERM + 1)]}, "look like res.partner"),
        ("sync_odoo_shadow", {"models": ["{{ macros }}"]}, "look like res.partner"),
        ("sync_odoo_shadow", {"models": [7]}, "look like res.partner"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_named(
    worker: EdgeFunction, airflow: ScriptedAirflow, job: str, params: dict[str, object], words: str
) -> None:
    answer = worker.ask("POST", json={"job_slug": job, "params": params})
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert airflow.server.requests == []


@pytest.mark.attack
@pytest.mark.parametrize("run_id", ["", ".", "..", "../../connections", "a/b", "a%00", "x" * 251, "a?b", "ü"])
def test_an_id_of_a_run_leads_nowhere_else(worker: EdgeFunction, airflow: ScriptedAirflow, run_id: str) -> None:
    answer = worker.ask(path=f"?run_id={quote(run_id, safe='')}")
    assert refusal(answer) == (400, "wrong_run_id")
    assert airflow.server.requests == []


# --- the answers


def test_a_job_is_started_with_its_parameters(worker: EdgeFunction, airflow: ScriptedAirflow) -> None:
    params = {"models": ["res.partner", "sale.*"], "full": True, "batch_size": LARGEST_PAGE}
    answer = worker.ask("POST", json={"job_slug": "sync_odoo_shadow", "params": params})
    (started,) = airflow.started
    assert started == {"dag_run_id": started["dag_run_id"], "logical_date": None, "conf": params}
    run_id = started["dag_run_id"]
    assert answer.status_code == 202
    assert answer.json() == {
        "job_slug": "sync_odoo_shadow",
        "run_id": run_id,
        "state": "queued",
        "ended": False,
        "url": f"{airflow.server.url}/dags/odoo_shadow_sync/runs/{run_id}",
        "started_at": None,
        "ended_at": None,
        "note": None,
    }
    where = "https://project.supabase.co/functions/v1/ops-job-worker"
    assert answer.headers["Location"] == f"{where}?run_id={run_id}&job_slug=sync_odoo_shadow"


def test_the_same_key_again_is_the_first_run(worker: EdgeFunction, airflow: ScriptedAirflow) -> None:
    first = worker.start(idempotency_key="daily 2026-11-27")
    again = worker.ask("POST", json={"job_slug": "sync_odoo_shadow"}, headers={"Idempotency-Key": "daily 2026-11-27"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["run_id"] == first.json()["run_id"]
    assert len(airflow.started) == 1
    two_keys = worker.ask(
        "POST",
        json={"job_slug": "sync_odoo_shadow", "idempotency_key": "one"},
        headers={"Idempotency-Key": "another"},
    )
    assert refusal(two_keys) == (400, "wrong_idempotency_key")


def test_another_run_that_is_active_is_named(worker: EdgeFunction, airflow: ScriptedAirflow) -> None:
    scheduled = "scheduled__2026-11-27T00:00:00+00:00"
    airflow.runs[scheduled] = run(scheduled, "running")
    answer = worker.start(idempotency_key="one")
    assert refusal(answer) == (409, "run_active")
    assert answer.json()["run_id"] == scheduled
    assert airflow.started == []


@pytest.mark.parametrize("written", ["2026-11-27T00:00:00+00:00", "2026-11-27T00%3A00%3A00%2B00%3A00"])
def test_a_run_is_told_of(worker: EdgeFunction, airflow: ScriptedAirflow, written: str) -> None:
    run_id = "scheduled__2026-11-27T00:00:00+00:00"
    airflow.runs[run_id] = run(
        run_id,
        "failed",
        start_date="2026-11-27T00:00:01Z",
        end_date="2026-11-27T00:03:00Z",
        note="a\u202eb" + "n" * 2000,
    )
    document = worker.ask(path=f"?run_id=scheduled__{written}").json()
    assert (document["run_id"], document["state"], document["ended"]) == (run_id, "failed", True)
    assert (document["started_at"], document["ended_at"]) == ("2026-11-27T00:00:01Z", "2026-11-27T00:03:00Z")
    assert document["note"].startswith("a bnnn") and len(document["note"]) == 1000
    assert refusal(worker.ask(path="?run_id=another&job_slug=sync_odoo_shadow")) == (404, "unknown_run")


def test_other_methods_are_refused(worker: EdgeFunction) -> None:
    answer = worker.ask("PUT")
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"


def test_a_key_that_another_request_uses_at_the_same_time_is_the_others_run(
    worker: EdgeFunction, airflow: ScriptedAirflow
) -> None:
    """The other one's run is there between the look for it and the start, which Airflow then refuses."""
    run_id = worker.start(idempotency_key="at once").json()["run_id"]
    airflow.runs[run_id]["state"] = "success"
    own, looks = airflow.server.everything, [document({"detail": "not found"}, 404)]
    assert own is not None
    airflow.server.everything = lambda request: looks.pop() if looks and request.path.endswith(run_id) else own(request)
    answer = worker.start(idempotency_key="at once")
    assert (answer.status_code, answer.json()["run_id"], looks) == (200, run_id, [])
    looks.append(document({"detail": "not found"}, 404))
    airflow.runs[run_id]["state"] = "queued"  # or it is found among the active ones, even before the start
    answer = worker.start(idempotency_key="at once")
    assert (answer.status_code, answer.json()["run_id"], looks) == (200, run_id, [])
    assert len(airflow.started) == 2


# --- settings


def test_without_a_key_of_its_own_it_lets_nobody_in(tmp_path: Path) -> None:
    for keys in ("", "no json", "[]", '{"default": ""}'):
        with edge_function(
            "ops-job-worker", tmp_path, SUPABASE_SERVICE_ROLE_KEY="", SUPABASE_SECRET_KEYS=keys
        ) as alone:
            for key in ("", "undefined", "null"):
                assert refusal(alone.ask("POST", headers={"apikey": key}, key=key)) == (503, "misconfigured")
