"""Finds rows that are gone from Odoo, and lets them go.

Odoo tells nothing of deletions, and ids are never used again, so only comparing ids finds them. A count is enough while
both sides agree; where they do not, the range is halved until little is left, and only then ids are compared. When so
many rows are gone that halving would cost more calls than listing all ids, they are listed in chunks.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field

from airflow_provider_odoo_shadow.job.errors import MassDeletionError
from airflow_provider_odoo_shadow.job.run import MirrorOptions
from airflow_provider_odoo_shadow.job.scan import TableWriter
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.pages import ARCHIVED_TOO
from airflow_provider_odoo_shadow.source.types import Domain
from airflow_provider_odoo_shadow.target import registry
from airflow_provider_odoo_shadow.target.ids import LiveIds, OnDelete
from airflow_provider_odoo_shadow.target.merge import RowCounts

log = logging.getLogger(__name__)

FEW_IDS = 5_000
"""A range with no more rows is listed instead of halved."""

IDS_A_CALL = 50_000
"""Ids that one call lists: about a tenth of a second on Odoo 17 and 19."""

SUSPICIOUS_SHARE = 0.2
SUSPICIOUS_NUMBER = 100
"""More than this share and more than this number of a table's rows do not go without being allowed."""


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
        log.info("%s: %d rows had been passed over", writer.layout.model, len(difference.missing))
        writer.write_ids(odoo, difference.missing, options.batch_size)
    remove_ids(writer, difference.gone, options)


def remove_ids(writer: TableWriter, gone: list[int], options: MirrorOptions) -> None:
    """Delete or mark rows.

    :raises MassDeletionError: it would be a suspicious share; nothing is removed then.
    """
    if not gone:
        return
    hold = writer.hold
    with hold.transaction() as tx:
        live = LiveIds.of(tx, hold.table)
        _guard(writer.layout.model, len(gone), live.total(tx), options)
        removed = live.remove(tx, gone, options.on_delete)
        registry.count_rows(tx, hold.table, -removed)
    hold.counts += RowCounts(deleted=removed)
    log.info("%s: %d rows are gone from Odoo", writer.layout.model, removed)


def find_difference(odoo: OdooClient, writer: TableWriter) -> IdDifference:
    """Compare the ids of both sides, up to the highest that the shadow has."""
    with writer.hold.transaction() as tx:
        live = LiveIds.of(tx, writer.hold.table)
        highest, ours = live.highest(tx), live.total(tx)
    search = _Narrowing(odoo, writer, live)
    if highest:
        search.compare(0, highest, search.count_theirs(0, highest), ours)
    return search.found


def _guard(model: str, gone: int, total: int, options: MirrorOptions) -> None:
    is_suspicious = gone > SUSPICIOUS_NUMBER and gone > SUSPICIOUS_SHARE * total
    if is_suspicious and not options.allow_mass_delete:
        raise MassDeletionError(
            f"{model}: {gone} of {total} rows are gone from Odoo, which is suspicious: has the login lost rights or "
            "companies? Nothing was removed; if it is true, run once with allow_mass_delete (--allow-mass-delete)."
        )


class _Narrowing:
    """Halves ranges whose counts differ. A range is `low < id <= high`."""

    def __init__(self, odoo: OdooClient, writer: TableWriter, live: LiveIds) -> None:
        self._odoo = odoo
        self._writer = writer
        self._live = live
        self.found = IdDifference()

    def compare(self, low: int, high: int, theirs: int, ours: int) -> None:
        """Find the ids that differ in a range, given both counts."""
        if theirs == ours:
            return
        if max(theirs, ours) <= FEW_IDS or self._listing_is_cheaper(theirs, ours):
            self._list(low, high, max(theirs, ours))
            return
        middle = (low + high) // 2
        their_left, our_left = self.count_theirs(low, middle), self._count_ours(low, middle)
        self.compare(low, middle, their_left, our_left)
        self.compare(middle, high, theirs - their_left, ours - our_left)

    def count_theirs(self, low: int, high: int) -> int:
        """Ask Odoo how many records a range has."""
        return self._odoo.search_count(self._writer.layout.model, _range(low, high), context=ARCHIVED_TOO)

    def _count_ours(self, low: int, high: int) -> int:
        with self._writer.hold.transaction() as tx:
            return self._live.count(tx, low, high)

    def _listing_is_cheaper(self, theirs: int, ours: int) -> bool:
        at_least = abs(theirs - ours)
        rows = max(theirs, ours)
        return rows / IDS_A_CALL < at_least * math.log2(rows / FEW_IDS)

    def _list(self, low: int, high: int, rows: int) -> None:
        """Compare all ids of a range, a chunk at a time."""
        step = max(1, (high - low) * IDS_A_CALL // max(rows, 1))
        for start in range(low, high, step):
            end = min(start + step, high)
            theirs = set(self._odoo.search(self._writer.layout.model, _range(start, end), context=ARCHIVED_TOO))
            with self._writer.hold.transaction() as tx:
                ours = self._live.listed(tx, start, end)
            self.found.gone += sorted(ours - theirs)
            self.found.missing += sorted(theirs - ours)


def _range(low: int, high: int) -> Domain:
    return [("id", ">", low), ("id", "<=", high)]
