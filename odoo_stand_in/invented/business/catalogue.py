"""What the invented business has before it trades: partners, products, units, currencies and accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from odoo_stand_in.invented import words

UNITS, DOZEN, HOURS = 1, 2, 4
USD, EUR, GBP = 1, 2, 3
CATEGORIES = (
    ("All", None),
    ("Furniture", 1),
    ("Seating", 2),
    ("Lighting", 1),
    ("Machines", 1),
    ("Pumps", 5),
    ("Parts", 1),
    ("Services", 1),
)
"""By name, each with its parent: both count from one."""
_FURNITURE, _SEATING, _LIGHTING, _MACHINES, _PUMPS, _PARTS, _SERVICES = range(2, 9)
# Thing, category, how many of it, variants of each, a price in dollars.
_RANGE = (
    ("Desk", _FURNITURE, 3, 2, 420.0),
    ("Chair", _SEATING, 3, 2, 145.0),
    ("Lamp", _LIGHTING, 3, 2, 68.5),
    ("Pump", _PUMPS, 2, 1, 890.0),
    ("Motor", _MACHINES, 2, 1, 640.0),
    ("Valve", _MACHINES, 2, 1, 75.25),
    ("Cable", _PARTS, 1, 1, 3.2),
    ("Hinge", _PARTS, 1, 1, 1.85),
    ("Bracket", _PARTS, 1, 1, 2.4),
    ("Filter", _PARTS, 1, 1, 12.9),
    ("Sensor", _PARTS, 1, 1, 31.0),
    ("Drawer", _FURNITURE, 1, 1, 99.0),
)
_OFFERED = (("Installation", "SRV01", 85.0), ("Maintenance", "SRV02", 72.0))
ARCHIVED = ("DRA01", "CHA02-B")
"""Products that are no longer sold, and still in stock."""


@dataclass(frozen=True)
class Product:
    """A variant.

    :param template: the number of its template; variants of one share its name.
    :param price: of one unit, in dollars.
    """

    id: int
    template: int
    name: str
    code: str
    category: int
    price: float
    unit: int = UNITS

    @property
    def is_service(self) -> bool:
        """Whether it is work, and never in stock."""
        return self.category == _SERVICES

    @property
    def has_lots(self) -> bool:
        """Whether each piece is followed by its number."""
        return self.category == _PUMPS

    @property
    def is_sold_by_the_dozen(self) -> bool:
        """Whether orders are in another unit than stock."""
        return self.category == _PARTS

    @property
    def is_archived(self) -> bool:
        """Whether it is no longer sold."""
        return self.code in ARCHIVED


def products(random: Random) -> list[Product]:
    """Invent the products."""
    found: list[Product] = []
    template = 0
    for thing, category, kinds, variants, price in _RANGE:
        for number, kind in enumerate(random.sample(words.KINDS, kinds), 1):
            template += 1
            code = f"{thing[:3].upper()}{number:02}"
            own = round(price * random.uniform(0.8, 1.3), 2)
            for variant in range(variants):
                suffix = f"-{'AB'[variant]}" if variants > 1 else ""
                found.append(Product(len(found) + 1, template, f"{kind} {thing}", code + suffix, category, own))
    for name, code, price in _OFFERED:
        template += 1
        found.append(Product(len(found) + 1, template, name, code, _SERVICES, price, HOURS))
    return found


@dataclass(frozen=True)
class Partner:
    """A company that is sold to or bought from, with two of its desks."""

    id: int
    name: str
    desks: tuple[tuple[int, str], ...]


def partners(random: Random, number: int) -> list[Partner]:
    """Invent companies under the numbers that the invented partners have for companies."""
    names: set[str] = set()
    found = []
    for own in _numbers(number):
        name = words.company(random)
        while name in names:
            name = words.company(random)
        names.add(name)
        desks = [words.desk(random) for _ in range(2)]
        found.append(Partner(own, name, ((own + 1, desks[0]), (own + 2, desks[1]))))
    return found


def _numbers(number: int) -> Iterator[int]:
    own = 12
    for _ in range(number):
        yield own
        own += 4


# How much of a currency a dollar was worth, from that day on.
RATES: Sequence[tuple[date, float, float]] = (
    (date(2024, 12, 30), 0.9585, 0.7972),
    (date(2025, 4, 1), 0.9262, 0.7741),
    (date(2025, 7, 1), 0.8511, 0.7288),
    (date(2025, 10, 1), 0.8523, 0.7433),
    (date(2026, 2, 2), 0.8406, 0.7301),
    (date(2026, 6, 15), 0.8702, 0.7512),
)


def rate(company_currency: int, currency: int, day: date) -> float:
    """Return how much of a currency one of the company's is worth on a day, as orders keep it."""
    newest = max(one for one in RATES if one[0] <= day)
    per_dollar = {USD: 1.0, EUR: newest[1], GBP: newest[2]}
    return round(per_dollar[currency] / per_dollar[company_currency], 6)


CHART = (
    ("bank", "Bank", "asset_cash", ("101401", "120000", "512001")),
    ("receivable", "Account Receivable", "asset_receivable", ("121000", "140000", "411100")),
    ("tax_paid", "Tax Paid", "asset_current", ("131000", "157600", "445660")),
    ("payable", "Account Payable", "liability_payable", ("211000", "160000", "401100")),
    ("tax_due", "Tax Received", "liability_current", ("251000", "177600", "445710")),
    ("capital", "Capital", "equity", ("301000", "290000", "101300")),
    ("sales", "Product Sales", "income", ("400000", "840000", "707100")),
    ("services", "Services", "income", ("400100", "840100", "706000")),
    ("goods", "Cost of Goods", "expense_direct_cost", ("500000", "540000", "607100")),
    ("salaries", "Salaries", "expense", ("630000", "602000", "641100")),
    ("rent", "Rent", "expense", ("612000", "631000", "613200")),
    ("fees", "Bank Fees", "expense", ("620200", "685500", "627800")),
)
"""Accounts of each company: the same names, with codes of its own country."""
_PLACES = {key: number for number, (key, *_) in enumerate(CHART, 1)}


def account(company: int, key: str) -> int:
    """Return the id of an account of a company."""
    return (company - 1) * len(CHART) + _PLACES[key]


JOURNALS = (
    ("INV", "Customer Invoices", "sale"),
    ("BILL", "Vendor Bills", "purchase"),
    ("MISC", "Miscellaneous Operations", "general"),
    ("BNK1", "Bank", "bank"),
)


def journal(company: int, code: str) -> int:
    """Return the id of a journal of a company."""
    return (company - 1) * len(JOURNALS) + [one[0] for one in JOURNALS].index(code) + 1
