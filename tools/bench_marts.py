"""Benchmarks of the marts: all of them, built with dbt on many journal items, and once more."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from psycopg import sql

from odoo_shadow.marts.building import MartsSettings, build_marts
from odoo_shadow.marts.environment import Dbt, find_dbt
from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase, Transaction
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooUnknownModelError
from tools.bench_report import Measured
from tools.bench_servers import Server, client_fields

MARTS = "odoo_marts"
LINES, MOVES = "odoo_shadow_account_move_line", "odoo_shadow_account_move"
_MOVED = ("id", "move_id")
"""Columns that are moved on, so that each copy of an entry is an entry of its own."""


def measure_marts(server: Server, url: str, rows: int) -> list[Measured]:
    """Measure on a mirror of business records with at least so many journal items."""
    dbt = find_dbt()
    with ShadowDatabase.from_url(url) as shadow:
        with ApiSource(OdooClient(client_fields(server))) as odoo:
            run = Run()
            for model in choose_models(odoo, ModelChoice.parse("business")).models:
                with suppress(OdooUnknownModelError):  # not every model is installed
                    mirror_model(odoo, shadow, model, run=run, options=MirrorOptions())
        few = _timed(lambda: _build(dbt, shadow, url))
        with shadow.transaction() as tx:
            _multiply(tx, rows)
        _read_all(shadow)  # the first read of new rows also marks them
        read = _timed(lambda: _read_all(shadow))
        first, again = (_timed(lambda: _build(dbt, shadow, url)) for _ in range(2))
    return [
        ("marts of few rows, seconds, most of them dbt's own", f"{few:.1f}", ""),
        (f"one read of {rows:,} journal items or more, seconds", f"{read:.2f}", ""),
        ("marts of these, seconds", f"{first:.1f}", ""),
        ("the same built again, seconds", f"{again:.1f}", ""),
        ("that ÷ marts of few rows", f"{again / few:.1f}", ""),
    ]


def _build(dbt: Dbt, shadow: ShadowDatabase, url: str) -> None:
    built = build_marts(dbt, shadow, url, MartsSettings(MARTS))
    if built.failed:
        raise AssertionError(built.failed[0])


def _read_all(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        tx.run("SELECT count(*), sum(balance) FROM {lines}", lines=tx.own(LINES))


def _multiply(tx: Transaction, rows: int) -> None:
    """Copy the journal entries until there are so many items."""
    ((present, widest),) = tx.run("SELECT count(*), greatest(max(id), max(move_id)) FROM {lines}", lines=tx.own(LINES))
    copies = max(0, -(-rows // present) - 1)
    for table in (MOVES, LINES):
        names = [
            str(name)
            for (name,) in tx.run(
                "SELECT attname FROM pg_attribute WHERE attrelid = {table}::regclass AND attnum > 0"
                " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
                table=f"{tx.schema}.{table}",
            )
        ]
        values = [
            sql.SQL("{} + n * {}").format(sql.Identifier(name), widest) if name in _MOVED else sql.Identifier(name)
            for name in names
        ]
        tx.run(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {table}, generate_series(1, {copies}) n",
            table=tx.own(table),
            names=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ").join(values),
            copies=copies,
        )
        tx.run("ANALYZE {table}", table=tx.own(table))


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
