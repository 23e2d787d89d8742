"""Rows of the shadow beside the same records in Odoo, and what they say of a backup that was restored there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from odoo_shadow.shadow.state.newest import DatedRow

_MOST_TABLES = 100
"""Tables that are compared at most: usually the first one has a row that is equal, which ends the search."""

_TOLERANCE = timedelta(seconds=1)
_SEVERAL = 3


@dataclass(frozen=True)
class Pair:
    """A row of the shadow, and the same record in Odoo.

    :param written_at: None if Odoo gives no date.
    """

    ours: DatedRow
    written_at: datetime | None
    made_at: datetime | None

    @property
    def is_older(self) -> bool:
        """Whether Odoo has an older state of the record."""
        return self.written_at is not None and self.written_at < self.ours.written_at - _TOLERANCE

    @property
    def is_made_later(self) -> bool:
        """Whether Odoo has another record of the same id, which came later."""
        return _differ(self.made_at, self.ours.made_at) > _TOLERANCE

    @property
    def is_made_earlier(self) -> bool:
        """Whether Odoo has another record of the same id, which came before, or somebody has used SQL."""
        return _differ(self.ours.made_at, self.made_at) > _TOLERANCE

    @property
    def is_equal(self) -> bool:
        """Whether it is the same record in the same state; an earlier `create_date` may be somebody's SQL."""
        if self.written_at is None or self.is_made_later:
            return False
        return abs(self.written_at - self.ours.written_at) <= _TOLERANCE


def _differ(later: datetime | None, earlier: datetime | None) -> timedelta:
    return timedelta(0) if later is None or earlier is None else later - earlier


@dataclass(frozen=True)
class Evidence:
    """A row of the shadow that is another one in Odoo: an older state of it, or another database's."""

    model: str
    pair: Pair

    def __str__(self) -> str:
        """Return both dates in a clause, without a full stop."""
        ours, theirs = self.pair.ours, self.pair
        what, mine, other = "created", ours.made_at, theirs.made_at
        if theirs.is_older:
            what, mine, other = "written", ours.written_at, theirs.written_at
        return (
            f"{self.model} {ours.id} was {what} at {_in_utc(mine)} according to the shadow, but at {_in_utc(other)} "
            "according to Odoo"
        )


def _in_utc(moment: datetime | None) -> str:
    return "no time" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@dataclass
class Search:
    """What was found so far, over all tables.

    :param equal: rows that are the same on both sides, without those of which another one says more.
    :param tables: how many have been compared.
    """

    equal: list[DatedRow] = field(default_factory=list)
    tables: int = 0

    def is_over(self, newest: datetime, began_at: datetime | None = None) -> bool:
        """Say whether a table whose newest row was written then need not be compared any more."""
        return self.tables >= _MOST_TABLES or any(row.written_at >= newest for row in self._read_by(began_at))

    def take(self, model: str, pairs: Sequence[Pair], began_at: datetime | None = None) -> Evidence | None:
        """Add the pairs of one table; return evidence against the database, if there is any.

        :param began_at: when a run began to read the table, if a backup may have been restored since: only rows that it
            has written are evidence, and an equal row speaks only for those that were read after it.
        """
        self.tables += 1
        own = _best(pair.ours for pair in pairs if pair.is_equal)
        known = [*self._read_by(began_at), *own]
        self.equal += own
        judged = [pair for pair in pairs if began_at is None or pair.ours.synced_at >= began_at]
        newer = [pair for pair in judged if not _is_known(pair.ours, known, in_order=began_at is not None)]
        found = next((pair for pair in newer if pair.is_older or pair.is_made_later), None)
        others = [pair for pair in newer if pair.is_made_earlier]  # a single one may be somebody's SQL
        if found is None and len(others) >= _SEVERAL and len(others) > len(newer) / 2:
            found = others[0]
        return None if found is None else Evidence(model, found)

    def _read_by(self, moment: datetime | None) -> list[DatedRow]:
        return [row for row in self.equal if moment is None or row.synced_at <= moment]


def _best(rows: Iterable[DatedRow]) -> list[DatedRow]:
    """Return those rows that no other one is both newer and read before."""
    best: list[DatedRow] = []
    for row in sorted(rows, key=lambda item: (item.synced_at, -item.written_at.timestamp())):
        if not best or row.written_at > best[-1].written_at:
            best.append(row)
    return best


def _is_known(row: DatedRow, equal: Sequence[DatedRow], *, in_order: bool) -> bool:
    """Say whether an equal row shows that this one was not undone."""
    return any(
        item.written_at >= row.written_at and (not in_order or item.synced_at <= row.synced_at) for item in equal
    )
