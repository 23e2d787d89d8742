"""Airflow as `docker-compose.airflow.yml` lays it out: CeleryExecutor, Redis, metadata in PostgreSQL, workers."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tools import processes
from tools.airflow_home import AirflowHome
from tools.standalone import RunningAirflow, commands

REDIS = "redis-server"
SECONDS_TO_START = 60
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_PACKAGES = 'apache-airflow-providers-celery==3.26.0 "celery[redis]<5.7"'
_TOO_NEW = (5, 7)
"""From there on Celery lacks a name that the provider imports."""


def what_is_missing() -> str | None:
    """Say what this machine lacks for CeleryExecutor; None if nothing."""
    if shutil.which(REDIS) is None:
        return f"needs the program {REDIS} (Debian: apt-get install redis-server)"
    try:
        version("apache-airflow-providers-celery")
        version("redis")
        major, minor = version("celery").split(".")[:2]
    except PackageNotFoundError as missing:
        return f"needs Python's package {missing.name}: pip install {_PACKAGES}"
    if (int(major), int(minor)) >= _TOO_NEW:
        return f"celery {major}.{minor} lacks a name that Airflow's provider imports: pip install {_PACKAGES}"
    return None


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis with a password on loopback that stores nothing; yield its URL."""
    port, password = processes.free_port(), secrets.token_hex(16)
    settings = f'port {port}\nbind 127.0.0.1\nsave ""\ndir {folder}\nrequirepass {password}\n'
    log = folder / "redis.log"
    server = processes.start([REDIS, "-"], {}, log, given=settings)  # its arguments would be seen by everybody
    try:
        _wait_for(port, server, log)
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        processes.end(server)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"Redis has not come up: {log.read_text()}")


def celery_settings(metadata_url: str, broker_url: str) -> dict[str, str]:
    """Return the settings of an Airflow with CeleryExecutor that soon notices the death of a worker.

    :param metadata_url: of an empty PostgreSQL database.
    """
    metadata = metadata_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__CELERY__BROKER_URL": broker_url,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata}",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    }


class Workers:
    """Workers of Celery, each a command with processes of its own."""

    def __init__(self, airflow: RunningAirflow) -> None:
        self._airflow = airflow
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, concurrency: int) -> None:
        """Start a worker, unless it is running."""
        if name not in self._running:
            env = {**self._airflow.env, "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(processes.free_port())}
            words = ("celery", "worker", "--celery-hostname", f"{name}@here", "--concurrency", str(concurrency))
            log = self._airflow.log.with_name(f"{name}.log")
            self._running[name] = processes.start([sys.executable, "-m", "airflow", *words], env, log)

    def of(self, pid: int) -> str:
        """Return the worker that a process belongs to."""
        return next(name for name, worker in self._running.items() if processes.has_in_session(worker, pid))

    def kill(self, name: str) -> None:
        """Kill a worker and its tasks, as if its machine went off."""
        processes.kill(self._running.pop(name))

    def kill_all(self) -> None:
        """Kill those that are left."""
        for name in list(self._running):
            self.kill(name)


@contextmanager
def celery_airflow(home: AirflowHome, *, dag_id: str) -> Iterator[tuple[RunningAirflow, Workers]]:
    """Run all components but the workers, which are started later; end all their processes."""
    with commands(home, [[name] for name in COMPONENTS], dag_id=dag_id) as airflow:
        workers = Workers(airflow)
        try:
            yield airflow, workers
        finally:
            workers.kill_all()
