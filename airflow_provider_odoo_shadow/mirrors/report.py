"""The last step of a run: what became of each model, read from the shadow's own log."""

from __future__ import annotations

import io
import logging

from airflow.sdk import Context
from rich.console import Console
from rich.table import Table

from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.mirrors.config import MirrorConfig
from airflow_provider_odoo_shadow.target.base import schema_version
from airflow_provider_odoo_shadow.target.sync_log import LogEntry, entries_of_run
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import mirror_run

log = logging.getLogger(__name__)

_WIDTH = 160


def report_run(context: Context, mirror: MirrorConfig, task_id: str) -> None:
    """Log a table of the run's models. Raises a `ShadowError` when the shadow cannot be read."""
    dag_run = context["dag_run"]
    run = mirror_run(dag_run.dag_id, dag_run.run_id)
    with shadow_database(mirror.postgres_conn_id, mirror.schema_name) as shadow, shadow.transaction() as tx:
        entries = entries_of_run(tx, run.id) if schema_version(tx) else []
    states = context["ti"].get_task_states(dag_id=dag_run.dag_id, task_ids=[task_id], run_ids=[dag_run.run_id])
    counted = list(states.get(dag_run.run_id, {}).values())
    log.info("Mapped tasks: %s", ", ".join(f"{counted.count(s)} {s}" for s in sorted(set(counted))) or "none")
    if entries:
        log.info("What each model's last try did:\n%s", as_text(entries))


def as_text(entries: list[LogEntry]) -> str:
    """Lay log entries out as a table."""
    table = Table("table", "status", "inserted", "updated", "deleted", "seconds", "message")
    for entry in entries:
        seconds = "" if entry.duration_ms is None else f"{entry.duration_ms / 1000:.1f}"
        counts = (str(entry.rows_inserted), str(entry.rows_updated), str(entry.rows_deleted))
        table.add_row(entry.table, entry.status, *counts, seconds, entry.error_message or "")
    stream = io.StringIO()
    Console(file=stream, width=_WIDTH).print(table)
    return stream.getvalue()
