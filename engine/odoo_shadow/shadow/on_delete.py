"""What becomes of rows that are gone from Odoo."""

from __future__ import annotations

from enum import StrEnum


class OnDelete(StrEnum):
    """What becomes of a row that is gone from Odoo."""

    DELETE = "delete"
    MARK = "mark"
    IGNORE = "ignore"
