"""Makes sure that Odoo's database is still the one that the shadow mirrors, and not an older state of it.

Address, name and `database.uuid` distinguish databases, but restoring a backup keeps all three. The rows show it: Odoo
never sets a row's `write_date` back, and never uses an id again. So the newest rows of the shadow are compared with
Odoo's, table by table, beginning with the table that has the newest row.

- A restore undoes everything since the backup. If one row is equal, nothing older was undone: the search ends with the
  first table that has no newer rows than that one. Usually that is the first row of the first table.
- A row is evidence if it is older in Odoo, or was created later there, and no newer row is equal. A single row that
  somebody set back by SQL is not evidence; the rolling proof and `verify` find it.
- Rows that are gone are not evidence, since rows are deleted; nor are rows that were written since. If all of a table's
  newest rows are gone, older ones are compared; as long as no row is equal, more tables.
- A row whose date lay in the future when it was read is not compared: a clock was wrong, or somebody used SQL.

A backup that is restored during a run undoes what was read before, and not what is read afterwards. So at the end of a
run an equal row speaks only for tables that were read after its own.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowOwnershipError, ShadowPermissionError
from odoo_shadow.shadow.state.newest import (
    DatedRow,
    DatedTable,
    clear_doubts,
    dated_tables,
    doubt_all_except,
    newest_dates,
    newest_rows,
)
from odoo_shadow.shadow.state.schema import acceptance, schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.shadow.state.sync_log import times_of_writing
from odoo_shadow.shadow.state.watermarks import drop_scan
from odoo_shadow.source.errors import ERRORS_OF_ONE_MODEL
from odoo_shadow.source.kind import SourceKind
from odoo_shadow.source.port import Source
from odoo_shadow.text.log import logger

log = logger(__name__)

ROWS_PER_TABLE = 100
MORE_ROWS = 1_000
"""How many of a table's newest rows the first call asks for, and each further one, while all of them are gone."""

MOST_MORE = 5
"""How many further calls there are at most."""

MOST_TABLES = 100
"""Tables that are compared at most: usually the first one has a row that is equal, which ends the search."""

_PAUSE = 1.0
"""Seconds before evidence is checked again: Odoo may read from a replica that lags behind."""

_TOLERANCE = timedelta(seconds=1)
_SEVERAL = 3


@dataclass(frozen=True)
class _Pair:
    """A row of the shadow, and the same record in Odoo.

    :param written_at: None if Odoo gives no date.
    """

    ours: DatedRow
    written_at: datetime | None
    made_at: datetime | None

    @property
    def is_older(self) -> bool:
        return self.written_at is not None and self.written_at < self.ours.written_at - _TOLERANCE

    @property
    def is_made_later(self) -> bool:
        return _differ(self.made_at, self.ours.made_at) > _TOLERANCE

    @property
    def is_made_earlier(self) -> bool:
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
    pair: _Pair

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
class _Search:
    """What was found so far, over all tables.

    :param equal_up_to: when the newest row that is the same on both sides was written.
    :param tables: how many have been compared.
    """

    equal_up_to: datetime | None = None
    tables: int = 0

    def is_over(self, newest: datetime) -> bool:
        """Say whether a table whose newest row was written then need not be compared any more."""
        return self.tables >= MOST_TABLES or (self.equal_up_to is not None and newest <= self.equal_up_to)

    def take(self, model: str, pairs: Sequence[_Pair]) -> Evidence | None:
        """Add the pairs of one table; return evidence against the database, if there is any."""
        self.tables += 1
        equal = [pair.ours.written_at for pair in pairs if pair.is_equal]
        self.equal_up_to = max([*equal, *([self.equal_up_to] if self.equal_up_to else [])], default=None)
        newer = [pair for pair in pairs if self.equal_up_to is None or pair.ours.written_at > self.equal_up_to]
        found = next((pair for pair in newer if pair.is_older or pair.is_made_later), None)
        others = [pair for pair in newer if pair.is_made_earlier]  # a single one may be somebody's SQL
        if found is None and len(others) >= _SEVERAL and len(others) > len(newer) / 2:
            found = others[0]
        return None if found is None else Evidence(model, found)


