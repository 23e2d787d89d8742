"""Apache Superset on loopback, in an environment of its own: prepared, started, spoken to, ended."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tools import processes
from tools.airflow_home import REPOSITORY
from tools.bi_assets import Assets, as_texts
from tools.bi_queries import query_of
from tools.trouble import ToolError

ADMIN = "admin"
PYTHON = REPOSITORY / ".venv-bi" / "bin" / "python"
SECONDS_TO_START = 120.0
SECONDS_TO_ANSWER = 120.0
_INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Answer:
    """What a chart showed, were it looked at.

    :param problem: why it shows nothing; None if it answered.
    """

    chart: str
    rows: int
    seconds: float
    problem: str | None


class SupersetHome:
    """Superset's folder: its metadata and its log, and nobody else's to read.

    :param folder: is made.
    :ivar password: the administrator's, made for this run.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.log = folder / "superset.log"
        self.log.touch(mode=0o600)
        self.password = secrets.token_urlsafe(16)
        self.env = {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            "ODOO_SHADOW_BI_HOME": str(folder),
            "ODOO_SHADOW_BI_SECRET_KEY": secrets.token_urlsafe(42),
            "SUPERSET_CONFIG_PATH": str(REPOSITORY / "bi" / "superset_config.py"),
            "SUPERSET_HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def prepare(self, assets: Assets) -> None:
        """Make its metadata with one administrator, and import the assets. Raises `ToolError`."""
        given = json.dumps({"password": self.password, "files": as_texts(assets, kind="assets")})
        if not PYTHON.exists():
            raise ToolError("Superset is not there: make bi installs it once, into .venv-bi.")
        if processes.run([str(PYTHON), str(REPOSITORY / "bi" / "prepare.py")], self.env, self.log, given=given):
            raise ToolError("Superset does not take the dashboards.", log=self.log)


class RunningSuperset:
    """Superset in its own processes.

    :param url: without a slash at the end.
    """

    def __init__(self, url: str, home: SupersetHome, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.log = home.log
        self.password = home.password
        self._process = process
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between this machine and itself

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return self._session.get(f"{self.url}/health", timeout=5).ok
        except requests.RequestException:
            return False

    def log_in(self) -> None:
        """Let the calls that follow be the administrator's. Raises `ToolError`."""
        login = {"username": ADMIN, "password": self.password, "provider": "db"}
        token = self._call("POST", "/security/login", json=login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str) -> Any:
        """Ask its API, such as `get("/dashboard/sales/charts")`, and return the result. Raises `ToolError`."""
        return self._call("GET", path)["result"]

    def _call(self, method: str, path: str, **given: Any) -> Any:
        try:
            answer = self._session.request(method, f"{self.url}/api/v1{path}", timeout=30, **given)
            answer.raise_for_status()
            return answer.json()
        except requests.RequestException as error:
            raise ToolError(f"Superset does not answer {path}: {type(error).__name__}.", log=self.log) from None

    def ask(self, dashboard: str) -> Iterator[Answer]:
        """Ask each chart of a dashboard for what it shows."""
        for chart in self.get(f"/dashboard/{dashboard}/charts"):
            yield self._ask(chart["slice_name"], chart["form_data"])

    def _ask(self, name: str, params: Mapping[str, Any]) -> Answer:
        dataset_id = int(params["datasource"].partition("__")[0])
        began = time.monotonic()
        try:
            answer = self._session.post(
                f"{self.url}/api/v1/chart/data",
                json=query_of(params, dataset_id=dataset_id),
                timeout=SECONDS_TO_ANSWER,
            )
        except requests.RequestException as error:
            return Answer(name, 0, time.monotonic() - began, type(error).__name__)
        took = time.monotonic() - began
        if not answer.ok:
            return Answer(name, 0, took, " ".join(answer.text.split())[:500])
        (result,) = answer.json()["result"]
        return Answer(name, result["rowcount"], took, result.get("error"))

    def wait_until_up(self) -> None:
        """Wait while it starts. Raises `ToolError`."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.is_up():
            if self._process.poll() is not None:
                raise ToolError("Superset ended while it was starting.", log=self.log)
            if time.monotonic() > deadline:
                raise ToolError(f"Superset was not up after {SECONDS_TO_START:.0f} seconds.", log=self.log)
            time.sleep(0.25)

    def wait(self) -> None:
        """Wait until it ends by itself."""
        self._process.wait()

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()


@contextmanager
def serving(home: SupersetHome, *, port: int) -> Iterator[RunningSuperset]:
    """Serve on loopback until the block ends, then end all its processes. Raises `ToolError`."""
    command = [str(PYTHON), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    command += ["--workers", "1", "--threads", "8", "--timeout", "120", "--worker-tmp-dir", str(home.folder)]
    process = processes.start([*command, "superset.app:create_app()"], home.env, home.log)
    server = RunningSuperset(f"http://127.0.0.1:{port}", home, process)
    try:
        server.wait_until_up()
        server.log_in()
        yield server
    finally:
        processes.end(process)
        server.close()
