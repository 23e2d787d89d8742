"""The invented business is the same on every day, and so are the ages of what is still to be paid."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from odoo_stand_in.invented.business.orders import END
from odoo_stand_in.invented.business.trade import Business


def open_items(days: int) -> Counter[tuple[object, object, int]]:
    """Return account, amount and days until due of what is open, in a business made so many days after its history."""
    today = END.date() + timedelta(days=days)
    return Counter(
        (item["account_id"], item["amount_residual"], (item["date_maturity"] - today).days)
        for item in Business(1, 1, today).items
        if item["amount_residual"] and item["parent_state"] == "posted"
    )


@pytest.mark.parametrize("days", [2, 40, 400])
def test_what_is_open_has_the_same_ages_on_every_day(days: int) -> None:
    assert open_items(days) == open_items(1) != Counter()