def check_run(odoo: Source, shadow: ShadowDatabase, models: Collection[str], *, full: bool) -> None:
    """Make sure, before a run, that Odoo's database is not an older state of the one that the shadow mirrors.

    One call, rarely more. A run that reads its models whole accepts their state in Odoo. If the tables of other models
    show an older state, those are doubted from then on, however new the rows of the accepted models are.

    :raises ShadowOwnershipError: names a record, and what to do; nothing was written.
    """
    with shadow.transaction() as tx:
        tables = dated_tables(tx)
    accepted = set(models) if full else set()
    found = _find_evidence(odoo, shadow, [item for item in _decisive(tables) if item.model not in accepted])
    if found is not None and not full:
        raise _refusal(odoo, shadow, found)
    with shadow.transaction() as tx:
        if found is not None:
            log.warning(
                "%s: has a backup been restored? The models of this run are read whole; read the others whole, too "
                "(--full), or accept the whole database (--accept-database).",
                str(found),
            )
            doubt_all_except(tx, accepted)
        elif any(item.is_doubted for item in tables):
            clear_doubts(tx)


def check_end(odoo: Source, shadow: ShadowDatabase, run_id: UUID) -> None:
    """Make sure, after a run, that no backup was restored in Odoo since the rows were read that the run has written.

    A few calls; none if it has written nothing.

    :raises ShadowOwnershipError: names a record, and what to do.
    """
    with shadow.transaction() as tx:
        times = times_of_writing(tx, run_id)
        tables = [item for item in dated_tables(tx) if item.table in times]
    equal: list[tuple[datetime, datetime]] = []
    for item, newest in sorted(_newest_of(odoo, shadow, tables), key=lambda found: times[found[0].table].ended_at):
        time_of = times[item.table]
        search = _Search(max((up_to for ended, up_to in equal if ended <= time_of.began_at), default=None))
        if search.is_over(newest):
            continue
        found = _look_at(odoo, shadow, item, search)
        if found is not None:
            raise _refusal(odoo, shadow, found, has_written=True)
        if search.equal_up_to is not None:
            equal.append((time_of.ended_at, search.equal_up_to))


def check_model(odoo: Source, shadow: ShadowDatabase, model: str, *, full: bool = False) -> None:
    """Make sure, before a model is read, that its table is of no newer state of Odoo.

    One call. A run that reads the model whole accepts Odoo's state, but does not resume the scan of an earlier run;
    before it, Odoo is asked only if there is such a scan.

    :param full: whether the model is still to be read whole.
    :raises ShadowOwnershipError: names a record, and what to do.
    """
    tables = [item for item in _dated(shadow, model) if item.has_scan or not full]
    found = _find_evidence(odoo, shadow, tables)
    if found is not None and not full:
        raise _refusal(odoo, shadow, found)
    if found is not None:
        with shadow.transaction() as tx:
            drop_scan(tx, tables[0].table)


def check_read(odoo: Source, shadow: ShadowDatabase, model: str) -> None:
    """Make sure, after a model was read whole, that no backup was restored meanwhile. One call.

    :raises ShadowOwnershipError: names a record, and what to do.
    """
    found = _find_evidence(odoo, shadow, _dated(shadow, model))
    if found is not None:
        raise _refusal(odoo, shadow, found, has_written=True)


def check_all(odoo: Source, shadow: ShadowDatabase) -> None:
    """Make sure, without writing anything, that Odoo's database is not an older state of the one that is mirrored.

    :raises ShadowOwnershipError: names a record, and what to do.
    """
    found = _find_evidence(odoo, shadow, _decisive(_dated(shadow)))
    if found is not None:
        raise _refusal(odoo, shadow, found)


def _dated(shadow: ShadowDatabase, model: str | None = None) -> list[DatedTable]:
    with shadow.transaction() as tx:
        return dated_tables(tx, model) if schema_version(tx) >= VERSION else []  # the next run upgrades it, and checks


def _decisive(tables: Sequence[DatedTable]) -> list[DatedTable]:
    """Return the tables that decide whether the database is another one: if some are doubted, only those."""
    return [item for item in tables if item.is_doubted] or list(tables)


