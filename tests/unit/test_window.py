"""The window of a scan: where it begins, what it is called, and when an unfinished one may go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from odoo_shadow.mirror.sync.window import ScanKind, can_resume, kind_of, low_end
from odoo_shadow.shadow.state.watermarks import NEVER, Scan, Watermark
from odoo_shadow.source.api.domains import written_since

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
MARK = Watermark(NOON)
RUN, OTHER = uuid4(), uuid4()


def scan(
    *,
    low: datetime | None = None,
    high: datetime = NOON,
    full: bool = False,
    run_id: UUID = RUN,
    last_id: int = 0,
    up_to_id: int = 100,
) -> Scan:
    return Scan(run_id=run_id, full=full, low=low, high=high, up_to_id=up_to_id, last_id=last_id)


@pytest.mark.parametrize(
    ("watermark", "replay_from", "look_back", "read_all", "low"),
    [
        (None, None, QUARTER, False, None),
        (None, NOON, QUARTER, False, None),  # no row: first load, whatever the Variable says
        (MARK, None, QUARTER, False, NOON - QUARTER),
        (MARK, None, timedelta(0), False, NOON),
        (MARK, NOON - HOUR, QUARTER, False, NOON - HOUR - QUARTER),
        (MARK, NOON + HOUR, QUARTER, False, NOON - QUARTER),
        (MARK, NEVER, QUARTER, False, None),
        (MARK, NEVER - HOUR, QUARTER, False, None),
        (MARK, None, QUARTER, True, None),
        (MARK, NOON - HOUR, QUARTER, True, None),
    ],
)
def test_where_a_window_begins(
    watermark: Watermark | None,
    replay_from: datetime | None,
    look_back: timedelta,
    read_all: bool,
    low: datetime | None,
) -> None:
    assert low_end(watermark, replay_from, look_back, read_all=read_all) == low


@pytest.mark.parametrize(
    ("watermark", "low", "kind"),
    [
        (None, None, ScanKind.FIRST_LOAD),
        (MARK, None, ScanKind.FULL),
        (MARK, NOON, ScanKind.INCREMENTAL),
    ],
)
def test_what_a_window_is_called(watermark: Watermark | None, low: datetime | None, kind: ScanKind) -> None:
    assert kind_of(watermark, low) is kind


def test_no_low_end_means_no_condition() -> None:
    assert list(written_since(None)) == []


@pytest.mark.parametrize("hours", [0, 9, -5, 5.75])
def test_odoo_is_asked_in_utc_whatever_zone_the_moment_came_in(hours: float) -> None:
    moment = NOON.astimezone(timezone(timedelta(hours=hours)))
    assert list(written_since(moment)) == [("write_date", ">=", "2024-02-29 12:00:00")]


def test_microseconds_are_cut_off_downwards() -> None:
    (condition,) = written_since(NOON.replace(microsecond=999_999))
    assert condition == ("write_date", ">=", "2024-02-29 12:00:00")


@pytest.mark.parametrize(
    ("left", "full", "has_cursor", "goes_on"),
    [
        # This run's own scan goes on, unless more is wanted than it reads.
        (scan(), False, True, True),
        (scan(), False, False, True),
        (scan(), True, True, False),
        (scan(full=True), True, True, True),
        # Another run's is finished first, as a window of this run's own follows; that needs a cursor.
        (scan(run_id=OTHER), False, True, True),
        (scan(run_id=OTHER), False, False, False),
        # A full run takes up another's only if that was full, too, and not of hours ago.
        (scan(run_id=OTHER), True, True, False),
        (scan(run_id=OTHER, full=True, high=NOON - 0.9 * HOUR), True, True, True),
        (scan(run_id=OTHER, full=True, high=NOON - 1.1 * HOUR), True, True, False),
        (scan(run_id=OTHER, full=True, high=NOON), True, False, False),
    ],
)
def test_when_an_unfinished_scan_goes_on(left: Scan, full: bool, has_cursor: bool, goes_on: bool) -> None:
    assert can_resume(left, RUN, low=None, full=full, has_cursor=has_cursor, now=NOON) is goes_on


@pytest.mark.parametrize(
    ("left_low", "low", "goes_on"),
    [
        (None, None, True),
        (None, NOON, True),
        (NOON, NOON, True),
        (NOON, NOON + HOUR, True),
        (NOON, NOON - HOUR, False),  # somebody has set the watermark back since
        (NOON, None, False),
    ],
)
@pytest.mark.parametrize("run_id", [RUN, OTHER])
def test_a_scan_goes_on_if_it_reaches_back_far_enough(
    left_low: datetime | None, low: datetime | None, goes_on: bool, run_id: UUID
) -> None:
    left = scan(run_id=run_id, low=left_low)
    assert can_resume(left, RUN, low=low, full=False, has_cursor=True, now=NOON) is goes_on
