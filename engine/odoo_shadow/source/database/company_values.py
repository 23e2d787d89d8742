"""Which fields' values differ by company, as far as no table of Odoo's tells: the list in `company_values.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

_LIST = "company_values.toml"


def differs_by_company(model: str, field: str) -> bool:
    """Say whether Odoo's own modules keep a field's values by company, up to Odoo 17."""
    return f"{model}.{field}" in _listed()[0]


def is_computed(model: str, field: str) -> bool:
    """Say whether a field has values in `ir_property` and shows others."""
    return f"{model}.{field}" in _listed()[2]


def has_digits(model: str, field: str) -> bool:
    """Say whether a number that differs by company is rounded to digits."""
    return f"{model}.{field}" in _listed()[1]


@cache
def _listed() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    listed = tomllib.loads(files(__package__).joinpath(_LIST).read_text(encoding="utf-8"))
    return frozenset(listed["fields"]), frozenset(listed["with_digits"]), frozenset(listed["computed"])
