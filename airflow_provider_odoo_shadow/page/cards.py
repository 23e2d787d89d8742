"""A mirror at a glance: whether it is fresh, proven and complete, and if not, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_odoo_shadow.page.access import VisibleMirror
from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.mirrors import FoundDag
from airflow_provider_odoo_shadow.page.runs import AirflowRun
from airflow_provider_odoo_shadow.page.severity import Fact, Link, Problem, Severity
from airflow_provider_odoo_shadow.page.wording import ago, grouped, in_words, moment, outcome
from odoo_shadow.mirror.health.health import TableHealth
from odoo_shadow.mirror.health.overview import MirrorOverview
from odoo_shadow.text.amounts import counted, first_of

MOST_NAMED = 3
OVERDUE = timedelta(minutes=15)
"""How long after its time the scheduler may begin a run."""
LONG = timedelta(hours=12)
"""How long a run may last before people should look at it."""
_UNFINISHED = ("queued", "running")

AirflowRuns = Mapping[str, Sequence[AirflowRun]]


@dataclass(frozen=True)
class Unreadable:
    """Why a shadow cannot be read.

    :param is_missing: whether the database answers and its schema holds no mirror.
    """

    why: str
    is_missing: bool = False


@dataclass(frozen=True)
class Card:
    """A mirror at a glance.

    :param place: the schema and the connection.
    :param facts: the same ones for every mirror, in the same order.
    :param problems: the worst ones first.
    :param dags: its DAGs in Airflow.
    """

    name: str
    href: str
    place: str
    origin: str
    severity: Severity
    verdict: str
    facts: tuple[Fact, ...]
    problems: tuple[Problem, ...]
    dags: tuple[Link, ...]


def card_of(
    mirror: VisibleMirror, shadow: MirrorOverview | Unreadable, runs: AirflowRuns, links: Links, now: datetime
) -> Card:
    """Sum up a mirror.

    :param shadow: its state, or why it cannot be read.
    """
    found = mirror.found
    problems = [*_dag_problems(mirror, runs, links, now), *_shadow_problems(mirror, shadow, links)]
    problems.sort(key=lambda problem: -problem.severity)
    tables = () if isinstance(shadow, Unreadable) else [item for item in shadow.tables if found.takes(item.model)]
    of_shadow = (
        (Fact("Fresh", Severity.NEUTRAL, "not known"), Fact("Proven", Severity.NEUTRAL, "not known"))
        if isinstance(shadow, Unreadable)
        else (
            freshness(tables, found.fresh_within, found.sync.schedule),
            proof(tables, now),
            _failures(tables),
            _size(shadow.tables),
        )
    )
    facts = (*of_shadow, *_run_facts(mirror, runs, now))
    severity = max([Severity.NEUTRAL, *(item.severity for item in facts), *(item.severity for item in problems)])
    return Card(
        name=found.name,
        href=links.mirror(found.name),
        place=f"schema {found.schema} in {found.postgres_conn_id}",
        origin=_origin(found.odoo_conn_id, shadow),
        severity=severity,
        verdict=_verdict(severity, problems),
        facts=facts,
        problems=tuple(problems),
        dags=tuple(Link(dag.dag_id, links.dag(dag.dag_id)) for dag in found.dags),
    )


def _origin(odoo_conn_id: str, shadow: MirrorOverview | Unreadable) -> str:
    if isinstance(shadow, Unreadable) or shadow.origin is None:
        return f"Odoo connection {odoo_conn_id}"
    return f"database {shadow.origin.database} at {shadow.origin.url}"


def _verdict(severity: Severity, problems: Sequence[Problem]) -> str:
    if problems:
        return counted(len(problems), "problem")
    return {Severity.GOOD: "all well", Severity.NEUTRAL: "not known"}.get(severity, "look at it")


def freshness(tables: Sequence[TableHealth], goal: timedelta | None, schedule: str | None) -> Fact:
    """Say whether the data are as fresh as they should be, or, without a goal, how old the oldest are."""
    lags = [item.lag for item in tables if item.lag is not None]
    if not lags:
        return Fact("Fresh", Severity.NEUTRAL, "nothing yet", "no table has been loaded so far")
    oldest = in_words(max(lags))
    if goal is None:
        beside = f", at schedule {schedule}" if schedule else ", without a schedule"
        return Fact("Fresh", Severity.NEUTRAL, f"up to {oldest} old", f"the oldest table{beside}; no goal is set")
    late = sum(lag > goal for lag in lags) + sum(item.lag is None for item in tables)
    if late:
        text = f"{grouped(late)} of {counted(len(tables), 'table')} older than {in_words(goal)}; the oldest: {oldest}"
        return Fact("Fresh", Severity.PROBLEM, "late", text)
    return Fact("Fresh", Severity.GOOD, "fresh", f"all within {in_words(goal)}; the oldest: {oldest}")


def proof(tables: Sequence[TableHealth], now: datetime) -> Fact:
    """Say whether all rows have been compared with Odoo in time, and were equal."""
    different = [item for item in tables if item.verified is not None and not item.verified.is_equal]
    late = [item for item in tables if item.late]
    filled = [item for item in tables if item.rows]
    since = [item.proven_up_to for item in filled if item.proven_up_to is not None]
    if different:
        named = first_of([item.model for item in different], MOST_NAMED)
        return Fact("Proven", Severity.PROBLEM, f"{counted(len(different), 'table')} different", named)
    if late:
        text = f"{first_of([item.model for item in late], MOST_NAMED)}: compared too long ago"
        return Fact("Proven", Severity.WARNING, f"{grouped(len(late))} late", text)
    if not filled:
        return Fact("Proven", Severity.NEUTRAL, "nothing yet", "no rows so far")
    if len(since) < len(filled):
        text = f"{grouped(len(since))} of {counted(len(filled), 'table')} compared as a whole so far"
        return Fact("Proven", Severity.NEUTRAL, "in its first round", text)
    return Fact("Proven", Severity.GOOD, "proven", f"every row compared with Odoo within {in_words(now - min(since))}")


def _failures(tables: Sequence[TableHealth]) -> Fact:
    failing = [item.model for item in tables if item.failed_runs]
    if failing:
        return Fact("Failing", Severity.PROBLEM, counted(len(failing), "table"), first_of(failing, MOST_NAMED))
    return Fact("Failing", Severity.GOOD, "none")


def _size(tables: Sequence[TableHealth]) -> Fact:
    rows = sum(item.rows for item in tables)
    return Fact("Rows", Severity.NEUTRAL, grouped(rows), f"in {counted(len(tables), 'table')}")


def _run_facts(mirror: VisibleMirror, runs: AirflowRuns, now: datetime) -> tuple[Fact, ...]:
    sync = mirror.found.sync
    return (*([_last_run(sync, runs, now)] if sync.dag_id in mirror.runs_of else []), _next_run(sync, now))


def _last_run(sync: FoundDag, runs: AirflowRuns, now: datetime) -> Fact:
    last = next(iter(runs.get(sync.dag_id, ())), None)
    if last is None:
        return Fact("Last run", Severity.NEUTRAL, "none yet")
    when = ago(last.ended_at or last.started_at or last.due_at, now)
    return Fact("Last run", run_severity(last.state), last.state, f"{when}{'. ' + last.note if last.note else ''}")


def run_severity(state: str) -> Severity:
    """Return how good the state of a run is."""
    return {"success": Severity.GOOD, "failed": Severity.PROBLEM}.get(state, Severity.NEUTRAL)


def _next_run(sync: FoundDag, now: datetime) -> Fact:
    if sync.is_stale:
        return Fact("Next run", Severity.PROBLEM, "never", "no DAG file makes the DAG")
    if sync.is_paused:
        return Fact("Next run", Severity.WARNING, "paused", "")
    if sync.next_run is None or sync.schedule is None:
        return Fact("Next run", Severity.NEUTRAL, "by hand only")
    return Fact("Next run", Severity.NEUTRAL, ago(sync.next_run, now), moment(sync.next_run))


def _dag_problems(mirror: VisibleMirror, runs: AirflowRuns, links: Links, now: datetime) -> list[Problem]:
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
            problems += _run_problems(dag, next(iter(runs.get(dag.dag_id, ())), None), links, now)
    return problems


def _run_problems(dag: FoundDag, last: AirflowRun | None, links: Links, now: datetime) -> list[Problem]:
    if last is not None and last.state == "failed":
        text = f"The last run of {dag.dag_id} failed. {last.note or 'Its tasks say why.'}"
        return [Problem(Severity.PROBLEM, text, Link("open the run", links.run(dag.dag_id, last.run_id)))]
    if last is not None and last.state in _UNFINISHED:
        if now - last.due_at > LONG:
            text = (
                f"The last run of {dag.dag_id} has not ended for {in_words(now - last.due_at)}: see whether its tasks "
                "are at work or wait, for a worker or a slot of their pool."
            )
            return [Problem(Severity.WARNING, text, Link("open the run", links.run(dag.dag_id, last.run_id)))]
    elif dag.next_run is not None and now - dag.next_run > OVERDUE and not (dag.is_paused or dag.is_stale):
        text = (
            f"The run of {dag.dag_id} that was due {ago(dag.next_run, now)} has not begun: see whether Airflow's "
            "scheduler is at work."
        )
        return [Problem(Severity.PROBLEM, text, Link("open the DAG", links.dag(dag.dag_id)))]
    return []


def _shadow_problems(mirror: VisibleMirror, shadow: MirrorOverview | Unreadable, links: Links) -> list[Problem]:
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
        (Severity.WARNING, "proven late", lambda item: item.late),
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
    return problems


def _difference(table: TableHealth) -> str:
    """Say that the last verification of a table left differences; empty if it did not."""
    if table.verified is None or table.verified.is_equal:
        return ""
    return (
        f"it differed from Odoo when it was last verified ({outcome(table.verified)}): verify it with repair, which "
        "reads again what differs"
    )
