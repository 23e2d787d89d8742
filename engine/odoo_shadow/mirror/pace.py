"""How many rows of a table to prove now, so that each is proven within the promised time.

A round, in which each row is compared once, is planned for three quarters of the promised time: the rest is for runs
that start late. What is due grows with the time since the last slice, whatever the interval between runs is.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from odoo_shadow.shadow.state.proofs import Proof
from odoo_shadow.shadow.state.registry import TableStatus

MOST_CELLS = 300_000
"""Cells that every run may read of one table: about a second of Odoo's time (17.0 and 19.0, two cores)."""

LARGE_TABLES_EVERY = timedelta(hours=20)
"""Just under a day, so that of runs every four hours one per day does it."""

DAY = timedelta(days=1)
DAILY_ROWS = 1_000_000
"""Rows of the largest table that is proven each day."""

WEEKLY_ROWS = 10_000_000
"""Rows of the largest table that is proven each week; a larger one takes longer in proportion."""

ROUND_SHARE = 0.75

SHORTEST_PAUSE = timedelta(hours=1)
"""Between two slices of a table: more frequent runs cost nothing more."""

MOST_OF_INTERVAL = 0.5
"""The slices of a run together take no longer than this share of the time since the last one, but always a minute."""

LONGEST_INTERVAL = timedelta(hours=8)
"""A longer pause does not allow the slices more time: the next runs do the rest."""

LEAST_TIME = timedelta(minutes=1)


def is_due_daily(last: datetime | None, now: datetime) -> bool:
    """Say whether something that is done once a day is due."""
    return last is None or now - last >= LARGE_TABLES_EVERY


def promised_time(rows: int) -> timedelta:
    """Return the time within which each row of a table is proven, by its number of rows."""
    if rows <= DAILY_ROWS:
        return DAY
    return math.ceil(7 * max(1.0, rows / WEEKLY_ROWS)) * DAY


def due_rows(proof: Proof, rows: int, page_size: int, now: datetime) -> int:
    """Return about how many rows of a table to compare now: at least a page, or none."""
    elapsed = now - proof.slice_at
    if elapsed < SHORTEST_PAUSE or not rows:
        return 0
    share = elapsed / (promised_time(rows) * ROUND_SHARE)
    return min(rows, max(page_size, math.ceil(rows * share)))


def time_for_slices(elapsed: timedelta) -> timedelta:
    """Return how long the slices of a run may take together.

    :param elapsed: since the last slice of the table that has waited longest.
    """
    return max(LEAST_TIME, min(elapsed, LONGEST_INTERVAL) * MOST_OF_INTERVAL)


def late_proof(table: TableStatus, now: datetime) -> str:
    """Return a sentence on how late the proof of a table is and what to do; empty if it is not late."""
    late = lateness(table.proven_up_to, table.created_at, table.row_count, now)
    if not late:
        return ""
    days = promised_time(table.row_count).days
    every = "day" if days == 1 else f"{days} days"
    said = f"its rows should be proven every {every}, and are {in_seconds(late)} late"
    if not table.rows_per_second:
        return f"{said}: run a sync, or odoo-shadow verify --repair"
    needed = timedelta(seconds=table.row_count / table.rows_per_second)
    return (
        f"{said}: at {table.rows_per_second:.0f} rows per second a round takes {in_seconds(needed)} of Odoo's time; "
        "run more often, or run odoo-shadow verify --repair at night"
    )


def in_seconds(time: timedelta) -> timedelta:
    """Return a time rounded to whole seconds."""
    return timedelta(seconds=round(time.total_seconds()))


def lateness(proven_up_to: datetime | None, known_since: datetime, rows: int, now: datetime) -> timedelta:
    """Return by how much a table's proof is older than promised.

    :param known_since: when the table was registered, from which the time of its first round counts.
    """
    if not rows:
        return timedelta(0)
    return max(timedelta(0), now - (proven_up_to or known_since) - promised_time(rows))
