"""What the doctor says about row-level security: who may see nothing, and who may see more than it should."""

from __future__ import annotations

from collections.abc import Iterator

from odoo_shadow.shadow.access.examination import Examination, examine_restrictions
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.relations import COMPANY_ACCESS
from odoo_shadow.shadow.state.schema import may_see_internal, schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.text.amounts import first_of
from odoo_shadow.text.findings import Finding, Verdict

_SUBJECT = "row-level security"
_MOST_NAMES = 8


def examine_readers(tx: Transaction) -> Iterator[Finding]:
    """Check how rows are restricted; nothing where readers see all of them."""
    if not may_see_internal(tx) or schema_version(tx) < VERSION:
        return
    found = examine_restrictions(tx)
    if found is None:
        return
    problems = [Finding(_SUBJECT, Verdict.PROBLEM, text) for text in _problems(found)]
    warnings = [Finding(_SUBJECT, Verdict.WARNING, text) for text in _warnings(found)]
    yield from problems
    yield from warnings
    if not (problems or warnings):
        yield Finding(_SUBJECT, Verdict.OK, "readers see the rows of their companies")
    if found.see_all:
        roles = first_of(found.see_all, _MOST_NAMES)
        yield Finding(_SUBJECT, Verdict.OK, f"members of the owner, and roles with BYPASSRLS, see all rows: {roles}")


def _problems(found: Examination) -> Iterator[str]:
    if found.open_now:
        yield f"nothing restricts the rows of {first_of(found.open_now, _MOST_NAMES)}: run odoo-shadow sync"
    if found.opened:
        yield (
            "policies of somebody's own show more rows than the companies of whoever queries, since PostgreSQL shows "
            f"what any policy allows: {first_of(found.opened, _MOST_NAMES)}: make them restrictive (AS RESTRICTIVE)"
        )


def _warnings(found: Examination) -> Iterator[str]:
    if not found.has_entries:
        of_tokens = (
            "only tokens with the claim company_ids show rows"
            if found.has_api
            else "readers see no row that has a company"
        )
        yield f"{COMPANY_ACCESS} has no entries, so {of_tokens}: insert the companies of users or roles"
    for table, reason in list(found.closed.items())[:_MOST_NAMES]:
        if table not in found.released:
            yield f"{table} shows no rows to readers, because {reason}"
    for table, policies in list(found.released.items())[:_MOST_NAMES]:
        reason = found.closed.get(table, "nothing that is known says whose its rows are")
        yield f"{table} shows what somebody's own policies allow ({first_of(policies, 2)}), because {reason}"
    if found.not_mirrored:
        named = [f"{model} ({first_of(tables, 2)})" for model, tables in found.not_mirrored.items()]
        yield (
            "rows cannot be restricted by models that are not mirrored; mirror those that have a company: "
            f"{first_of(named, _MOST_NAMES)}"
        )
    if found.left_out:
        yield (
            "links that are left out or hashed restrict nothing; mirror those that say whose the rows are: "
            f"{first_of(found.left_out, _MOST_NAMES)}"
        )
    if found.of_all_companies:
        yield (
            "readers of a row see the values of all companies in these columns, which no policy can restrict: "
            f"{first_of(found.of_all_companies, _MOST_NAMES)}"
        )
