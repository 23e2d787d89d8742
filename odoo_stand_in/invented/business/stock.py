"""Where goods are: locations by company, and what lies in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from odoo_stand_in.invented.business.catalogue import Partner, Product
from odoo_stand_in.invented.business.orders import END
from odoo_stand_in.invented.generator import Row

CODES = ("WH", "BP", "SB")
_SHARED: tuple[tuple[str, str, int | None], ...] = (
    ("Partners", "view", None),
    ("Customers", "customer", 1),
    ("Vendors", "supplier", 1),
    ("Physical Locations", "view", None),
    ("Inter-company transit", "transit", 4),
)
_PER_COMPANY = 4
_CUSTOMERS = 2


def _place(company: int, number: int) -> int:
    """Return the id of a location of a company: its view, its stock, a shelf there, its losses."""
    return len(_SHARED) + (company - 1) * _PER_COMPANY + number


def locations() -> list[Row]:
    """Return the locations."""
    rows: list[Row] = []
    for name, usage, parent in _SHARED:
        full = f"{rows[parent - 1]['complete_name']}/{name}" if parent else name
        rows.append(_location(name, full, usage, parent, None, None))
    for company, code in enumerate(CODES, 1):
        stock = _place(company, 2)
        rows += [
            _location(code, code, "view", None, company, company),
            _location("Stock", f"{code}/Stock", "internal", stock - 1, company, company),
            _location("Shelf A", f"{code}/Stock/Shelf A", "internal", stock, company, company),
            _location(
                "Inventory adjustment", "Virtual Locations/Inventory adjustment", "inventory", None, company, None
            ),
        ]
    return rows


def _location(name: str, full: str, usage: str, parent: int | None, company: int | None, warehouse: int | None) -> Row:
    return {
        "name": name,
        "complete_name": full,
        "usage": usage,
        "location_id": parent,
        "company_id": company,
        "warehouse_id": warehouse,
        "active": True,
        "barcode": None,
    }


def warehouses(companies: Sequence[str]) -> list[Row]:
    """Return one warehouse of each company."""
    return [
        {
            "name": name,
            "code": code,
            "company_id": company,
            "partner_id": company,
            "view_location_id": _place(company, 1),
            "lot_stock_id": _place(company, 2),
            "sequence": company * 10,
            "active": True,
        }
        for company, (code, name) in enumerate(zip(CODES, companies, strict=True), 1)
    ]


class Store:
    """Puts goods into the locations; a lot is made for each pump."""

    def __init__(self, random: Random, owner: Partner) -> None:
        self._random = random
        self._owner = owner
        self.lots: list[Row] = []
        self.quants: list[Row] = []

    def fill(self, products: Sequence[Product]) -> None:
        """Put some of every product into the first company's stock, and of many into the others'."""
        for product in products:
            if product.is_service:
                continue
            for company in range(1, len(CODES) + 1):
                if company > 1 and self._random.random() < 0.5:
                    continue
                self._put(product, company, _place(company, 2))
                if self._random.random() < 0.4:
                    self._put(product, company, _place(company, 3))
        sold = [product for product in products if not product.is_service][:8]
        for product in sold:
            self._quant(product, None, _CUSTOMERS, float(self._random.randint(5, 60)))
        # More was delivered than anybody had booked in.
        self._quant(sold[0], 2, _place(2, 3), -4.0)
        self._quant(sold[1], 1, _place(1, 3), 6.0, owner=self._owner.id)

    def _put(self, product: Product, company: int, location: int) -> None:
        number = self._random.randint(1, 3) if product.has_lots else 1
        for _ in range(number):
            lot = self._lot(product, company) if product.has_lots else None
            most = 6 if product.has_lots else 240
            quantity = float(self._random.randint(1, most))
            reserved = float(self._random.randint(0, int(quantity))) if self._random.random() < 0.4 else 0.0
            self._quant(product, company, location, quantity, reserved, lot)

    def _lot(self, product: Product, company: int) -> int:
        number = len(self.lots) + 1
        name = f"{product.code}-{number:04}"
        self.lots.append({"name": name, "ref": None, "product_id": product.id, "company_id": company})
        return number

    def _quant(
        self,
        product: Product,
        company: int | None,
        location: int,
        quantity: float,
        reserved: float = 0.0,
        lot: int | None = None,
        owner: int | None = None,
    ) -> None:
        came: datetime = END - timedelta(days=self._random.randint(3, 600), minutes=self._random.randint(0, 600))
        self.quants.append(
            {
                "product_id": product.id,
                "company_id": company,
                "location_id": location,
                "quantity": quantity,
                "reserved_quantity": reserved,
                "lot_id": lot,
                "owner_id": owner,
                "in_date": came.replace(microsecond=0),
            }
        )
