"""The models that Odoo itself has, installed or not: the list in `odoo_models.txt`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_LIST = "odoo_models.txt"


@cache
def odoo_models() -> frozenset[str]:
    """Return the names of the models of all modules of Odoo Community, and of the better-known ones of Enterprise."""
    lines = files(__package__).joinpath(_LIST).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
