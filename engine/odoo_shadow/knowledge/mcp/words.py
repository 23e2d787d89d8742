"""What people call Odoo's records, where Odoo's own names and labels say something else."""

from __future__ import annotations

_MODELS: dict[str, str] = {
    "invoice": "account.move",
    "bill": "account.move",
    "refund": "account.move",
    "credit note": "account.move",
    "receipt": "account.move stock.picking",
    "revenue": "account.move sale.order",
    "turnover": "account.move sale.order",
    "invoice line": "account.move.line",
    "receivable": "account.move.line account.move",
    "payable": "account.move.line account.move",
    "payment": "account.payment account.move",
    "customer": "res.partner",
    "client": "res.partner",
    "vendor": "res.partner",
    "supplier": "res.partner",
    "contact": "res.partner",
    "partner": "res.partner",
    "address": "res.partner",
    "order": "sale.order purchase.order",
    "quotation": "sale.order",
    "quote": "sale.order",
    "sale": "sale.order",
    "subscription": "sale.order",
    "order line": "sale.order.line purchase.order.line",
    "purchase": "purchase.order",
    "rfq": "purchase.order",
    "request for quotation": "purchase.order",
    "product": "product.template product.product",
    "article": "product.template product.product",
    "item": "product.template product.product",
    "variant": "product.product",
    "stock": "stock.quant",
    "inventory": "stock.quant",
    "delivery": "stock.picking",
    "shipment": "stock.picking",
    "transfer": "stock.picking",
    "lead": "crm.lead",
    "opportunity": "crm.lead",
    "pipeline": "crm.lead",
    "prospect": "crm.lead",
    "task": "project.task",
    "ticket": "helpdesk.ticket project.task",
    "timesheet": "account.analytic.line",
    "employee": "hr.employee",
    "staff": "hr.employee",
    "leave": "hr.leave",
    "absence": "hr.leave",
    "vacation": "hr.leave",
    "expense": "hr.expense",
    "candidate": "hr.applicant",
    "user": "res.users",
    "salesperson": "res.users",
    "company": "res.company",
    "manufacturing order": "mrp.production",
    "bom": "mrp.bom",
    "bill of materials": "mrp.bom",
    "meeting": "calendar.event",
}
"""A word in the singular, and the models that it may mean, the likeliest first."""

_SHORTEST = 3
"""Letters of a word that may lose its ending."""


def models_of(word: str) -> tuple[str, ...]:
    """Return the models that people may mean by a word, the likeliest first; capitals and plurals do not matter."""
    for form in forms(word):
        if form in _MODELS:
            return tuple(_MODELS[form].split())
    return ()


def forms(word: str) -> tuple[str, ...]:
    """Return a word in small letters as it is, and in the singular."""
    plain = " ".join(word.casefold().split())
    found = [plain]
    if plain.endswith("ies") and len(plain) > _SHORTEST + 1:
        found.append(f"{plain[:-3]}y")
    if plain.endswith("s") and not plain.endswith("ss") and len(plain) > _SHORTEST:
        found.append(plain[:-1])
    return tuple(found)
