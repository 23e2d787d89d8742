"""Runs of the engine as tests need them, and what the books say afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.config.patterns import ALL, ModelChoice
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.mirror.sync.model import mirror_model, no_replay, no_report
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.watermarks import Scan, Watermark, read_scan, read_watermark
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_shadow.text.errors import ShownError
from odoo_stand_in import StandIn

PARTNERS = "odoo_shadow_res_partner"
LOGGING_IN = {("common", "version"), ("common", "authenticate"), ("web", "version"), ("res.users", "context_get")}


def mirror(
    odoo: Source,
    shadow: ShadowDatabase,
    model: str = "res.partner",
    *,
    run: Run | None = None,
    full: bool = False,
    batch_size: int = 2000,
    look_back: timedelta = timedelta(minutes=15),
    settings: ModelSettings | None = None,
    replay_from: Callable[[str], datetime | None] = no_replay,
    on_progress: Callable[[Progress], None] = no_report,
) -> MirrorResult:
    """Mirror one model, by default in a run of its own."""
    options = MirrorOptions(full=full, batch_size=batch_size, look_back=look_back, wait=timedelta(0))
    return mirror_model(
        odoo,
        shadow,
        model,
        run=run or Run(),
        options=options,
        settings=settings,
        replay_from=replay_from,
        on_progress=on_progress,
    )


def mirror_all(odoo: Source, shadow: ShadowDatabase) -> dict[str, MirrorResult]:
    """Mirror all models that a server offers, with every default; return what was done, by model."""
    chosen = choose_models(odoo, ModelChoice.parse(ALL))
    run = Run()
    return {model: mirror(odoo, shadow, model, run=run) for model in chosen.models}


class StoppedError(ShownError):
    """What a test raises in the middle of a run."""


def stop_after(pages: int) -> Callable[[Progress], None]:
    """Return a report that ends the run by an error when so many pages have been committed."""
    seen = 0

    def report(progress: Progress) -> None:
        nonlocal seen
        seen += 1
        if seen == pages:
            raise StoppedError(f"after page {pages}")

    return report


def calls_of(odoo: StandIn) -> list[tuple[str, str]]:
    """The calls that the stand-in received, without those that log in."""
    return [call for call in odoo.calls if call not in LOGGING_IN]


def log_of(shadow: ShadowDatabase) -> list[dict[str, Any]]:
    """The log's rows, oldest first, with the errors' whole texts."""
    with shadow.transaction() as tx:
        rows = tx.run(
            "SELECT to_jsonb(l) || jsonb_build_object('holder', d.holder,"
            " 'error_message', coalesce(d.message, l.error_message))"
            " FROM {log} l LEFT JOIN {detail} d ON d.log_id = l.id ORDER BY id",
            log=tx.own("odoo_shadow_sync_log"),
            detail=tx.internal("sync_detail"),
        )
        return [row for (row,) in rows]


def statuses_of(shadow: ShadowDatabase) -> list[str]:
    """The log's statuses, oldest first."""
    return [entry["status"] for entry in log_of(shadow)]


def watermark_of(shadow: ShadowDatabase, table: str = PARTNERS) -> Watermark | None:
    with shadow.transaction() as tx:
        return read_watermark(tx, table)


def scan_of(shadow: ShadowDatabase, table: str = PARTNERS) -> Scan | None:
    with shadow.transaction() as tx:
        return read_scan(tx, table)


def column(shadow: ShadowDatabase, name: str, ids: Iterable[int], table: str = PARTNERS) -> dict[int, Any]:
    """One column of some rows, by id; rows that are not there are absent."""
    with shadow.transaction() as tx:
        rows = tx.run(
            "SELECT id, {name} FROM {table} WHERE id = ANY({ids}::bigint[])",
            name=sql.Identifier(name),
            table=tx.own(table),
            ids=list(ids),
        )
        return dict(rows)


def wait_until_after(source: Source, write_date: str) -> None:
    """Return when Odoo's clock shows a later second."""
    moment = datetime.fromisoformat(f"{write_date}+00:00")
    while source.clock().source <= moment:
        time.sleep(0.02)
        source.count(Reading("res.company", ()))
