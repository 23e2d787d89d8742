"""Odoo's own database is read without record rules and groups: whoever mirrors all of it has to say so."""

from __future__ import annotations

from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.source.kind import SourceKind

KNOWN = "i_know_that_record_rules_do_not_apply"
"""The setting, and the option, by which somebody says so."""


def why_not_everything(choice: ModelChoice, source: SourceKind, *, is_known: bool, how_to_say: str) -> str | None:
    """Say why a choice is refused, without a full stop; None if it is not.

    :param is_known: whether somebody has said that record rules do not apply.
    :param how_to_say: the setting or option for that, with its value.
    """
    if source is SourceKind.API or is_known or not choice.takes_everything:
        return None
    return (
        "no record rule and no group applies in Odoo's own database, so that this would also take payslips, private "
        "notes and whatever else the API's login does not see: name the models, or the modules they are of (such as "
        f"sale.*), or write {how_to_say}"
    )
