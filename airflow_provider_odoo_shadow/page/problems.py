"""What is wrong with a mirror, and what to do about it: its DAGs and runs in Airflow, its tables in the shadow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from airflow_provider_odoo_shadow.page.access import VisibleMirror
from airflow_provider_odoo_shadow.page.documents import document_problems
from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.marts import mart_problems
from airflow_provider_odoo_shadow.page.mirrors import FoundDag
from airflow_provider_odoo_shadow.page.runs import AirflowRun
from airflow_provider_odoo_shadow.page.severity import Link, Problem, Severity
from airflow_provider_odoo_shadow.page.wording import ago, in_words, outcome
from odoo_shadow.mirror.health.health import TableHealth
from odoo_shadow.mirror.health.overview import MirrorOverview
from odoo_shadow.text.amounts import counted, first_of

MOST_NAMED = 3
OVERDUE = timedelta(minutes=15)
"""How long after its time the scheduler may begin a run."""
LONG = timedelta(hours=12)
"""How long a run may last before people should look at it."""
RECENT = timedelta(days=7)
"""How long the page tells of rows that were wrong and have been repaired."""
_UNFINISHED = ("queued", "running")

AirflowRuns = Mapping[str, Sequence[AirflowRun]]


@dataclass(frozen=True)
class Unreadable:
    """Why a shadow cannot be read.

    :param is_missing: whether the database answers and its schema holds no mirror.
    """

    why: str
    is_missing: bool = False


def dag_problems(mirror: VisibleMirror, runs: AirflowRuns, links: Links, now: datetime) -> list[Problem]:
    """Return what is wrong with a mirror's DAGs and their runs."""
    found, sync = mirror.found, mirror.found.sync
    open_dag = Link("open the DAG", links.dag(sync.dag_id))
    if sync.is_stale:
        return [
            Problem(
                Severity.PROBLEM,
                f"No DAG file makes this mirror any more: its tables in schema {found.schema} stay as they are. If "
                "Airflow's home page shows an import error, mend that first: nothing is lost. Else put the mirror "
                "back into the mirrors file; or, if nobody needs its tables, drop the schema and the one beside it, "
                "whose name ends in _internal, and delete the DAG.",
                open_dag,
            )
        ]
    problems = []
    if sync.is_paused:
        text = "The DAG is paused, so nothing brings the tables up to date: unpause it."
        problems.append(Problem(Severity.WARNING, text, open_dag))
    for dag in found.dags:
        for pool in dag.missing_pools:
            text = (
                f"There is no pool {pool}, so tasks of {dag.dag_id} never start: add it, or correct the mirrors file."
            )
            problems.append(Problem(Severity.PROBLEM, text, Link("open the pools", links.pools())))
        if dag.dag_id in mirror.runs_of:
            problems += _run_problems(dag, runs.get(dag.dag_id, ()), links, now)
    return problems


def _run_problems(dag: FoundDag, runs: Sequence[AirflowRun], links: Links, now: datetime) -> list[Problem]:
    unfinished = [run for run in runs if run.state in _UNFINISHED]
    ended = next((run for run in runs if run.state not in _UNFINISHED), None)
    problems = []
    if ended is not None and ended.state == "failed":
        text = f"The last run of {dag.dag_id} that has ended failed. {ended.note or 'Its tasks say why.'}"
        problems.append(Problem(Severity.PROBLEM, text, Link("open the run", links.run(dag.dag_id, ended.run_id))))
    for run in unfinished[-1:]:
        if now - run.due_at > LONG:
            text = (
                f"A run of {dag.dag_id} has not ended for {in_words(now - run.due_at)}: see whether its tasks are at "
                "work or wait, for a worker or a slot of their pool."
            )
            problems.append(Problem(Severity.WARNING, text, Link("open the run", links.run(dag.dag_id, run.run_id))))
    is_awaited = dag.next_run is not None and not (unfinished or dag.is_paused or dag.is_stale)
    if is_awaited and dag.next_run is not None and now - dag.next_run > OVERDUE:
        text = (
            f"The run of {dag.dag_id} that was due {ago(dag.next_run, now)} has not begun: see whether Airflow's "
            "scheduler is at work."
        )
        problems.append(Problem(Severity.PROBLEM, text, Link("open the DAG", links.dag(dag.dag_id))))
    return problems


