"""Leads and opportunities: open, won and lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from random import Random

from odoo_stand_in.invented import words
from odoo_stand_in.invented.business.catalogue import Partner, Product
from odoo_stand_in.invented.business.orders import END, SALESPEOPLE, months
from odoo_stand_in.invented.generator import Row

# Name, place, whether it is won there, what Odoo takes for the chance.
STAGES = (
    ("New", 0, False, 10.0),
    ("Qualified", 10, False, 30.0),
    ("Proposition", 20, False, 60.0),
    ("Won", 70, True, 100.0),
)
REASONS = ("Price", "Bought elsewhere", "Delivery too late", "No answer")
TAGS = ("Product", "Services", "Design", "Training")
TEAMS = ("Direct Sales", "Key Accounts", "Web Shop")
_WON = len(STAGES)
_PER_MONTH = 4


def stages() -> list[Row]:
    """Return the stages."""
    return [
        {"name": {"en_US": name}, "sequence": place, "is_won": is_won, "fold": is_won, "team_id": None}
        for name, place, is_won, _ in STAGES
    ]


def leads(random: Random, scale: float, customers: Sequence[Partner], products: Sequence[Product]) -> list[Row]:
    """Invent leads and opportunities of all months: the old ones are won or lost, the new ones mostly open."""
    rows = []
    for number, month in enumerate(months()):
        for _ in range(max(1, round(_PER_MONTH * scale * (1 + number / 44)))):
            made = datetime.combine(month, time()) + timedelta(
                days=random.randint(0, 27), seconds=random.randint(0, 86_399)
            )
            rows.append(_lead(random, made, random.choice(customers), random.choice(products)))
    return rows


def _lead(random: Random, made: datetime, customer: Partner, product: Product) -> Row:
    is_old = made < END - timedelta(days=120)
    state = random.choice(("won", "won", "lost", "lost", "lost", "open") if is_old else ("won", "open", "open", "open"))
    stage = _WON if state == "won" else random.randint(1, _WON - 1)
    closed = min(made + timedelta(days=random.randint(5, 90)), END) if state != "open" else None
    salesperson = random.choice((*range(len(SALESPEOPLE)), None)) if state == "open" else random.choice((0, 1, 2))
    is_lead = state == "open" and random.random() < 0.25
    revenue = round(product.price * random.randint(5, 60), -1)
    return {
        "name": f"{random.randint(5, 60)} x {product.name} for {customer.name}",
        "type": "lead" if is_lead else "opportunity",
        "active": state != "lost",
        "company_id": random.choice((1, 1, 1, 2, 2, 3, None)),
        "stage_id": stage,
        "user_id": None if salesperson is None else SALESPEOPLE[salesperson],
        "team_id": 1 if salesperson is None else salesperson + 1,
        "partner_id": None if is_lead else customer.id,
        "partner_name": customer.name,
        "contact_name": words.desk(random),
        "email_from": f"contact{customer.id}@example.com",
        "expected_revenue": 0.0 if is_lead else revenue,
        "probability": {"won": 100.0, "lost": 0.0}.get(state, STAGES[stage - 1][3]),
        "won_status": {"open": "pending"}.get(state, state),
        "date_deadline": (made + timedelta(days=random.randint(30, 150))).date(),
        "date_closed": closed.replace(microsecond=0) if closed is not None else None,
        "date_open": made,
        "lost_reason_id": random.randint(1, len(REASONS)) if state == "lost" else None,
        "priority": random.choice("0012"),
        "description": None,
        "create_date": made,
        "write_date": closed or made,
    }
