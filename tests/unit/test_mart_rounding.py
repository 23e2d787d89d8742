"""What Odoo rounds record by record: sums may differ by half a unit of each, and by no more."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from odoo_shadow.marts.proof.comparison import Circumstances
from odoo_shadow.marts.proof.differences import are_equal
from odoo_shadow.marts.proof.odoo_side import count_behind
from odoo_shadow.marts.proof.trade import purchases
from odoo_shadow.source.groups import Grouping, Groups, Sums
from tests.support.memory_source import MemorySource

ABOUT = Circumstances(1, date(2026, 1, 31), "UTC")
BY_VENDOR = purchases()[0]


def amounts(amount: str) -> tuple[Decimal, ...]:
    return (Decimal(amount), *(Decimal(0) for _ in BY_VENDOR.figures[1:]))


def test_a_half_that_floating_point_makes_a_little_more() -> None:
    assert are_equal(BY_VENDOR, amounts("12919.21"), amounts("12919.204999999996"), ABOUT)
    assert not are_equal(BY_VENDOR, amounts("12919.21"), amounts("12919.2040"), ABOUT)
    assert are_equal(BY_VENDOR, amounts("12919.21"), amounts("12919.2040"), ABOUT, records=2)
    assert not are_equal(BY_VENDOR, amounts("12919.21"), amounts("12919.19"), ABOUT, records=2)


class Purchases(MemorySource):
    """Odoo's analysis of purchases, up to 17: it gives no group when it is asked for no sum."""

    def groups(self, grouping: Grouping) -> Groups:
        return {(): Sums(3, tuple(Decimal(1) for _ in grouping.sums))} if grouping.sums else {}


def test_the_records_behind_a_figure_are_counted_where_that_takes_a_sum() -> None:
    assert count_behind(Purchases(), BY_VENDOR, ABOUT, (7, "purchase")) == 3
