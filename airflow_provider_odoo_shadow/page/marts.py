"""The marts of a mirror: what differs from Odoo or is old first, then by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_odoo_shadow.page.severity import Fact, Problem, Severity
from airflow_provider_odoo_shadow.page.wording import ago, grouped
from odoo_shadow.mirror.health.marts import MartHealth, about_more_schemas
from odoo_shadow.text.amounts import counted, first_of

MOST_LISTED = 50
"""Marts in the list; the project makes eight."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class MartRow:
    """A mart in the list.

    :param state: what is wrong with it in a word, or what the last comparison found.
    :param why: what makes it so, and what to do; empty where nothing is.
    """

    mart: str
    marts_schema: str
    severity: Severity
    state: str
    rows: str
    as_of: datetime | None
    built_at: datetime | None
    verified_at: datetime | None
    why: str


def rate_mart(mart: MartHealth, goal: timedelta | None) -> tuple[Severity, str, str]:
    """Say how well a mart is, in a word what it is, and why.

    :param goal: how much newer than it its tables may be; None if nobody has said so.
    """
    late = "" if goal is None else mart.lateness(goal)
    for severity, word, why in (
        (Severity.PROBLEM, "differs", mart.difference),
        (Severity.WARNING, "not loaded", mart.unloaded),
        (Severity.WARNING, "late", late),
        (Severity.WARNING, "not proven", mart.unproven),
        (Severity.WARNING, "to be compared anew", mart.outdated),
        (Severity.NEUTRAL, "left out", mart.glance.left_out_because),
    ):
        if why:
            return severity, word, why
    return (Severity.GOOD, "as in Odoo", "") if mart.is_as_in_odoo else (Severity.NEUTRAL, "not compared yet", "")


def rows_of_marts(marts: Sequence[MartHealth], goal: timedelta | None) -> tuple[MartRow, ...]:
    """List the marts, the worst ones first, and no more than `MOST_LISTED` of them."""
    rated = sorted(((*rate_mart(mart, goal), mart) for mart in marts), key=lambda one: -one[0])
    return tuple(
        MartRow(
            mart=mart.glance.mart,
            marts_schema=mart.glance.marts_schema,
            severity=severity,
            state=state,
            rows="" if mart.glance.rows is None else grouped(mart.glance.rows),
            as_of=mart.glance.as_of,
            built_at=mart.glance.built_at,
            verified_at=mart.glance.verified_at if mart.verdict else None,
            why="" if mart.difference else mart.glance.reason if state == "not proven" else why,
        )
        for severity, state, why, mart in rated[:MOST_LISTED]
    )


def mart_problems(marts: Sequence[MartHealth], more_schemas: int, goal: timedelta | None) -> list[Problem]:
    """Return what is wrong with the marts, a few of each kind by name.

    :param more_schemas: how many schemas of marts were not read.
    """
    problems = [Problem(Severity.WARNING, f"{about_more_schemas(more_schemas)}.")] if more_schemas else []
    for severity, what, texts in (
        (Severity.PROBLEM, "differ from Odoo", [(mart, mart.difference) for mart in marts]),
        (Severity.WARNING, "are older than their tables", [(mart, goal and mart.lateness(goal)) for mart in marts]),
        (Severity.WARNING, "are not loaded", [(mart, mart.unloaded) for mart in marts]),
        (Severity.WARNING, "are not proven", [(mart, mart.unproven) for mart in marts]),
        (Severity.WARNING, "have to be compared anew", [(mart, mart.outdated) for mart in marts]),
    ):
        found = [(mart, text) for mart, text in texts if text]
        problems += [Problem(severity, f"{mart.glance.mart} {text}.") for mart, text in found[:_MOST_NAMED]]
        if len(found) > _MOST_NAMED:
            problems.append(
                Problem(severity, f"{counted(len(found) - _MOST_NAMED, 'more mart')} {what}: see the list.")
            )
    return problems


def marts_fact(marts: Sequence[MartHealth], goal: timedelta | None, now: datetime) -> tuple[Fact, ...]:
    """Say whether the marts are as in Odoo when they were last compared; nothing where there are none."""
    if not marts:
        return ()
    rated = [(*rate_mart(mart, goal), mart.glance) for mart in marts]
    worst = max(severity for severity, *_ in rated)
    if worst >= Severity.WARNING:
        named = [glance.mart for severity, *_, glance in rated if severity is worst]
        words = sorted({state for severity, state, *_ in rated if severity is worst})
        return (Fact("Marts", worst, f"{len(named)} {', '.join(words)}", first_of(named, _MOST_NAMED)),)
    built = [(state, glance) for _, state, _, glance in rated if state != "left out"]
    beside = f"; {len(marts) - len(built)} left out" if len(built) < len(marts) else ""
    since = [glance.verified_at for state, glance in built if state == "as in Odoo" and glance.verified_at is not None]
    if len(since) < len(built) or not since:
        word = f"{len(built) - len(since)} not compared yet" if built else "none"
        return (Fact("Marts", Severity.NEUTRAL, word, f"of {counted(len(built), 'mart')}{beside}"),)
    detail = f"{counted(len(built), 'mart')}{beside}; the oldest comparison {ago(min(since), now)}"
    return (Fact("Marts", Severity.GOOD, "as in Odoo", detail),)
