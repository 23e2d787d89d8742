"""The progress of a run, and how often it is reported."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.row_counts import RowCounts


@dataclass(frozen=True)
class Progress:
    """The progress of one scan.

    :param done: share of the id range that has been read, 0 to 1.
    """

    model: str
    kind: ScanKind
    counts: RowCounts
    done: float

    def __str__(self) -> str:
        """Return one line for a log."""
        return f"{self.model}: {self.kind}, {self.done:.0%}, {self.counts}"


def not_more_often_than(seconds: float, report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Return a report that passes on the first and the last progress, and in between at most one per `seconds`."""
    next_time = 0.0

    def sometimes(progress: Progress) -> None:
        nonlocal next_time
        now = time.monotonic()
        if now >= next_time or progress.done >= 1:
            next_time = now + seconds
            report(progress)

    return sometimes
