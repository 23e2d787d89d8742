"""`odoo-shadow doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Unpack

import click

from odoo_shadow.cli.missing import Command
from odoo_shadow.cli.odoo_options import odoo_options, odoo_source
from odoo_shadow.cli.options import (
    Connections,
    config_option,
    json_option,
    look_back_option,
    model_choice,
    models_option,
    set_up_logging,
    shadow_database,
    shadow_options,
    verbose_option,
)
from odoo_shadow.cli.terminal import console, say_json
from odoo_shadow.mirror.config.mirrors_file import MirrorConfig
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.report_tables import findings_table
from odoo_shadow.mirror.run.choose import choose_models
from odoo_shadow.text.findings import Finding, Verdict

SOME_PROBLEM = 1


@click.command(cls=Command)
@odoo_options
@shadow_options()
@config_option
@models_option("the 13 priority models")
@look_back_option
@json_option
@verbose_option
@click.pass_context
def doctor(
    context: click.Context,
    config: MirrorConfig | None,  # noqa: ARG001 - its values arrive as the other options' defaults
    models: str | None,
    look_back: float,
    as_json: bool,
    verbose: bool,
    **connections: Unpack[Connections],
) -> None:
    """Show what the login and the database role can do, and what they cannot.

    Nothing is written.

    \b
    Exit codes: 0 no problem, 1 a problem was found, 2 wrong usage.
    """  # noqa: D301 - click wants a backspace, not a backslash
    set_up_logging(verbose)
    with shadow_database(connections) as shadow, odoo_source(connections, shadow) as odoo:
        chosen = choose_models(odoo, model_choice(models), shadow)
        within = timedelta(minutes=look_back)
        findings = examine(odoo, shadow, chosen.models, within, left_out=chosen.left_out)
    is_good = all(finding.verdict is not Verdict.PROBLEM for finding in findings)
    if as_json:
        say_json(_document(is_good, findings))
    else:
        console().print(findings_table(findings))
    if not is_good:
        context.exit(SOME_PROBLEM)


def _document(is_good: bool, findings: Sequence[Finding]) -> dict[str, object]:
    return {"is_good": is_good, "findings": [finding.as_document() for finding in findings]}
