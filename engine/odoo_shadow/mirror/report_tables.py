"""Tables for people, in a terminal or in a task's log. Cells are plain text, whoever wrote them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from odoo_shadow.shadow.state.sync_log import LogEntry
from odoo_shadow.shadow.state.verifications import Outcome
from odoo_shadow.text.findings import Finding
from odoo_shadow.text.log import Block
from odoo_shadow.text.shown import shown

_LOG_WIDTH = 160


def add_row(table: Table, *cells: object) -> None:
    """Add a row of plain texts: what looks like markup is not interpreted."""
    table.add_row(*(Text(shown(cell)) for cell in cells))


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return a table of the doctor's findings."""
    table = Table("what", "verdict", "finding")
    for finding in findings:
        add_row(table, finding.subject, finding.verdict, finding.text)
    return table


def entries_table(entries: Sequence[LogEntry]) -> Table:
    """Return a table of log entries."""
    table = Table("table", "status", "inserted", "updated", "deleted", "seconds", "message")
    for entry in entries:
        seconds = "" if entry.duration_ms is None else f"{entry.duration_ms / 1000:.1f}"
        counts = (entry.rows_inserted, entry.rows_updated, entry.rows_deleted)
        add_row(table, entry.table, entry.status, *counts, seconds, entry.error_message or "")
    return table


def outcomes_table(outcomes: Sequence[Outcome]) -> Table:
    """Return a table of what comparisons with Odoo found."""
    table = Table("table", "rows compared", "missing", "extra", "stale", "differing", "newer", "repaired")
    for item in outcomes:
        add_row(table, *astuple(item))
    return table


def dry_runs_table(dry_runs: Iterable[Mapping[str, object]]) -> Table:
    """Return a table of what a run would do, model by model."""
    table = Table("model", "what", "rows to read", "rows to remove", "changes of the table")
    for item in dry_runs:
        add_row(table, *(item[name] for name in ("model", "kind", "rows_read", "rows_removed", "changes")))
    return table


def as_text(table: Table) -> Block:
    """Return a table as lines for a log."""
    stream = io.StringIO()
    Console(file=stream, width=_LOG_WIDTH, markup=False, emoji=False, highlight=False).print(table)
    return Block(stream.getvalue())
