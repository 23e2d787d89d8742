"""The longest time between two runs of a cron schedule."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from itertools import pairwise

import pendulum
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import DateTime

_BEGIN = pendulum.datetime(2024, 1, 1, tz="UTC")
_DAYS = 400
"""Days with runs that are looked at: more than a year of them."""
_YEARS = 9
"""No schedule's runs are further apart: 29 February, across a year such as 2100."""
_MOST_PER_DAY = 1440


@cache
def longest_gap(schedule: str) -> timedelta:
    """Return the longest time between two runs, in UTC.

    A cron expression has the same times on each of its days, so that besides those of one day only the steps from a
    day's last time to the next day's first differ.
    """
    ticks = _Ticks(schedule)
    first = ticks.after(_BEGIN)
    if first is None:
        return timedelta(0)
    of_day = ticks.of_day(first)
    # Of more than one time per minute the last ones are not known; they are at the day's end, near enough.
    last = timedelta(days=1) if len(of_day) == _MOST_PER_DAY else of_day[-1] - first.start_of("day")
    gaps = [later - earlier for earlier, later in pairwise(of_day)]
    day, end = first.start_of("day"), _BEGIN.add(years=_YEARS)
    for _ in range(_DAYS):
        following = ticks.after(day.end_of("day"))
        if following is None or following > end:
            break
        gaps.append(following - (day + last))
        day = following.start_of("day")
    return max((timedelta(seconds=gap.total_seconds()) for gap in gaps), default=timedelta(0))


class _Ticks:
    """The times of a schedule."""

    def __init__(self, schedule: str) -> None:
        self._timetable = CronTriggerTimetable(schedule, timezone="UTC")

    def after(self, moment: DateTime) -> DateTime | None:
        """Return the first time after a moment."""
        found = self._timetable.next_dagrun_info(
            last_automated_data_interval=DataInterval.exact(moment),
            restriction=TimeRestriction(earliest=None, latest=None, catchup=True),
        )
        return None if found is None else found.run_after

    def of_day(self, first: DateTime) -> list[DateTime]:
        """Return the times of one day, from its first one on; of more than one per minute, not all."""
        found = [first]
        while len(found) < _MOST_PER_DAY:
            following = self.after(found[-1])
            if following is None or following.date() != first.date():
                break
            found.append(following)
        return found
