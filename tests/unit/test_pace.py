"""How much of a table is proven with each run, so that each row is in the time that is promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from odoo_shadow.mirror.pace import due_rows, lateness, promised_time, time_for_slices
from odoo_shadow.shadow.state.proofs import Proof

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY, MILLION = timedelta(hours=1), timedelta(days=1), 1_000_000


@pytest.mark.parametrize(
    ("rows", "days"),
    [(0, 1), (MILLION, 1), (MILLION + 1, 7), (10 * MILLION, 7), (20 * MILLION, 14), (25 * MILLION, 18)],
)
def test_the_promise_by_size(rows: int, days: int) -> None:
    assert promised_time(rows) == timedelta(days=days)


@pytest.mark.parametrize("rows", [1, 2_000, 2_001, 50_000, MILLION, 3 * MILLION, 30 * MILLION])
@pytest.mark.parametrize("every", [HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY])
def test_each_row_is_proven_in_time_whatever_the_interval(rows: int, every: timedelta) -> None:
    proof, compared, elapsed = Proof(NOON, None, NOON), 0, timedelta(0)
    while compared < rows:
        elapsed += every
        due = due_rows(proof, rows, 2_000, NOON + elapsed)
        if due:
            compared += due
            proof = Proof(NOON, compared, NOON + elapsed)
    assert elapsed <= promised_time(rows)


def test_runs_that_follow_each_other_soon_cost_nothing() -> None:
    assert due_rows(Proof(NOON, None, NOON), MILLION, 2_000, NOON + timedelta(minutes=59)) == 0
    assert due_rows(Proof(NOON, None, NOON), 0, 2_000, NOON + DAY) == 0


def test_the_slices_of_a_run_leave_the_server_half_of_the_time() -> None:
    assert time_for_slices(4 * HOUR) == 2 * HOUR


def test_a_long_pause_does_not_make_the_next_run_last_for_days() -> None:
    assert time_for_slices(30 * DAY) == 4 * HOUR
    assert time_for_slices(timedelta(seconds=1)) == timedelta(minutes=1)


def test_how_late_a_proof_is() -> None:
    assert lateness(NOON, NOON, 5, NOON + DAY) == timedelta(0)
    assert lateness(NOON, NOON, 5, NOON + DAY + HOUR) == HOUR
    assert lateness(None, NOON, 5, NOON + DAY + HOUR) == HOUR
    assert lateness(None, NOON, 0, NOON + 9 * DAY) == timedelta(0)