def _refusal(
    odoo: Source, shadow: ShadowDatabase, found: Evidence, *, has_written: bool = False
) -> ShadowOwnershipError:
    is_database = odoo.access.kind is SourceKind.DATABASE
    wait = "if this is a replica that lags behind what was mirrored, the next run goes on; otherwise, " * is_database
    wrote = "This run has written rows of both" if has_written else "Nothing was written"
    return ShadowOwnershipError(
        f"{found} ({odoo.access.url}, database '{odoo.access.database}'): has a backup been restored, or "
        f"another database put in its place? {wrote}; {wait}{acceptance(shadow.schema)}; if only rows of "
        f"this model were set back, sync --full --models {found.model} is enough."
    )


def _find_evidence(odoo: Source, shadow: ShadowDatabase, tables: Sequence[DatedTable]) -> Evidence | None:
    search = _Search()
    for item, newest in sorted(_newest_of(odoo, shadow, tables), key=lambda found: found[1], reverse=True):
        if search.is_over(newest):
            break
        found = _look_at(odoo, shadow, item, search)
        if found is not None:
            return found
    return None


def _look_at(odoo: Source, shadow: ShadowDatabase, table: DatedTable, search: _Search) -> Evidence | None:
    """Compare the newest rows of a table; return evidence that is there a little later, too."""
    try:
        found = search.take(table.model, _newest_pairs(odoo, shadow, table))
        return found if found is not None and _is_confirmed(odoo, found) else None
    except ERRORS_OF_ONE_MODEL as error:
        log.info("%s: cannot tell whether Odoo's rows are older than the shadow's: %s", table.model, error)
        search.tables += 1
        return None


def _newest_pairs(odoo: Source, shadow: ShadowDatabase, table: DatedTable) -> list[_Pair]:
    """Return those of a table's newest rows that Odoo still has; if it has none of them, of the next newest."""
    asked: set[int] = set()
    for turn in range(1 + MOST_MORE):
        with shadow.transaction() as tx:
            rows = newest_rows(tx, table, ROWS_PER_TABLE + turn * MORE_ROWS)
        more = [row for row in rows if row.id not in asked]
        pairs = _ask(odoo, table.model, more) if more else []
        if pairs:
            return pairs
        asked.update(row.id for row in more)
    return []


def _is_relied_on(odoo: Source, table: DatedTable) -> bool:
    """Say whether a table's rows can be expected to be what Odoo had.

    Rows outside of a domain are never updated; with a watermark that is not trusted, everything is read again anyway.
    """
    if table.watermark is not None and lies_ahead(table.watermark, odoo.clock().latest):
        return False
    return not ModelSettings.from_text(table.settings).domain


def _newest_of(odoo: Source, shadow: ShadowDatabase, tables: Sequence[DatedTable]) -> list[tuple[DatedTable, datetime]]:
    """Return the tables that can be relied on, each with when its newest row was written."""
    relied_on = [item for item in tables if _is_relied_on(odoo, item)]
    try:
        with shadow.transaction() as tx:
            newest = newest_dates(tx, relied_on)
    except ShadowPermissionError as error:  # a table that the role cannot read fails in its own run
        log.info("Cannot tell whether Odoo's rows are older than the shadow's: %s", error)
        return []
    return [(item, newest[item.table]) for item in relied_on if item.table in newest]


def _ask(odoo: Source, model: str, rows: Sequence[DatedRow]) -> list[_Pair]:
    """Read when records were written and created; those that are gone are omitted."""
    has_made = any(row.made_at is not None for row in rows)
    dates = odoo.dates(model, [row.id for row in rows], made=has_made)
    return [_Pair(row, dates[row.id].written_at, dates[row.id].made_at) for row in rows if row.id in dates]


def _is_confirmed(odoo: Source, found: Evidence) -> bool:
    """Check the evidence once more, a little later."""
    time.sleep(_PAUSE)
    pairs = _ask(odoo, found.model, [found.pair.ours])
    return any(pair.is_older or pair.is_made_later or pair.is_made_earlier for pair in pairs)
