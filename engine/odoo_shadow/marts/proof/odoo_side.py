"""Asks Odoo: the figures of one company, and the rows behind one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from odoo_shadow.marts.proof.comparison import Circumstances, Comparison, Figures, Key
from odoo_shadow.source.errors import OdooAccessError, OdooUnknownFieldError
from odoo_shadow.source.groups import By, Grouping, GroupKey, KeyPart, Sums
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.types import Argument, Domain
from odoo_shadow.source.values import is_id

DEFAULT_DIGITS = 2
_PAGE = 1_000


def company_digits(odoo: Source) -> dict[int, int]:
    """Return how many decimals the currency of each company has that the login reads."""
    companies = {int(label) for label in odoo.companies()}
    digits = dict(_pairs(odoo, "res.currency", "decimal_places"))
    currencies = dict(_pairs(odoo, "res.company", "currency_id"))
    return {item: digits.get(currencies.get(item, 0), DEFAULT_DIGITS) for item in sorted(companies)}


def _pairs(odoo: Source, model: str, field: str) -> list[tuple[int, int]]:
    reading = Reading(model, ("id", field))
    try:
        pages = list(odoo.pages(reading, up_to_id=odoo.highest_id(reading), page_size=_PAGE))
    except (OdooAccessError, OdooUnknownFieldError):
        return []
    records = [record for page in pages for record in page.records]
    found = [(record.get("id"), record.get(field)) for record in records]
    return [(item, value) for item, value in found if is_id(item) and is_id(value)]


def ask(odoo: Source, comparison: Comparison, about: Circumstances) -> Figures:
    """Return Odoo's figures for one company, without those that are all zero."""
    grouping = _grouping(comparison, about, tuple(key.by for key in comparison.keys))
    return _figures(comparison, odoo.groups(grouping).items())


def ask_behind(
    odoo: Source, comparison: Comparison, about: Circumstances, key: GroupKey
) -> dict[int, tuple[Decimal, ...]]:
    """Return the figures of each row behind one key, by its id."""
    grouping = _grouping(comparison, about, (comparison.behind.by,))
    narrowed = replace(grouping, domain=[*grouping.domain, *key_domain(comparison.keys, key, about.time_zone)])
    found = _figures(comparison, odoo.groups(narrowed).items())
    return {record: values for (part,), values in found.items() if (record := _record_id(part)) is not None}


def count_behind(odoo: Source, comparison: Comparison, about: Circumstances, key: GroupKey) -> int:
    """Return how many records are behind one key."""
    grouping = _grouping(comparison, about, ())
    # With its sums: up to 17, Odoo's analysis of purchases gives no group when it is asked for no sum.
    narrowed = replace(grouping, domain=[*grouping.domain, *key_domain(comparison.keys, key, about.time_zone)])
    return sum(sums.records for sums in odoo.groups(narrowed).values())


def touched_since(odoo: Source, comparison: Comparison, ids: Sequence[int], moment: datetime) -> set[int]:
    """Return those of some rows that Odoo has changed at a moment or later."""
    since = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    paths = comparison.behind.touched
    touched: list[Argument] = [*(["|"] * (len(paths) - 1)), *((path, ">=", since) for path in paths)]
    return _existing(odoo, comparison.behind.model, [("id", "in", list(ids)), *touched])


def existing(odoo: Source, comparison: Comparison, ids: Sequence[int]) -> set[int]:
    """Return those of some rows that Odoo has."""
    return _existing(odoo, comparison.behind.model, [("id", "in", list(ids))])


def _existing(odoo: Source, model: str, domain: Domain) -> set[int]:
    return {key[0] for key in odoo.groups(Grouping(model, (By("id"),), (), domain)) if isinstance(key[0], int)}


def key_domain(keys: Sequence[Key], key: GroupKey, time_zone: str) -> list[Argument]:
    """Return the domain of the records of one key."""
    return [term for item, part in zip(keys, key, strict=True) for term in _part_domain(item, part, time_zone)]


def _part_domain(key: Key, part: KeyPart, time_zone: str) -> list[Argument]:
    field = key.by.field
    if not isinstance(part, date):
        return [(field, "=", False if part is None else part)]
    following = date(part.year + part.month // 12, part.month % 12 + 1, 1)
    return [(field, ">=", _begin(part, key, time_zone)), (field, "<", _begin(following, key, time_zone))]


def _begin(day: date, key: Key, time_zone: str) -> str:
    if not key.is_time:
        return day.isoformat()
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(sep=" ")


def _grouping(comparison: Comparison, about: Circumstances, by: tuple[By, ...]) -> Grouping:
    company: Argument = about.company_id if about.company_id is not None else False
    return Grouping(
        comparison.model,
        by,
        tuple(figure.field for figure in comparison.figures if figure.field),
        [("company_id", "=", company), *comparison.domain(about)],
        company_id=about.company_id,
        time_zone=about.time_zone,
    )


def _figures(comparison: Comparison, groups: Iterable[tuple[GroupKey, Sums]]) -> dict[GroupKey, tuple[Decimal, ...]]:
    figures = {}
    for key, sums in groups:
        values = iter(sums.values)
        figures[key] = tuple(next(values) if figure.field else Decimal(sums.records) for figure in comparison.figures)
    return {key: values for key, values in figures.items() if any(values)}


def _record_id(part: KeyPart) -> int | None:
    """Return the id in a group's key: itself, or at the end of a reference such as `sale.order,7`."""
    if isinstance(part, str):
        number = part.rpartition(",")[2]
        return int(number) if number.isascii() and number.isdigit() else None
    return part if isinstance(part, int) else None
