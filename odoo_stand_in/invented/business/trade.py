"""Everything that the invented business does, planned at once and then written into the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from odoo_stand_in.invented import trade
from odoo_stand_in.invented.business import catalogue, ledger, pipeline, stock
from odoo_stand_in.invented.business.catalogue import CATEGORIES, CHART, DOZEN, EUR, GBP, JOURNALS, USD
from odoo_stand_in.invented.business.orders import END, TAX, Line, Order, purchases, sales
from odoo_stand_in.invented.generator import Generator, Row

_CUSTOMERS, _VENDORS = 18, 10
_DESKS = ((10, "Key Accounts Desk", "sales.key"), (11, "Web Shop Desk", "sales.web"))
"""More salespeople: their partners, names and logins; they may do what the sales desk may."""
_SALES_DESK = 4
_OF_A_DOZEN = 12


class Business:
    """The plan of a business: the same for the same seed on every day, but for when open invoices fall due.

    It draws from a source of its own, so that another field of another model changes none of its figures.

    :ivar items: the journal items, as their table has them.
    """

    end = END

    def __init__(self, seed: int, scale: float, today: date | None = None) -> None:
        random = Random(f"business {seed}")  # noqa: S311 - invented data, no secret
        partners = catalogue.partners(random, _CUSTOMERS + _VENDORS)
        self._customers, self._vendors = partners[:_CUSTOMERS], partners[_CUSTOMERS:]
        self._products = catalogue.products(random)
        self._sales = sales(random, scale, self._customers, self._products)
        self._purchases = purchases(random, scale, self._vendors, self._products)
        books = ledger.Books(random, today or datetime.now(UTC).date())
        self._moves = books.keep(self._sales, self._purchases)
        self.items = list(ledger.item_rows(self._moves))
        self._store = stock.Store(random, self._vendors[0])
        self._store.fill(self._products)
        self._leads = pipeline.leads(random, scale, self._customers, self._products)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows the models have."""
        return {
            "account.account": len(CHART) * len(ledger.COMPANIES),
            "account.journal": len(JOURNALS) * len(ledger.COMPANIES),
            "account.move": len(self._moves),
            "account.move.line": len(self.items),
            "crm.lead": len(self._leads),
            "crm.lost.reason": len(pipeline.REASONS),
            "crm.stage": len(pipeline.STAGES),
            "crm.tag": len(pipeline.TAGS),
            "product.category": len(CATEGORIES),
            "product.product": len(self._products),
            "product.template": self._products[-1].template,
            "purchase.order": len(self._purchases),
            "purchase.order.line": sum(len(order.lines) for order in self._purchases),
            "res.currency.rate": len(catalogue.RATES) * 3,
            "res.partner": 240,
            "sale.order": len(self._sales),
            "sale.order.line": sum(len(order.lines) for order in self._sales),
            "stock.location": len(stock.locations()),
            "stock.lot": len(self._store.lots),
            "stock.quant": len(self._store.quants),
            "stock.warehouse": len(ledger.COMPANIES),
        }

    def populate(self, generator: Generator) -> None:
        """Make the rows of all trading models."""
        self._name_partners(generator)
        self._stock_products(generator)
        self._open_books(generator)
        _make(generator, "sale.order", [_sale(order) for order in self._sales])
        lines = [_sold(order, line) for order in self._sales for line in order.lines]
        _make(generator, "sale.order.line", lines)
        _make(generator, "purchase.order", [_purchase(order) for order in self._purchases])
        lines = [_bought(order, line) for order in self._purchases for line in order.lines]
        _make(generator, "purchase.order.line", lines)
        _make(generator, "account.move", [ledger.move_row(move) for move in self._moves])
        _make(generator, "account.move.line", self.items)
        companies = [row["name"] for row in generator.rows["res.company"]]
        _make(generator, "stock.location", stock.locations())
        _make(generator, "stock.warehouse", stock.warehouses(companies))
        _make(generator, "stock.lot", self._store.lots)
        _make(generator, "stock.quant", self._store.quants)
        self._open_pipeline(generator)
        trade.projects(generator)

    def _name_partners(self, generator: Generator) -> None:
        rows = generator.rows["res.partner"]
        for firm in (*self._customers, *self._vendors):
            rows[firm.id - 1].update(_company(firm.id, firm.name), is_company=True, commercial_company_name=firm.name)
            for desk, name in firm.desks:
                rows[desk - 1].update(_company(desk, name), parent_id=firm.id, commercial_partner_id=firm.id)
        for desk, name, login in _DESKS:
            rows[desk - 1].update(_company(desk, name), parent_id=1, partner_share=False, lang="en_US")
            users = generator.rows["res.users"]
            user = {**users[_SALES_DESK - 1], "id": len(users) + 1, "login": login, "partner_id": desk}
            users.append(user)
            for pairs in generator.relations.values():
                _join_as(pairs, user["id"])
        for row in rows:
            parent = rows[row["parent_id"] - 1] if row["parent_id"] else None
            if parent is not None:
                row.update(commercial_company_name=parent["name"], complete_name=f"{parent['name']}, {row['name']}")

    def _stock_products(self, generator: Generator) -> None:
        products, is_new = self._products, generator.registry.flavour == "19"
        first = {product.template: product for product in reversed(products)}
        variants = {one: sum(product.template == one for product in products) for one in first}
        templates = [first[number] for number in sorted(first)]
        _make(generator, "uom.uom", _units(is_new))
        _make(generator, "product.category", _categories())
        _make(generator, "product.tag", [{"name": {"en_US": f"Label {number}"}} for number in range(1, 7)])
        _make(
            generator,
            "product.pricelist",
            [{"name": {"en_US": name}, "company_id": None} for name in ("Public", "Partners")],
        )
        _make(
            generator,
            "product.template",
            [
                {
                    "name": {"en_US": product.name},
                    "default_code": product.code if variants[product.template] == 1 else None,
                    "active": not product.is_archived or variants[product.template] > 1,
                    "categ_id": product.category,
                    "list_price": product.price,
                    "uom_id": product.unit,
                    "uom_po_id": product.unit,
                    "company_id": None,
                    "type": "service" if product.is_service else "consu" if is_new else "product",
                    "detailed_type": "service" if product.is_service else "product",
                    "sale_ok": True,
                    "purchase_ok": not product.is_service,
                    "purchase_method": "receive",
                    "product_properties": None,
                }
                for product in templates
            ],
        )
        _make(
            generator,
            "product.product",
            [
                {
                    "product_tmpl_id": product.template,
                    "default_code": product.code,
                    "barcode": f"40{product.id:011}",
                    "combination_indices": str(product.id),
                    "active": not product.is_archived,
                }
                for product in products
            ],
        )

    def _open_books(self, generator: Generator) -> None:
        rates = [
            {"name": day, "rate": value, "currency_id": currency, "company_id": None}
            for day, euro, pound in catalogue.RATES
            for currency, value in ((USD, 1.0), (EUR, euro), (GBP, pound))
        ]
        _make(generator, "res.currency.rate", rates)
        field = generator.registry.models["account.account"].fields.get("company_ids")
        accounts = []
        for company in ledger.COMPANIES:
            for key, name, kind, codes in CHART:
                accounts.append(_account(company, name, kind, codes[company - 1]))
                if field is not None:
                    relation = f"{field.rel_table}/{field.rel_own}/{field.rel_other}"
                    generator.relate(relation, catalogue.account(company, key), company)
        _make(generator, "account.account", accounts)
        journals = [
            {"code": code, "name": {"en_US": name}, "type": kind, "company_id": company, "currency_id": None}
            for company in ledger.COMPANIES
            for code, name, kind in JOURNALS
        ]
        _make(generator, "account.journal", journals)
        trade.terms_and_taxes(generator)

    def _open_pipeline(self, generator: Generator) -> None:
        _make(generator, "crm.team", [{"name": {"en_US": name}, "company_id": None} for name in pipeline.TEAMS])
        _make(generator, "crm.tag", [{"name": {"en_US": name}} for name in pipeline.TAGS])
        _make(generator, "crm.lost.reason", [{"name": {"en_US": name}} for name in pipeline.REASONS])
        _make(generator, "crm.stage", pipeline.stages())
        _make(generator, "crm.lead", self._leads)
        generator.relate_some("crm.lead", "tag_ids", 0.5, 2)


