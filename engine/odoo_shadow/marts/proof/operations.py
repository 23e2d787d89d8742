"""Questions about stock, and about leads and opportunities."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from odoo_shadow.marts.proof.comparison import Behind, Circumstances, Comparison, Figure, Key
from odoo_shadow.source.groups import By
from odoo_shadow.source.types import Domain


def stock() -> list[Comparison]:
    """Return the questions about stock in internal locations."""
    return [
        Comparison(
            mart="mart_stock",
            name="by location and product",
            model="stock.quant",
            keys=(
                Key("location", By("location_id"), "m.location_id"),
                Key("product", By("product_id"), "m.product_id"),
            ),
            figures=(
                Figure("quantity", "quantity", "m.quantity", is_amount=False),
                Figure("reserved_quantity", "reserved_quantity", "m.reserved_quantity", is_amount=False),
            ),
            behind=Behind(
                By("id"),
                "stock.quant",
                "m.id",
                table="stock.quant",
                keys=("m.location_id", "m.product_id"),
                figures=("m.quantity", "m.reserved_quantity"),
                touched=("write_date", "location_id.write_date"),
            ),
            domain=_internal,
            has_shared=True,
        )
    ]


def _internal(_: Circumstances) -> Domain:
    return [("location_id.usage", "=", "internal")]


_WON: Domain = [("probability", "=", 100), ("stage_id.is_won", "=", True)]
_LOST: Domain = [("active", "=", False), ("probability", "=", 0)]
# Since Odoo 18 it keeps this itself; before that it says so in the same words, in two fields.
_FORMERLY: dict[str, Domain] = {"won": _WON, "lost": _LOST, "open": ["!", "|", "&", *_WON, "&", *_LOST]}
_STATUS = {"won": "won", "lost": "lost", "open": "pending"}


def pipeline() -> list[Comparison]:
    """Return the questions about leads and opportunities: one for each state, archived ones included."""
    return [
        _leads("open", "m.state = 'open'"),
        _leads("won", "m.state = 'won'"),
        _leads("lost", "m.state = 'lost'"),
    ]


def _leads(state: str, where: LiteralString) -> Comparison:
    return Comparison(
        mart="mart_pipeline",
        name=f"{state} by stage and month",
        model="crm.lead",
        keys=(
            Key("stage", By("stage_id"), "m.stage_id"),
            Key("month", By("create_date", month=True), "m.created_month", is_time=True),
        ),
        figures=(
            Figure("expected_revenue", "expected_revenue", "m.expected_revenue"),
            Figure("leads", "", "1", is_amount=False),
        ),
        behind=Behind(By("id"), "crm.lead", "m.lead_id", touched=("write_date", "stage_id.write_date")),
        domain=_in_state(state),
        where=where,
        has_shared=True,
    )


def _in_state(state: str) -> Callable[[Circumstances], Domain]:
    def domain(about: Circumstances) -> Domain:
        return [("won_status", "=", _STATUS[state])] if "won_status" in about.fields else _FORMERLY[state]

    return domain
