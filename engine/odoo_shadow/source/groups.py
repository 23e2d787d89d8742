"""What is asked of a model's records by group: sums, computed where the records are.

Nothing is grouped by a boolean: false and empty would be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from odoo_shadow.source.types import Domain

KeyPart: TypeAlias = int | str | date | None
"""The value of one field by which records are grouped: an id, a text, the first day of a month; None if empty."""

GroupKey: TypeAlias = tuple[KeyPart, ...]

MOST_GROUPS = 1_000_000
"""How many groups one question may have: they are held in memory together."""


@dataclass(frozen=True)
class By:
    """One field by which records are grouped.

    :param month: whether a date or a time counts by its month.
    """

    field: str
    month: bool = False


@dataclass(frozen=True)
class Grouping:
    """A question for the sums of a model's records by group, archived records included.

    :param sums: the fields whose values are added up.
    :param company_id: the company in whose currency report models state amounts, and whose records alone are read;
        None for all that are read.
    :param time_zone: of months of times; dates have none.
    """

    model: str
    by: tuple[By, ...]
    sums: tuple[str, ...]
    domain: Domain = ()
    company_id: int | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Sums:
    """The answer for one group.

    :param records: how many records are in it.
    :param values: one for each field, in their order; 0 where no record has a value.
    """

    records: int
    values: tuple[Decimal, ...]

    def __add__(self, other: Sums) -> Sums:
        """Return the sums of both, as of one group whose records were asked for in two parts."""
        values = tuple(mine + theirs for mine, theirs in zip(self.values, other.values, strict=True))
        return Sums(self.records + other.records, values)


Groups: TypeAlias = Mapping[GroupKey, Sums]
