"""Mixed writes through a server's own API while the mirror runs every few seconds; then a comparison, cell by cell.

For a test database, whose own tables can be read as well:

    python -m tools.soak --odoo-dsn postgresql://…/odoo --seconds 600
"""

from __future__ import annotations

import sys
import time
from typing import Unpack

import click

from odoo_shadow.cli.odoo_options import OdooSettings, api_source, odoo_options
from odoo_shadow.cli.options import shadow_options
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from tools.compare_with_odoo import compare_databases
from tools.mixed_writes import MODELS, MixedWriter


@click.command()
@odoo_options
@shadow_options()
@click.option("--odoo-dsn", required=True, help="Odoo's own database.")
@click.option("--seconds", default=600.0, show_default=True)
@click.option("--every", default=3.0, show_default=True, help="Seconds between two runs of the mirror.")
@click.option("--writers", default=2, show_default=True)
@click.option("--batch-size", default=50, show_default=True)
def main(
    supabase_db_url: str,
    schema: str,
    odoo_dsn: str,
    seconds: float,
    every: float,
    writers: int,
    batch_size: int,
    **odoo_settings: Unpack[OdooSettings],
) -> None:
    """Soak, settle, verify and compare; exit 1 when anything differs."""
    until = time.monotonic() + seconds
    crowd = [MixedWriter(api_source(odoo_settings, None).client, seed, until) for seed in range(writers)]
    for writer in crowd:
        writer.start()
    with api_source(odoo_settings, None) as odoo, ShadowDatabase.from_url(supabase_db_url, schema=schema) as shadow:
        runs, counts = _mirror_until(odoo, shadow, until, every, batch_size)
        for writer in crowd:
            writer.join()
        click.echo(f"Writes: {dict(sum((writer.done for writer in crowd), start=crowd[0].done.__class__()))}")
        click.echo(f"Refused: {dict(sum((writer.refused for writer in crowd), start=crowd[0].done.__class__()))}")
        click.echo(f"Runs of the mirror: {runs}, {counts}")
        settled = _mirror_once(odoo, shadow, batch_size)
        click.echo(f"Last run: {settled}")
        differences = sum(_verify(odoo, shadow, model) for model in MODELS)
    is_equal = compare_databases(odoo_dsn, supabase_db_url, schema)
    if differences or not is_equal:
        sys.exit(1)


def _mirror_until(
    odoo: ApiSource, shadow: ShadowDatabase, until: float, every: float, batch_size: int
) -> tuple[int, RowCounts]:
    runs, counts = 0, RowCounts()
    while time.monotonic() < until:
        started = time.monotonic()
        counts += _mirror_once(odoo, shadow, batch_size)
        runs += 1
        time.sleep(max(0.0, min(every - (time.monotonic() - started), until - time.monotonic())))
    return runs, counts


def _mirror_once(odoo: ApiSource, shadow: ShadowDatabase, batch_size: int) -> RowCounts:
    options = MirrorOptions(batch_size=batch_size)
    results = [mirror_model(odoo, shadow, model, run=Run(), options=options) for model in MODELS]
    return sum((result.counts for result in results), start=RowCounts())


def _verify(odoo: ApiSource, shadow: ShadowDatabase, model: str) -> int:
    found = verify_model(odoo, shadow, model, run=Run(), options=MirrorOptions(), verify=VerifyOptions())
    click.echo(f"verify {model}: {found.rows} rows, {found.differences} differ {dict(found.ids)}")
    return found.differences


if __name__ == "__main__":
    main()
