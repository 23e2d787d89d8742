"""Without Airflow the job worker dispatches a GitHub Actions workflow: once per key, never beside an active run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.edge_functions import EdgeFunction, edge_function
from tests.support.raw_server import RawServer, Reply, Request
from tests.support.scripted_airflow import document

TOKEN = "github-token-hunter4"
SECRET = "never-passed-on-8"
REPOSITORY = "/repos/acme/odoo-shadow"
WORKFLOW = f"{REPOSITORY}/actions/workflows/odoo-shadow.yml"
DISPATCH = ("POST", f"{WORKFLOW}/dispatches")
RUNS = ("GET", f"{WORKFLOW}/runs")


@dataclass
class ScriptedGitHub:
    """A repository with the workflow.

    :param tells_ids: whether a dispatch answers with the run's id, as GitHub does when it is asked to, or with nothing,
        as servers of companies do that do not know the question.
    """

    server: RawServer
    runs: list[dict[str, object]] = field(default_factory=list)
    trouble: dict[tuple[str, str], Reply] = field(default_factory=dict)
    tells_ids: bool = True
    state: str = "active"

    def __post_init__(self) -> None:
        self.server.requests.clear()
        self.server.everything = self._answer

    @property
    def dispatches(self) -> list[dict[str, object]]:
        return [json.loads(one.body) for one in self.server.requests if (one.method, one.path) == DISPATCH]

    def add(self, title: str, status: str = "queued", conclusion: str | None = None) -> dict[str, object]:
        number = 7001 + len(self.runs)
        made: dict[str, object] = {
            "id": number,
            "display_title": title,
            "status": status,
            "conclusion": conclusion,
            "path": ".github/workflows/odoo-shadow.yml@refs/heads/main",
            "html_url": f"https://github.com/acme/odoo-shadow/actions/runs/{number}",
            "run_started_at": "2026-11-27T00:00:00Z",
            "updated_at": "2026-11-27T00:05:00Z",
        }
        self.runs.insert(0, made)
        return made

    def _answer(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {TOKEN}" or not headers.get("user-agent"):
            return document({"message": "Bad credentials"}, 401)
        if (reply := self.trouble.get((request.method, path))) is not None:
            return reply
        if (request.method, path) == DISPATCH:
            return self._dispatch(json.loads(request.body))
        if path == f"{WORKFLOW}/runs":
            return document({"total_count": len(self.runs), "workflow_runs": self.runs})
        if path == WORKFLOW:
            return document({"state": self.state})
        for run in self.runs:
            if path == f"{REPOSITORY}/actions/runs/{run['id']}":
                return document(run)
        return document({"message": "Not Found"}, 404)

    def _dispatch(self, body: dict[str, dict[str, str]]) -> Reply:
        if not self.tells_ids and "return_run_details" in body:
            return document({"message": f'"return_run_details" is not permitted {SECRET}'}, 400)
        made = self.add(body["inputs"]["run_name"])
        if not self.tells_ids:
            return Reply(204)
        return document({"workflow_run_id": made["id"], "run_url": "…", "html_url": made["html_url"]})


@pytest.fixture
def github(upstream: RawServer) -> ScriptedGitHub:
    return ScriptedGitHub(upstream)


@pytest.fixture(scope="module")
def worker(upstream: RawServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeFunction]:
    with edge_function(
        "ops-job-worker",
        tmp_path_factory.mktemp("github"),
        GITHUB_REPOSITORY="acme/odoo-shadow",
        GITHUB_TOKEN=TOKEN,
        GITHUB_API_URL=upstream.url,
    ) as served:
        yield served


@pytest.mark.parametrize("tells_ids", [True, False])
def test_a_key_is_dispatched_once_and_its_run_can_be_asked_for(
    worker: EdgeFunction, github: ScriptedGitHub, tells_ids: bool
) -> None:
    github.tells_ids = tells_ids
    params = {"models": ["res.partner", "sale.*"], "full": True, "batch_size": 100}
    body = {"job_slug": "sync_odoo_shadow", "params": params, "idempotency_key": "one"}
    first = worker.ask("POST", json=body)
    assert first.status_code == 202
    dispatch = github.dispatches[-1]
    name = github.runs[0]["display_title"]
    inputs = {"models": "res.partner,sale.*", "full": "true", "batch_size": "100", "run_name": name}
    assert (dispatch["ref"], dispatch["inputs"]) == ("main", inputs)
    again = worker.ask("POST", json=body)
    assert (again.status_code, again.json()["run_id"]) == (200, "7001")
    other = worker.start(idempotency_key="two")
    assert (other.status_code, other.json()["error"], other.json()["run_id"]) == (409, "run_active", "7001")
    assert len(github.runs) == 1

    run_id = first.json()["run_id"]
    assert run_id == ("7001" if tells_ids else name)
    states = []
    for status, conclusion in (("in_progress", None), ("completed", "success"), ("completed", "cancelled")):
        github.runs[0] |= {"status": status, "conclusion": conclusion}
        told = worker.ask(path=f"?run_id={run_id}").json()
        states.append((told["run_id"], told["state"], told["ended"], told["ended_at"]))
    ended = "2026-11-27T00:05:00Z"
    assert states == [
        ("7001", "running", False, None),
        ("7001", "success", True, ended),
        ("7001", "failed", True, ended),
    ]
    assert told["url"] == "https://github.com/acme/odoo-shadow/actions/runs/7001"


def test_runs_of_other_workflows_are_nobodys_business(worker: EdgeFunction, github: ScriptedGitHub) -> None:
    github.add("deploy", "in_progress")["path"] = ".github/workflows/deploy.yml"
    for run_id in ("7001", "7002", "ops_job_worker__none"):
        answer = worker.ask(path=f"?run_id={run_id}")
        assert (answer.status_code, answer.json()["error"]) == (404, "unknown_run")


def test_verifying_needs_airflow(worker: EdgeFunction, github: ScriptedGitHub) -> None:
    answer = worker.start("verify_odoo_shadow")
    assert (answer.status_code, answer.json()["jobs"]) == (400, ["sync_odoo_shadow"])
    assert "AIRFLOW_URL" in answer.json()["message"]
    assert github.server.requests == []


@pytest.mark.parametrize(
    ("place", "status", "state", "code", "words"),
    [
        (RUNS, 401, "active", (502, "github_refuses_token"), "GITHUB_TOKEN"),
        (RUNS, 403, "active", (502, "github_refuses"), "GITHUB_TOKEN"),
        (RUNS, 404, "active", (502, "workflow_missing"), "odoo-shadow.yml"),
        (RUNS, 500, "active", (502, "github_in_trouble"), "status 500"),
        (RUNS, 302, "active", (502, "upstream_redirects"), "GITHUB_API_URL"),
        (DISPATCH, 422, "active", (502, "github_refuses"), "GITHUB_REF"),
        (DISPATCH, 422, "disabled_inactivity", (503, "workflow_disabled"), "enable it"),
        (DISPATCH, 403, "disabled_manually", (503, "workflow_disabled"), "enable it"),
    ],
)
def test_each_trouble_has_its_sentence(
    worker: EdgeFunction,
    github: ScriptedGitHub,
    place: tuple[str, str],
    status: int,
    state: str,
    code: tuple[int, str],
    words: str,
) -> None:
    github.state = state
    github.trouble[place] = document({"message": f"Traceback {SECRET}"}, status)
    answer = worker.start()
    assert (answer.status_code, answer.json()["error"]) == code
    assert words in answer.json()["message"]
    for secret in (SECRET, TOKEN):
        assert secret not in answer.text and secret not in worker.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"GITHUB_REPOSITORY": "acme/odoo-shadow"}, "GITHUB_TOKEN"),
        ({"GITHUB_REPOSITORY": "acme/../other", "GITHUB_TOKEN": TOKEN}, "GITHUB_REPOSITORY has to be owner/name"),
        ({"GITHUB_REPOSITORY": "a/b", "GITHUB_TOKEN": TOKEN, "GITHUB_WORKFLOW": "../x.yml"}, "GITHUB_WORKFLOW"),
        ({"GITHUB_REPOSITORY": "a/b", "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://ghe.example"}, "use https://."),
    ],
    ids=str,
)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    with edge_function("ops-job-worker", tmp_path, **settings) as worker:
        answer = worker.start()
        assert (answer.status_code, answer.json()["error"]) == (503, "misconfigured")
        assert words in answer.json()["message"]