def _make(generator: Generator, model: str, rows: Sequence[Row]) -> None:
    """Make rows as planned; what the plan does not say is made up."""
    override: Callable[[int, Row], None] = lambda number, row: row.update(rows[number - 1])  # noqa: E731
    generator.make(model, override)


def _join_as(pairs: set[tuple[int, int]], user: int) -> None:
    """Give a user the groups and companies of the sales desk."""
    pairs |= {(other, user) for other, member in pairs if member == _SALES_DESK}


def _company(number: int, name: str) -> Row:
    return {
        "name": name,
        "complete_name": name,
        "is_company": False,
        "parent_id": None,
        "commercial_partner_id": number,
        "active": True,
        "company_id": None,
        "type": "contact",
    }


def _units(is_new: bool) -> list[Row]:
    """Return the units: up to 18 a factor says how many make the reference unit, from 19 on the other way round."""
    rows = []
    for number, name in enumerate(trade.UNITS, 1):
        size = {DOZEN: float(_OF_A_DOZEN), 6: 8.0}.get(number, 1.0)
        reference = {DOZEN: 1, 6: 4}.get(number)
        rows.append(
            {
                "name": {"en_US": name},
                "factor": size if is_new else 1 / size,
                "relative_factor": size,
                "relative_uom_id": reference,
                "uom_type": "reference" if reference is None else "bigger",
                "rounding": 0.01,
                "active": True,
            }
        )
    return rows


