"""Orders of customers and at vendors: what was ordered, came, and was invoiced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from odoo_stand_in.invented.business.catalogue import DOZEN, EUR, USD, Partner, Product, rate

FIRST = date(2025, 1, 1)
MONTHS = 22
END = datetime.combine(date(2026, 10, 31), time(18))
"""When the invented business stops, in UTC: its figures are the same on every day on which it is made."""
TAX = 0.2
_DOZEN = 12
_SALES_PER_MONTH, _PURCHASES_PER_MONTH = 14, 5
_BUSY = {3: 1.3, 6: 0.9, 8: 0.7, 11: 1.3, 12: 1.4}
_SELLERS = (1, 1, 1, 2, 2, 3)
SALESPEOPLE = (4, 7, 8)
BUYER = 5


@dataclass(frozen=True)
class Line:
    """A line of an order; without a product it is a section or a note.

    :param done: how much came or was delivered.
    :param invoiced: how much was invoiced or billed.
    """

    name: str
    product: Product | None = None
    unit: int | None = None
    quantity: float = 0.0
    price: float = 0.0
    discount: float = 0.0
    done: float = 0.0
    invoiced: float = 0.0
    display_type: str | None = None

    def amount(self, quantity: float) -> float:
        """Return what so much of it costs, without tax, in the order's currency."""
        return round(quantity * self.price * (1 - self.discount / 100), 2)


@dataclass(frozen=True)
class Order:
    """An order, with what its invoices take from it.

    :param partner: who is on it: the company or one of its desks.
    :param firm: the company.
    :param letter: of what it is: a sale, a purchase.
    """

    number: int
    letter: str
    moment: datetime
    company: int
    currency: int
    partner: int
    firm: int
    user: int
    state: str
    lines: list[Line] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its number as people read it."""
        return f"{self.letter}{self.number:05}"

    @property
    def rate(self) -> float:
        """How much of the order's currency one of its company's is worth."""
        return rate(self.company, self.currency, self.moment.date())

    @property
    def is_final(self) -> bool:
        """Whether somebody has agreed to it."""
        return self.state in ("sale", "purchase")

    @property
    def invoice_status(self) -> str:
        """Odoo's word for what is left to invoice."""
        wanted = [line for line in self.lines if line.product is not None]
        if not self.is_final:
            return "no"
        if any(line.done > line.invoiced for line in wanted):
            return "to invoice"
        return "invoiced" if all(line.invoiced >= line.quantity for line in wanted) else "no"


def months() -> Iterator[date]:
    """Return the first days of the months in which there was business."""
    for number in range(MONTHS):
        yield date(FIRST.year + number // 12, number % 12 + 1, 1)


def sales(random: Random, scale: float, customers: Sequence[Partner], products: Sequence[Product]) -> list[Order]:
    """Invent the orders of customers."""
    found: list[Order] = []
    for number, month in enumerate(months()):
        busy = _BUSY.get(month.month, 1.0) * (1 + number / 40)
        for moment in _moments(random, month, _SALES_PER_MONTH * busy * scale):
            company = random.choice(_SELLERS)
            other = {1: EUR, 2: USD}.get(company, company)
            firm = _one_of(random, customers)
            order = Order(
                number=len(found) + 1,
                letter="S",
                moment=moment,
                company=company,
                currency=other if random.random() < 0.2 else company,
                partner=random.choice((firm.id, firm.desks[0][0], firm.desks[1][0])),
                firm=firm.id,
                user=random.choice((*SALESPEOPLE, SALESPEOPLE[0])),
                state=random.choice(("sale",) * 13 + ("draft", "sent", "sent", "cancel", "cancel")),
            )
            order.lines.extend(_sold(random, order, products))
            found.append(order)
    return found


def purchases(random: Random, scale: float, vendors: Sequence[Partner], products: Sequence[Product]) -> list[Order]:
    """Invent the orders at vendors."""
    found: list[Order] = []
    goods = [product for product in products if not product.is_service]
    for month in months():
        for moment in _moments(random, month, _PURCHASES_PER_MONTH * scale):
            company = random.choice(_SELLERS)
            firm = _one_of(random, vendors)
            order = Order(
                number=len(found) + 1,
                letter="P",
                moment=moment,
                company=company,
                currency=EUR if random.random() < 0.25 else company,
                partner=firm.id,
                firm=firm.id,
                user=BUYER,
                state=random.choice(("purchase",) * 12 + ("draft", "sent", "to approve", "cancel", "cancel")),
            )
            order.lines.extend(
                _line(random, order, product, 0.6, (4, 30)) for product in random.sample(goods, random.randint(1, 4))
            )
            found.append(order)
    return found


def _moments(random: Random, month: date, number: float) -> list[datetime]:
    start = datetime.combine(month, time())
    drawn = [
        start + timedelta(days=random.randint(0, 27), seconds=random.randint(0, 86_399))
        for _ in range(max(1, round(number)))
    ]
    return sorted(drawn)


def _one_of(random: Random, partners: Sequence[Partner]) -> Partner:
    """Draw a partner: the first ones trade most."""
    return partners[min(int(random.expovariate(4 / len(partners))), len(partners) - 1)]


def _sold(random: Random, order: Order, products: Sequence[Product]) -> Iterator[Line]:
    listed = [product for product in products if not product.is_archived or order.moment.year == FIRST.year]
    if order.number % 9 == 0:
        yield Line("Workplaces", display_type="line_section")
    for product in random.sample(listed, random.randint(1, 4)):
        yield _line(random, order, product, 1.0, (1, 16))
    if order.number % 7 == 0:
        yield Line("Prices hold until the end of the month.", display_type="line_note")


def _line(random: Random, order: Order, product: Product, share: float, least_and_most: tuple[int, int]) -> Line:
    by_dozen = product.is_sold_by_the_dozen
    quantity = float(random.randint(*least_and_most))
    in_currency = product.price * share * rate(USD, order.currency, order.moment.date())
    done = invoiced = 0.0
    chance, late = random.random(), random.random()
    discount = random.choice((0.0, 0.0, 0.0, 5.0, 10.0)) if share == 1 else 0.0
    if order.is_final:
        # What was ordered long ago has come; of the last weeks' orders, some.
        is_recent = order.moment > END - timedelta(days=20)
        done = quantity if chance < (0.6 if is_recent else 0.93) else float(int(quantity * random.choice((0, 0.5))))
        invoiced = done if late < (0.75 if is_recent else 0.95) else 0.0
    return Line(
        name=f"[{product.code}] {product.name}",
        product=product,
        unit=DOZEN if by_dozen else product.unit,
        quantity=quantity,
        price=round(in_currency * (_DOZEN if by_dozen else 1), 2),
        discount=discount,
        done=done,
        invoiced=invoiced,
    )
