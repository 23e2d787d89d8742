"""When something happens to a run: at one of its reports, or between two of its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event as Signal
from typing import Any

from odoo_shadow.mirror.sync.progress import Progress


@dataclass
class Freezer:
    """Holds a run at one of its reports, as if its machine had been asleep."""

    at: int
    reached: Signal = field(default_factory=Signal)
    is_frozen: bool = False
    _thaw: Signal = field(default_factory=Signal)
    _count: int = 0

    def __call__(self, progress: Progress) -> None:  # noqa: ARG002 - the signature of a report
        self._count += 1
        if self._count == self.at:
            self.is_frozen = True
            self.reached.set()
            self._thaw.wait()

    def thaw(self) -> None:
        """Let it go on."""
        self._thaw.set()


def happen_at(count: int, action: Callable[[], None]) -> Callable[[Progress], None]:
    """Let something happen at the so many-th report of a run."""
    left = [count]

    def on_progress(progress: Progress) -> None:
        left[0] -= 1
        if left[0] == 0:
            action()

    return on_progress


def in_step(items: Iterator[Any], **_waiting: object) -> Iterator[Any]:
    """Read ahead in the same thread: always the same order, so that a story can be told again."""
    end = object()
    item = next(items, end)
    while item is not end:
        following = next(items, end)
        yield item
        item = following
