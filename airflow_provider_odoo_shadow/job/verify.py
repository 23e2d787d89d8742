"""Compares a table with Odoo itself, and repairs what differs.

Neither the hashes nor the counts that the mirror keeps are trusted: what Odoo says now is compared, in PostgreSQL, with
what the table holds now.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from airflow_provider_odoo_shadow.job.binding import check_binding
from airflow_provider_odoo_shadow.job.deletions import remove_ids
from airflow_provider_odoo_shadow.job.describing import read_layout
from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.hash_keys import known_key
from airflow_provider_odoo_shadow.job.id_check import IdDifference, compare_ids
from airflow_provider_odoo_shadow.job.layout import WRITE_DATE_FIELD, Layout
from airflow_provider_odoo_shadow.job.mirror import unreadable_error
from airflow_provider_odoo_shadow.job.read_ahead import read_ahead
from airflow_provider_odoo_shadow.job.rows import RowBuilder
from airflow_provider_odoo_shadow.job.run import MirrorOptions, Run
from airflow_provider_odoo_shadow.job.scan import TableWriter
from airflow_provider_odoo_shadow.job.settings import ModelSettings, read_as
from airflow_provider_odoo_shadow.job.table_hold import hold_table
from airflow_provider_odoo_shadow.job.window import CLOCK_TOLERANCE
from airflow_provider_odoo_shadow.source.answers import moment_in
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.source.errors import OdooUnreadableRecordsError
from airflow_provider_odoo_shadow.source.names import is_model_name
from airflow_provider_odoo_shadow.source.pages import Page, newest_id, read_pages
from airflow_provider_odoo_shadow.source.reading import BEFORE_ALL
from airflow_provider_odoo_shadow.source.types import Record
from airflow_provider_odoo_shadow.source.withheld import WITHHELD, still_listed
from airflow_provider_odoo_shadow.target import registry, sync_log
from airflow_provider_odoo_shadow.target.base import schema_version
from airflow_provider_odoo_shadow.target.base_statements import VERSION
from airflow_provider_odoo_shadow.target.compare import Difference, compare_rows, id_list, id_range
from airflow_provider_odoo_shadow.target.database import ShadowDatabase, Transaction
from airflow_provider_odoo_shadow.target.ids import LiveIds, OnDelete, add_mark_column
from airflow_provider_odoo_shadow.target.row_hash import RowHash
from airflow_provider_odoo_shadow.target.tables import present_columns
from airflow_provider_odoo_shadow.target.verifications import Verification, save_verification
from airflow_provider_odoo_shadow.text.log import logger

log = logger(__name__)

_MOST_WARNINGS = 20
_MOST_NAMED = 10

QUICK_PAGE = 10_000


class Depth(StrEnum):
    """How much is compared: ids and `write_date`, or every cell."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True)
class VerifyOptions:
    """How to verify.

    :param repair: read anew what differs, and let go what is gone.
    """

    depth: Depth = Depth.FULL
    repair: bool = False


def _checked_version(tx: Transaction) -> int:
    version = schema_version(tx)
    if 0 < version < VERSION:
        raise MirrorConfigurationError(
            f"Schema '{tx.schema}' was made by an earlier version: run a sync first, which upgrades it."
        )
    return version


def mirrored_models(shadow: ShadowDatabase) -> list[str]:
    """Return the models that have been mirrored or were to be, by name; none while there is no shadow.

    One whose first load has never succeeded is among them, unless the server turned out not to have it: `verify_model`
    says what is wrong with it.

    The registry may have been written by another role: what is no model's name is warned of, and left out.
    """
    with shadow.transaction() as tx:
        if not _checked_version(tx):
            return []
        skipped = sync_log.skipped_tables(tx)
        listed = registry.list_tables(tx)
        names = [item.model for item in listed if item.has_been_mirrored or item.table not in skipped]
    foreign = [name for name in names if not is_model_name(name)]
    for name in foreign[:_MOST_WARNINGS]:
        log.warning("The registry of schema '%s' lists '%s': refused, it is no model's name.", shadow.schema, name)
    if len(foreign) > _MOST_WARNINGS:
        log.warning("%d more such names are refused.", len(foreign) - _MOST_WARNINGS)
    return [name for name in names if is_model_name(name)]


def never_mirrored(tx: Transaction, model: str, table: str) -> MirrorConfigurationError:
    """Build the error for a model whose first load has not succeeded."""
    said = registry.read_status(tx, table).last_error
    why = f" Its last run said: {said}" if said else " Run a sync first."
    return MirrorConfigurationError(f"{model} was never mirrored: its first load has not succeeded.{why}")


