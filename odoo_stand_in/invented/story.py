"""Who is who in the invented database: companies, users and partners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.declared.schema import Flavour
from odoo_stand_in.invented import technical, words
from odoo_stand_in.invented.generator import Generator, Row
from odoo_stand_in.invented.schemas import SCHEMAS
from odoo_stand_in.orm.access import GROUPS, hashed

COMPANIES = ("Acme Nordwind GmbH", "Acme Bluepeak Ltd", "Acme Silverbrook SA")
LOGINS = ("__system__", "admin", "limited", "sales", "purchase", "inventory")
NAMES = ("OdooBot", "Administrator", "Limited Integration", "Sales Desk", "Purchase Desk", "Inventory Desk")
# Rows at scale 1; the others are as many at every scale.
GROWING = {
    "res.partner": 400,
    "mail.followers": 120,
    "product.template": 120,
    "product.product": 150,
    "account.move": 300,
    "account.move.line": 900,
    "sale.order": 150,
    "sale.order.line": 450,
    "purchase.order": 60,
    "purchase.order.line": 180,
    "project.task": 90,
}
FIXED = {
    "res.users": 6,
    "res.company": 3,
    "res.partner.category": 12,
    "res.partner.industry": 8,
    "res.partner.bank": 40,
    "res.bank": 6,
    "res.currency": 5,
    "res.country": 5,
    "res.country.state": 12,
    "res.lang": 4,
    "ir.config_parameter": 5,
    "ir.attachment": 20,
    "product.category": 8,
    "product.tag": 6,
    "product.pricelist": 2,
    "uom.uom": 6,
    "uom.category": 2,
    "account.account": 120,
    "account.journal": 9,
    "account.payment.term": 4,
    "account.tax": 6,
    "account.analytic.account": 5,
    "crm.team": 3,
    "project.project": 8,
    "project.task.type": 5,
    "project.tags": 6,
    "hr.employee": 6,
    "res.device.log": 5,
    "ir.module.module.dependency": 9,
    "x_awkward": 40,
}


@dataclass(frozen=True)
class Logins:
    """Passwords and keys that the database is filled with."""

    password: str
    limited_password: str
    api_key: str
    limited_api_key: str
    expired_api_key: str


def populate(registry: Registry, schema: str, seed: int, scale: float, logins: Logins) -> Generator:
    """All rows of a new database."""
    chosen = SCHEMAS[schema]
    trading = chosen.trade(seed, scale)
    counts = FIXED | {name: max(1, int(size * scale)) for name, size in GROWING.items()} | dict(trading.counts)
    counts["ir.module.module"] = len(technical.modules(registry))
    counts["res.groups"] = len(GROUPS)
    counts["res.users.apikeys"] = 3 if registry.flavour == "19" else 2
    generator = Generator(registry, seed, scale, counts, trading.end)
    technical.populate(generator, keys(registry.flavour, logins, generator.end))
    _users(generator, logins)
    _partners(generator)
    trading.populate(generator)
    if "x_awkward" in registry.models:
        _awkward(generator)
    chosen.populate(generator)
    return generator


def keys(flavour: Flavour, logins: Logins, now: datetime) -> list[technical.Key]:
    """Return the API keys; those of 17 never expire, so that the expired one is simply not there."""
    valid = [
        technical.Key("integration", 2, hashed(logins.api_key), None),
        technical.Key("limited integration", 3, hashed(logins.limited_api_key), None),
    ]
    expired = technical.Key("expired integration", 2, hashed(logins.expired_api_key), now)
    return [*valid, expired] if flavour == "19" else valid


def _users(generator: Generator, logins: Logins) -> None:
    def user(number: int, row: Row) -> None:
        secret = {2: logins.password, 3: logins.limited_password}.get(number)
        row.update(
            login=LOGINS[number - 1],
            partner_id=number + len(COMPANIES),
            active=number > 1,
            share=False,
            company_id=1,
            notification_type="email",
            password=hashed(secret) if secret else None,
        )
        for company in range(1, len(COMPANIES) + 1):
            if number <= 2 or company == 1:
                generator.relate("res_company_users_rel/cid/user_id", company, number)
        for group, label in enumerate(GROUPS, 1):
            if number <= 2 or label == "base.group_user" or (number > 3 and label.startswith(LOGINS[number - 1])):
                generator.relate("res_groups_users_rel/gid/uid", group, number)

    def company(number: int, row: Row) -> None:
        row.update(
            name=COMPANIES[number - 1],
            partner_id=number,
            email=f"contact{number}@example.com",  # its partner's, stored
            currency_id=number,
            parent_id=None,
            active=True,
            parent_path=f"{number}/",
            sequence=number,
            fiscalyear_last_day=31,
            fiscalyear_last_month="12",
        )

    generator.make("res.users", user)
    generator.make("res.company", company)


def _partners(generator: Generator) -> None:
    random, counts = generator.random, generator.counts
    people = len(COMPANIES) + len(LOGINS)
    firms: list[Row] = []

    def partner(number: int, row: Row) -> None:
        is_company = number <= len(COMPANIES) or (number > people and number % 4 == 0)
        parent = (
            random.choice(firms) if firms and number > people and not is_company and random.random() < 0.6 else None
        )
        name = words.company(random) if is_company else words.contact(random)
        if number <= len(COMPANIES):
            name = COMPANIES[number - 1]
        elif number <= people:
            name = NAMES[number - len(COMPANIES) - 1]
        elif number % 37 == 0:
            name = words.AWKWARD_TEXTS[number // 37 % len(words.AWKWARD_TEXTS)]
        company_name = parent["name"] if parent else (name if is_company else None)
        row.update(
            name=name,
            is_company=is_company,
            parent_id=parent["id"] if parent else None,
            commercial_partner_id=parent["id"] if parent else number,
            commercial_company_name=company_name,
            complete_name=f"{parent['name']}, {name}" if parent else name,
            company_name=None,
            active=number != len(COMPANIES) + 1 and (number <= people or number % 17 != 0),
            type=row["type"] or "contact",
            lang="en_US" if number <= people else random.choice(("en_US", "en_US", "fr_FR", None)),
            city=words.city(random),
            street=words.street(random),
            email=f"contact{number}@example.com",
            email_normalized=f"contact{number}@example.com",
            company_id=None if number <= people or random.random() < 0.7 else random.randint(1, 3),
            function=None if is_company else "Buyer",
            tz="Europe/Brussels" if number <= people else random.choice(("Europe/Berlin", None)),
            barcode=None,
            x_preferred=f"product.product,{random.randint(1, counts['product.product'])}" if number % 5 == 0 else None,
            partner_share=number > people,
            invoice_edi_format_store=None,
            peppol_eas=None,
        )
        if is_company and number > people:
            firms.append(row)

    generator.make("res.partner", partner)
    generator.make(
        "res.partner.category",
        lambda number, row: row.update(
            name={"en_US": f"Tag {number}", "fr_FR": f"Étiquette {number}"},
            parent_id=1 if number > 8 else None,
            parent_path=f"1/{number}/" if number > 8 else f"{number}/",
        ),
    )
    generator.make("res.partner.industry", lambda number, row: row.update(name={"en_US": f"Industry {number}"}))
    generator.make(
        "hr.employee",
        lambda number, row: row.update(name=words.contact(random), user_id=None, company_id=1, active=number != 4),
    )
    if "res.device.log" in generator.registry.models:
        generator.make("res.device.log", lambda number, row: row.update(user_id=2, revoked=number == 2))
    generator.make(
        "res.bank", lambda number, row: row.update(name=f"{words.city(random)} Savings Bank", bic=f"BANKXX{number:02}")
    )
    generator.make(
        "res.partner.bank",
        lambda number, row: row.update(
            acc_number=f"XX00 {number:012}", sanitized_acc_number=f"XX00{number:012}", company_id=None
        ),
    )
    generator.relate_some("res.partner", "category_id", 0.4)


def _awkward(generator: Generator) -> None:
    random = generator.random
    definition = [
        {"name": "a1b2", "type": "char", "string": "Colour", "default": "red"},
        {"name": "c3d4", "type": "integer", "string": "Size"},
    ]

    def override(number: int, row: Row) -> None:
        text = words.AWKWARD_TEXTS[number % len(words.AWKWARD_TEXTS)]
        row.update(
            x_name=text,
            x_html=f"<p>{text}</p>",
            x_json={"n": number, "text": text} if number % 3 else None,
            x_any=f"res.partner,{number}" if number % 2 else None,
            x_model="res.partner" if number % 4 else None,
            x_res_id=number if number % 4 else None,
            x_parent_id=number // 2 or None,
            x_properties_definition=definition,
            x_properties={"a1b2": "blue", "c3d4": number} if number % 2 else None,
            active=number % 9 != 0,
        )
        if "x_embedding" in row:
            row["x_embedding"] = [round(random.random(), 3) for _ in range(4)]

    generator.make("x_awkward", override)
    generator.relate_some("x_awkward", "x_partner_ids", 0.7)