def _categories() -> list[Row]:
    rows: list[Row] = []
    for number, (name, parent) in enumerate(CATEGORIES, 1):
        above = rows[parent - 1] if parent is not None else None
        rows.append(
            {
                "name": name,
                "parent_id": parent,
                "complete_name": f"{above['complete_name']} / {name}" if above else name,
                "parent_path": f"{above['parent_path'] if above else ''}{number}/",
            }
        )
    return rows


def _account(company: int, name: str, kind: str, code: str) -> Row:
    return {
        "name": {"en_US": name},
        "account_type": kind,
        "code": code,
        "code_store": {str(company): code},
        "company_id": company,
        "currency_id": None,
        "deprecated": False,
        "reconcile": kind in ("asset_receivable", "liability_payable"),
    }


def _order(order: Order) -> Row:
    untaxed = round(sum(line.amount(line.quantity) for line in order.lines), 2)
    tax = round(untaxed * TAX, 2)
    return {
        "name": order.name,
        "company_id": order.company,
        "currency_id": order.currency,
        "currency_rate": order.rate,
        "partner_id": order.partner,
        "date_order": order.moment,
        "state": order.state,
        "user_id": order.user,
        "invoice_status": order.invoice_status,
        "amount_untaxed": untaxed,
        "amount_tax": tax,
        "amount_total": round(untaxed + tax, 2),
        "create_date": order.moment,
        "write_date": min(order.moment + timedelta(days=10), END),
    }


def _sale(order: Order) -> Row:
    team = {4: 1, 7: 2, 8: 3}[order.user]
    return {
        **_order(order),
        "partner_invoice_id": order.firm,
        "partner_shipping_id": order.partner,
        "team_id": team,
        "locked": False,
    }


def _purchase(order: Order) -> Row:
    return {
        **_order(order),
        "date_approve": order.moment + timedelta(hours=3) if order.is_final else None,
        "date_planned": order.moment + timedelta(days=14),
        "amount_total_cc": None,
    }


def _line(order: Order, line: Line) -> Row:
    untaxed = line.amount(line.quantity)
    tax = round(untaxed * TAX, 2)
    return {
        "order_id": order.number,
        "company_id": order.company,
        "currency_id": order.currency,
        "state": order.state,
        "name": line.name,
        "display_type": line.display_type,
        "product_id": line.product.id if line.product is not None else None,
        "product_uom": line.unit,
        "product_uom_id": line.unit,
        "price_unit": line.price,
        "discount": line.discount,
        "price_subtotal": untaxed,
        "price_tax": tax,
        "price_total": round(untaxed + tax, 2),
        "qty_invoiced": line.invoiced,
        "qty_to_invoice": max(line.done - line.invoiced, 0.0) if order.is_final else 0.0,
        "sequence": 10,
    }


def _sold(order: Order, line: Line) -> Row:
    return {
        **_line(order, line),
        "order_partner_id": order.firm,
        "salesman_id": order.user,
        "product_uom_qty": line.quantity,
        "qty_delivered": line.done,
        "invoice_status": order.invoice_status,
        "untaxed_amount_invoiced": line.amount(line.invoiced),
        "untaxed_amount_to_invoice": line.amount(max(line.done - line.invoiced, 0.0)) if order.is_final else 0.0,
        "is_downpayment": False,
        "is_expense": False,
    }


def _bought(order: Order, line: Line) -> Row:
    return {
        **_line(order, line),
        "partner_id": order.firm,
        "product_qty": line.quantity,
        "product_uom_qty": line.quantity * (_OF_A_DOZEN if line.unit == DOZEN else 1),
        "qty_received": line.done,
        "date_planned": order.moment + timedelta(days=14),
        "sale_line_id": None,
        "sale_order_id": None,
    }
