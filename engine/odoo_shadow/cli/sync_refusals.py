"""What `odoo-shadow sync` refuses before it asks anybody."""

from __future__ import annotations

import click

from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.config.record_rules import KNOWN, why_not_everything
from odoo_shadow.source.kind import SourceKind

_OPTION = f"--{KNOWN.replace('_', '-')}"

known_option = click.option(
    _OPTION,
    is_flag=True,
    help="With --source database: mirror all models, or all that match a pattern such as *.line. What the API hides by "
    "record rules and groups is then in the shadow, too: payslips, private notes, everything.",
)


def refuse_combinations(
    choice: ModelChoice, source: SourceKind, *, is_known: bool, accepts: bool, is_dry: bool
) -> None:
    """Refuse options that exclude each other, and everything of Odoo's own database without a word for it.

    :raises UsageError: says what to leave out, or to add.
    """
    if accepts and is_dry:
        raise click.UsageError(
            "--accept-database and --dry-run exclude each other: the first forgets how far each table is, the second "
            "writes nothing."
        )
    why_not = why_not_everything(choice, source, is_known=is_known, how_to_say=_OPTION)
    if why_not is not None:
        raise click.UsageError(f"--source database with all models of any module: {why_not}.")
