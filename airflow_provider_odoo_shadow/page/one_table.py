"""A table's own page: its state, runs, verifications, columns, and the buttons that lead to runs for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from airflow_provider_odoo_shadow.page.access import VisibleMirror
from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.mirrors import FoundDag
from airflow_provider_odoo_shadow.page.severity import Fact, Link, Problem, Severity
from airflow_provider_odoo_shadow.page.tables import rate
from airflow_provider_odoo_shadow.page.wording import ago, grouped, in_words, moment, outcome, seconds_in_words
from airflow_provider_odoo_shadow.transfers.watermark_variable import WatermarkVariable
from odoo_shadow.mirror.health.health import TableHealth
from odoo_shadow.mirror.health.overview import TableDetail
from odoo_shadow.shadow.state.overview import ColumnInfo, NotedLeftOut, SchemaChange, TableRun
from odoo_shadow.shadow.state.verifications import Compared


class RunKind(StrEnum):
    """What a run does for one table."""

    SYNC = "sync"
    VERIFY = "verify"


@dataclass(frozen=True)
class TableRunRow:
    """A run's work on the table."""

    run: TableRun
    severity: Severity
    rows: str
    took: str


@dataclass(frozen=True)
class VerificationRow:
    """A comparison of the table with Odoo."""

    found: Compared
    severity: Severity
    outcome: str
    took: str


@dataclass(frozen=True)
class TablePage:
    """What a table's page shows.

    :param starts: the buttons that lead to runs for it.
    :param variable: the Variable that holds its watermark.
    """

    model: str
    table: str
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    starts: tuple[Link, ...]
    variable: Link
    runs: tuple[TableRunRow, ...]
    verifications: tuple[VerificationRow, ...]
    columns: tuple[ColumnInfo, ...]
    changes: tuple[tuple[SchemaChange, str], ...]
    left_out: tuple[NotedLeftOut, ...]


def table_page(mirror: VisibleMirror, detail: TableDetail, links: Links, now: datetime) -> TablePage:
    """Lay out the page."""
    found, health = mirror.found, detail.health
    starts = [
        Link(text, links.start(found.name, health.table, kind), is_airflows=False)
        for kind, text in ((RunKind.SYNC, "Sync this table"), (RunKind.VERIFY, "Verify this table"))
        if _dag_of(mirror, kind) is not None
    ]
    return TablePage(
        model=health.model,
        table=health.table,
        facts=_facts(mirror, health, now),
        problems=tuple(Problem(rate(health, found)[0], text) for text in health.problems),
        starts=tuple(starts),
        variable=Link(WatermarkVariable(found.name, health.table).key, links.variable(found.name, health.table)),
        runs=tuple(map(_run, detail.runs)),
        verifications=tuple(map(_verification, detail.verifications)),
        columns=detail.columns,
        changes=tuple((item, "") for item in detail.drift),
        left_out=detail.left_out,
    )


def _facts(mirror: VisibleMirror, health: TableHealth, now: datetime) -> tuple[Fact, ...]:
    severity, state = rate(health, mirror.found)
    at = "" if health.last_sync_at is None else f"last synced {ago(health.last_sync_at, now)}"
    return (
        Fact("State", severity, state),
        Fact("Rows", Severity.NEUTRAL, grouped(health.rows)),
        Fact("Age", Severity.NEUTRAL, "not loaded" if health.lag is None else in_words(health.lag), at),
        Fact(
            "Watermark",
            Severity.NEUTRAL,
            "none" if health.watermark is None else moment(health.watermark),
            "complete up to this moment",
        ),
        Fact(
            "Proven",
            Severity.NEUTRAL,
            "not yet" if health.proven_up_to is None else f"since {ago(health.proven_up_to, now)}",
            "" if health.proven_up_to is None else "every row compared with Odoo since then",
        ),
    )


def _run(run: TableRun) -> TableRunRow:
    severity = {"success": Severity.GOOD, "error": Severity.PROBLEM}.get(run.status, Severity.NEUTRAL)
    rows = (
        f"{grouped(run.rows_inserted)} inserted, {grouped(run.rows_updated)} updated, "
        f"{grouped(run.rows_deleted)} deleted"
    )
    return TableRunRow(run, severity, rows, "" if run.duration_ms is None else seconds_in_words(run.duration_ms))


def _verification(found: Compared) -> VerificationRow:
    severity = Severity.WARNING if found.had_wrong_rows else Severity.GOOD
    severity = severity if found.is_equal else Severity.PROBLEM
    return VerificationRow(found, severity, outcome(found), seconds_in_words(round(found.seconds * 1000)))


@dataclass(frozen=True)
class StartPage:
    """What is asked before a run for one table is started.

    :param configuration: of the run, as JSON.
    :param trigger: where Airflow's REST API takes it; empty if the user may not start a run.
    """

    kind: RunKind
    model: str
    dag: Link
    is_paused: bool
    configuration: str
    trigger: str


def start_page(mirror: VisibleMirror, health: TableHealth, kind: RunKind, links: Links) -> StartPage | None:
    """Lay out the page; None if the mirror has no DAG that does this."""
    dag = _dag_of(mirror, kind)
    if dag is None:
        return None
    return StartPage(
        kind=kind,
        model=health.model,
        dag=Link(dag.dag_id, links.dag(dag.dag_id)),
        is_paused=dag.is_paused,
        configuration=json.dumps({"models": [health.model]}),
        trigger=links.trigger(dag.dag_id) if dag.dag_id in mirror.may_start else "",
    )


def _dag_of(mirror: VisibleMirror, kind: RunKind) -> FoundDag | None:
    dag = mirror.found.sync if kind is RunKind.SYNC else mirror.found.verify
    return None if dag is None or dag.is_stale else dag
