"""The models that Odoo itself has, installed or not: the list in `odoo_models.txt`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_LIST = "odoo_models.txt"
_WIZARD = "wizard"


@cache
def odoo_models() -> frozenset[str]:
    """Return the names of the models of all modules of Odoo Community, and of the better-known ones of Enterprise."""
    return frozenset(_listed())


@cache
def odoo_wizards() -> frozenset[str]:
    """Return the wizards among them, which Odoo 16 does not mark for logins without the right to read `ir.model`."""
    return frozenset(name for name, is_wizard in _listed().items() if is_wizard)


def _listed() -> dict[str, bool]:
    lines = files(__package__).joinpath(_LIST).read_text(encoding="utf-8").splitlines()
    entries = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: rest == [_WIZARD] for name, *rest in entries}
