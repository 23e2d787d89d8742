"""Benchmarks of the engine itself: how fast it reads, converts and writes, and in how much memory."""

from __future__ import annotations

import statistics
import time

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from tools.bench_canned import SAMPLE
from tools.bench_parts import drain, peak_megabytes, source_of, timed
from tools.bench_report import Measured
from tools.bench_servers import MODEL, Server, canned_server, fresh_database, stand_in_server

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
    with source_of(odoo) as source:
        layout = read_layout(source, MODEL)
        for _ in range(rounds):
            drains.append(timed(lambda: drain(source, layout)))
            syncs.append(_time_of_sync(postgres, odoo))
    return statistics.median(drains), statistics.median(syncs), len(layout.reading.fields)


def _first_page(canned: Server) -> None:
    """Ask for what comes from the stand-in, so that it is there before the clock starts."""
    with source_of(canned) as source:
        next(source.pages(read_layout(source, MODEL).reading, up_to_id=1, page_size=DEFAULT_PAGE_SIZE))


def _time_of_sync(postgres: str, odoo: Server) -> float:
    """Mirror into an empty database, and make sure that all rows came."""
    with fresh_database(postgres) as url, source_of(odoo) as source, ShadowDatabase.from_url(url) as shadow:
        started = time.perf_counter()
        result = mirror_model(source, shadow, MODEL, run=Run(), options=MirrorOptions())
        seconds = time.perf_counter() - started
        present = source.client.search_count(MODEL, context=ARCHIVED_TOO)
    if result.counts.inserted != present:
        raise AssertionError(f"{result.counts.inserted} of {present} rows were mirrored")
    return seconds


def _peak_megabytes(postgres: str, odoo: Server, rows: int) -> float:
    with canned_server(odoo, rows) as canned, fresh_database(postgres) as url:
        return peak_megabytes(_mirror, canned, url, rows)


def _mirror(odoo: Server, url: str, rows: int) -> None:
    with source_of(odoo) as source, ShadowDatabase.from_url(url) as shadow:
        result = mirror_model(source, shadow, MODEL, run=Run(), options=MirrorOptions())
    if result.counts.inserted != rows:
        raise AssertionError(f"{result.counts.inserted} of {rows} rows were mirrored")
