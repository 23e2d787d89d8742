"""What Airflow's REST API answers, as far as the job worker asks; each answer can be replaced by trouble."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tests.support.raw_server import RawServer, Reply, Request

TOKEN = "airflow-token-hunter3"
API = "/api/v2/dags/odoo_shadow_sync"


def document(value: object, status: int = 200) -> Reply:
    """An answer of JSON."""
    return Reply(status, json.dumps(value))


def run(run_id: str, state: str = "queued", **more: object) -> dict[str, object]:
    """A DAG run as Airflow shows it, as far as it matters."""
    return {"dag_run_id": run_id, "state": state, "start_date": None, "end_date": None, "note": None, **more}


@dataclass
class ScriptedAirflow:
    """An Airflow with the DAG `odoo_shadow_sync`.

    :param runs: its runs by their ids.
    :param trouble: answers by method and path without a query, instead of its own.
    """

    server: RawServer
    runs: dict[str, dict[str, object]] = field(default_factory=dict)
    trouble: dict[tuple[str, str], Reply] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.requests.clear()
        self.server.everything = self._answer

    @property
    def started(self) -> list[dict[str, object]]:
        """What it was asked to start."""
        return [json.loads(one.body) for one in self.server.requests if (one.method, one.path) == _START]

    def _answer(self, request: Request) -> Reply:
        path = unquote(urlsplit(request.path).path)
        if (reply := self.trouble.get((request.method, path))) is not None:
            return reply
        if (request.method, path) == ("POST", "/auth/token"):
            return document({"access_token": TOKEN}, 201)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return document({"detail": "Not authenticated"}, 401)
        if (request.method, path) == _START:
            made = run(json.loads(request.body)["dag_run_id"])
            if made["dag_run_id"] in self.runs:
                return document({"detail": {"reason": "Unique constraint violation"}}, 409)
            self.runs[str(made["dag_run_id"])] = made
            return document(made)
        if path == API:
            return document({"dag_id": "odoo_shadow_sync", "is_paused": False, "has_import_errors": False})
        if path == f"{API}/dagRuns":
            active = [one for one in self.runs.values() if one["state"] in ("queued", "running")]
            return document({"dag_runs": active[:1], "total_entries": len(active)})
        found = self.runs.get(path.removeprefix(f"{API}/dagRuns/"))
        return document({"detail": "not found"}, 404) if found is None else document(found)


_START = ("POST", f"{API}/dagRuns")
