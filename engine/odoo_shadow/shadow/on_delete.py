"""What becomes of rows that are gone from Odoo."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class OnDelete(StrEnum):
    """What becomes of a row that is gone from Odoo."""

    DELETE = "delete"
    MARK = "mark"
    IGNORE = "ignore"

    @property
    def removes(self) -> bool:
        """Whether such rows no longer count: nothing may point to them any more."""
        match self:
            case OnDelete.DELETE | OnDelete.MARK:
                return True
            case OnDelete.IGNORE:
                return False
            case _:
                assert_never(self)
