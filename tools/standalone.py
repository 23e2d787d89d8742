"""A whole Airflow on loopback: started, waited for, spoken to, ended."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from tools import processes
from tools.airflow_home import DAG_ID, AirflowHome
from tools.trouble import ToolError

ADMIN = "admin"
PLUGINS = Path(__file__).with_name("airflow_plugins")
SECONDS_TO_START = 180.0
_COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class RunningAirflow:
    """A whole Airflow in its own processes.

    :param url: of its web interface, without a slash at the end.
    :param log: what its processes print.
    :param password: the administrator's.
    :param env: the environment of its commands.
    :param processes: the commands that run all of it.
    """

    def __init__(
        self, url: str, log: Path, password: str, env: Mapping[str, str], processes: Sequence[subprocess.Popen[bytes]]
    ) -> None:
        self.url = url
        self.log = log
        self.password = password
        self.env = env
        self._processes = processes
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between this machine and itself

    @property
    def token(self) -> str:
        """A fresh access token of the administrator."""
        login = {"username": ADMIN, "password": self.password}
        answer = self._session.post(f"{self.url}/auth/token", json=login, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API, such as `call("GET", "/dags")`, and return its answer.

        :raises requests.HTTPError: it answered with an error.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self._session.request(method, f"{self.url}/api/v2{path}", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def is_healthy(self) -> bool:
        """Whether all its components are at work."""
        try:
            states = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
            return all(states[name]["status"] == "healthy" for name in _COMPONENTS)
        except (requests.RequestException, KeyError):
            return False

    def has_dag(self, dag_id: str) -> bool:
        """Whether the DAG processor has read a DAG."""
        try:
            self.call("GET", f"/dags/{dag_id}")
        except requests.RequestException:
            return False
        return True

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for something that it does while it starts. Raises `ToolError`."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not ready():
            if any(process.poll() is not None for process in self._processes):
                raise ToolError("Airflow ended while it was starting.", log=self.log)
            if time.monotonic() > deadline:
                raise ToolError(f"Airflow was not up after {SECONDS_TO_START:.0f} seconds.", log=self.log)
            time.sleep(0.25)

    def wait(self) -> None:
        """Wait until it ends by itself."""
        for process in self._processes:
            process.wait()

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()


def standalone(
    home: AirflowHome, *, port: int | None = None, dag_id: str = DAG_ID
) -> AbstractContextManager[RunningAirflow]:
    """Run `airflow standalone`. See `commands`."""
    return commands(home, [["standalone"]], port=port, dag_id=dag_id)


@contextmanager
def commands(
    home: AirflowHome, started: Sequence[Sequence[str]], *, port: int | None = None, dag_id: str = DAG_ID
) -> Iterator[RunningAirflow]:
    """Run `airflow` commands on loopback, from when all is healthy and knows the DAG; end all their processes.

    :param started: the commands that make a whole Airflow, without `airflow`.
    :param port: of the web interface; a free one by default.
    :raises ToolError: it does not come up.
    """
    port = port or processes.free_port()
    url = f"http://127.0.0.1:{port}"
    password = secrets.token_urlsafe(16)
    env = {**_settings(home, url), **_one_administrator(home, password)}
    with ExitStack() as stack:
        running = []
        for words in started:
            running.append(processes.start([sys.executable, "-m", "airflow", *words], env, home.log))
            stack.callback(processes.end, running[-1])
        server = RunningAirflow(url, home.log, password, env, running)
        stack.callback(server.close)
        server.wait_until(server.is_healthy)
        server.wait_until(lambda: server.has_dag(dag_id))
        yield server


def _one_administrator(home: AirflowHome, password: str) -> dict[str, str]:
    """Let in whoever knows this run's password, which stands in a file that nobody else on this machine can read."""
    file = home.folder / "passwords.json"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps({ADMIN: password}), encoding="utf-8")
    return {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:ADMIN",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
    }


def _settings(home: AirflowHome, url: str) -> dict[str, str]:
    return {
        # Each worker is a process that holds all of Airflow in memory.
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        **home.env,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": url.rsplit(":", 1)[1],
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(processes.free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(processes.free_port()),
    }
