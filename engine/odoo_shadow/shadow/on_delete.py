"""What happens to rows that are gone from Odoo: the modes of `on_delete`."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never


class OnDelete(StrEnum):
    """What happens to a row that is gone from Odoo. Everything a mode decides is here and in `LiveIds.remove`."""

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

    @property
    def marks(self) -> bool:
        """Whether the table needs a column for marks."""
        match self:
            case OnDelete.MARK:
                return True
            case OnDelete.DELETE | OnDelete.IGNORE:
                return False
            case _:
                assert_never(self)

    @property
    def verb(self) -> str:
        """What a run does with such rows, as a sentence says it."""
        match self:
            case OnDelete.DELETE:
                return "remove"
            case OnDelete.MARK:
                return "mark"
            case OnDelete.IGNORE:
                return "leave"
            case _:
                assert_never(self)

    @property
    def fate(self) -> str:
        """What happens to such rows, as a sentence says it."""
        match self:
            case OnDelete.DELETE:
                return "leave the shadow"
            case OnDelete.MARK:
                return "are marked as deleted"
            case OnDelete.IGNORE:
                return "stay as they are"
            case _:
                assert_never(self)
