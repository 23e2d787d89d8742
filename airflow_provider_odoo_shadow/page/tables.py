"""The tables of a mirror: problems first, then by model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_odoo_shadow.page.links import Links
from airflow_provider_odoo_shadow.page.mirrors import FoundMirror
from airflow_provider_odoo_shadow.page.severity import Severity
from airflow_provider_odoo_shadow.page.wording import ago, grouped, in_words, moment, outcome
from odoo_shadow.mirror.health.health import TableHealth

MOST_SHOWN = 500
LONGEST_FILTER = 100


@dataclass(frozen=True)
class TableRow:
    """A table in the list.

    :param outcome: what its last verification found.
    :param state: what is wrong with it in a word; `ok` if nothing is.
    """

    model: str
    table: str
    href: str
    rows: str
    lag: str
    watermark: str
    proven: str
    outcome: str
    failed_runs: int
    severity: Severity
    state: str


@dataclass(frozen=True)
class TableList:
    """What a filter leaves of the tables.

    :param wanted: the filter.
    :param total: how many there are without it.
    :param left_off: how many are not shown, although it leaves them.
    """

    rows: tuple[TableRow, ...]
    wanted: str
    total: int
    left_off: int


def list_of(
    mirror: FoundMirror,
    tables: Sequence[TableHealth],
    wanted: str,
    links: Links,
    now: datetime,
) -> TableList:
    """List the tables in whose names, or whose models' names, the filter occurs."""
    sought = wanted.strip()[:LONGEST_FILTER].casefold()
    found = [item for item in tables if sought in item.model.casefold() or sought in item.table.casefold()]
    rated = sorted(((*rate(item, mirror), item) for item in found), key=lambda one: (-one[0], one[2].model))
    rows = tuple(_row(mirror.name, item, severity, state, links, now) for severity, state, item in rated[:MOST_SHOWN])
    return TableList(rows, wanted.strip()[:LONGEST_FILTER], len(tables), len(rated) - len(rows))


def rate(item: TableHealth, mirror: FoundMirror) -> tuple[Severity, str]:
    """Say how well a table is, and in a word why."""
    goal = mirror.fresh_within
    if not mirror.takes(item.model):
        return Severity.NEUTRAL, "not mirrored any more"
    if item.failed_runs:
        return Severity.PROBLEM, "failing"
    if item.verified is not None and not item.verified.is_equal:
        return Severity.PROBLEM, "different"
    if item.lag is not None and goal is not None and item.lag > goal:
        return Severity.PROBLEM, "late"
    if item.late:
        return Severity.WARNING, "proof is late"
    if item.lag is None:
        return Severity.WARNING, "not loaded"
    if item.not_mirrored:
        return Severity.WARNING, "fields refused"
    return Severity.GOOD, "ok"


def _row(mirror: str, item: TableHealth, severity: Severity, state: str, links: Links, now: datetime) -> TableRow:
    return TableRow(
        model=item.model,
        table=item.table,
        href=links.table(mirror, item.table),
        rows=grouped(item.rows),
        lag="" if item.lag is None else in_words(item.lag),
        watermark="" if item.watermark is None else moment(item.watermark),
        proven="" if item.proven_up_to is None else ago(item.proven_up_to, now),
        outcome="" if item.verified is None else outcome(item.verified),
        failed_runs=item.failed_runs,
        severity=severity,
        state=state,
    )
