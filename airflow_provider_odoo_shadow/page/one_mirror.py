"""A mirror's own page: its runs, what changed when, its tables, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from airflow_provider_odoo_shadow.page.access import VisibleMirror
from airflow_provider_odoo_shadow.page.cards import Card, card_of, run_severity
from airflow_provider_odoo_shadow.page.charts import Chart, chart_of
from airflow_provider_odoo_shadow.page.documents import DocumentRow, rows_of_documents
from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.marts import MOST_LISTED, MartRow, rows_of_marts
from airflow_provider_odoo_shadow.page.problems import AirflowRuns, Unreadable
from airflow_provider_odoo_shadow.page.runs import AirflowRun
from airflow_provider_odoo_shadow.page.severity import Severity
from airflow_provider_odoo_shadow.page.tables import TableList, list_of
from airflow_provider_odoo_shadow.page.wording import grouped, in_words
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import mirror_run
from odoo_shadow.mirror.health.overview import MirrorOverview
from odoo_shadow.shadow.state.overview import NotedLeftOut, RunSummary, SchemaChange
from odoo_shadow.text.amounts import counted

MOST_RUNS = 10


@dataclass(frozen=True)
class RunRow:
    """A run of one of the mirror's DAGs, or of the command line.

    :param href: Airflow's own page of it; empty for the command line.
    :param tables: what became of the tables, in words.
    :param rows: what became of their rows, in words.
    """

    name: str
    href: str
    severity: Severity
    state: str
    started_at: datetime | None
    took: str
    tables: str
    rows: str
    note: str


@dataclass(frozen=True)
class MirrorPage:
    """What a mirror's page shows.

    :param marts_left_off: how many marts are not in `marts`.
    :param documents_total: of how many models there are documents.
    :param runs: None if the user may not see the runs of its DAGs.
    :param change_href: for each of `changes`, the address of its table.
    """

    card: Card
    runs: tuple[RunRow, ...] | None
    chart: Chart | None
    marts: tuple[MartRow, ...]
    marts_left_off: int
    documents: tuple[DocumentRow, ...]
    documents_total: int
    tables: TableList | None
    changes: tuple[tuple[SchemaChange, str], ...]
    left_out: tuple[NotedLeftOut, ...]
    left_out_more: int


def mirror_page(
    mirror: VisibleMirror,
    shadow: MirrorOverview | Unreadable,
    runs: AirflowRuns,
    wanted: str,
    links: Links,
    now: datetime,
) -> MirrorPage:
    """Lay out the page.

    :param shadow: its state, or why it cannot be read.
    :param wanted: the filter of the tables.
    """
    card = card_of(mirror, shadow, runs, links, now)
    if isinstance(shadow, Unreadable):
        return MirrorPage(card, _runs(mirror, (), runs, links), None, (), 0, (), 0, None, (), (), 0)
    name = mirror.found.name
    return MirrorPage(
        card=card,
        runs=_runs(mirror, shadow.runs, runs, links),
        chart=chart_of(shadow.activity),
        marts=rows_of_marts(shadow.marts, mirror.found.fresh_within),
        marts_left_off=max(0, len(shadow.marts) - MOST_LISTED),
        documents=rows_of_documents(shadow.documents, mirror.found.fresh_within),
        documents_total=len(shadow.documents.models),
        tables=list_of(mirror.found, shadow.tables, wanted, links, now),
        changes=tuple((item, links.table(name, item.table)) for item in shadow.drift),
        left_out=shadow.left_out,
        left_out_more=max(0, shadow.left_out_total - len(shadow.left_out)),
    )


def _runs(
    mirror: VisibleMirror, of_shadow: Sequence[RunSummary], of_airflow: AirflowRuns, links: Links
) -> tuple[RunRow, ...] | None:
    """Put what Airflow and the shadow know of the same run into one row."""
    if not mirror.runs_of:
        return None
    summaries = {item.run_id: item for item in of_shadow}
    rows = [
        _airflow_row(run, summaries.pop(_identity(run), None), links)
        for dag in mirror.found.dags
        if dag.dag_id in mirror.runs_of
        for run in of_airflow.get(dag.dag_id, ())
    ]
    # A run that Airflow does not list may still be an older one of its own.
    known_since = min((row.started_at for row in rows if row.started_at is not None), default=None)
    rows += [_other_row(item) for item in summaries.values() if known_since is None or item.started_at >= known_since]
    rows.sort(key=lambda row: (row.started_at is None, row.started_at and row.started_at.timestamp()), reverse=True)
    return tuple(rows[:MOST_RUNS])


def _identity(run: AirflowRun) -> UUID:
    return mirror_run(run.dag_id, run.run_id).id


def _airflow_row(run: AirflowRun, summary: RunSummary | None, links: Links) -> RunRow:
    took = in_words(run.ended_at - run.started_at) if run.started_at and run.ended_at else ""
    return RunRow(
        name=f"{run.dag_id}, {run.kind}",
        href=links.run(run.dag_id, run.run_id),
        severity=run_severity(run.state),
        state=run.state,
        started_at=run.started_at,
        took=took,
        tables=_tables(summary) if summary else "",
        rows=_rows(summary) if summary else "",
        note=run.note or "",
    )


def _other_row(summary: RunSummary) -> RunRow:
    is_open = summary.completed_at is None
    severity = Severity.PROBLEM if summary.failed else Severity.NEUTRAL if is_open else Severity.GOOD
    return RunRow(
        name="outside these DAGs",
        href="",
        severity=severity,
        state="failed" if summary.failed else "running" if is_open else "success",
        started_at=summary.started_at,
        took="" if summary.completed_at is None else in_words(summary.completed_at - summary.started_at),
        tables=_tables(summary),
        rows=_rows(summary),
        note="",
    )


def _tables(summary: RunSummary) -> str:
    parts = [
        f"{grouped(number)} {what}"
        for number, what in (
            (summary.unchanged, "unchanged"),
            (summary.failed, "failed"),
            (summary.skipped, "not on the server"),
        )
        if number
    ]
    return counted(summary.tables, "table") + (f" ({', '.join(parts)})" if parts else "")


def _rows(summary: RunSummary) -> str:
    return (
        f"{grouped(summary.rows_inserted)} inserted, {grouped(summary.rows_updated)} updated, "
        f"{grouped(summary.rows_deleted)} deleted"
    )
