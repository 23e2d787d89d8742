"""Turns readings and conditions into Odoo's search domains and contexts."""

from __future__ import annotations

from datetime import UTC, datetime

from odoo_shadow.source.reading import BEFORE_ALL, COMPANIES, Reading, Variant, Where
from odoo_shadow.source.types import Context, Domain

ARCHIVED_TOO: Context = {"active_test": False, "ir.ui.menu.full_list": True}
"""The context without which Odoo hides archived records, and (17.0) the menus that are not for this login."""

WRITE_DATE = "write_date"

BY_ID: Domain = ["|", ("id", "<", 0), ("id", ">=", 0)]
"""True for every record with an id. `ir.attachment` hides those of other models' fields from a search that does not
name `id` (`_search` in Odoo 17.0 and 19.0; 19.0 checks again after it has simplified the domain, and by then nothing is
left of `("id", "!=", False)`)."""

_WITHOUT_ID: Domain = [("id", "=", False)]
"""True for records that have no id: rows of an SQL view."""


def id_range(low: int, high: int | None = None) -> Domain:
    """Return the domain of the ids `low < id <= high`.

    :param low: `BEFORE_ALL` for no lower bound: no protocol could carry it.
    :param high: None for no upper bound.
    """
    above = [("id", ">", low)] if low > BEFORE_ALL else []
    return [*above, *([("id", "<=", high)] if high is not None else [])]


def written_since(moment: datetime | None) -> Domain:
    """Return the domain of records that were written at a moment or later, None for all."""
    return [] if moment is None else [(WRITE_DATE, ">=", as_odoo(moment))]


def as_odoo(moment: datetime) -> str:
    """Return a moment as Odoo writes it; `strftime` would leave out the zeros of an early year.

    PostgreSQL gives moments in the session's zone; Odoo takes UTC.
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")


def conditions(where: Where) -> Domain:
    """Return the domain of some of a reading's records."""
    these = [] if where.ids is None else [("id", "in", list(where.ids))]
    return [*written_since(where.written_since), *these, *id_range(where.after_id, where.up_to_id)]


def within(reading: Reading, *more: Domain) -> Domain:
    """Return the domain of those records of a reading that meet more conditions; it always names `id`."""
    return [*BY_ID, *reading.domain, *(term for domain in more for term in domain)]


def everything(reading: Reading) -> Domain:
    """Return the domain of all records of a reading, even of those without an id."""
    return ["|", *_WITHOUT_ID, *BY_ID, *reading.domain]


def without_id(reading: Reading) -> Domain:
    """Return the domain of a reading's records that have no id."""
    return [*_WITHOUT_ID, *reading.domain]


def context_of(reading: Reading, variant: Variant) -> Context:
    """Return the context for reading records in another language, or with another company as the main one."""
    if variant.kind != COMPANIES:
        return {**ARCHIVED_TOO, "lang": variant.label}
    companies = dict.fromkeys(item.label for item in reading.variants if item.kind == COMPANIES)
    others = (label for label in companies if label != variant.label)
    return {**ARCHIVED_TOO, "allowed_company_ids": [int(variant.label), *map(int, others)]}
