"""Times and numbers as people read them, and the chart's geometry."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from airflow_provider_odoo_shadow.page.charts import HEIGHT, WIDTH, chart_of
from airflow_provider_odoo_shadow.page.wording import ago, in_words, moment, seconds_in_words
from odoo_shadow.shadow.state.overview import Activity

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3 * 3600 + 120, "3 h 2 min"),
        (11 * 3600 + 120, "11 h"),
        (2 * 86400 + 4 * 3600, "2 d 4 h"),
        (40 * 86400 + 4 * 3600, "40 d"),
        (4000 * 86400, "4,000 d"),
    ],
)
def test_a_span(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


def test_a_moment_seen_from_now() -> None:
    assert ago(NOW - timedelta(hours=3), NOW) == "3 h ago"
    assert ago(NOW + timedelta(minutes=5), NOW) == "in 5 min"
    assert ago(NOW - timedelta(seconds=3), NOW) == "just now"
    assert moment(NOW.astimezone()) == "2026-11-26 12:00 UTC"
    assert [seconds_in_words(number) for number in (7, 1500, 61_000)] == ["7 ms", "1.5 s", "1 min"]


def days(*numbers: tuple[int, int, int]) -> list[Activity]:
    return [Activity(date(2026, 11, 1) + timedelta(days=place), *rows, failed=0) for place, rows in enumerate(numbers)]


@pytest.mark.parametrize("numbers", [[(0, 0, 0)] * 14, [(10**12, 1, 1)] * 14, [(1, 1, 1), (10**9, 10**9, 10**9)], []])
def test_bars_stay_within_the_chart(numbers: list[tuple[int, int, int]]) -> None:
    chart = chart_of(days(*numbers))
    assert len(chart.bars) == len(numbers)
    for bar in chart.bars:
        bottom = float(HEIGHT)
        for part in bar.segments:  # one upon the other
            assert part.x >= 0 and part.x + part.width <= WIDTH
            assert part.y + part.height == pytest.approx(bottom, abs=0.2)
            bottom = part.y
        assert bottom >= -4


def test_a_chart_says_its_highest_day() -> None:
    assert chart_of(days((0, 0, 0))).said == "No rows changed in the last 1 day."
    chart = chart_of(days((1, 2, 3), (1000, 0, 0)))
    assert chart.said == "Rows changed per day, at most 1,000, on 2026-11-02."
    assert chart.bars[0].said == "2026-11-01: 1 inserted, 2 updated, 3 deleted"
