"""Findings: what the doctor reports about one thing that it has checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from odoo_shadow.text.amounts import counted


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True)
class Item:
    """A model, or one of its fields, that a finding is about.

    :param rows: how many of the model's rows; None where that is not known, or is not what counts.
    """

    model: str
    field: str | None = None
    rows: int | None = None

    def __str__(self) -> str:
        """Name it, as findings do."""
        name = self.model if self.field is None else f"{self.model}.{self.field}"
        return name if self.rows is None else f"{name} ({counted(self.rows, 'row')})"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's table.

    :param items: all that it is about, of which the text names the first few.
    """

    subject: str
    verdict: Verdict
    text: str
    items: tuple[Item, ...] = ()

    def as_document(self) -> dict[str, object]:
        """Return it as JSON."""
        return asdict(self)
