"""Finds rows that are gone from Odoo, and lets them go.

Odoo tells nothing of deletions, and ids are never used again, so only comparing ids finds them. A count is enough while
both sides agree; where they do not, the range is halved until little is left, and only then ids are compared. When so
many rows are gone that halving would cost more calls than listing all ids, they are listed in chunks.

Comparing finds the contrary, too: rows that no window shows, since the login saw them only after they were written
(a company or a right was added, SQL left `write_date` empty). They are read then. One row gone and another missing keep
the counts equal: only `verify` finds those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from airflow_provider_odoo_shadow.job.errors import MassDeletionError
from airflow_provider_odoo_shadow.job.layout import Layout
from airflow_provider_odoo_shadow.job.run import MirrorOptions
from airflow_provider_odoo_shadow.job.scan import TableWriter
from airflow_provider_odoo_shadow.source.answers import misfit
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooAccessError, OdooServerError, OdooUnknownFieldError
from airflow_provider_odoo_shadow.source.pages import newest_id
from airflow_provider_odoo_shadow.source.reading import ARCHIVED_TOO, BEFORE_ALL
from airflow_provider_odoo_shadow.source.types import Domain
from airflow_provider_odoo_shadow.target import registry
from airflow_provider_odoo_shadow.target.ids import LiveIds, OnDelete
from airflow_provider_odoo_shadow.target.merge import RowCounts
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

FEW_IDS = 5_000
"""A range with no more rows is listed instead of halved."""

IDS_A_CALL = 50_000
"""Ids that one call lists: about a tenth of a second on Odoo 17 and 19."""

_MOST_EMPTY = 3
"""Chunks in a row in which Odoo has just counted records: they may be deleted meanwhile, but not so often."""

SUSPICIOUS_SHARE = 0.2
SUSPICIOUS_NUMBER = 100
"""More than this share and more than this number of a table's rows do not go without being allowed. Of fewer rows, Odoo
is asked whether they are only hidden from the login."""


@dataclass
class IdDifference:
    """Ids that one side has and the other has not."""

    gone: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)


def remove_gone(odoo: OdooClient, writer: TableWriter, options: MirrorOptions) -> None:
    """Let the rows go that are gone from Odoo, and read those that the shadow turns out to lack.

    :raises MassDeletionError: it would be a suspicious share; nothing is removed then.
    """
    if options.on_delete is OnDelete.IGNORE:
        return
    difference = find_difference(odoo, writer)
    if difference.missing:
        log.info("%s: %d rows were not in the window", writer.layout.model, len(difference.missing))
        writer.write_ids(odoo, difference.missing, options.batch_size)
    remove_ids(odoo, writer, difference.gone, options)


def remove_ids(odoo: OdooClient, writer: TableWriter, gone: list[int], options: MirrorOptions) -> None:
    """Delete or mark rows.

    :raises MassDeletionError: it would be a suspicious share; nothing is removed then.
    """
    if not gone:
        return
    hold = writer.hold
    with hold.transaction() as tx:
        live = LiveIds.of(tx, hold.table)
        total = live.total(tx)
    _guard(odoo, writer.layout, gone, total, options)
    with hold.transaction() as tx:
        removed = live.remove(tx, gone, options.on_delete or OnDelete.DELETE)
        registry.count_rows(tx, hold.table, -removed)
    hold.counts += RowCounts(deleted=removed)
    log.info("%s: %d rows are gone from Odoo", writer.layout.model, removed)


def find_difference(odoo: OdooClient, writer: TableWriter) -> IdDifference:
    """Compare the ids of both sides; records that Odoo could not give just now are left out."""
    hold, unreadable = writer.hold, [item.id for item in writer.unreadable]
    with hold.transaction() as tx:
        live = LiveIds.of(tx, hold.table)
        ours, highest, absent = live.total(tx), live.highest(tx), live.absent(tx, unreadable)
    reading, narrowing = writer.layout.reading, _Narrowing(odoo, writer, live, absent)
    theirs = odoo.search_count(reading.model, reading.within(), context=ARCHIVED_TOO) - len(absent)
    if theirs == ours:
        return narrowing.found
    with hold.transaction() as tx:
        ours = live.count_all(tx)  # the books may be wrong, if somebody else wrote the table
        registry.recount_rows(tx, hold.table, ours)
    lowest = 0 if writer.layout.has_write_date else BEFORE_ALL
    middle = lowest if highest is None else highest
    below = narrowing.count_theirs(lowest, middle)
    narrowing.compare(lowest, middle, below, ours)
    if theirs > below:
        newest = newest_id(odoo, reading) or middle
        narrowing.compare(middle, newest, narrowing.count_theirs(middle, newest), 0)
    return narrowing.found


def _guard(odoo: OdooClient, layout: Layout, gone: list[int], total: int, options: MirrorOptions) -> None:
    if options.allow_mass_delete or len(gone) <= SUSPICIOUS_SHARE * total:
        return
    if len(gone) > SUSPICIOUS_NUMBER or _are_hidden(odoo, layout.model, gone):
        where = "beyond its domain or gone from Odoo" if layout.settings.domain else "gone from Odoo"
        raise MassDeletionError(
            f"{layout.model}: {len(gone)} of {total} rows are {where}, which is suspicious: has the login lost rights "
            "or companies? Nothing was removed; if it is true, run once with allow_mass_delete (--allow-mass-delete)."
        )


def _are_hidden(odoo: OdooClient, model: str, ids: list[int]) -> bool:
    """Say whether some records are there, but not for this login: Odoo refuses to read those, and leaves out others."""
    try:
        odoo.execute_kw(model, "read", [ids], {"fields": ["create_date"]})
    except OdooAccessError:
        return True
    except OdooUnknownFieldError:  # a model that does not note who made a record when: nothing can be told
        return False
    return False


class _Narrowing:
    """Halves ranges whose counts differ. A range is `low < id <= high`.

    :param absent: ids that only Odoo has, and that are not to be told.
    """

    def __init__(self, odoo: OdooClient, writer: TableWriter, live: LiveIds, absent: Sequence[int]) -> None:
        self._odoo = odoo
        self._writer = writer
        self._reading = writer.layout.reading
        self._live = live
        self._absent = set(absent)
        self.found = IdDifference()

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

    def count_theirs(self, low: int, high: int) -> int:
        """Ask Odoo how many records a range has."""
        if low >= high:
            return 0
        count = self._odoo.search_count(self._reading.model, self._within(low, high), context=ARCHIVED_TOO)
        if count > high - low:  # halving and listing would go on without end
            raise self._misfit(f"{count} records with ids from {low + 1} to {high}")
        return count - sum(low < item <= high for item in self._absent)

    def _count_ours(self, low: int, high: int) -> int:
        with self._writer.hold.transaction() as tx:
            return self._live.count(tx, low, high)

    def _listing_is_cheaper(self, theirs: int, ours: int) -> bool:
        at_least = abs(theirs - ours)
        rows = max(theirs, ours)
        return rows / IDS_A_CALL < at_least * math.log2(rows / FEW_IDS)

    def _list(self, low: int, high: int, theirs: int, ours: int) -> None:
        """Compare all ids of a range, given both counts, a chunk at a time, leaving out gaps."""
        step = max(1, (high - low) * IDS_A_CALL // max(theirs, ours, 1))
        start, listed, empty = low, 0, 0
        while start < high:
            end = min(start + step, high)
            found = self._listed_theirs(start, end)
            empty = 0 if found else empty + 1
            if empty > _MOST_EMPTY:
                raise self._misfit("a number of records of which none is listed")
            if empty:
                end = self._end_of_gap(end, high, step)
            listed += len(found)
            self._note(start, end, found)
            start = end
        if listed < theirs and listed < self.count_theirs(low, high):
            raise self._misfit(f"only {listed} of {theirs} records when their ids are listed")

    def _listed_theirs(self, low: int, high: int) -> set[int]:
        found = set(self._odoo.search(self._reading.model, self._within(low, high), context=ARCHIVED_TOO))
        if found and not low < min(found) <= max(found) <= high:
            raise self._misfit(f"ids that are not from {low + 1} to {high}")
        return found - self._absent

    def _end_of_gap(self, low: int, high: int, step: int) -> int:
        """Return up to which id Odoo has none, give or take a step, so that a range without end is soon passed.

        Counts tell: some models' searches with a limit find none although there are others, see `newest_id`.
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

    def _note(self, low: int, high: int, theirs: set[int]) -> None:
        with self._writer.hold.transaction() as tx:
            ours = self._live.listed(tx, low, high)
        self.found.gone += sorted(ours - theirs)
        self.found.missing += sorted(theirs - ours)

    def _misfit(self, what: str) -> OdooServerError:
        return misfit(f"{self._odoo.connection}: {self._reading.model}", what)

    def _within(self, low: int, high: int) -> Domain:
        return self._reading.within([("id", ">", low), ("id", "<=", high)])
