"""A time as people and language models write it: a day will do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta

_DAY = "2026-10-31"


@dataclass(frozen=True)
class Period:
    """A moment, or a day in UTC.

    :param end: the moment after its last one.
    """

    start: datetime
    end: datetime

    @property
    def is_day(self) -> bool:
        """Whether it is a whole day."""
        return self.end > self.start

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read an ISO 8601 date, or date and time; without a zone it is in UTC. Raises a `ValueError`."""
        plain = text.strip()
        moment = datetime.fromisoformat(plain)
        start = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        is_day = len(plain) <= len(_DAY) and start.year < MAXYEAR
        return cls(start, start + timedelta(days=1) if is_day else start)
