"""Which columns core Odoo writes by SQL, without moving `write_date`: the list in `sql_written.toml`."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

_LIST = "sql_written.toml"


def is_written_by_sql(model: str, field: str) -> bool:
    """Say whether core Odoo (17.0 or 19.0) writes a field by SQL."""
    return any(fnmatchcase(field, pattern) for pattern in _patterns().get(model, ()))


@cache
def _patterns() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for item in tomllib.loads(files(__package__).joinpath(_LIST).read_text(encoding="utf-8"))["written"]:
        found[item["model"]] = (*found.get(item["model"], ()), *item["fields"])
    return found
