"""Compares the figures of two sides, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from odoo_shadow.marts.proof.comparison import QUANTITY_DIGITS, Circumstances, Comparison, Figures
from odoo_shadow.source.groups import GroupKey, KeyPart


class Cause(StrEnum):
    """What is known of a difference."""

    DIFFERS = "differs"
    NEWER = "newer"
    """Odoo has changed all rows that differ since the mart's tables were read."""


@dataclass(frozen=True)
class Apart:
    """A key whose figures are not the same.

    :param odoo: Odoo's figures, in the order of the comparison's.
    """

    key: GroupKey
    odoo: tuple[Decimal, ...]
    mart: tuple[Decimal, ...]


@dataclass(frozen=True)
class Difference:
    """A difference, and the rows behind it.

    :param rows: of which model the ids are.
    :param differing: ids of rows whose figures differ, and that Odoo has not changed since.
    :param newer: ids of rows that Odoo has changed since.
    :param gone: ids of rows that the mart counts and Odoo no longer has.
    :param more: whether there are rows that were not looked at, since there are too many.
    """

    comparison: str
    company_id: int | None
    key: tuple[tuple[str, KeyPart], ...]
    figures: tuple[tuple[str, Decimal, Decimal], ...]
    cause: Cause = Cause.DIFFERS
    rows: str = ""
    differing: tuple[int, ...] = ()
    newer: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    more: bool = False

    def __str__(self) -> str:
        """Say what differs in one line."""
        where = ", ".join(f"{name} {_text(part)}" for name, part in self.key)
        what = "; ".join(f"{name}: Odoo {odoo}, mart {mart}" for name, odoo, mart in self.figures)
        return f"company {self.company_id or 'none'}, {where}: {what}{self._behind}"

    @property
    def _behind(self) -> str:
        parts = [
            f"{len(ids)} {what} ({', '.join(map(str, ids[:10]))}{' …' if len(ids) > 10 else ''})"
            for what, ids in (
                ("differing", self.differing),
                ("written in Odoo since", self.newer),
                ("gone from Odoo", self.gone),
            )
            if ids
        ]
        if self.more:
            parts.append("too many rows to tell which")
        return f"; {self.rows}: {', '.join(parts)}" if parts else ""


def _text(part: KeyPart) -> str:
    if isinstance(part, date):
        return f"{part:%Y-%m}"
    return "none" if part is None else str(part)


def apart(comparison: Comparison, odoo: Figures, mart: Figures, about: Circumstances) -> Iterator[Apart]:
    """Yield the keys whose figures differ; what one side does not have counts as zero."""
    zeros = (Decimal(0),) * len(comparison.figures)
    for key in sorted(odoo.keys() | mart.keys(), key=_order):
        theirs = comparison.as_mart(key, odoo.get(key, zeros))
        mine = mart.get(key, zeros)
        if not are_equal(comparison, theirs, mine, about):
            yield Apart(key, theirs, mine)


def are_equal(
    comparison: Comparison, odoo: tuple[Decimal, ...], mart: tuple[Decimal, ...], about: Circumstances, records: int = 1
) -> bool:
    """Say whether all figures of a key are the same, as `equal_figures` does of each."""
    return all(equal_figures(comparison, odoo, mart, about, records))


def equal_figures(
    comparison: Comparison, odoo: tuple[Decimal, ...], mart: tuple[Decimal, ...], about: Circumstances, records: int = 1
) -> list[bool]:
    """Say of each figure of a key whether it is the same, to the digits that it has.

    :param records: how many records were rounded one by one, where one side does so.
    """
    return [
        abs(theirs - mine) <= _unit(figure.is_amount, about) / 2 * (records + _HALVES if figure.is_rounded else 1)
        for figure, theirs, mine in zip(comparison.figures, odoo, mart, strict=True)
    ]


_HALVES = Decimal("0.001")
"""What is rounded may be half a unit and a trace off: a half of 0.005 is 0.00499… in floating point."""


def _unit(is_amount: bool, about: Circumstances) -> Decimal:
    return Decimal(1).scaleb(-(about.currency_digits if is_amount else QUANTITY_DIGITS))


def _order(key: GroupKey) -> tuple[str, ...]:
    return tuple(f"{part:>20}" if isinstance(part, int) else str(part) for part in key)
