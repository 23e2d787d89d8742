"""What attacks need: servers that answer what they want, hostile databases, and Airflow's tasks."""

from __future__ import annotations

from tests.dags.conftest import airflow_database, connections, dags, mirror_dag, mirror_dags, variables
from tests.security.databases import database_server, hostile, postgres_15
from tests.source.conftest import client, client_to, quick_retries, server

__all__ = [
    "airflow_database",
    "client",
    "client_to",
    "connections",
    "dags",
    "database_server",
    "hostile",
    "mirror_dag",
    "mirror_dags",
    "postgres_15",
    "quick_retries",
    "server",
    "variables",
]
