"""Safeguards, each taken away on purpose: the stories must notice every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import UUID

from odoo_shadow.mirror.run import closing
from odoo_shadow.mirror.shape.layout import WRITE_DATE_FIELD
from odoo_shadow.mirror.sync import model_run as mirror
from odoo_shadow.mirror.sync import scan, table_hold, window
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import Transaction
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state import watermarks
from odoo_shadow.shadow.state.lease import Lease, take_lease
from odoo_shadow.shadow.state.watermarks import Scan, Watermark
from odoo_shadow.shadow.tables.merge import Merged, Overwrite
from odoo_shadow.source.api import domains
from odoo_shadow.source.api.domains import ARCHIVED_TOO, conditions
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.pages import Page
from odoo_shadow.source.reading import BEFORE_ALL, EVERYWHERE, Reading, Where
from odoo_shadow.source.types import Domain, Record
from tests.support.stories import told
from tests.support.stories.odoo_side import THING
from tests.support.stories.plans import Profile
from tests.support.stories.told import Tale

Breaking = Callable[[], AbstractContextManager[None]]

THINGS_ONLY = Profile(models=((THING,),))


@dataclass(frozen=True)
class Mutant:
    """A product without one of its safeguards.

    :param broken: takes the safeguard away for as long as it is entered.
    :param stories: those in which it is missed: one that is told, or what chance tells.
    """

    name: str
    broken: Breaking
    stories: Tale | Profile


@contextmanager
def offset_paging() -> Iterator[None]:
    """Page by offset: what goes while the pages are read lets others slip through."""

    def pages(
        source: ApiSource,
        reading: Reading,
        where: Where = EVERYWHERE,
        *,
        after_id: int = BEFORE_ALL,
        up_to_id: int | None,
        page_size: int,
    ) -> Iterator[Page]:
        matching = [*conditions(where), ("id", ">", after_id), ("id", "<=", up_to_id)]
        offset, last_id = 0, after_id
        while records := source.client.search_read(
            reading.model, matching, reading.fields, limit=page_size, offset=offset, order="id", context=ARCHIVED_TOO
        ):
            offset += len(records)
            last_id = max(last_id, *(_id(record) for record in records))
            yield Page(records, last_id, is_last=False)
        yield Page([], last_id, is_last=True)

    with patch.object(ApiSource, "pages", pages):
        yield


def _id(record: Record) -> int:
    value = record["id"]
    assert isinstance(value, int)
    return value


@contextmanager
def greater_than() -> Iterator[None]:
    """Ask for `write_date >` instead of `>=`."""

    def written_since(moment: datetime | None) -> Domain:
        return [] if moment is None else [("write_date", ">", domains.as_odoo(moment))]

    with patch.object(domains, "written_since", written_since):
        yield


@contextmanager
def no_look_back() -> Iterator[None]:
    """Begin a window right at the watermark."""

    def low_end(
        watermark: Watermark | None, replay_from: datetime | None, look_back: timedelta, *, read_all: bool
    ) -> datetime | None:
        return window.low_end(watermark, replay_from, timedelta(0), read_all=read_all)

    with patch.object(mirror, "low_end", low_end):
        yield


@contextmanager
def newest_row_as_watermark() -> Iterator[None]:
    """Take the newest `write_date` that was read as the next watermark, and not the clock before the first page."""
    newest: dict[UUID, datetime] = {}
    write_page, finish = scan._write_page, watermarks.finish_scan

    def noting(
        writer: scan.TableWriter, read: Scan, page: Page, known: Watermark | None, *, measures_lateness: bool
    ) -> Watermark | None:
        moments = [datetime.fromisoformat(str(record[WRITE_DATE_FIELD])) for record in page.records]
        if moments:
            moment = max(moments).replace(tzinfo=UTC)
            newest[read.run_id] = max(newest.get(read.run_id, moment), moment)
        return write_page(writer, read, page, known, measures_lateness=measures_lateness)

    def finish_scan(tx: Transaction, table: str, read: Scan) -> Watermark:
        moment = newest.get(read.run_id, read.high)
        return finish(tx, table, replace(read, high=moment, newest=moment))

    with patch.object(scan, "_write_page", noting), patch.object(watermarks, "finish_scan", finish_scan):
        yield


@contextmanager
def no_active_test() -> Iterator[None]:
    """Let Odoo hide archived records."""
    with patch.dict(ARCHIVED_TOO, {"active_test": True}):
        yield


@contextmanager
def watermark_before_rows() -> Iterator[None]:
    """Commit checkpoint and watermark first, and the rows in a transaction of their own."""

    def write_page(
        writer: scan.TableWriter,
        read: Scan,
        page: Page,
        known: Watermark | None,
        *,
        measures_lateness: bool,
    ) -> Watermark | None:
        reached, merged = None, Merged(RowCounts())
        with writer.hold.transaction() as tx:
            watermarks.save_scan(tx, writer.hold.table, replace(read, last_id=page.last_id), 0)
            if page.is_last:
                reached = watermarks.finish_scan(tx, writer.hold.table, read)
        if page.records:
            with writer.hold.transaction() as tx:
                merged = writer.write(
                    tx, page.records, Overwrite.EVEN_YOUNGER if read.low is None else Overwrite.CHANGED
                )
        writer.hold.counts += merged.counts
        return reached

    with patch.object(scan, "_write_page", write_page):
        yield


@contextmanager
def resume_is_all() -> Iterator[None]:
    """Finish what another run left, and think that this was the own window, too."""
    read = mirror.ModelRun._read

    def only_the_rest(
        self: mirror.ModelRun, watermark: Watermark | None, left: Scan | None, replay_from: datetime | None
    ) -> tuple[Watermark, ScanKind]:
        if left is None:
            return read(self, watermark, left, replay_from)
        return self._read_window(left, ScanKind.INCREMENTAL, watermark, measures_lateness=False), ScanKind.INCREMENTAL

    with patch.object(mirror.ModelRun, "_read", only_the_rest):
        yield


@contextmanager
def no_deletions() -> Iterator[None]:
    """Never compare ids."""
    with patch.object(mirror, "check_ids", lambda *_: None):
        yield


@contextmanager
def no_filling() -> Iterator[None]:
    """Leave new columns empty in the rows that are there."""
    with patch.object(mirror, "fill_new_columns", lambda *_: []):
        yield


@contextmanager
def no_due_rows() -> Iterator[None]:
    """Leave rows as they are that point to what has gone."""
    with (
        patch.object(closing, "models_with_due_rows", lambda _tx: []),
        patch.object(mirror, "reread_due_rows", lambda *_: None),
    ):
        yield


@contextmanager
def no_untracked_columns() -> Iterator[None]:
    """Never compare columns that change without `write_date`."""
    with patch.object(closing, "due_check", lambda *_: None):
        yield


@contextmanager
def no_identity() -> Iterator[None]:
    """Never ask whether Odoo's database is an older state."""
    with patch.object(mirror, "check_model", lambda *_, **__: None):
        yield