def verify_model(
    odoo: OdooClient, shadow: ShadowDatabase, model: str, *, run: Run, options: MirrorOptions, verify: VerifyOptions
) -> Verification:
    """Compare one model's table with Odoo, keep the outcome, and repair it if asked to.

    Rows that change while they are compared are looked at again, and not reported. Rows that are gone from Odoo are
    treated as the last sync was told to.

    :raises MirrorConfigurationError: the model has no table yet, or was never mirrored.
    :raises OdooUnreadableRecordsError: Odoo does not give records that the shadow holds.
    :raises ShadowOwnershipError: the schema mirrors another Odoo database.
    :raises MassDeletionError: a repair would remove a suspicious share of the rows.
    :raises OdooError, ShadowError: the comparison could not be made.
    """
    comparison = _Comparison.prepare(odoo, shadow, model, options, verify)
    ids = comparison.run()
    options = replace(options, on_delete=comparison.on_delete)
    repaired = 0
    if verify.repair and ids:
        repaired = _repair(odoo, shadow, comparison.layout, run, options, ids)
        # A trigger that somebody agreed to may have changed what was written: only a second look is proof.
        repaired = min(repaired, len(ids) - len(comparison.look_again(sorted(ids))))
    found = Verification(
        run_id=run.id,
        table=comparison.live.table,
        kind=str(verify.depth),
        started_at=comparison.started_at,
        seconds=comparison.seconds,
        rows=comparison.rows,
        ids={kind: sorted(i for i, found in ids.items() if found is kind) for kind in Difference},
        repaired=repaired,
        cannot_know=comparison.on_delete is OnDelete.IGNORE,
        not_compared=tuple(sorted(comparison.layout.refused)),
    )
    with shadow.transaction() as tx:
        save_verification(tx, found)
    return found


@dataclass
class _Comparison:
    """One table and Odoo, side by side, page by page: memory stays flat.

    :param starts: when it began, by each clock that may be the one that Odoo dates its rows by.
    :param clock: the same on a clock that nobody sets.
    """

    odoo: OdooClient
    shadow: ShadowDatabase
    layout: Layout
    builder: RowBuilder
    live: LiveIds
    on_delete: OnDelete
    page_size: int
    starts: tuple[datetime, ...]
    clock: float
    rows: int = 0

    @classmethod
    def prepare(
        cls, odoo: OdooClient, shadow: ShadowDatabase, model: str, options: MirrorOptions, verify: VerifyOptions
    ) -> _Comparison:
        with shadow.transaction() as tx:
            version = _checked_version(tx)
            check_binding(tx, odoo)
            table = registry.find_table(tx, model) if version else None
            present = present_columns(tx, table) if table else {}
            if table is not None and not registry.read_status(tx, table).has_been_mirrored:
                raise never_mirrored(tx, model, table)
            if table is None or not present:
                raise MirrorConfigurationError(f"{model} has no table in schema '{shadow.schema}': run a sync first.")
            live, kept = LiveIds.of(tx, table), registry.read_settings(tx, table)
            key_id = known_key(tx, odoo.connection.hash_secret)
        settings = ModelSettings.from_text(kept.settings)
        reading = read_as(odoo.connection, settings, key_id)
        if kept.read_as not in (None, reading):
            others = f"{model} was mirrored as {kept.read_as}, and "
            if verify.repair:
                raise MirrorConfigurationError(
                    f"{others}cannot be repaired as {reading}: run a sync with this connection first."
                )
            log.warning("%sis compared as %s, which sees other rows or values", others, reading)
        layout = read_layout(odoo, model, settings, unreadable=kept.unreadable).without(kept.unreadable_fields)
        if verify.depth is Depth.QUICK:
            compared, page_size = layout.restricted(()), QUICK_PAGE
        else:
            compared, page_size = layout.restricted(present), options.batch_size
        starts, begun = _starts(odoo), time.monotonic()
        return cls(odoo, shadow, compared, RowBuilder(compared), live, kept.on_delete, page_size, starts, begun)

    @property
    def started_at(self) -> datetime:
        """When the comparison began."""
        return self.starts[-1]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.clock

    def run(self) -> dict[int, Difference]:
        """Return what differs, by id."""
        suspects: dict[int, Difference] = {}
        after_id = BEFORE_ALL
        for page in self._pages():
            if _is_withheld(page):
                continue
            suspects |= self._compare_page(page, after_id)
            after_id = page.last_id
            self.rows += len(page.records)
        others = self._compare_ids([item for item, kind in suspects.items() if kind is Difference.MISSING])
        found = self.look_again(sorted({*suspects, *others.missing, *others.gone}))
        if others.trouble is not None:
            raise others.trouble
        return found

    def _compare_ids(self, missing: Sequence[int]) -> IdDifference:
        """Ask in another way than by pages which ids there are: what no page brought is missing, too."""
        stay = self.on_delete is OnDelete.IGNORE
        return compare_ids(
            self.odoo, self.layout.reading, self.live, self.shadow.transaction, missing, gone_rows_stay=stay
        )

    def _pages(self) -> Iterator[Page]:
        reading = self.layout.reading
        up_to_id = newest_id(self.odoo, reading)
        return read_ahead(read_pages(self.odoo, reading, up_to_id=up_to_id, page_size=self.page_size))

    def _compare_page(self, page: Page, after_id: int) -> dict[int, Difference]:
        scope = id_range(after_id, None if page.is_last else page.last_id)
        with self.shadow.transaction() as tx:
            return compare_rows(tx, self.live, self.builder.columns, self.builder.rows(self._records(page)), scope)

    def _records(self, page: Page) -> list[Record]:
        if page.unreadable is not None:
            raise OdooUnreadableRecordsError(
                f"{self.layout.model} {page.unreadable.id} cannot be read, so it cannot be compared: "
                f"{page.unreadable.reason}"
            )
        return page.records

    def look_again(self, ids: Sequence[int]) -> dict[int, Difference]:
        """Compare some rows once more; leave out those that Odoo wrote since the comparison began."""
        found: dict[int, Difference] = {}
        for start in range(0, len(ids), self.page_size):
            chunk = ids[start : start + self.page_size]
            records = self._read(chunk)
            with self.shadow.transaction() as tx:
                differences = compare_rows(
                    tx, self.live, self.builder.columns, self.builder.rows(records), id_list(chunk)
                )
            given = {record["id"] for record in records}
            reading = self.layout.reading
            unread = still_listed(self.odoo, reading, reading.domain, [item for item in chunk if item not in given])
            self._judge(unread, differences)
            fresh = {record["id"] for record in records if self._is_fresh(record)}
            found |= {record_id: kind for record_id, kind in differences.items() if record_id not in fresh}
        if self.on_delete is OnDelete.IGNORE:
            found = {record_id: kind for record_id, kind in found.items() if kind is not Difference.EXTRA}
        return found

    def _judge(self, unread: Collection[int], differences: dict[int, Difference]) -> None:
        """Call records missing that Odoo lists, but that no page brings, where the shadow lacks them.

        :raises OdooUnreadableRecordsError: the shadow has some, which can be compared with nothing.
        """
        here = sorted(item for item in unread if differences.get(item) is Difference.EXTRA)
        if here:
            named = ", ".join(map(str, here[:_MOST_NAMED])) + (" …" if len(here) > _MOST_NAMED else "")
            raise OdooUnreadableRecordsError(
                f"{self.layout.model}: Odoo lists {len(here)} records, but gives nothing of them, so they cannot be "
                f"compared: {named}."
            )
        differences.update(dict.fromkeys(unread, Difference.MISSING))

    def _read(self, ids: Sequence[int]) -> list[Record]:
        pages = read_pages(
            self.odoo, self.layout.reading, [("id", "in", list(ids))], up_to_id=ids[-1], page_size=self.page_size
        )
        return [record for page in pages if not _is_withheld(page) for record in self._records(page)]

    def _is_fresh(self, record: Record) -> bool:
        """Say whether a record was written while it was compared. One whose date lies ahead was not."""
        written = record.get(WRITE_DATE_FIELD)
        moment = moment_in(written) if isinstance(written, str) else None
        latest = timedelta(seconds=self.seconds) + CLOCK_TOLERANCE
        return moment is not None and any(timedelta(0) <= moment - start <= latest for start in self.starts)


