"""Finds the rows behind a difference, and says whether they are wrong or only older than Odoo's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from odoo_shadow.marts.proof.comparison import Circumstances, Comparison
from odoo_shadow.marts.proof.differences import Apart, Cause, Difference, are_equal
from odoo_shadow.marts.proof.mart_side import Side, read_behind
from odoo_shadow.marts.proof.odoo_side import ask_behind, count_behind, existing, touched_since
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.groups import GroupKey
from odoo_shadow.source.port import Source

MOST_ROWS = 10_000
"""How many rows of one figure are looked at."""

MOST_NAMED = 100
"""How many ids of each kind are kept."""


def explain(
    odoo: Source,
    shadow: ShadowDatabase,
    side: Side,
    comparison: Comparison,
    about: Circumstances,
    found: Apart,
    as_of: datetime,
) -> Difference | None:
    """Return a difference with the rows behind it; None if there is none any more.

    :param as_of: up to when the mart has what Odoo has.
    """
    difference = _described(comparison, about, found)
    if not comparison.fits(about.fields):
        return difference
    if count_behind(odoo, comparison, about, found.key) > MOST_ROWS:
        return replace(difference, more=True)
    theirs = ask_behind(odoo, comparison, about, found.key)
    with shadow.transaction() as tx:
        mine = read_behind(tx, side, comparison, about, found.key)
    wrong = _differing(comparison, theirs, mine, about, found.key)
    if not wrong:
        # Odoo has changed in the meantime, unless the mart does not have what its own rows add up to, or each row is
        # off by less than can be seen.
        is_off = comparison.behind.table is not None or not _add_up(comparison, theirs, mine, about, found.key)
        return difference if is_off else None
    looked_at = wrong[:MOST_ROWS]
    newer = touched_since(odoo, comparison, looked_at, as_of)
    there = newer | existing(odoo, comparison, looked_at)
    gone = [item for item in wrong if item not in there]
    left = [item for item in wrong if item in there and item not in newer]
    return replace(
        difference,
        cause=Cause.DIFFERS if left or gone else Cause.NEWER,
        rows=comparison.behind.model,
        differing=tuple(left[:MOST_NAMED]),
        newer=tuple(sorted(newer)[:MOST_NAMED]),
        gone=tuple(gone[:MOST_NAMED]),
        more=len(wrong) > MOST_ROWS,
    )


def _differing(
    comparison: Comparison,
    theirs: dict[int, tuple[Decimal, ...]],
    mine: dict[int, tuple[Decimal, ...]],
    about: Circumstances,
    key: GroupKey,
) -> list[int]:
    zeros = (Decimal(0),) * len(comparison.figures)
    return [
        item
        for item in sorted(theirs.keys() | mine.keys())
        if not are_equal(comparison, comparison.as_mart(key, theirs.get(item, zeros)), mine.get(item, zeros), about)
    ]


def _add_up(
    comparison: Comparison,
    theirs: dict[int, tuple[Decimal, ...]],
    mine: dict[int, tuple[Decimal, ...]],
    about: Circumstances,
    key: GroupKey,
) -> bool:
    """Say whether rows that are equal one by one are so together, too."""
    zeros = (Decimal(0),) * len(comparison.figures)
    odoo, mart = (
        tuple(sum(values, Decimal(0)) for values in zip(zeros, *rows.values(), strict=True)) for rows in (theirs, mine)
    )
    return are_equal(comparison, comparison.as_mart(key, odoo), mart, about, max(len(theirs), 1))


def _described(comparison: Comparison, about: Circumstances, found: Apart) -> Difference:
    key = tuple((item.name, part) for item, part in zip(comparison.keys, found.key, strict=True))
    figures = tuple(
        (figure.name, theirs, mine)
        for figure, theirs, mine in zip(comparison.figures, found.odoo, found.mart, strict=True)
        if theirs != mine
    )
    return Difference(f"{comparison.model}, {comparison.name}", about.company_id, key, figures)
