"""How rows and cells of the shadow differ from Odoo's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Difference(StrEnum):
    """How a row of the shadow differs from Odoo's."""

    MISSING = "missing"
    EXTRA = "extra"
    STALE = "stale"
    DIFFERING = "differing"


MOST_CHARACTERS = 200
"""Of a value that is shown."""


@dataclass(frozen=True)
class CellDifference:
    """A cell that differs, each value as PostgreSQL writes it, shortened; None is NULL."""

    id: int
    column: str
    shadow: str | None
    odoo: str | None

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.id}, {self.column}: {_quoted(self.shadow)} in the shadow, {_quoted(self.odoo)} in Odoo"


def _quoted(value: str | None) -> str:
    return "nothing" if value is None else f"'{value}'" if len(value) < MOST_CHARACTERS else f"'{value}…'"
