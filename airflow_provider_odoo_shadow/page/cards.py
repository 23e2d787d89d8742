"""A mirror at a glance: whether it is fresh, proven and complete, and if not, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_odoo_shadow.page.access import VisibleMirror
from airflow_provider_odoo_shadow.page.documents import documents_fact
from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.marts import marts_fact
from airflow_provider_odoo_shadow.page.mirrors import FoundDag, FoundMirror
from airflow_provider_odoo_shadow.page.problems import (
    MOST_NAMED,
    AirflowRuns,
    Unreadable,
    dag_problems,
    mended_at,
    shadow_problems,
)
from airflow_provider_odoo_shadow.page.severity import Fact, Link, Problem, Severity
from airflow_provider_odoo_shadow.page.wording import ago, grouped, in_words, moment
from odoo_shadow.mirror.health.health import TableHealth
from odoo_shadow.mirror.health.overview import MirrorOverview
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.text.amounts import counted, first_of

_DECISIVE = ("Fresh", "Proven", "Failing", "Marts", "Documents")


@dataclass(frozen=True)
class Card:
    """A mirror at a glance.

    :param place: the schema and the connection.
    :param facts: the same ones for every mirror, in the same order; about marts and documents only if it has some.
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
    problems = [*dag_problems(mirror, runs, links, now), *shadow_problems(mirror, shadow, links, now)]
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
            *marts_fact(shadow.marts, found.fresh_within, now),
            *documents_fact(shadow.documents, found.fresh_within, now),
        )
    )
    facts = (*of_shadow, *_run_facts(mirror, runs, now))
    severity = max([Severity.NEUTRAL, *(item.severity for item in facts), *(item.severity for item in problems)])
    verdict = _verdict(severity, problems, of_shadow)
    return Card(
        name=found.name,
        href=links.mirror(found.name),
        place=f"schema {found.schema} in {found.postgres_conn_id}",
        origin=_origin(found, shadow),
        severity=Severity.NEUTRAL if severity is Severity.GOOD and verdict != "all well" else severity,
        verdict=verdict,
        facts=facts,
        problems=tuple(problems),
        dags=tuple(Link(dag.dag_id, links.dag(dag.dag_id)) for dag in found.dags),
    )


def _origin(found: FoundMirror, shadow: MirrorOverview | Unreadable) -> str:
    if isinstance(shadow, Unreadable) or shadow.origin is None:
        if found.odoo_database_conn_id is not None:
            return f"Odoo's own database, connection {found.odoo_database_conn_id}"
        return "Odoo, as the Vault says" if found.from_vault else f"Odoo connection {found.odoo_conn_id}"
    where = ", read from its own PostgreSQL" if shadow.origin.source == SourceKind.DATABASE else ""
    address = f" at {shadow.origin.url}" if shadow.origin.url else ""
    return f"database {shadow.origin.database}{address}{where}"


def _verdict(severity: Severity, problems: Sequence[Problem], facts: Sequence[Fact]) -> str:
    """Say in a word how the mirror is: all is well only if it is fresh by its goal, and proven."""
    if problems:
        return counted(len(problems), "problem")
    if severity > Severity.GOOD:
        return "look at it"
    if all(fact.severity is Severity.GOOD for fact in facts if fact.name in _DECISIVE):
        return "all well"
    return "not known" if severity is Severity.NEUTRAL else "no problem found"


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
    mended = [item for item in tables if mended_at(item, now) is not None]
    filled = [item for item in tables if item.rows]
    since = [item.proven_up_to for item in filled if item.proven_up_to is not None]
    if different:
        named = first_of([item.model for item in different], MOST_NAMED)
        return Fact("Proven", Severity.PROBLEM, f"{counted(len(different), 'table')} different", named)
    if late:
        text = f"{first_of([item.model for item in late], MOST_NAMED)}: compared too long ago"
        return Fact("Proven", Severity.WARNING, f"{grouped(len(late))} late", text)
    if mended:
        when = max(moment for item in mended if (moment := mended_at(item, now)) is not None)
        named = first_of([item.model for item in mended], MOST_NAMED)
        return Fact(
            "Proven", Severity.WARNING, f"{counted(len(mended), 'table')} repaired", f"{named}: {ago(when, now)}"
        )
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
