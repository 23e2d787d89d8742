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

A backup that is restored while a run reads undoes what was read before, and not what is read afterwards. So at the end
of a run an equal row speaks only for rows that were read after it. Tables with evidence are doubted from then on, so
that rows that are read later do not hide them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from odoo_shadow.mirror.clock import lies_ahead
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.evidence import Evidence, Pair, Search
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowOwnershipError, ShadowPermissionError
from odoo_shadow.shadow.state.newest import (
    DatedRow,
    DatedTable,
    clear_doubts,
    dated_tables,
    doubt,
    doubt_all_except,
    newest_dates,
    newest_rows,
)
from odoo_shadow.shadow.state.schema import acceptance, schema_version
from odoo_shadow.shadow.state.schema_statements import VERSION
from odoo_shadow.shadow.state.sync_log import tables_of_run
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

_MOST_UNCHANGED = 10
"""Of the tables that a plan has passed over, those that are compared at the end of the run at most."""

_PAUSES = (1.0,)
_PAUSES_AT_END = (1.0, 4.0, 10.0)
"""Seconds before evidence is checked again: Odoo may read from a replica that lags behind, most of all just now."""

_EVER = datetime.min.replace(tzinfo=UTC)
"""The begin of reading of a table each of whose rows may be from before or after a restore."""


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
    """Make sure, after a run that has written rows, that no backup was restored in Odoo while it was reading.

    Usually a few calls. Tables with evidence are doubted, so that later runs refuse, too, until a person decides.

    :raises ShadowOwnershipError: names a record, and what to do.
    """
    with shadow.transaction() as tx:
        of_run = tables_of_run(tx, run_id)
        has_written = any(item.has_written for item in of_run.values())
        tables = [item for item in dated_tables(tx) if item.table in of_run] if has_written else []
    dated = _newest_of(odoo, shadow, tables)
    unchanged = [found for found in dated if of_run[found[0].table].is_unchanged]
    written = [found for found in dated if of_run[found[0].table].has_written]
    unchanged.sort(key=lambda found: found[1], reverse=True)
    written.sort(key=lambda found: of_run[found[0].table].began_at)
    search, undone = Search(), list[Evidence]()
    for item, newest in [*unchanged[:_MOST_UNCHANGED], *written]:
        began_at = of_run[item.table].began_at if of_run[item.table].has_written else None
        if not search.is_over(newest, began_at):
            pauses = () if undone else _PAUSES_AT_END
            undone += _look_at(odoo, shadow, item, search, began_at=began_at, pauses=pauses)
    if undone:
        raise _doubt(odoo, shadow, undone)


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

    With evidence its table is doubted, otherwise not any more.

    :raises ShadowOwnershipError: names a record, and what to do.
    """
    tables = _dated(shadow, model)
    found = _find_evidence(odoo, shadow, tables, began_at=_EVER)
    if found is not None:
        raise _doubt(odoo, shadow, [found])
    if any(item.is_doubted for item in tables):
        with shadow.transaction() as tx:
            doubt(tx, [model], is_doubted=False)


def check_all(odoo: Source, shadow: ShadowDatabase) -> None:
    """Make sure, without writing anything, that Odoo's database is not an older state of the one that is mirrored.

    :raises ShadowOwnershipError: names a record, and what to do.
    """
    found = _find_evidence(odoo, shadow, _decisive(_dated(shadow)))
    if found is not None:
        raise _refusal(odoo, shadow, found)


def _doubt(odoo: Source, shadow: ShadowDatabase, found: Sequence[Evidence]) -> ShadowOwnershipError:
    """Doubt the tables of what a run has found after it had written them; return what to raise."""
    with shadow.transaction() as tx:
        doubt(tx, [item.model for item in found])
    return _refusal(odoo, shadow, found[0], has_written=True)


def _dated(shadow: ShadowDatabase, model: str | None = None) -> list[DatedTable]:
    with shadow.transaction() as tx:
        return dated_tables(tx, model) if schema_version(tx) >= VERSION else []  # the next run upgrades it, and checks


def _decisive(tables: Sequence[DatedTable]) -> list[DatedTable]:
    """Return the tables that decide whether the database is another one: if some are doubted, only those."""
    return [item for item in tables if item.is_doubted] or list(tables)


def _refusal(
    odoo: Source, shadow: ShadowDatabase, found: Evidence, *, has_written: bool = False
) -> ShadowOwnershipError:
    wait = ""
    if has_written or odoo.access.kind is SourceKind.DATABASE:
        wait = "if this is a replica that lags behind what was mirrored, the next run goes on; otherwise, "
    asks = "has a backup been restored, or another database put in its place? Nothing was written"
    if has_written:
        asks = "has a backup been restored while this run read? The shadow has rows from before it and from after it"
    return ShadowOwnershipError(
        f"{found} ({odoo.access.url}, database '{odoo.access.database}'): {asks}; {wait}{acceptance(shadow.schema)}; "
        f"if only rows of this model were set back, sync --full --models {found.model} is enough."
    )


def _find_evidence(
    odoo: Source, shadow: ShadowDatabase, tables: Sequence[DatedTable], *, began_at: datetime | None = None
) -> Evidence | None:
    search = Search()
    for item, newest in sorted(_newest_of(odoo, shadow, tables), key=lambda found: found[1], reverse=True):
        began = _EVER if item.is_doubted else began_at
        if search.is_over(newest, began):
            break
        for found in _look_at(odoo, shadow, item, search, began_at=began, pauses=_PAUSES):
            return found
    return None


def _look_at(
    odoo: Source,
    shadow: ShadowDatabase,
    table: DatedTable,
    search: Search,
    *,
    began_at: datetime | None,
    pauses: Sequence[float],
) -> list[Evidence]:
    """Compare the newest rows of a table; return one that is evidence, and still is after some pauses."""
    try:
        found = search.take(table.model, _newest_pairs(odoo, shadow, table), began_at)
        return [found] if found is not None and _is_confirmed(odoo, found, pauses) else []
    except ERRORS_OF_ONE_MODEL as error:
        log.info("%s: cannot tell whether Odoo's rows are older than the shadow's: %s", table.model, error)
        search.tables += 1
        return []


def _newest_pairs(odoo: Source, shadow: ShadowDatabase, table: DatedTable) -> list[Pair]:
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


def _is_relied_on(table: DatedTable, now: datetime) -> bool:
    """Say whether a table's rows can be expected to be what Odoo had.

    Rows outside of a domain are never updated; with a watermark that is not trusted, everything is read again anyway.
    """
    if table.watermark is not None and lies_ahead(table.watermark, now):
        return False
    return not ModelSettings.from_text(table.settings).domain


def _newest_of(odoo: Source, shadow: ShadowDatabase, tables: Sequence[DatedTable]) -> list[tuple[DatedTable, datetime]]:
    """Return the tables that can be relied on, each with when its newest row was written."""
    if not tables:
        return []
    now = odoo.clock().latest
    relied_on = [item for item in tables if _is_relied_on(item, now)]
    try:
        with shadow.transaction() as tx:
            newest = newest_dates(tx, relied_on)
    except ShadowPermissionError as error:  # a table that the role cannot read fails in its own run
        log.info("Cannot tell whether Odoo's rows are older than the shadow's: %s", error)
        return []
    return [(item, newest[item.table]) for item in relied_on if item.table in newest]


def _ask(odoo: Source, model: str, rows: Sequence[DatedRow]) -> list[Pair]:
    """Read when records were written and created; those that are gone are omitted."""
    has_made = any(row.made_at is not None for row in rows)
    dates = odoo.dates(model, [row.id for row in rows], made=has_made)
    return [Pair(row, dates[row.id].written_at, dates[row.id].made_at) for row in rows if row.id in dates]


def _is_confirmed(odoo: Source, found: Evidence, pauses: Sequence[float]) -> bool:
    """Check the evidence again, a little later."""
    for pause in pauses:
        time.sleep(pause)
        pairs = _ask(odoo, found.model, [found.pair.ours])
        if not any(pair.is_older or pair.is_made_later or pair.is_made_earlier for pair in pairs):
            return False
    return True
