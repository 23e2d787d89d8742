"""`odoo-shadow marts verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import click
from rich.table import Column, Table

from odoo_shadow.cli.marts_options import marts_schema_option, marts_settings, time_zone_option
from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.notify import NotifySettings, about_marts, notify_options, notifying
from odoo_shadow.cli.odoo_options import odoo_options, odoo_source
from odoo_shadow.cli.options import (
    Connections,
    config_option,
    json_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, numbers, say, say_json
from odoo_shadow.marts.proof.document import as_document
from odoo_shadow.marts.proof.run import chosen_marts, prove_marts, sentences, verdict_of_all
from odoo_shadow.marts.proof.verify import MartProof
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.report_tables import add_row

NOT_PROVEN = 1


class _Settings(Connections, NotifySettings):
    """The options of both sides and of the webhook."""


@click.command(cls=Command)
@odoo_options
@shadow_options()
@config_option
@click.option("--marts", metavar="A,B", help="Which marts, such as sales or mart_sales.  [default: all]")
@marts_schema_option
@time_zone_option
@notify_options
@json_option
@verbose_option
@click.pass_context
def verify(
    context: click.Context,
    config: MirrorConfig | None,
    marts: str | None,
    marts_schema: str | None,
    time_zone: str | None,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[_Settings],
) -> None:
    """Compare the marts' figures with Odoo's own answers, and show what differs.

    Odoo adds up its own records, in its own reports where it has them: by company and month, partner, product, stage or
    location. A difference is shown with both figures and the ids of the rows behind it.

    \b
    equal       every figure is Odoo's
    newer       the only differences are rows that Odoo has changed since the marts' tables were read
    differs     some figures are not Odoo's
    not proven  Odoo could not be asked, or the mart was built before the last sync
    left out    there is no such mart, since its models are not mirrored

    \b
    Exit codes: 0 equal, newer or left out, 1 something differs or is not proven, 2 it could not begin.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    names = chosen_marts(marts)
    with (
        notifying(connections, "marts verify", connections["schema"]) as notice,
        shadow_database(connections) as shadow,
        odoo_source(connections, shadow) as odoo,
    ):
        settings = marts_settings(config, shadow.schema, marts_schema, time_zone)
        proofs = []
        for proof in prove_marts(odoo, shadow, settings.marts_schema, settings.time_zone, names):
            proofs.append(proof)
            if not as_json:
                for sentence in sentences(proof):
                    say(sentence)
    if as_json:
        say_json(as_document(proofs))
    else:
        console().print(_as_table(proofs))
        say(verdict_of_all(proofs))
    notice.send(about_marts(proofs))
    if not all(proof.is_good for proof in proofs):
        context.exit(NOT_PROVEN)


def _as_table(proofs: Sequence[MartProof]) -> Table:
    table = Table("mart", Column("verdict"), *numbers("figures", "equal"), "as of", *numbers("seconds"))
    for proof in proofs:
        as_of = f"{proof.as_of:%Y-%m-%d %H:%M}" if proof.as_of else ""
        counts = [str(proof.compared or ""), str(proof.equal if proof.compared else "")]
        add_row(table, proof.mart, str(proof.verdict), *counts, as_of, f"{proof.seconds:.1f}")
    return table