@contextmanager
def no_fence() -> Iterator[None]:
    """Let a run that lost its table go on writing."""

    def renew_lease(tx: Transaction, table: str, lease: Lease) -> Lease:
        return lease

    with patch.object(table_hold, "renew_lease", renew_lease):
        yield


@contextmanager
def no_lease() -> Iterator[None]:
    """Let everybody have a table."""

    def take_from_anybody(tx: Transaction, table: str, lease: Lease) -> None:
        tx.run("UPDATE {leases} SET held_until = NULL", leases=tx.internal("lease"))
        take_lease(tx, table, lease)

    with patch.object(table_hold, "take_lease", take_from_anybody):
        yield


_SIMPLE = replace(THINGS_ONLY, rules=frozenset({"in_odoo", "time_passes"}), deaths=(None,), seconds=(1200.0,))
_SLEEPY = replace(_SIMPLE, rules=frozenset({"in_odoo", "overlapping_runs"}))

MUTANTS = (
    Mutant("offset paging", offset_paging, told.rows_go_while_pages_are_read),
    Mutant("> instead of >=", greater_than, told.a_transaction_is_as_long_as_the_look_back),
    Mutant("no look-back", no_look_back, told.a_transaction_ends_after_a_later_one),
    Mutant("max(write_date) as watermark", newest_row_as_watermark, told.a_row_is_edited_behind_a_slow_run),
    Mutant("no active_test", no_active_test, replace(_SIMPLE, often=("archive",))),
    Mutant("watermark before the rows", watermark_before_rows, told.runs_die_after_each_commit),
    Mutant("a resumed scan and no window after it", resume_is_all, told.a_run_dies_and_others_go_on),
    Mutant("ids never compared", no_deletions, replace(_SIMPLE, often=("unlink",))),
    Mutant("new columns not filled", no_filling, told.a_field_is_added),
    Mutant("rows not read again whose target is gone", no_due_rows, told.a_target_is_deleted),
    Mutant("untracked columns not compared", no_untracked_columns, replace(_SIMPLE, often=("tag_far", "unlink_tag"))),
    Mutant("a backup that is restored unnoticed", no_identity, told.a_backup_is_restored),
    Mutant("a lease without a fence", no_fence, _SLEEPY),
    Mutant("no lease", no_lease, _SLEEPY),
)
