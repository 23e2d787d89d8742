"""The models that the marts are made of, as the dbt project that ships beside this module names them."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

_MARTS = "dbt/models/marts/marts.yml"


@cache
def models_of_marts() -> tuple[str, ...]:
    """Return the models whose rows the marts show, by name: those without which there is no mart, and all others."""
    text = resources.files("odoo_shadow.marts").joinpath(_MARTS).read_text(encoding="utf-8")
    found: set[str] = set()
    for mart in yaml.safe_load(text)["models"]:
        about = mart["config"]["meta"]
        found.update(about.get("needs", ()), about.get("uses", ()))
    return tuple(sorted(found))
