"""How many rows of a table are to be proven now, so that each is in the time that is promised.

A round, in which each row is compared once, is planned for three quarters of the promised time: the rest is for runs
that come late. What is due grows with the time since the last slice, whatever the interval between runs is.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from odoo_shadow.shadow.state.proofs import Proof
from odoo_shadow.shadow.state.registry import TableStatus

MOST_CELLS = 300_000
"""What is read of one table after every run: about a second of Odoo's time (17.0 and 19.0, two cores)."""

LARGE_TABLES_EVERY = timedelta(hours=20)
"""So that of runs every four hours one a day does it."""

DAY = timedelta(days=1)
ROWS_A_DAY = 1_000_000
"""Rows of the largest table that is proven each day."""

ROWS_A_WEEK = 10_000_000
"""Rows of the largest table that is proven each week; a larger one takes longer in proportion."""

ROUND_SHARE = 0.75

SHORTEST_PAUSE = timedelta(hours=1)
"""Between two slices of a table: runs that follow each other sooner cost nothing more."""

MOST_OF_INTERVAL = 0.5
"""The slices of a run together take no longer than this share of the time since the last one, but always a minute."""

LONGEST_INTERVAL = timedelta(hours=8)
"""After a longer pause they take no longer than after this one: what is left is done by the next runs."""

LEAST_TIME = timedelta(minutes=1)


def is_due_daily(last: datetime | None, now: datetime) -> bool:
    """Say whether it is time again for what is done once a day."""
    return last is None or now - last >= LARGE_TABLES_EVERY


def promised_time(rows: int) -> timedelta:
    """Return within which time each row of a table is proven."""
    if rows <= ROWS_A_DAY:
        return DAY
    return math.ceil(7 * max(1.0, rows / ROWS_A_WEEK)) * DAY


def due_rows(proof: Proof, rows: int, page_size: int, now: datetime) -> int:
    """Return about how many rows of a table are to be compared now: a page at least, or none."""
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


def told_late(table: TableStatus, now: datetime) -> str:
    """Say by how much a table is proven later than promised, and what would help; nothing if it is not."""
    late = lateness(table.proven_up_to, table.created_at, table.row_count, now)
    if not late:
        return ""
    days = promised_time(table.row_count).days
    every = "day" if days == 1 else f"{days} days"
    said = f"its rows are to be proven every {every}, and are {in_seconds(late)} late"
    if not table.rows_a_second:
        return f"{said}: run a sync, or odoo-shadow verify --repair"
    needed = timedelta(seconds=table.row_count / table.rows_a_second)
    return (
        f"{said}: at {table.rows_a_second:.0f} rows a second a round takes {in_seconds(needed)} of Odoo's time; "
        "run more often, or let odoo-shadow verify --repair do it at night"
    )


def in_seconds(time: timedelta) -> timedelta:
    """Return a time rounded to whole seconds."""
    return timedelta(seconds=round(time.total_seconds()))


def lateness(proven_up_to: datetime | None, known_since: datetime, rows: int, now: datetime) -> timedelta:
    """Return by how much a table's proof is older than promised.

    :param known_since: when the table was registered: its first round has as long from then on.
    """
    if not rows:
        return timedelta(0)
    return max(timedelta(0), now - (proven_up_to or known_since) - promised_time(rows))
