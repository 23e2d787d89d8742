"""Ctrl-C, SIGTERM and a closed terminal: all three end a tool in the same orderly way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_in_order() -> None:
    """Turn the first of these signals into KeyboardInterrupt; later ones cannot disturb the clean-up."""
    for number in ENDING:
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    ignore()
    raise KeyboardInterrupt


def ignore() -> None:
    """Let nothing disturb what follows."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold the signals back until the block has ended: what starts in it must be known before it can be ended."""
    caught: list[int] = []
    before = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            ignore()
            raise KeyboardInterrupt
