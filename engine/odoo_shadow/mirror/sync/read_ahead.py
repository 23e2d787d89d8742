"""Fetches the next page while this one is written: the network waits, the processor need not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

T = TypeVar("T")


def _nothing() -> None:
    pass


def read_ahead(
    items: Iterator[T], *, while_waiting: Callable[[], None] = _nothing, every: float | None = None
) -> Iterator[T]:
    """Yield what an iterator yields, reading one item ahead in another thread.

    At most two items are in memory: the one that the caller has and the next. Errors are raised in their turn.

    :param while_waiting: called in the caller's thread whenever an item takes longer than `every`.
    :param every: seconds; None waits without calling it.
    """
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="odoo-read-ahead") as pool:
        pending = pool.submit(next, items, end)
        while (item := _result(pending, while_waiting, every)) is not end:
            pending = pool.submit(next, items, end)
            yield item  # type: ignore[misc]  # not `end`, so a T


def _result(pending: Future[T | object], while_waiting: Callable[[], None], every: float | None) -> T | object:
    while True:
        try:
            return pending.result(timeout=every)
        except NotYet:
            if pending.done():  # in this very moment, or the error is the item's own
                return pending.result()
            while_waiting()


def ask(work: Callable[[], T], *, while_waiting: Callable[[], None], every: float) -> T:
    """Return what one long call of a source returns, made in another thread. See `read_ahead`."""
    (found,) = read_ahead((answer() for answer in (work,)), while_waiting=while_waiting, every=every)
    return found