def _is_withheld(page: Page) -> bool:
    """Say whether a page tells only of a record that Odoo lists, but does not give."""
    return page.unreadable is not None and page.unreadable.reason == WITHHELD


def _starts(odoo: OdooClient) -> tuple[datetime, ...]:
    """Read the server's clock, and this machine's, too, if they differ so much that one is wrong.

    Which one it is nothing tells: the server's `Date` may come from a proxy, and this machine may run ahead. If only
    the one were taken, all rows of late would count as written just now, or those that are written now would not.
    """
    server, local = odoo.server_time(), odoo.local_time()
    return (server,) if abs(server - local) <= CLOCK_TOLERANCE else (server, local)


def _repair(
    odoo: OdooClient,
    shadow: ShadowDatabase,
    compared: Layout,
    run: Run,
    options: MirrorOptions,
    ids: dict[int, Difference],
) -> int:
    """Read anew what is missing, stale or differing, and let go what is gone; return the number of rows."""
    layout = read_layout(odoo, compared.model, compared.settings, unreadable=compared.unreadable)
    layout = layout.without(compared.refused)
    extra = sorted(record_id for record_id, kind in ids.items() if kind is Difference.EXTRA)
    others = sorted(record_id for record_id, kind in ids.items() if kind is not Difference.EXTRA)
    with hold_table(shadow, layout.model, run, options, {"repair": True}) as hold:
        with hold.transaction() as tx:
            if options.on_delete is OnDelete.MARK:
                add_mark_column(tx, hold.table)
            live = LiveIds.of(tx, hold.table)
            present = present_columns(tx, hold.table)
            row_hash = RowHash.of(tx, hold.table, [item.column for item in layout.columns])
        known = layout.restricted(present)
        writer = TableWriter(hold, known, RowBuilder(known), row_hash, revive=live.has_marks)
        writer.write_ids(odoo, others, options.batch_size)
        remove_ids(odoo, writer, extra, options)
        if writer.unreadable:
            raise unreadable_error(layout.model, writer.unreadable)
        with hold.transaction() as tx:
            registry.recount_rows(tx, hold.table, live.count_all(tx))
            hold.release(tx)
        return hold.counts.written + hold.counts.deleted
