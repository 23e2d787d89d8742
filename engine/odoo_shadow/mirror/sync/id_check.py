"""Compares the ids of a table's live rows with Odoo's, which are asked for without fields, unlike the pages.

Odoo does not report deletions, and may fail to give a record that it has, so only its own list or count shows whether
the table is complete. The ids of a small table are listed whole. The records of a larger one are counted, as a whole
and in blocks of ids without gaps between them; a block that differs is halved until little is left, and only then ids
are compared. If so many differ that halving would cost more calls than listing all ids, they are listed in chunks.

A difference is a record that is gone from Odoo, or one that is missing here: the login saw it only after it was written
(a company or a right was added, SQL left `write_date` empty), or no page brought it. One row gone and another missing
in the same block of a larger table keep the counts equal: only `verify` finds those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.tables.ids import Block, LiveIds
from odoo_shadow.source.errors import OdooError, OdooRecordIdError, OdooServerError, misfit
from odoo_shadow.source.port import Source
from odoo_shadow.source.reading import BEFORE_ALL, Reading, Where
from odoo_shadow.text.amounts import counted

FEW_IDS = 5_000
"""A table or range of at most so many rows is listed."""

IDS_PER_CALL = 50_000
"""Ids that one call lists: about a tenth of a second on Odoo 17 and 19."""

ROWS_PER_BLOCK = 10_000
MOST_BLOCKS = 16
"""Blocks in which a larger table is counted, with one call each."""

_MOST_EMPTY = 3
"""Empty chunks in a row where Odoo has just counted records: some may be deleted meanwhile, but not so many."""

_MOST_TRIES = 3
"""Tries to get a count and a list that agree: records may be deleted in between, but not every time."""

Transactions: TypeAlias = Callable[[], AbstractContextManager[Transaction]]


@dataclass
class IdDifference:
    """Ids that one side has and the other does not.

    :param rows: live rows of the table.
    :param theirs: records that Odoo counts.
    :param trouble: why some records can never become rows.
    """

    gone: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    rows: int = 0
    theirs: int = 0
    trouble: OdooError | None = None


def compare_ids(
    odoo: Source,
    reading: Reading,
    live: LiveIds,
    transactions: Transactions,
    known: Collection[int] = (),
    *,
    gone_rows_stay: bool = False,
) -> IdDifference:
    """Compare the ids of both sides.

    :param transactions: opens a transaction on the shadow.
    :param known: records that are known to be missing; they are not reported again.
    :param gone_rows_stay: then only a larger count in Odoo shows a difference.
    :raises OdooRecordIdError: several records have the same id.
    :raises OdooError, ShadowError: one side could not be asked.
    """
    return IdCheck(odoo, reading, live, transactions, known).run(gone_rows_stay=gone_rows_stay)


class IdCheck:
    """Compares ranges of ids; see `compare_ids`."""

    def __init__(
        self, odoo: Source, reading: Reading, live: LiveIds, transactions: Transactions, known: Collection[int] = ()
    ) -> None:
        self._odoo = odoo
        self._reading = reading
        self._live = live
        self._transactions = transactions
        self._known = known
        self.found = IdDifference()

    def run(self, *, gone_rows_stay: bool = False) -> IdDifference:
        """Compare the ids of the whole table."""
        with self._transactions() as tx:
            self._known = set(self._live.absent(tx, list(self._known))) if self._known else set()
            blocks = self._live.blocks(tx, ROWS_PER_BLOCK, MOST_BLOCKS)
        self.found.rows = ours = sum(block.rows for block in blocks)
        self.found.theirs = theirs = self._count_all()
        if max(theirs, ours) <= FEW_IDS:
            if theirs or ours:
                self._list_whole(theirs)
        elif gone_rows_stay:
            if theirs > ours:
                self._list(*self._edges(BEFORE_ALL, None), theirs, ours)
        elif theirs > self._compare_blocks(blocks):
            self._explain_rest()
        return self.found

    def _compare_blocks(self, blocks: list[Block]) -> int:
        """Compare the table block by block; return how many records Odoo counts in all of them.

        The first block has no lower bound and the last no upper one, so that no id is outside.
        """
        highs = [block.up_to_id for block in blocks]
        lows = [BEFORE_ALL, *(high for high in highs if high is not None)]
        counts = [self.count_theirs(low, high) for low, high in zip(lows, highs, strict=True)]
        for low, high, theirs, block in zip(lows, highs, counts, blocks, strict=True):
            if theirs != block.rows:
                self.compare(*self._edges(low, high), theirs, block.rows)
        return sum(counts)

    def _edges(self, low: int, high: int | None) -> tuple[int, int]:
        """Return a range with both bounds that has the same records and rows."""
        with self._transactions() as tx:
            lowest, highest = self._live.lowest(tx), self._live.highest(tx)
        if low == BEFORE_ALL:
            theirs = self._odoo.outermost_id(self._reading, lowest=True)
            low = (theirs if lowest is None else min(theirs, lowest)) - 1
        if high is None:
            theirs = self._odoo.outermost_id(self._reading, lowest=False)
            high = max(theirs, low if highest is None else highest)
        return low, high

    def _explain_rest(self) -> None:
        """Find out why Odoo counts more records in all than in the ranges of ids; set `trouble` if some have no id."""
        number = self._odoo.count_without_id(self._reading)
        if number:
            self.found.trouble = OdooRecordIdError(
                f"{self._odoo.access}: {self._reading.model} has {_records(number)} without an id, as SQL views "
                "may: they cannot become rows, which need ids. All others are mirrored; leave the model out."
            )

    def _list_whole(self, counted: int) -> None:
        """Compare all ids of a small table."""
        listed = self._listed_theirs(BEFORE_ALL, None, counted)
        self._note(BEFORE_ALL, None, listed)
        if len(listed) < counted:
            self._explain_rest()
        tries = 0
        while self.found.trouble is None and len(listed) < counted:
            if tries == _MOST_TRIES:
                raise self._misfit(f"it counts {_records(counted)}, but lists the ids of {len(listed)}")
            counted, tries = min(counted, self._count_all()), tries + 1
            listed = self._listed_theirs(BEFORE_ALL, None, counted)

    def compare(self, low: int, high: int, theirs: int, ours: int) -> None:
        """Find the ids that differ in a range, given both counts."""
        if theirs == ours:
            return
        if max(theirs, ours) <= FEW_IDS or self._listing_is_cheaper(theirs, ours):
            self._list(low, high, theirs, ours)
            return
        middle = (low + high) // 2
        their_left, our_left = self.count_theirs(low, middle), self._count_ours(low, middle)
        self.compare(low, middle, their_left, our_left)
        self.compare(middle, high, theirs - their_left, ours - our_left)

    def _count_all(self) -> int:
        """Ask Odoo how many records there are, without a condition on ids."""
        return self._odoo.count_all(self._reading) - len(self._known)

    def count_theirs(self, low: int, high: int | None) -> int:
        """Ask Odoo how many records a range has."""
        if high is not None and low >= high:
            return 0
        count = self._odoo.count(self._reading, Where(after_id=low, up_to_id=high))
        if high is not None and low > BEFORE_ALL and count > high - low:  # halving would go on without end
            raise OdooRecordIdError(
                f"{self._odoo.access}: {self._reading.model} has {_records(count)} with ids from {low + 1} to "
                f"{high}, more than there are ids, as SQL views may: it cannot be mirrored; leave it out."
            )
        return count - sum(low < item and (high is None or item <= high) for item in self._known)

    def _count_ours(self, low: int, high: int) -> int:
        with self._transactions() as tx:
            return self._live.count(tx, low, high)

    def _listing_is_cheaper(self, theirs: int, ours: int) -> bool:
        at_least = abs(theirs - ours)
        rows = max(theirs, ours)
        return rows / IDS_PER_CALL < at_least * math.log2(rows / FEW_IDS)

    def _list(self, low: int, high: int, theirs: int, ours: int) -> None:
        """Compare all ids of a range, given both counts, a chunk at a time, skipping gaps."""
        step = max(1, (high - low) * IDS_PER_CALL // max(theirs, ours, 1))
        start, listed, empty = low, 0, 0
        while start < high:
            end = min(start + step, high)
            found = self._listed_theirs(start, end, theirs - listed)
            empty = 0 if found else empty + 1
            if empty > _MOST_EMPTY:
                raise self._misfit("a number of records of which none is listed")
            if empty:
                end = self._end_of_gap(end, high, step)
            listed += len(found)
            self._note(start, end, found)
            start = end
        if listed < theirs and listed < self.count_theirs(low, high):
            raise self._misfit(f"only {listed} of {_records(theirs)} when their ids are listed")

    def _listed_theirs(self, low: int, high: int | None, expected: int) -> set[int]:
        """Return the ids that Odoo lists in a range.

        :param expected: how many it counts there at most.
        """
        where = Where(after_id=low, up_to_id=high)
        return self._odoo.ids(self._reading, where, expected=expected + len(self._known)).difference(self._known)

    def _end_of_gap(self, low: int, high: int, step: int) -> int:
        """Return the id up to which Odoo has no records, to within a step, so that a huge gap is soon passed.

        Counts are used, because some models' searches with a limit find nothing although there are records.
        """
        if not self.count_theirs(low, high):
            return high
        while high - low > step:
            middle = (low + high) // 2
            if self.count_theirs(low, middle):
                high = middle
            else:
                low = middle
        return low

    def _note(self, low: int, high: int | None, theirs: set[int]) -> None:
        with self._transactions() as tx:
            ours = self._live.listed(tx, low, high)
        self.found.gone += sorted(ours - theirs)
        self.found.missing += sorted(theirs - ours)

    def _misfit(self, what: str) -> OdooServerError:
        return misfit(f"{self._odoo.access}: {self._reading.model}", what)


def _records(number: int) -> str:
    return counted(number, "record")
