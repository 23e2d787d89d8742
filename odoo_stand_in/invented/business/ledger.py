"""The books: invoices and bills made from orders, what of them is paid, and what else is booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from odoo_stand_in.invented.business.catalogue import account, journal, rate
from odoo_stand_in.invented.business.orders import END, FIRST, TAX, Line, Order, months
from odoo_stand_in.invented.generator import Row

COMPANIES = (1, 2, 3)
_LAST = END.date()
_TERM = timedelta(days=30)
# How many days ago what is still open fell due, counted from the day on which the stand-in is made; they stay clear of
# the borders between ages, so that midnight moves nothing.
_NEW_DAYS_LATE = (-25, -20, -15, -10, 15, 20, 45)
_OLD_DAYS_LATE = (45, 75, 75, 120, 200)
_PREFIXES = {
    "out_invoice": ("INV", "INV"),
    "out_refund": ("INV", "RINV"),
    "out_receipt": ("INV", "INV"),
    "in_invoice": ("BILL", "BILL"),
    "in_refund": ("BILL", "RBILL"),
    "payment": ("BNK1", "BNK1"),
    "entry": ("MISC", "MISC"),
}
_EXPENSES = {1: (11_400.0, 2_900.0), 2: (7_600.0, 1_850.0), 3: (3_300.0, 1_100.0)}
"""Salaries and rent of a month by company."""


@dataclass
class Item:
    """A journal item.

    :param amount: in the currency of its entry; debit is positive.
    :param balance: in the company's currency.
    :param residual: how much of the balance is open.
    """

    account: int | None
    amount: float = 0.0
    balance: float = 0.0
    residual: float = 0.0
    display_type: str = "product"
    name: str | None = None
    line: Line | None = None
    quantity: float = 0.0
    due: date | None = None


@dataclass
class Move:
    """A journal entry: an invoice, a payment or another.

    :param order: what was invoiced; None for what rests on no order.
    """

    kind: str
    state: str
    day: date
    company: int
    currency: int
    items: list[Item] = field(default_factory=list)
    order: Order | None = None
    partner: int | None = None
    firm: int | None = None
    payment_state: str = "not_paid"
    id: int = 0
    name: str = "/"

    @property
    def is_invoice(self) -> bool:
        """Whether it is an invoice, a bill, a refund or a receipt."""
        return self.kind.startswith(("out_", "in_"))

    @property
    def open_item(self) -> Item:
        """The item that says what is to be paid."""
        return next(item for item in self.items if item.display_type == "payment_term")


class Books:
    """Makes all entries, and numbers them by company and kind in the order of their days."""

    def __init__(self, random: Random, today: date) -> None:
        self._random = random
        self._today = today
        self.moves: list[Move] = []

    def keep(self, sales: Iterable[Order], purchases: Iterable[Order]) -> list[Move]:
        """Return the entries of all orders, and those of the companies' own costs."""
        self.moves += _own_entries()
        for number, order in enumerate((*sales, *purchases)):
            self._invoice(order, number)
        self.moves.sort(key=lambda move: move.day)
        numbers: Counter[tuple[int, str, int]] = Counter()
        for number, move in enumerate(self.moves, 1):
            move.id = number
            if move.state == "posted":
                prefix = _PREFIXES[move.kind][1]
                numbers[move.company, prefix, move.day.year] += 1
                move.name = f"{prefix}/{move.day.year}/{numbers[move.company, prefix, move.day.year]:05}"
        return self.moves

    def _invoice(self, order: Order, number: int) -> None:
        lines = [line for line in order.lines if line.invoiced or line.display_type]
        if not any(line.invoiced for line in lines):
            return
        is_sale = order.state == "sale"
        day = min(order.moment.date() + timedelta(days=self._random.randint(2, 12)), _LAST)
        kind = ("out_receipt" if number % 19 == 0 else "out_invoice") if is_sale else "in_invoice"
        state = self._random.choice(("posted",) * 22 + ("draft", "cancel"))
        invoice = self._made(kind, state, day, order, [(line, line.invoiced) for line in lines])
        if state != "posted":
            return
        if number % 13 == 0:
            first = next(line for line in lines if line.invoiced)
            returned = max(1.0, first.invoiced // 4)
            refund = self._made(
                "out_refund" if is_sale else "in_refund",
                "posted",
                min(day + timedelta(days=18), _LAST),
                order,
                [(first, returned)],
            )
            refund.open_item.due = self._today - timedelta(days=45)
            if number % 2:
                # It is set against the invoice; the others are still to be paid out.
                invoice.open_item.residual = round(invoice.open_item.balance + refund.open_item.balance, 2)
                refund.open_item.residual, refund.payment_state = 0.0, "paid"
        self._settle(invoice)

    def _made(self, kind: str, state: str, day: date, order: Order, parts: list[tuple[Line, float]]) -> Move:
        move = Move(
            kind, state, day, order.company, order.currency, order=order, partner=order.partner, firm=order.firm
        )
        is_sale = kind.startswith("out_")
        sign = (-1 if is_sale else 1) * (-1 if kind.endswith("_refund") else 1)
        factor = rate(order.company, order.currency, day)
        total = 0.0
        for line, quantity in parts:
            if line.product is None:
                move.items.append(Item(None, display_type=line.display_type or "line_note", name=line.name))
                continue
            amount = line.amount(quantity)
            total += amount
            key = ("services" if line.product.is_service else "sales") if is_sale else "goods"
            move.items.append(
                Item(
                    account(order.company, key),
                    sign * amount,
                    round(sign * amount / factor, 2),
                    name=line.name,
                    line=line,
                    quantity=quantity,
                )
            )
        tax = round(total * TAX, 2)
        key = "tax_due" if is_sale else "tax_paid"
        own = account(order.company, key)
        move.items.append(Item(own, sign * tax, round(sign * tax / factor, 2), display_type="tax", name="20%"))
        # What is to be paid closes the entry in both currencies.
        amount, balance = (round(-sum(getattr(one, name) for one in move.items), 2) for name in ("amount", "balance"))
        own = account(order.company, "receivable" if is_sale else "payable")
        move.items.append(Item(own, amount, balance, balance, "payment_term", due=day + _TERM))
        self.moves.append(move)
        return move

    def _settle(self, invoice: Move) -> None:
        """Let an old invoice be paid, and of the others some, or a part."""
        item = invoice.open_item
        is_old = invoice.day < _LAST - timedelta(days=120)
        chance = self._random.random()
        if chance < (0.94 if is_old else 0.4):
            share = 1.0
        elif chance < (0.97 if is_old else 0.6):
            share = 0.4
        else:
            share = 0.0
        if share < 1:
            item.due = self._today - timedelta(days=self._random.choice(_OLD_DAYS_LATE if is_old else _NEW_DAYS_LATE))
        if share:
            paid = round(item.residual * share, 2)
            day = min(invoice.day + timedelta(days=self._random.randint(10, 50)), _LAST)
            self.moves.append(_payment(invoice, day, paid, 0.0))
            item.residual = round(item.residual - paid, 2)
            invoice.payment_state = "paid" if share == 1 else "partial"
        elif self._random.random() < 0.15:
            # Somebody has paid, and nobody has said what for.
            paid = round(item.residual / 2, 2)
            payment = _payment(invoice, _LAST, paid, -paid)
            payment.items[-1].due = self._today - timedelta(days=20)
            self.moves.append(payment)


def _payment(invoice: Move, day: date, paid: float, residual: float) -> Move:
    """Return the entry of a payment of a part of an invoice, in the company's currency."""
    move = Move("payment", "posted", day, invoice.company, invoice.company, partner=invoice.firm, firm=invoice.firm)
    own = account(invoice.company, "bank")
    name = f"Payment of {invoice.firm}" if residual else None
    move.items.append(Item(own, paid, paid, name=name))
    move.items.append(Item(invoice.open_item.account, -paid, -paid, residual, "payment_term", due=day))
    return move


def _own_entries() -> Iterator[Move]:
    """Return what companies book besides: capital, then salaries and rent each month; one entry is a draft."""
    for company in COMPANIES:
        yield _entry(company, FIRST, "posted", [("bank", 60_000.0), ("capital", -60_000.0)])
        salaries, rent = _EXPENSES[company]
        for month in months():
            parts = [("salaries", salaries), ("rent", rent), ("fees", 35.0), ("bank", -(salaries + rent + 35.0))]
            yield _entry(company, month + timedelta(days=27), "posted", parts)
        yield _entry(company, _LAST, "draft", [("rent", 1_000.0), ("bank", -1_000.0)])


def _entry(company: int, day: date, state: str, parts: list[tuple[str, float]]) -> Move:
    move = Move("entry", state, day, company, company)
    move.items += [Item(account(company, key), amount, amount) for key, amount in parts]
    return move


def move_row(move: Move) -> Row:
    """Return an entry as its table has it."""
    untaxed, tax, total = _totals(move)
    in_company = _totals(move, "balance")
    residual = abs(move.open_item.residual) if move.is_invoice and move.state == "posted" else 0.0
    side = -1 if move.kind in ("out_refund", "in_invoice", "in_receipt") else 1
    item = move.open_item if move.is_invoice else None
    ratio = abs(item.amount / item.balance) if item is not None and item.balance else 1.0
    order = move.order
    return {
        "name": move.name,
        "move_type": move.kind if move.is_invoice else "entry",
        "state": move.state,
        "date": move.day,
        "company_id": move.company,
        "currency_id": move.currency,
        "journal_id": journal(move.company, _PREFIXES[move.kind][0]),
        "sequence_prefix": move.name.rpartition("/")[0] + "/",
        "sequence_number": int(move.name.rpartition("/")[2] or 0),
        "partner_id": move.partner,
        "commercial_partner_id": move.firm,
        "invoice_date": move.day if move.is_invoice else None,
        "invoice_date_due": item.due if item is not None else None,
        "invoice_origin": order.name if order is not None else None,
        "invoice_user_id": order.user if order is not None else None,
        "team_id": None,
        "auto_post": "no",
        "auto_post_origin_id": None,
        "reversed_entry_id": None,
        "narration": None,
        "ref": None,
        "payment_state": move.payment_state,
        "amount_untaxed": untaxed,
        "amount_tax": tax,
        "amount_total": total,
        "amount_residual": round(residual * ratio, 2),
        "amount_untaxed_signed": side * in_company[0],
        "amount_tax_signed": side * in_company[1],
        "amount_total_signed": side * in_company[2],
        "amount_total_in_currency_signed": side * total,
        "amount_residual_signed": side * residual,
    }


def _totals(move: Move, name: str = "amount") -> tuple[float, float, float]:
    """Return what an invoice comes to without tax, the tax, and both; of another entry, its debit."""
    if not move.is_invoice:
        total = round(sum(max(getattr(item, name), 0.0) for item in move.items), 2)
        return total, 0.0, total
    untaxed, tax = (
        round(abs(sum(getattr(item, name) for item in move.items if item.display_type == kind)), 2)
        for kind in ("product", "tax")
    )
    return untaxed, tax, round(untaxed + tax, 2)


def item_rows(moves: Iterable[Move]) -> Iterator[Row]:
    """Return the journal items of all entries as their table has them."""
    for move in moves:
        for sequence, item in enumerate(move.items, 1):
            yield _item_row(move, item, sequence)


def _item_row(move: Move, item: Item, sequence: int) -> Row:
    line = item.line
    product = line.product if line is not None else None
    is_posted, is_open = move.state == "posted", item.display_type == "payment_term"
    residual = item.residual if is_open and move.state != "cancel" else 0.0
    ratio = item.amount / item.balance if item.balance else 1.0
    untaxed = abs(item.amount) if line is not None else 0.0
    return {
        "move_id": move.id,
        "move_name": move.name,
        "journal_id": journal(move.company, _PREFIXES[move.kind][0]),
        "company_id": move.company,
        "company_currency_id": move.company,
        "currency_id": move.currency,
        "parent_state": move.state,
        "date": move.day,
        "invoice_date": move.day if move.is_invoice else None,
        "date_maturity": item.due if is_open else None,
        "ref": None,
        "name": item.name,
        "sequence": sequence * 10,
        "display_type": item.display_type,
        "account_id": item.account,
        "partner_id": move.firm,
        "product_id": product.id if product is not None else None,
        "product_uom_id": line.unit if line is not None else None,
        "quantity": item.quantity if line is not None else 0.0,
        "price_unit": line.price if line is not None else 0.0,
        "discount": line.discount if line is not None else 0.0,
        "price_subtotal": untaxed,
        "price_total": round(untaxed * (1 + TAX), 2),
        "debit": max(item.balance, 0.0),
        "credit": max(-item.balance, 0.0),
        "balance": item.balance,
        "amount_currency": item.amount,
        "amount_residual": residual,
        "amount_residual_currency": round(residual * ratio, 2),
        "reconciled": is_posted and is_open and not residual,
        "matching_number": str(move.id) if is_posted and is_open and residual != item.balance else None,
        "tax_line_id": None,
        "group_tax_id": None,
        "tax_base_amount": 0.0,
        "purchase_line_id": None,
        "is_downpayment": False,
    }
