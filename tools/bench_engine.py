"""Benchmarks of the engine itself: how fast it reads, converts and writes, and in how much memory."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from tools.bench_canned import SAMPLE
from tools.bench_report import Measured
from tools.bench_servers import MODEL, Server, canned_server, client_fields, fresh_database, stand_in_server

KILOBYTE = 1024
FEW = 100
"""The memory run of few rows has so many times fewer."""


def measure_engine(postgres: str, rows: int, rounds: int) -> list[Measured]:
    """Measure a first load against its pages thrown away, and against ready-made ones."""
    with stand_in_server(postgres, rows) as odoo:
        drain, sync, columns = _sync_against_drain(postgres, odoo, rounds)
        with canned_server(odoo, rows) as canned:
            _first_page(canned)
            ceiling = statistics.median(_time_of_sync(postgres, canned) for _ in range(rounds))
    return [
        ("columns a row", str(columns), "60"),
        ("drain, rows/s", f"{rows / drain:,.0f}", ""),
        ("whole sync, rows/s", f"{rows / sync:,.0f}", ""),
        ("whole sync ÷ drain", f"{sync / drain:.2f}", "≤ 1.3"),
        ("engine ceiling, rows/s", f"{rows / ceiling:,.0f}", "≥ 10,000"),
    ]


def measure_memory(postgres: str, rows: int) -> list[Measured]:
    """Measure what a process that mirrors many ready-made rows takes more than one that mirrors few."""
    few = max(1, rows // FEW)
    with stand_in_server(postgres, SAMPLE) as odoo:
        small, large = (_peak_megabytes(postgres, odoo, count) for count in (few, rows))
    return [
        (f"peak memory, {few:,} rows", f"{small:.0f} MB", ""),
        (f"peak memory, {rows:,} rows", f"{large:.0f} MB", f"≤ {small + 100:.0f} MB"),
    ]


def _sync_against_drain(postgres: str, odoo: Server, rounds: int) -> tuple[float, float, int]:
    drains, syncs = [], []
    with _source(odoo) as source:
        layout = read_layout(source, MODEL)
        for _ in range(rounds):
            drains.append(_timed(lambda: _drain(source, layout)))
            syncs.append(_time_of_sync(postgres, odoo))
    return statistics.median(drains), statistics.median(syncs), len(layout.reading.fields)


def _drain(source: ApiSource, layout: Layout) -> None:
    up_to_id = source.highest_id(layout.reading)
    for _ in source.pages(layout.reading, up_to_id=up_to_id, page_size=DEFAULT_PAGE_SIZE):
        pass


def _first_page(canned: Server) -> None:
    """Ask for what comes from the stand-in, so that it is there before the clock starts."""
    with _source(canned) as source:
        next(source.pages(read_layout(source, MODEL).reading, up_to_id=1, page_size=DEFAULT_PAGE_SIZE))


def _time_of_sync(postgres: str, odoo: Server) -> float:
    """Mirror into an empty database, and make sure that all rows came."""
    with fresh_database(postgres) as url, _source(odoo) as source, ShadowDatabase.from_url(url) as shadow:
        started = time.perf_counter()
        result = mirror_model(source, shadow, MODEL, run=Run(), options=MirrorOptions())
        seconds = time.perf_counter() - started
        present = source.client.search_count(MODEL, context=ARCHIVED_TOO)
    if result.counts.inserted != present:
        raise AssertionError(f"{result.counts.inserted} of {present} rows were mirrored")
    return seconds


def _peak_megabytes(postgres: str, odoo: Server, rows: int) -> float:
    with canned_server(odoo, rows) as canned, fresh_database(postgres) as url:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        child = context.Process(target=_mirror_and_tell_memory, args=(theirs, canned, url, rows))
        child.start()
        theirs.close()  # so that a child that fails is not waited for
        peak = float(ours.recv())
        child.join()
    return peak


def _mirror_and_tell_memory(answer: Connection, odoo: Server, url: str, rows: int) -> None:
    with _source(odoo) as source, ShadowDatabase.from_url(url) as shadow:
        result = mirror_model(source, shadow, MODEL, run=Run(), options=MirrorOptions())
    if result.counts.inserted != rows:
        raise AssertionError(f"{result.counts.inserted} of {rows} rows were mirrored")
    answer.send(_peak_kilobytes() / KILOBYTE)


def _peak_kilobytes() -> int:
    """Return the most that this process has held; `ru_maxrss` would count what its parent held before `exec`, too."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _source(server: Server) -> ApiSource:
    return ApiSource(OdooClient(client_fields(server)))


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
