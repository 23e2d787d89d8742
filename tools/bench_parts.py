"""What benchmarks measure with: seconds, the peak memory of a process of its own, and a drain of the API."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from tools.bench_servers import Server, client_fields

KILOBYTE = 1024


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def source_of(server: Server) -> ApiSource:
    """Return a server as a source by API."""
    return ApiSource(OdooClient(client_fields(server)))


def drain(source: ApiSource, layout: Layout) -> None:
    """Read all records of a model and throw them away."""
    up_to_id = source.highest_id(layout.reading)
    for _ in source.pages(layout.reading, up_to_id=up_to_id, page_size=DEFAULT_PAGE_SIZE):
        pass


def peak_megabytes(work: Callable[..., None], *args: object) -> float:
    """Return the most memory that a process of its own takes for some work, which must be a function of a module."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_work_and_tell_memory, args=(theirs, work, *args))
    child.start()
    theirs.close()  # so that a child that fails is not waited for
    peak = float(ours.recv())
    child.join()
    return peak


def _work_and_tell_memory(answer: Connection, work: Callable[..., None], *args: object) -> None:
    work(*args)
    answer.send(_peak_kilobytes() / KILOBYTE)


def _peak_kilobytes() -> int:
    """Return the most that this process has held; `ru_maxrss` would count what its parent held before `exec`, too."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
