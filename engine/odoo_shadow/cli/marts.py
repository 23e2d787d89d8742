"""`odoo-shadow marts`: tables for analysts, made by dbt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Unpack

import click
from rich.table import Table

from odoo_shadow.cli.marts_options import marts_schema_option, marts_settings, time_zone_option
from odoo_shadow.cli.marts_verify import verify
from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.options import (
    ShadowSettings,
    config_option,
    json_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, numbers, say, say_json, working
from odoo_shadow.marts.building import Build, MartsSettings, build_marts
from odoo_shadow.marts.documentation import write_documentation
from odoo_shadow.marts.environment import find_dbt, set_up
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import no_mirror
from odoo_shadow.mirror.report_tables import add_row
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.shown import shown_block

SOMETHING_FAILED = 1


@click.group()
def marts() -> None:
    """Build tables for analysts from the shadow, with dbt: trial balance, receivables, sales, stock and more."""


@marts.command()
def setup() -> None:
    """Install dbt once, in an environment of its own, from a lock with hashes; nothing is downloaded after that.

    It goes to odoo-shadow in the user's folder of caches (XDG_CACHE_HOME). Not needed if dbt is on PATH, or was
    installed with the extra marts (pip install 'odoo-shadow[marts]').
    """
    with working("Installing dbt"):
        dbt, is_new = set_up()
    say(f"dbt {dbt.version} {'is installed' if is_new else 'was installed before'}: {dbt.program}")


@marts.command(cls=Command)
@shadow_options()
@config_option
@marts_schema_option
@time_zone_option
@json_option
@verbose_option
@click.pass_context
def build(
    context: click.Context,
    config: MirrorConfig | None,
    marts_schema: str | None,
    time_zone: str | None,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[ShadowSettings],
) -> None:
    """Build all marts anew and run their tests; a mart whose models are not mirrored is left out, and named.

    Each mart takes the place of its last version in one transaction: those who read see the old or the new one, never
    a half or an empty one. --verbose prints all that dbt says.

    \b
    Exit codes: 0 built (and left out what cannot be), 1 a mart or a test failed, 2 it could not begin.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    dbt = find_dbt()
    settings = marts_settings(config, connections["schema"], marts_schema, time_zone)
    with shadow_database(connections) as shadow:
        _check_mirror(shadow)
        with working("Building marts", err=as_json):
            outcome = build_marts(dbt, shadow, connections["supabase_db_url"], settings)
    if verbose:
        click.echo(shown_block(outcome.output, longest=1_000), err=True)
    if as_json:
        say_json(_as_document(outcome, settings))
    else:
        _print(outcome, settings)
    if outcome.failed:
        context.exit(SOMETHING_FAILED)


@marts.command(cls=Command)
@shadow_options()
@config_option
@marts_schema_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("odoo-marts-docs"),
    show_default=True,
    metavar="FOLDER",
    help="Where to write index.html, which is the whole documentation.",
)
@verbose_option
def docs(
    config: MirrorConfig | None,
    marts_schema: str | None,
    output: Path,
    verbose: bool,
    **connections: Unpack[ShadowSettings],
) -> None:
    """Write the documentation of the marts and of the shadow's tables, with the labels that Odoo gives them."""
    set_up_logging(verbose)
    dbt = find_dbt()
    settings = marts_settings(config, connections["schema"], marts_schema, None)
    with shadow_database(connections) as shadow:
        _check_mirror(shadow)
        with working("Writing documentation"):
            page = write_documentation(dbt, shadow, connections["supabase_db_url"], settings, output)
    say(f"Wrote {page}")


def _check_mirror(shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        if not schema_version(tx):
            raise MirrorConfigurationError(f"{no_mirror(tx)}: run odoo-shadow sync first.")


def _print(outcome: Build, settings: MartsSettings) -> None:
    table = Table("mart", *numbers("rows"), "as of", title=f"Schema {settings.marts_schema}")
    for mart in outcome.marts:
        if mart.left_out_because is None:
            add_row(table, mart.name, str(mart.rows), "" if mart.as_of is None else f"{mart.as_of:%Y-%m-%d %H:%M:%S}")
    console().print(table)
    for mart in outcome.marts:
        if mart.left_out_because is not None:
            say(f"{mart.name} is left out: {mart.left_out_because}.")
    for problem in outcome.failed:
        say(f"{problem}.", err=True)
    built = sum(mart.left_out_because is None for mart in outcome.marts)
    failed = f"; {counted(len(outcome.failed), 'thing')} failed" if outcome.failed else ""
    say(f"{counted(built, 'mart')} in schema {settings.marts_schema}, {len(outcome.marts) - built} left out{failed}.")


def _as_document(outcome: Build, settings: MartsSettings) -> Mapping[str, object]:
    return {
        "marts_schema": settings.marts_schema,
        "time_zone": settings.time_zone,
        "marts": [asdict(mart) for mart in outcome.marts],
        "failed": list(outcome.failed),
    }


marts.add_command(verify)
