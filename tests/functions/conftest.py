"""The job worker, served once, and what it believes to be Airflow: a server that answers what a test wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.edge_functions import EdgeFunction, edge_function
from tests.support.raw_server import RawServer

PASSWORD = "airflow-hunter2"
SECRET_KEYS = '{"default": "sb_secret_one1", "n8n": "sb_secret_two2"}'


@pytest.fixture(scope="package")
def upstream() -> Iterator[RawServer]:
    """Where the functions call; `scripted_airflow` or a test decides what it answers."""
    with RawServer() as server:
        yield server


@pytest.fixture(scope="package")
def worker(upstream: RawServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeFunction]:
    """The job worker in front of the scripted Airflow."""
    with edge_function(
        "ops-job-worker",
        tmp_path_factory.mktemp("worker"),
        AIRFLOW_URL=upstream.url,
        AIRFLOW_USERNAME="admin",
        AIRFLOW_PASSWORD=PASSWORD,
        SUPABASE_SECRET_KEYS=SECRET_KEYS,
        SUPABASE_URL="https://project.supabase.co",
    ) as served:
        yield served
        assert PASSWORD not in served.log.read_text(encoding="utf-8")
