"""Benchmarks: ratios taken side by side in one run, since machines differ and are shared.

    python -m tools.bench [--rows 100000] [--large 1000000] [--rounds 3]

- Engine ceiling: rows a second when pages come ready-made, so that only reading, converting and writing them count.
- Whole sync against drain: a first load, and the same pages over the same protocol thrown away.
- Proof: what an unchanged table, one deleted row, a new column and a quick verification cost.
- Memory: peak of a process that mirrors many rows, against one that mirrors few.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import click
from rich.console import Console
from rich.table import Table

from airflow_provider_odoo_shadow.job.describing import read_layout
from airflow_provider_odoo_shadow.job.layout import Layout
from airflow_provider_odoo_shadow.job.mirror import mirror_model
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.fields import ATTRIBUTES
from airflow_provider_odoo_shadow.source.pages import newest_id, read_pages
from airflow_provider_odoo_shadow.source.reading import ARCHIVED_TOO
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from tools import signals
from tools.bench_models import measure_models
from tools.bench_proof import measure_proof
from tools.bench_servers import MODEL, Server, canned_server, client_fields, stand_in_server, wide_server
from tools.embedded_postgres import drop_database, embedded_postgres, new_database

KILOBYTE = 1024
FEW_ROWS = 10_000
SAMPLE = 500


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="Rows of the timed runs.")
@click.option("--large", default=1_000_000, show_default=True, help="Rows of the memory run; 0 leaves it out.")
@click.option("--rounds", default=3, show_default=True, help="How often each timed run is taken; the median counts.")
def main(rows: int, large: int, rounds: int) -> None:
    """Measure, and print what was asked for beside what was measured."""
    signals.end_in_order()
    table = Table("what", "measured", "asked for", title=f"{MODEL}, one process, pages of 2,000")
    console = Console(width=None if sys.stdout.isatty() else 120)
    with embedded_postgres() as postgres:
        with stand_in_server(postgres, rows) as odoo:
            console.print(f"Whole sync against drain, {rows:,} rows, {rounds} rounds …")
            drain, sync, columns = _sync_against_drain(postgres, odoo, rounds)
            sample, fields = _sample(odoo)
        table.add_row("columns a row", str(columns), "60")
        table.add_row("drain, rows/s", f"{rows / drain:,.0f}", "")
        table.add_row("whole sync, rows/s", f"{rows / sync:,.0f}", "")
        table.add_row("whole sync ÷ drain", f"{sync / drain:.2f}", "≤ 1.3")
        console.print("Engine ceiling …")
        with canned_server(sample, fields, rows) as canned:
            seconds = statistics.median(_timed(_sync_once(postgres, canned)) for _ in range(rounds))
        table.add_row("engine ceiling, rows/s", f"{rows / seconds:,.0f}", "≥ 10,000")
        console.print("300 models …")
        with wide_server(postgres) as wide:
            for line in measure_models(wide, wide.dsn, lambda: new_database(postgres)):
                table.add_row(*line)
        if large:
            console.print(f"Runs that find little to do, {large:,} rows …")
            with stand_in_server(postgres, large) as odoo, _database(postgres) as url:
                for line in measure_proof(odoo, odoo.dsn, url, large):
                    table.add_row(*line)
            console.print(f"Peak memory, {FEW_ROWS:,} and {large:,} rows …")
            few, many = (_peak_megabytes(postgres, count) for count in (FEW_ROWS, large))
            table.add_row(f"peak memory, {FEW_ROWS:,} rows", f"{few:.0f} MB", "")
            table.add_row(f"peak memory, {large:,} rows", f"{many:.0f} MB", f"≤ {few + 100:.0f} MB")
    console.print(table)


def _sync_against_drain(postgres: str, odoo: Server, rounds: int) -> tuple[float, float, int]:
    drains, syncs = [], []
    with _client(odoo) as client:
        layout = read_layout(client, MODEL)
        for _ in range(rounds):
            drains.append(_timed(lambda: _drain(client, layout)))
            syncs.append(_timed(_sync_once(postgres, odoo)))
    return statistics.median(drains), statistics.median(syncs), len(layout.reading.fields)


def _drain(client: OdooClient, layout: Layout) -> None:
    for _ in read_pages(client, layout.reading, up_to_id=newest_id(client, layout.reading)):
        pass


def _sync_once(postgres: str, odoo: Server) -> Callable[[], None]:
    def sync() -> None:
        with _database(postgres) as url, _client(odoo) as client, ShadowDatabase.from_url(url) as shadow:
            mirror_model(client, shadow, MODEL, run=Run(), options=MirrorOptions())

    return sync


def _sample(odoo: Server) -> tuple[list[dict[str, object]], dict[str, dict[str, object]]]:
    with _client(odoo) as client:
        layout = read_layout(client, MODEL)
        records = client.search_read(MODEL, [], layout.reading.fields, limit=SAMPLE, order="id", context=ARCHIVED_TOO)
        fields = client.fields_get(MODEL, ATTRIBUTES)
    return [dict(record) for record in records], {name: dict(details) for name, details in fields.items()}


def _peak_megabytes(postgres: str, rows: int) -> float:
    with stand_in_server(postgres, rows) as odoo, _database(postgres) as url:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        child = context.Process(target=_mirror_and_tell_memory, args=(theirs, odoo, url))
        child.start()
        peak = float(ours.recv())
        child.join()
    return peak


def _mirror_and_tell_memory(answer: Connection, odoo: Server, url: str) -> None:
    with _client(odoo) as client, ShadowDatabase.from_url(url) as shadow:
        mirror_model(client, shadow, MODEL, run=Run(), options=MirrorOptions())
    answer.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTE)


def _client(server: Server) -> OdooClient:
    return OdooClient(client_fields(server))


@contextmanager
def _database(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
