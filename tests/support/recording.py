"""What reads of a stand-in answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from odoo_stand_in import StandIn

_DATED = {"id", "write_date", "create_date"}
"""What tells how old a record is."""


@contextmanager
def recording(odoo: StandIn, model: str = "res.partner") -> Iterator[list[int]]:
    """Yield the ids of whole records that reads of a model answer, in order, while they do."""
    read: list[int] = []

    def note(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if name == model:
            read.extend(row["id"] for row in rows if row.keys() > _DATED)
        return rows

    odoo.rewrite = note
    try:
        yield read
    finally:
        odoo.rewrite = None