def shadow_problems(
    mirror: VisibleMirror, shadow: MirrorOverview | Unreadable, links: Links, now: datetime
) -> list[Problem]:
    """Return what is wrong with a mirror's tables, a few of each kind by name."""
    found = mirror.found
    if isinstance(shadow, Unreadable):
        if shadow.is_missing and not found.sync.is_stale:
            text = f"Schema {found.schema} holds no mirror yet: start a run of {found.sync.dag_id}, which makes it."
            return [Problem(Severity.WARNING, text, Link("open the DAG", links.dag(found.sync.dag_id)))]
        link = Link("open the connection", links.connection(found.postgres_conn_id))
        return [Problem(Severity.PROBLEM, shadow.why, link)]
    problems = [Problem(Severity.PROBLEM, text) for text in shadow.problems]
    taken, goal = [item for item in shadow.tables if found.takes(item.model)], found.fresh_within
    late = [item.model for item in taken if goal is not None and item.lag is not None and item.lag > goal]
    if goal is not None and late:
        text = (
            f"Data are older than the goal of {in_words(goal)} ({first_of(late, MOST_NAMED)}): see whether runs fail, "
            "wait for one another or take too long, let the DAG run more often than that, and take models that Odoo "
            "does not have any more out of the mirrors file."
        )
        problems.append(Problem(Severity.PROBLEM, text, Link("open the DAG", links.dag(found.sync.dag_id))))
    seen: set[str] = set()
    for severity, what, say in (
        (Severity.PROBLEM, "failing", lambda item: item.failing),
        (Severity.PROBLEM, "different from Odoo", _difference),
        (Severity.WARNING, "repaired", partial(_mended, now=now)),
        (Severity.WARNING, "not loaded yet", _not_loaded),
        (Severity.WARNING, "proven late", lambda item: item.late),
        (Severity.WARNING, "with fields that Odoo refuses", lambda item: item.refused),
    ):
        tables = [item for item in taken if item.table not in seen and say(item)]
        seen |= {item.table for item in tables}
        for item in tables[:MOST_NAMED]:
            link = Link("open the table", links.table(found.name, item.table), is_airflows=False)
            problems.append(Problem(severity, f"{item.model}: {str(say(item)).removesuffix('.')}.", link))
        if len(tables) > MOST_NAMED:
            link = Link("open the mirror", links.mirror(found.name), is_airflows=False)
            text = f"{counted(len(tables) - MOST_NAMED, 'more table')}: {what}."
            problems.append(Problem(severity, text, link))
    problems += mart_problems(shadow.marts, shadow.more_marts_schemas, goal)
    return [*problems, *document_problems(shadow.documents, goal)]


def mended_at(table: TableHealth, now: datetime) -> datetime | None:
    """Return when rows of a table were found wrong and repaired, if that was not long ago."""
    found = [item for item in (table.verified, table.differed) if item is not None and item.had_wrong_rows]
    newest = max((item.started_at for item in found), default=None)
    return newest if newest is not None and now - newest < RECENT else None


def _mended(table: TableHealth, now: datetime) -> str:
    moment = mended_at(table, now)
    if moment is None:
        return ""
    return (
        f"rows were wrong until {ago(moment, now)} and have been repaired: see the log of the task that compared them, "
        "which names the first cells, and what in Odoo writes them without a write_date, such as SQL of a module"
    )


def _not_loaded(table: TableHealth) -> str:
    return (
        ""
        if table.lag is not None or table.failed_runs
        else "its first load has not ended: wait for the run, or see why none runs"
    )


def _difference(table: TableHealth) -> str:
    """Say that the last verification of a table left differences; empty if it did not."""
    if table.verified is None or table.verified.is_equal:
        return ""
    return (
        f"it differed from Odoo when it was last verified ({outcome(table.verified)}): verify it with repair, which "
        "reads again what differs"
    )
