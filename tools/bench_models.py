"""Benchmarks of a mirror of 300 models: making the schema, planning a run, a run in which little changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen, choose_models
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.ddl_files import ModelTable, base_migration, tables_migration
from odoo_shadow.shadow.views.named_views import renew_due_views
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in.invented.wide import MODELS
from tools.bench_proof import CountingClient
from tools.bench_report import Measured
from tools.bench_servers import Server

CHANGED = 5


def measure_models(
    server: Server, odoo_dsn: str, new_database: Callable[[], str], count: int = MODELS
) -> list[Measured]:
    """Measure so many models of the wide flavour; writes a few of its rows."""
    client = CountingClient(server)
    with ApiSource(client) as odoo:
        models = choose_models(odoo, ModelChoice.parse("wide.*")).models
        if len(models) < count:
            raise AssertionError(f"{len(models)} models were found")
        models = models[:count]
        measured = [_schema(odoo, new_database(), models)]
        with ShadowDatabase.from_url(new_database()) as shadow:
            _make_older(odoo_dsn, models)
            first = _timed(lambda: _run(odoo, shadow, models))
            measured.append((f"first load of {len(models)} models, seconds", f"{first:.1f}", ""))
            measured += _planning(odoo, client, shadow, models)
            measured += _few_changes(odoo, shadow, models)
    return measured


def _schema(odoo: ApiSource, url: str, models: Sequence[str]) -> Measured:
    started = time.perf_counter()
    layouts = [read_layout(odoo, model) for model in models]
    tables = [
        ModelTable(item.model, tuple(each.column for each in item.all_columns), label=item.model) for item in layouts
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        for text in (base_migration("odoo_shadow"), tables_migration("odoo_shadow", tables)):
            connection.execute(text.encode())
    seconds = time.perf_counter() - started
    columns = sum(len(item.columns) for item in tables) // len(tables)
    return f"schema of {len(models)} models of {columns} columns from nothing, seconds", f"{seconds:.1f}", "≤ 20"


def _planning(odoo: ApiSource, client: CountingClient, shadow: ShadowDatabase, models: Sequence[str]) -> list[Measured]:
    client.forget()
    started = time.perf_counter()
    plan = plan_run(odoo, shadow, Chosen(tuple(models)), run=Run(), options=MirrorOptions())
    seconds = time.perf_counter() - started
    if plan.work:
        raise AssertionError(f"{plan.work[0]} although nothing was written")
    return [
        (f"planning {len(models)} models, seconds", f"{seconds:.2f}", "≤ 5"),
        ("calls a model of that", f"{len(client.methods) / len(models):.2f}", "≤ 2"),
    ]


def _few_changes(odoo: ApiSource, shadow: ShadowDatabase, models: Sequence[str]) -> list[Measured]:
    changed = models[:CHANGED]
    for model in changed:
        (record_id,) = odoo.client.search(model, limit=1)
        odoo.client.execute_kw(model, "write", [[record_id], {"name": "changed"}])
    planned = _timed(lambda: _run(odoo, shadow, models))
    mapped = _timed(lambda: _mirror(odoo, shadow, models))
    share = planned / mapped
    return [
        (f"a run in which {len(changed)} of {len(models)} models changed, seconds", f"{planned:.1f}", ""),
        ("the same with a run of every model, seconds", f"{mapped:.1f}", ""),
        ("planned ÷ every model", f"{share:.2f}", "≤ 0.25"),
    ]


def _run(odoo: ApiSource, shadow: ShadowDatabase, models: Sequence[str]) -> None:
    plan = plan_run(odoo, shadow, Chosen(tuple(models)), run=Run(), options=MirrorOptions())
    _mirror(odoo, shadow, [item.model for item in plan.work])


def _mirror(odoo: ApiSource, shadow: ShadowDatabase, models: Sequence[str]) -> None:
    run = Run()
    for model in models:
        mirror_model(odoo, shadow, model, run=run, options=MirrorOptions())
    renew_due_views(shadow)


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _make_older(odoo_dsn: str, models: Sequence[str]) -> None:
    """Let the rows be of an hour ago, so that no look-back reaches them."""
    with psycopg.connect(odoo_dsn) as source:
        for model in models:
            table = sql.Identifier(model.replace(".", "_"))
            source.execute(sql.SQL("UPDATE {} SET write_date = write_date - interval '1 hour'").format(table))
