"""The technical rows of a database: currencies, countries, groups, models, modules, parameters, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from odoo_stand_in.declared.registry import Registry
from odoo_stand_in.invented import words
from odoo_stand_in.invented.generator import Generator, Row
from odoo_stand_in.orm.access import GROUPS

CURRENCIES = (("USD", "$", 2), ("EUR", "€", 2), ("GBP", "£", 2), ("KWD", "KD", 3), ("JPY", "¥", 0))
COUNTRIES = (
    *(("DE", "Germany", "Allemagne"), ("GB", "United Kingdom", "Royaume-Uni"), ("CH", "Switzerland", "Suisse")),
    *(("US", "United States", "États-Unis"), ("FR", "France", "France")),
)
MODULES = (
    *("base", "mail", "uom", "product", "account", "sale", "purchase", "project", "sales_team"),
    *("analytic", "crm", "stock", "hr", "website"),
)
PARAMETERS = (
    ("database.secret", "5f1d7a38-not-a-real-secret-3b2c"),
    ("database.uuid", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    ("database.create_date", "2024-01-01 00:00:00"),
    ("web.base.url", "http://localhost:8069"),
    ("mail.catchall.alias", "catchall"),
)
LANGUAGES = (
    ("English (US)", "en_US", True),
    ("French / Français", "fr_FR", True),
    ("German / Deutsch", "de_DE", False),
    ("Arabic / الْعَرَبيّة", "ar_001", False),
)
NOT_INSTALLED = frozenset({"website", "stock", "crm"})


@dataclass(frozen=True)
class Key:
    """An API key, as it is stored."""

    name: str
    user: int
    digest: str
    expires: datetime | None


def populate(generator: Generator, keys: Sequence[Key]) -> None:
    """Make the rows of all technical models."""
    random, make = generator.random, generator.make
    make("res.currency", _fixed([_currency(*one) for one in CURRENCIES]))
    make(
        "res.country",
        _fixed([{"code": code, "name": {"en_US": name, "fr_FR": french}} for code, name, french in COUNTRIES]),
    )
    make("res.country.state", lambda number, row: row.update(name=f"{words.city(random)}shire", code=f"S{number}"))
    make("res.lang", _fixed([_language(*one) for one in LANGUAGES]))
    make("res.groups", _fixed([{"name": {"en_US": one.split(" / ")[-1]}, "share": False} for one in GROUPS.values()]))
    make("ir.config_parameter", _fixed([{"key": key, "value": value} for key, value in PARAMETERS]))
    make("ir.module.module", _fixed([_module(one, generator.registry) for one in modules(generator.registry)]))
    make("ir.module.module.dependency", lambda number, row: row.update(name=MODULES[0], module_id=number + 1))
    make("res.users.apikeys", _fixed([_key(one, generator.end) for one in keys]))
    make(
        "ir.attachment",
        lambda number, row: row.update(
            name=f"file-{number}.txt", type="binary", res_model="res.partner", res_id=number if number % 3 else None
        ),
    )
    make(
        "mail.followers",
        lambda number, row: row.update(
            res_model="res.partner" if number % 2 else "sale.order",
            res_id=number,
            partner_id=random.randint(1, generator.counts["res.partner"]),
        ),
    )


def modules(registry: Registry) -> list[str]:
    """Return the modules of the database: the usual ones, and where its models come from."""
    return list(dict.fromkeys([*MODULES, *(model.module for model in registry.models.values())]))


def _fixed(given: Sequence[Row]) -> Callable[[int, Row], None]:
    """Return an override that takes each row from a list."""
    return lambda number, row: row.update(given[number - 1])


def _currency(name: str, symbol: str, places: int) -> Row:
    return {
        "name": name,
        "symbol": symbol,
        "decimal_places": places,
        "rounding": 10.0**-places,
        "active": True,
        "position": "before",
    }


def _language(name: str, code: str, active: bool) -> Row:
    english = code == "en_US"
    return {
        "name": name,
        "code": code,
        "iso_code": code[:2],
        "active": active,
        "direction": "rtl" if code.startswith("ar") else "ltr",
        "date_format": "%m/%d/%Y" if english else "%d/%m/%Y",
        "time_format": "%H:%M:%S",
        "grouping": "[3,0]",
        "decimal_point": "." if english else ",",
    }


def _module(name: str, registry: Registry) -> Row:
    is_there = name not in NOT_INSTALLED or any(model.module == name for model in registry.models.values())
    return {
        "name": name,
        "shortdesc": {"en_US": name.replace("_", " ").title()},
        "state": "installed" if is_there else "uninstalled",
        "latest_version": f"{registry.flavour}.0.1.{3 if name == MODULES[0] else 0}" if is_there else None,
        "author": "Odoo S.A.",
        "license": "LGPL-3",
    }


def _key(key: Key, created: datetime) -> Row:
    return {
        "name": key.name,
        "user_id": key.user,
        "key": key.digest,
        "index": key.digest[:8],
        "expiration_date": key.expires,
        "scope": "rpc",
        "create_date": created,
    }
