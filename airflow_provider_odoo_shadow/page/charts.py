"""The geometry of the chart "what changed when": one bar per day, of rows inserted, updated and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from airflow_provider_odoo_shadow.page.wording import grouped
from odoo_shadow.shadow.state.overview import Activity
from odoo_shadow.text.amounts import counted

WIDTH = 640
HEIGHT = 120
_BAR_SHARE = 0.62
_LEAST = 2.0
"""Units of height; less could not be seen."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar.

    :param kind: `inserted`, `updated` or `deleted`.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Bar:
    """A day.

    :param middle: where its label stands.
    :param label: the day, empty where there is no room for it.
    :param said: its numbers in words.
    """

    day: date
    middle: float
    label: str
    segments: tuple[Segment, ...]
    failed: int
    said: str


@dataclass(frozen=True)
class Chart:
    """All of it.

    :param top: the number of rows that the highest bar stands for.
    """

    bars: tuple[Bar, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def said(self) -> str:
        """The chart in one sentence."""
        if not self.top:
            return f"No rows changed in the last {counted(len(self.bars), 'day')}."
        best = max(self.bars, key=lambda bar: sum(part.height for part in bar.segments))
        return f"Rows changed per day, at most {grouped(self.top)}, on {best.day}."


def chart_of(activity: Sequence[Activity]) -> Chart:
    """Lay out the days, oldest first."""
    days = sorted(activity, key=lambda item: item.day)
    top = max((_total(item) for item in days), default=0)
    step = WIDTH / max(1, len(days))
    every = 1 if len(days) <= 7 else 2
    bars = []
    for place, item in enumerate(days):
        left = place * step + step * (1 - _BAR_SHARE) / 2
        is_labelled = (len(days) - 1 - place) % every == 0
        bars.append(
            Bar(
                item.day,
                round(place * step + step / 2, 1),
                f"{item.day:%d %b}" if is_labelled else "",
                _segments(item, top, left, step * _BAR_SHARE),
                item.failed,
                _said(item),
            )
        )
    return Chart(tuple(bars), top)


def _segments(item: Activity, top: int, left: float, width: float) -> tuple[Segment, ...]:
    bottom = float(HEIGHT)
    found = []
    for kind, rows in (
        ("inserted", item.rows_inserted),
        ("updated", item.rows_updated),
        ("deleted", item.rows_deleted),
    ):
        if rows > 0:
            # Three parts at their least height must not reach above the highest bar.
            height = max(_LEAST, rows / top * (HEIGHT - 2 * _LEAST))
            bottom -= height
            found.append(Segment(kind, round(left, 1), round(bottom, 1), round(width, 1), round(height, 1)))
    return tuple(found)


def _total(item: Activity) -> int:
    return item.rows_inserted + item.rows_updated + item.rows_deleted


def _said(item: Activity) -> str:
    text = (
        f"{item.day}: {grouped(item.rows_inserted)} inserted, {grouped(item.rows_updated)} updated, "
        f"{grouped(item.rows_deleted)} deleted"
    )
    return f"{text}, {counted(item.failed, 'failure')}" if item.failed else text
