"""What a comparison is: one question to Odoo, and the same figures of a mart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import LiteralString, TypeAlias

from odoo_shadow.source.groups import By, GroupKey
from odoo_shadow.source.types import Domain

QUANTITY_DIGITS = 4
"""Of quantities, which are converted between units without being rounded."""


@dataclass(frozen=True)
class Circumstances:
    """What a question depends on.

    :param company_id: the company that it is about; None for records of no company.
    :param today: the day as of which the mart states what is due.
    :param time_zone: of months of times.
    :param currency_digits: of amounts in the company's currency.
    :param fields: the fields of the model that is asked, by which versions of Odoo differ.
    """

    company_id: int | None
    today: date
    time_zone: str
    currency_digits: int = 2
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Key:
    """One thing by which figures are compared.

    :param name: what it is called where a difference is reported.
    :param by: how Odoo groups by it.
    :param mart: the expression for it over the mart, or what takes its place.
    :param is_time: whether its months depend on the time zone.
    """

    name: str
    by: By
    mart: LiteralString
    is_time: bool = False


@dataclass(frozen=True)
class Figure:
    """One number that is compared.

    :param field: what Odoo adds up; empty for the number of records.
    :param mart: the expression that is added up over the mart.
    :param sign: what Odoo's sum is multiplied by.
    :param is_amount: whether it has the digits of the company's currency, not those of a quantity.
    :param is_rounded: whether one side rounds each record; the sums may then differ by that.
    """

    name: str
    field: str
    mart: LiteralString
    sign: int = 1
    is_amount: bool = True
    is_rounded: bool = False


def always(_: Circumstances) -> Domain:
    """Choose every record."""
    return []


@dataclass(frozen=True)
class Behind:
    """The rows behind a figure: by which a difference is narrowed down.

    :param by: by what Odoo groups the records of one figure.
    :param model: the model of what it groups them by.
    :param mart: the expression for its id.
    :param table: the mirror's table of the same rows, if the mart itself has them only as sums; `m` is its alias.
    :param keys: the keys' expressions there, in their order.
    :param figures: the figures' expressions there, in their order.
    :param where: which of its rows count.
    :param touched: whose `write_date` says that a row has changed, as paths from the model.
    """

    by: By
    model: str
    mart: LiteralString
    table: str | None = None
    keys: tuple[LiteralString, ...] = ()
    figures: tuple[LiteralString, ...] = ()
    where: LiteralString = "true"
    touched: tuple[str, ...] = ("write_date",)


@dataclass(frozen=True)
class Comparison:
    """One question to Odoo, and the same figures of a mart.

    :param mart: the mart's table.
    :param name: what is compared, for people.
    :param model: the model that Odoo is asked about: the records themselves, or a report that adds them up.
    :param domain: which records count.
    :param where: which rows of the mart count.
    :param sign: what Odoo's sums of a key are multiplied by.
    :param is_report: whether the model is one of Odoo's reports, whose absence another comparison makes up for.
    :param has_shared: whether records may belong to no company, so that those are asked for as well.
    """

    mart: str
    name: str
    model: str
    keys: tuple[Key, ...]
    figures: tuple[Figure, ...]
    behind: Behind
    domain: Callable[[Circumstances], Domain] = always
    where: LiteralString = "true"
    sign: Callable[[GroupKey], int] | None = None
    is_report: bool = False
    has_shared: bool = False

    @property
    def fields(self) -> set[str]:
        """The fields that Odoo's model must have."""
        return {key.by.field for key in self.keys} | {item.field for item in self.figures if item.field}

    def as_mart(self, key: GroupKey, odoo: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        """Return Odoo's sums with the signs that the mart has."""
        of_key = 1 if self.sign is None else self.sign(key)
        return tuple(value * of_key * figure.sign for figure, value in zip(self.figures, odoo, strict=True))

    def fits(self, fields: frozenset[str]) -> bool:
        """Say whether a difference can be narrowed down in a model with these fields."""
        return self.behind.by.field in fields


Figures: TypeAlias = Mapping[GroupKey, tuple[Decimal, ...]]
"""Figures by key; a key that is not there has zeros."""
