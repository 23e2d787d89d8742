"""Fetches the next page while this one is written: the network waits, the processor need not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield what an iterator yields, always working on one item in advance, in another thread.

    At most two items are in memory: the one that the caller has and the next. Errors arrive in their turn.
    """
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="odoo-read-ahead") as pool:
        pending = pool.submit(next, items, end)
        while (item := pending.result()) is not end:
            pending = pool.submit(next, items, end)
            yield item  # type: ignore[misc]  # not `end`, so a T
