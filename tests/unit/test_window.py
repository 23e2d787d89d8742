"""The window of a scan: where it begins, what it is called, and when an unfinished one may go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from airflow_provider_odoo_shadow.job.window import Kind, domain_of, kind_of, low_end, resume
from airflow_provider_odoo_shadow.target.watermarks import NEVER, Scan, Watermark

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
MARK = Watermark(NOON)
RUN = uuid4()


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
        (None, None, Kind.FIRST_LOAD),
        (MARK, None, Kind.FULL),
        (MARK, NOON, Kind.INCREMENTAL),
    ],
)
def test_what_a_window_is_called(watermark: Watermark | None, low: datetime | None, kind: Kind) -> None:
    assert kind_of(watermark, low) is kind


def test_no_low_end_means_no_condition() -> None:
    assert list(domain_of(None)) == []


# Fails: domain_of formats a moment in its own zone.
@pytest.mark.parametrize("hours", [0, 9, -5, 5.75])
def test_odoo_is_asked_in_utc_whatever_zone_the_moment_came_in(hours: float) -> None:
    moment = NOON.astimezone(timezone(timedelta(hours=hours)))
    assert list(domain_of(moment)) == [("write_date", ">=", "2024-02-29 12:00:00")]


def test_microseconds_are_cut_off_downwards() -> None:
    (condition,) = domain_of(NOON.replace(microsecond=999_999))
    assert condition == ("write_date", ">=", "2024-02-29 12:00:00")


@pytest.mark.parametrize(
    ("left", "wanted", "goes_on"),
    [
        # An unfinished first load covers every wish but a full run.
        (scan(low=None), scan(low=None), True),
        (scan(low=None), scan(low=NOON), True),
        # An unfinished window covers a later one, not an earlier one.
        (scan(low=NOON), scan(low=NOON), True),
        (scan(low=NOON - HOUR), scan(low=NOON), True),
        (scan(low=NOON), scan(low=NOON - HOUR), False),
        (scan(low=NOON), scan(low=None), False),
        # A full run goes on only from a full one, of this run or not long ago.
        (scan(full=False), scan(full=True), False),
        (scan(full=True), scan(full=True), True),
        (scan(full=True), scan(full=True, run_id=uuid4(), high=NOON + 23 * HOUR), True),
        (scan(full=True), scan(full=True, run_id=uuid4(), high=NOON + 24 * HOUR), False),
        (scan(full=True), scan(full=True, high=NOON + 48 * HOUR), True),
        (scan(full=True), scan(low=NOON), True),
    ],
)
def test_when_an_unfinished_scan_goes_on(left: Scan, wanted: Scan, goes_on: bool) -> None:
    left = Scan(**{**vars(left), "last_id": 40})
    result = resume(left, wanted)
    assert result.last_id == (40 if goes_on else 0)
    assert (result.low, result.high, result.up_to_id) == (
        (left.low, left.high, left.up_to_id) if goes_on else (wanted.low, wanted.high, wanted.up_to_id)
    )


def test_a_scan_that_goes_on_belongs_to_the_run_that_took_it_up() -> None:
    run_id = uuid4()
    assert resume(scan(last_id=40), scan(run_id=run_id)).run_id == run_id


def test_nothing_left_means_the_wanted_scan() -> None:
    wanted = scan(low=NOON)
    assert resume(None, wanted) is wanted
