"""Benchmarks: ratios taken side by side in one run, since machines differ and are shared.

    python -m tools.bench [--rows 100000] [--large 1000000] [--rounds 3] [--only engine] [--output docs/benchmarks.md]

- Engine: rows a second when pages come ready-made, so that only reading, converting and writing them count; and a first
  load against the same pages over the same protocol thrown away.
- Database: a first load of `--large` journal items out of Odoo's own database, against a plain COPY of them from one
  PostgreSQL to the other, and against the same rows by API thrown away.
- Models: making the schema of 300 models, planning a run, a run in which little changed.
- Proof: what an unchanged table, one deleted row, a new column and a quick verification cost.
- Marts: all of them on that many journal items, against one read of these.
- Untracked: what it costs to find what `write_date` does not tell, per million rows.
- Retrieval: how many of the known answers to questions a search finds, how soon, and how long it takes among `--rows`
  documents.
- Memory: peak of a process that mirrors many rows, against one that mirrors few.

A further benchmark is a function that takes the URL of a PostgreSQL server and the sizes, and returns lines; name it in
`BENCHMARKS`, and in `tests/tools/test_bench.py` what its lines are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from odoo_stand_in.invented.wide import MODELS
from tools import signals
from tools.bench_database import measure_database
from tools.bench_engine import measure_engine, measure_memory
from tools.bench_marts import measure_marts
from tools.bench_models import measure_models
from tools.bench_proof import measure_proof
from tools.bench_report import Circumstances, Measured, kept_by_hand, markdown
from tools.bench_retrieval import measure_retrieval
from tools.bench_servers import MODEL, fresh_database, stand_in_server, wide_server
from tools.bench_untracked import measure_untracked
from tools.embedded_postgres import embedded_postgres


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    :param rows: of the timed runs.
    :param large: rows of a table in which little changes, and of the memory run; 0 leaves these benchmarks out.
    :param models: of a mirror of many models.
    :param rounds: how often each timed run is taken; the median counts.
    """

    rows: int
    large: int
    models: int
    rounds: int

    def __str__(self) -> str:
        many = f"{self.large:,} where a line says so, " if self.large else ""
        return f"{self.rows:,} rows, {many}{self.models} models, the median of {self.rounds}"


def _engine(postgres: str, sizes: Sizes) -> list[Measured]:
    return measure_engine(postgres, sizes.rows, sizes.rounds)


def _models(postgres: str, sizes: Sizes) -> list[Measured]:
    with wide_server(postgres, sizes.models) as wide, ExitStack() as databases:
        return measure_models(
            wide, wide.dsn, lambda: databases.enter_context(fresh_database(postgres)), count=sizes.models
        )


def _proof(postgres: str, sizes: Sizes) -> list[Measured]:
    if not sizes.large:
        return []
    with stand_in_server(postgres, sizes.large) as odoo, fresh_database(postgres) as url:
        return measure_proof(odoo, odoo.dsn, url, sizes.large)


def _database(postgres: str, sizes: Sizes) -> list[Measured]:
    return measure_database(postgres, sizes.large, sizes.rounds) if sizes.large else []


def _marts(postgres: str, sizes: Sizes) -> list[Measured]:
    if not sizes.large:
        return []
    with stand_in_server(postgres, schema="business") as odoo, fresh_database(postgres) as url:
        return measure_marts(odoo, url, sizes.large)


def _untracked(postgres: str, sizes: Sizes) -> list[Measured]:
    if not sizes.large:
        return []
    with stand_in_server(postgres, sizes.large) as odoo, fresh_database(postgres) as url:
        return measure_untracked(odoo, odoo.dsn, url, sizes.large)


def _retrieval(postgres: str, sizes: Sizes) -> list[Measured]:
    with (
        stand_in_server(postgres, schema="business") as odoo,
        fresh_database(postgres) as url,
        fresh_database(postgres) as large_url,
    ):
        return measure_retrieval(odoo, url, large_url, sizes.rows)


def _memory(postgres: str, sizes: Sizes) -> list[Measured]:
    return measure_memory(postgres, sizes.large) if sizes.large else []


Benchmark = Callable[[str, Sizes], list[Measured]]
BENCHMARKS: Mapping[str, Benchmark] = {
    "engine": _engine,
    "database": _database,
    "models": _models,
    "proof": _proof,
    "marts": _marts,
    "untracked": _untracked,
    "retrieval": _retrieval,
    "memory": _memory,
}


@click.command()
@click.option("--rows", type=click.IntRange(1), default=100_000, show_default=True, help="Rows of the timed runs.")
@click.option(
    "--large",
    type=click.IntRange(0),
    default=1_000_000,
    show_default=True,
    help="Rows of a table in which little changes, and of the memory run; 0 leaves them out.",
)
@click.option(
    "--models", type=click.IntRange(1, MODELS), default=MODELS, show_default=True, help="Models of a mirror of many."
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="How often each timed run is taken; the median counts.",
)
@click.option("--only", multiple=True, type=click.Choice(list(BENCHMARKS)), help="Take these alone.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the table to this file, too.")
@click.option("--postgres", help="URL of a PostgreSQL server to measure on; without it one is started.")
def main(
    rows: int, large: int, models: int, rounds: int, only: Sequence[str], output: Path | None, postgres: str | None
) -> None:
    """Measure, and print what was asked for beside what was measured."""
    sizes = Sizes(rows, large, models, rounds)
    console = Console(width=None if sys.stdout.isatty() else 120)
    with nullcontext(postgres) if postgres else embedded_postgres() as url:
        circumstances = Circumstances.now(url, output, embedded=not postgres)
        measured: list[Measured] = []
        for name in only or BENCHMARKS:
            console.print(f"{name}: {sizes} …")
            measured += BENCHMARKS[name](url, sizes)
    table = Table("what", "measured", "asked for", title=f"{MODEL}, one process, pages of 2,000")
    for line in measured:
        table.add_row(*line)
    console.print(table)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        by_hand = kept_by_hand(output)
        output.write_text(markdown(measured, circumstances, str(sizes)) + by_hand, encoding="utf-8")
        console.print(f"Written to {output}.")


if __name__ == "__main__":
    signals.end_in_order()
    main()
