"""Counts of the rows that a run has read, by what happened to them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowCounts:
    """How many rows were read, by what happened to them, and how many left the table."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
        )

    def __str__(self) -> str:
        """Return the counts in words."""
        gone = f", {self.deleted} deleted" if self.deleted else ""
        return f"{self.inserted} inserted, {self.updated} updated, {self.unchanged} unchanged{gone}"

    @property
    def written(self) -> int:
        """Rows that were inserted or updated."""
        return self.inserted + self.updated
