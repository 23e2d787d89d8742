"""Versions of records: what shows every change of a table, whoever made it and whatever `write_date` says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

BLOCK_IDS = 1024
"""How many successive ids a block has: the records that are read again when one of them has changed."""


@dataclass(frozen=True)
class Versions:
    """The versions of a reading's records, by block of ids: block 2 has the ids from 2048 to 3071.

    Two digests of a block are equal only if none of its records was inserted, changed or deleted in between.

    :param basis: what the digests are about; those with another one cannot be compared.
    :param position: how far the server was in its log; None where that says nothing. An earlier one later shows that
        the server has been set back, and that its versions may have been given a second time.
    :param rows: how many records there are.
    """

    basis: str
    position: int | None
    rows: int
    blocks: Mapping[int, int]

    def changed_since(self, known: Versions) -> list[int] | None:
        """Return the blocks that have changed, in ascending order; None if that cannot be said."""
        if self.basis != known.basis:
            return None
        if self.position is not None and known.position is not None and self.position < known.position:
            return None
        both = self.blocks.keys() | known.blocks.keys()
        return sorted(block for block in both if self.blocks.get(block) != known.blocks.get(block))


def ranges_of(blocks: Collection[int], at_most: int) -> list[tuple[int, int]]:
    """Return ranges `after < id <= up_to` that cover some blocks, each of at most so many successive ones."""
    ranges: list[tuple[int, int]] = []
    for block in sorted(blocks):
        first, last = block * BLOCK_IDS, (block + 1) * BLOCK_IDS - 1
        if ranges and ranges[-1][1] == first - 1 and last - ranges[-1][0] <= at_most * BLOCK_IDS:
            ranges[-1] = (ranges[-1][0], last)
        else:
            ranges.append((first - 1, last))
    return ranges
