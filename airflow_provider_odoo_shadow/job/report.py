"""Tables for people, in a terminal or in a task's log."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from airflow_provider_odoo_shadow.job.doctor import Finding
from airflow_provider_odoo_shadow.target.sync_log import LogEntry

_LOG_WIDTH = 160


def findings_table(findings: Sequence[Finding]) -> Table:
    """Lay the doctor's findings out."""
    table = Table("what", "verdict", "finding")
    for finding in findings:
        table.add_row(finding.subject, str(finding.verdict), finding.text)
    return table


def entries_table(entries: Sequence[LogEntry]) -> Table:
    """Lay log entries out."""
    table = Table("table", "status", "inserted", "updated", "deleted", "seconds", "message")
    for entry in entries:
        seconds = "" if entry.duration_ms is None else f"{entry.duration_ms / 1000:.1f}"
        counts = (str(entry.rows_inserted), str(entry.rows_updated), str(entry.rows_deleted))
        table.add_row(entry.table, entry.status, *counts, seconds, entry.error_message or "")
    return table


def as_text(table: Table) -> str:
    """Return a table as lines for a log."""
    stream = io.StringIO()
    Console(file=stream, width=_LOG_WIDTH).print(table)
    return stream.getvalue()
