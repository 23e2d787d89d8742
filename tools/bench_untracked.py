"""Benchmarks of what it costs to find what `write_date` does not tell, per million rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.rolling import due_proofs, prove_slice
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.untracked import UntrackedCheck, refresh_untracked, untracked_columns
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.due_rows import due_rows, note_removed
from odoo_shadow.shadow.state.finished import Finished, finished_tables
from odoo_shadow.source.api.source import ApiSource
from tools.bench_proof import CountingClient, make_older
from tools.bench_report import Measured
from tools.bench_servers import MODEL, Server

MILLION = 1_000_000
TABLE = "odoo_shadow_res_partner"


def measure_untracked(server: Server, odoo_dsn: str, url: str, rows: int) -> list[Measured]:
    """Measure on a table of so many rows, which stay as they are."""
    make_older(odoo_dsn)
    run, options = Run(), MirrorOptions()
    client = CountingClient(server)
    with ApiSource(client) as odoo, ShadowDatabase.from_url(url) as shadow:
        mirror_model(odoo, shadow, MODEL, run=run, options=options)
        with shadow.transaction() as tx:
            (table,) = finished_tables(tx, run.id)
        list(close_run(odoo, shadow, run=run, options=options))
        client.forget()
        again = Run()
        mirror_model(odoo, shadow, MODEL, run=again, options=options)
        own = len(client.methods)
        list(close_run(odoo, shadow, run=again, options=options))
        measured = [
            (
                "no-change run of one model, calls: its own + at the run's end",
                f"{own} + {len(client.methods) - own}",
                "few",
            )
        ]
        columns = untracked_columns(MODEL, table.columns, odoo.access.lang)
        look = UntrackedCheck(tuple(columns))
        measured += [
            _per_million(
                f"{len(columns)} columns that change without write_date",
                rows,
                lambda: refresh_untracked(odoo, shadow, table, look, run=run, options=options),
            ),
            _per_million("rolling proof, every cell", rows, lambda: _prove(odoo, shadow, table, run, options)),
            _per_million("rows that point to 1,000 removed ones", rows, lambda: _find_pointing(shadow)),
        ]
    return measured


def _per_million(what: str, rows: int, work: Callable[[], object]) -> Measured:
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    return f"{what}, seconds per million rows", f"{seconds * MILLION / rows:,.1f}", ""


def _prove(odoo: ApiSource, shadow: ShadowDatabase, table: Finished, run: Run, options: MirrorOptions) -> None:
    """Let a whole round be due."""
    with shadow.transaction() as tx:
        tx.run("UPDATE {p} SET slice_at = slice_at - {day}", p=tx.internal("proof"), day=timedelta(days=7))
    (due,), time_limit = due_proofs(shadow, [table], options.batch_size)
    if prove_slice(odoo, shadow, due, time_limit, run=run, options=options) is not None:
        raise AssertionError("the shadow differs")


def _find_pointing(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        note_removed(tx, TABLE, range(1_000_000_000, 1_000_001_000))
        if due_rows(tx, TABLE).ids:
            raise AssertionError("rows point to what was never there")
