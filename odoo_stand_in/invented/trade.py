"""What the invented companies trade: products, accounts, invoices, orders, projects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from odoo_stand_in.invented import words
from odoo_stand_in.invented.generator import Generator, Row

UNITS = ("Units", "Dozen", "kg", "Hours", "m", "Days")
ACCOUNT_TYPES = ("asset_receivable", "liability_payable", "asset_cash", "income", "expense", "asset_current", "equity")
JOURNALS = (
    ("INV", "Customer Invoices", "sale"),
    ("BILL", "Vendor Bills", "purchase"),
    ("MISC", "Miscellaneous", "general"),
)
MOVES = (("out_invoice", "INV"), ("in_invoice", "BILL"), ("entry", "MISC"), ("out_refund", "RINV"))
COMPANIES = 3


class Trade:
    """What most schemas have: plausible rows up to now, whose sums mean nothing."""

    end: datetime | None = None

    def __init__(self, _seed: int, _scale: float) -> None:
        self.counts: Mapping[str, int] = {}

    def populate(self, generator: Generator) -> None:
        """Make the rows of all trading models."""
        populate(generator)


def populate(generator: Generator) -> None:
    """Rows of all trading models."""
    _products(generator)
    _accounts(generator)
    _moves(generator)
    _orders(generator, "sale.order", "sale.order.line", "S")
    _orders(generator, "purchase.order", "purchase.order.line", "P")
    projects(generator)


def _products(generator: Generator) -> None:
    random = generator.random
    make = generator.make
    make("uom.uom", lambda number, row: row.update(name={"en_US": UNITS[number - 1]}))
    make(
        "product.category",
        lambda number, row: row.update(
            name=f"Category {number}",
            complete_name=f"All / Category {number}" if number > 1 else "All",
            parent_id=1 if number > 1 else None,
            parent_path=f"1/{number}/" if number > 1 else "1/",
        ),
    )
    make("product.tag", lambda number, row: row.update(name={"en_US": f"Label {number}"}))
    make("product.pricelist", lambda number, row: row.update(name={"en_US": f"Pricelist {number}"}, company_id=None))

    def template(number: int, row: Row) -> None:
        name = words.product(random)
        row.update(
            name={"en_US": name, "fr_FR": f"{name} (fr)"} if number % 3 == 0 else {"en_US": name},
            active=number % 15 != 0,
            default_code=f"T{number:04}",
            uom_id=1,
            company_id=None if random.random() < 0.8 else random.randint(1, COMPANIES),
            product_properties=None,
            uom_po_id=1,
        )

    total = generator.counts["product.template"]
    make("product.template", template)
    make(
        "product.product",
        lambda number, row: row.update(
            product_tmpl_id=(number - 1) % total + 1,
            default_code=f"P{number:05}",
            barcode=f"40{number:011}",
            combination_indices=str(number),
            active=number % 16 != 0,
        ),
    )
    generator.relate_some("product.template", "product_tag_ids", 0.4)


def _accounts(generator: Generator) -> None:
    make = generator.make

    def account(number: int, row: Row) -> None:
        code = f"{100000 + number * 10}"
        company = (number - 1) % COMPANIES + 1
        row.update(
            name={"en_US": f"Account {code}"},
            account_type=ACCOUNT_TYPES[number % len(ACCOUNT_TYPES)],
            code=code,
            company_id=company,
            currency_id=None,
            code_store={str(company): code},
            deprecated=number % 20 == 0,
        )
        field = generator.registry.models["account.account"].fields.get("company_ids")
        if field is not None:
            generator.relate(f"{field.rel_table}/{field.rel_own}/{field.rel_other}", number, company)

    def journal(number: int, row: Row) -> None:
        code, name, kind = JOURNALS[(number - 1) % 3]
        row.update(code=code, name={"en_US": name}, type=kind, company_id=(number - 1) // 3 + 1, currency_id=None)

    make("account.account", account)
    make("account.journal", journal)
    terms_and_taxes(generator)


def terms_and_taxes(generator: Generator) -> None:
    """Rows that invoices point to."""
    make = generator.make
    make("account.payment.term", lambda number, row: row.update(name={"en_US": f"{number * 15} days"}, company_id=None))
    make(
        "account.tax",
        lambda number, row: row.update(
            name={"en_US": f"Tax {number * 4}%"},
            amount=number * 4,
            amount_type="percent",
            company_id=(number - 1) % 3 + 1,
        ),
    )
    make(
        "account.analytic.account",
        lambda number, row: row.update(name={"en_US": f"Department {number}"}, company_id=None),
    )


def _moves(generator: Generator) -> None:
    random = generator.random
    lines: dict[int, list[Row]] = {}
    moves: list[Row] = []

    def move(number: int, row: Row) -> None:
        kind, prefix = random.choice(MOVES)
        company = random.choice((1, 1, 1, 2, 3))
        date = generator.moment().date()
        state = random.choice(("draft", "posted", "posted", "posted", "cancel"))
        name = f"{prefix}/{date.year}/{number:05}" if state == "posted" else "/"
        invoice = kind != "entry"
        row.update(
            name=name,
            move_type=kind,
            state=state,
            date=date,
            company_id=company,
            currency_id=company,
            journal_id=(company - 1) * 3 + random.randint(1, 3),
            sequence_prefix=f"{prefix}/{date.year}/",
            sequence_number=number,
            invoice_date=date if invoice else None,
            ref=words.word(random) if number % 3 else None,
            invoice_date_due=date + timedelta(days=30) if invoice else None,
            auto_post="no",
            payment_state=random.choice(("not_paid", "paid", "partial")) if invoice else "not_paid",
            narration=f"<p>{words.sentence(random)}</p>" if number % 4 == 0 else None,
            auto_post_origin_id=None,
            reversed_entry_id=None,
        )
        moves.append(row)

    def line(number: int, row: Row) -> None:
        above = moves[(number - 1) * len(moves) // generator.counts["account.move.line"]]
        kind = "product" if above["move_type"] != "entry" and number % 3 else "payment_term"
        debit = round(random.random() * 900, 2) if number % 2 else 0.0
        credit = 0.0 if number % 2 else round(random.random() * 900, 2)
        row.update(
            move_id=above["id"],
            journal_id=above["journal_id"],
            company_id=above["company_id"],
            company_currency_id=above["company_id"],
            currency_id=above["currency_id"],
            move_name=above["name"],
            parent_state=above["state"],
            date=above["date"],
            invoice_date=above["invoice_date"],
            ref=above["ref"],
            display_type=kind,
            debit=debit,
            credit=credit,
            balance=round(debit - credit, 2),
            amount_currency=round(debit - credit, 2),
            amount_residual=round(debit - credit, 2),
            partner_id=above["partner_id"],
            account_id=random.randint(1, 120),
            name=words.sentence(random) if number % 3 else None,
            purchase_line_id=None,
            sequence=10,
        )
        lines.setdefault(above["id"], []).append(row)

    generator.make("account.move", move)
    generator.make("account.move.line", line)
    for row in moves:
        own = lines.get(row["id"], [])
        _balance(own)
        total = round(sum(one["debit"] for one in own), 2)
        for name in ("amount_total", "amount_untaxed", "amount_total_signed", "amount_untaxed_signed"):
            row[name] = total
        row["amount_tax"] = row["amount_tax_signed"] = 0.0
    generator.relate_some("account.move.line", "tax_ids", 0.3, 1)


def _balance(lines: list[Row]) -> None:
    """Let the last line of an entry close it, as Odoo demands; nothing is reconciled yet."""
    if lines:
        rest = round(lines[-1]["balance"] - sum(line["balance"] for line in lines), 2)
        lines[-1].update(
            debit=max(rest, 0.0), credit=max(-rest, 0.0), balance=rest, amount_currency=rest, amount_residual=rest
        )


def _orders(generator: Generator, order_model: str, line_model: str, prefix: str) -> None:
    random = generator.random
    orders: list[Row] = []
    totals: dict[int, float] = {}

    def order(number: int, row: Row) -> None:
        company = random.choice((1, 1, 2, 3))
        partner = random.randint(10, max(10, generator.counts["res.partner"]))
        moment = generator.moment().replace(microsecond=0)
        row.update(
            name=f"{prefix}{number:05}",
            company_id=company,
            currency_id=company,
            partner_id=partner,
            date_order=moment,
            partner_invoice_id=partner,
            partner_shipping_id=partner,
            state=random.choice(("draft", "sent", "sale" if prefix == "S" else "purchase", "cancel")),
        )
        orders.append(row)

    def line(number: int, row: Row) -> None:
        above = orders[(number - 1) * len(orders) // generator.counts[line_model]]
        quantity, price = float(random.randint(1, 20)), round(random.random() * 300, 2)
        subtotal = round(quantity * price, 2)
        totals[above["id"]] = totals.get(above["id"], 0.0) + subtotal
        row.update(
            order_id=above["id"],
            company_id=above["company_id"],
            state=above["state"],
            name=words.sentence(random),
            price_unit=price,
            price_subtotal=subtotal,
            price_total=subtotal,
            price_tax=0.0,
            discount=0.0,
            display_type=None,
            sequence=10,
            currency_id=above["currency_id"],
            order_partner_id=above["partner_id"],
            partner_id=above["partner_id"],
            salesman_id=above["user_id"],
            product_uom_qty=quantity,
            product_qty=quantity,
            sale_line_id=None,
            sale_order_id=None,
        )

    generator.make(order_model, order)
    generator.make(line_model, line)
    for row in orders:
        row["amount_untaxed"] = row["amount_total"] = round(totals.get(row["id"], 0.0), 2)
        row["amount_tax"] = 0.0
    if order_model == "sale.order":
        generator.make("crm.team", lambda number, row: row.update(name={"en_US": f"Team {number}"}, company_id=None))


def projects(generator: Generator) -> None:
    """Rows of projects and their tasks."""
    random = generator.random
    definition = [{"name": "f00d", "type": "char", "string": "Ticket", "default": ""}]
    states = generator.registry.models["project.task"].fields["state"].selection
    generator.make(
        "project.project",
        lambda number, row: row.update(
            name={"en_US": f"Project {words.product(random)}"},
            company_id=None if number % 2 else 1,
            task_properties_definition=definition if number % 2 else None,
        ),
    )
    generator.make(
        "project.task",
        lambda number, row: row.update(
            name=words.task(random),
            state=random.choice(states),
            active=number % 12 != 0,
            company_id=None,
            task_properties={"f00d": f"T-{number}"} if number % 3 == 0 else None,
            parent_id=number - 1 if number % 10 == 0 else None,
            description=f"<p>{words.sentence(random)}</p>",
        ),
    )
    generator.make(
        "project.task.type", lambda number, row: row.update(name={"en_US": f"Stage {number}"}, sequence=number)
    )
    generator.make("project.tags", lambda number, row: row.update(name={"en_US": f"Topic {number}"}))
    generator.relate_some("project.task", "user_ids", 0.8, 2)
    generator.relate_some("project.task", "tag_ids", 0.3, 2)
