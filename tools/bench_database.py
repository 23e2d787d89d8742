"""Benchmarks of a first load out of Odoo's own database: against a plain COPY of the same rows, and against the API."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import bind
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.shape.layout import Layout
from odoo_shadow.mirror.sync.parts import load_in_threads
from odoo_shadow.shadow import names
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.database.connection import OdooDatabase
from odoo_shadow.source.database.links import FOR_RANGES
from odoo_shadow.source.database.source import DatabaseSource
from odoo_shadow.source.pages import DEFAULT_PAGE_SIZE
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE
from tools.bench_parts import drain, peak_megabytes, source_of, timed
from tools.bench_report import Measured
from tools.bench_servers import fresh_database, stand_in_server

LINES = "account.move.line"
"""The largest table of most Odoos."""
FEW = 10


def measure_database(postgres: str, rows: int, rounds: int) -> list[Measured]:
    """Measure on a table of journal items; each round takes the plain COPY and the first load in turn."""
    with stand_in_server(postgres, rows, model=LINES) as odoo:
        _vacuum(odoo.dsn)
        taken = _Taken.of(odoo.dsn)
        plain, ours = [], []
        for _ in range(rounds):
            plain.append(_time_of_pipe(postgres, odoo.dsn, taken))
            ours.append(_time_of_load(postgres, odoo.dsn))
        with source_of(odoo) as api:
            by_api = timed(lambda: drain(api, read_layout(api, LINES)))
        peak = peak_megabytes(_load, odoo.dsn, postgres)
    with stand_in_server(postgres, rows // FEW, model=LINES) as odoo:
        few = peak_megabytes(_load, odoo.dsn, postgres)
    load = statistics.median(ours)
    ratio = statistics.median(one / other for one, other in zip(ours, plain, strict=True))
    return [
        ("Odoo's own database: columns a row", str(len(taken.layout.reading.fields)), ""),
        (f"plain COPY of {rows:,} rows, rows/s", f"{rows / statistics.median(plain):,.0f}", ""),
        ("first load of these, rows/s", f"{rows / load:,.0f}", ""),
        ("first load ÷ plain COPY, seconds", f"{ratio:.2f}", "≤ 2.0"),
        ("the same rows by API and thrown away, rows/s", f"{rows / by_api:,.0f}", ""),
        ("first load ÷ API, rows/s", f"{by_api / load:.1f}", "≥ 20 of a real Odoo's"),
        (f"peak memory of a first load, {rows // FEW:,} rows", f"{few:.0f} MB", ""),
        (f"peak memory of a first load, {rows:,} rows", f"{peak:.0f} MB", f"≤ {few + 50:.0f} MB"),
    ]


@dataclass(frozen=True)
class _Taken:
    """What a first load asks Odoo's database for.

    :param statement: its COPY.
    """

    layout: Layout
    statement: str

    @classmethod
    def of(cls, dsn: str) -> _Taken:
        noted: list[str] = []

        class NotingCursor(psycopg.Cursor[TupleRow]):
            def copy(self, statement: Any, *arguments: Any, **named: Any) -> Any:
                noted.append(statement.as_string(self))
                return super().copy(statement, *arguments, **named)

        def connect() -> psycopg.Connection[TupleRow]:
            return psycopg.connect(dsn, cursor_factory=NotingCursor)

        with DatabaseSource(OdooDatabase("bench", connect)) as source:
            layout = read_layout(source, LINES)
            up_to_id = source.highest_id(layout.reading)
            pages = source.copy_pages(
                layout.reading, EVERYWHERE, after_id=BEFORE_ALL, up_to_id=up_to_id, page_size=DEFAULT_PAGE_SIZE
            )
            if pages is None:
                raise AssertionError("the source gives no text for COPY")
            for _ in pages:
                pass
        (statement,) = noted
        return cls(layout, statement)

    def create(self) -> sql.Composed:
        """Return the statement that makes a table for the rows, without indexes."""
        columns = [(names.ID, "bigint"), (names.WRITE_DATE, "timestamptz")]
        columns += [(item.column.name, item.column.type.value) for item in self.layout.columns]
        listed = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns]
        return sql.SQL("CREATE TABLE plain ({})").format(sql.SQL(", ").join(listed))


def _vacuum(dsn: str) -> None:
    """Leave the tables as autovacuum does, or some rounds would meet them before it and some after."""
    with psycopg.connect(dsn, autocommit=True) as odoo:
        odoo.execute("VACUUM ANALYZE")


def _time_of_pipe(postgres: str, dsn: str, taken: _Taken) -> float:
    """Copy the rows block by block, as they come, into a table that has nothing else."""
    with fresh_database(postgres) as url, psycopg.connect(dsn) as odoo, psycopg.connect(url) as shadow:
        shadow.execute(taken.create())
        shadow.commit()
        odoo.execute(f"SET jit TO off; {FOR_RANGES}")  # as the source itself reads them

        def pipe() -> None:
            with (
                odoo.cursor().copy(sql.SQL(taken.statement)) as out,
                shadow.cursor().copy("COPY plain FROM STDIN") as into,
            ):
                for block in out:
                    into.write(block)
            shadow.commit()

        return timed(pipe)


def _time_of_load(postgres: str, dsn: str) -> float:
    """Mirror into a shadow that is there, but for the table, as it is for the plain COPY."""
    with fresh_database(postgres) as url:
        with DatabaseSource(OdooDatabase.from_url(dsn)) as source, ShadowDatabase.from_url(url) as shadow:
            bind(source, shadow, [LINES])
        return timed(lambda: _mirror(dsn, url))


def _load(dsn: str, postgres: str) -> None:
    with fresh_database(postgres) as url:
        _mirror(dsn, url)


def _mirror(dsn: str, url: str) -> None:
    """Mirror into an empty database, and make sure that all rows came."""
    with DatabaseSource(OdooDatabase.from_url(dsn)) as source, ShadowDatabase.from_url(url) as shadow:
        threads = source.access.parallel
        result = load_in_threads(source, shadow, LINES, threads, run=Run(), options=MirrorOptions())
        present = source.count(read_layout(source, LINES).reading)
    if result.counts.inserted != present:
        raise AssertionError(f"{result.counts.inserted} of {present} rows were mirrored")
