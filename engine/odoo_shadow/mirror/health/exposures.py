"""What the doctor says about views and functions through which readers get more than, or not what, they should."""

from __future__ import annotations

from collections.abc import Iterator

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.state.schema import may_see_internal, schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.shadow.views.invokers import exposing_views, views_of_others, views_of_owner
from odoo_shadow.shadow.views.relationships import foreign_functions
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.findings import Finding, Verdict

_SUBJECT = "views"
_MOST_NAMES = 8


def examine_exposures(tx: Transaction) -> Iterator[Finding]:
    """Check the mirror's own views, and what others have built on the mirror; nothing if all is well."""
    if not may_see_internal(tx) or schema_version(tx) < VERSION:
        return
    for problem in views_of_others(tx):
        yield Finding(_SUBJECT, Verdict.PROBLEM, problem)
    own = [".".join(view) for view in views_of_owner(tx)]
    if own:
        text = f"{first_of(own, _MOST_NAMES)}: rows are shown with the owner's rights: run odoo-shadow sync"
        yield Finding(_SUBJECT, Verdict.PROBLEM, text)
    others = [view for view in exposing_views(tx) if view.replace('"', "") not in own]
    if others:
        yield Finding(_SUBJECT, Verdict.WARNING, exposing_text(others))
    functions = foreign_functions(tx)
    if functions:
        yield Finding(_SUBJECT, Verdict.WARNING, foreign_text(functions))


def exposing_text(views: list[str]) -> str:
    """Return a sentence about views that show their readers what their owner sees."""
    return (
        f"{first_of(views, _MOST_NAMES)}: readers see the rows of all companies that the owner sees; "
        "set security_invoker on views, and revoke the rights of others on materialized views"
    )


def foreign_text(functions: list[str]) -> str:
    """Return a sentence about functions that queries reach in place of the mirror's own."""
    return (
        f"{first_of(functions, _MOST_NAMES)}: PostgREST calls these functions for related rows, but somebody else made "
        "or changed them: drop them if you do not know them, and the next run makes the mirror's own"
    )
