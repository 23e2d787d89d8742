"""A first load that several workers share: whatever ends one of them, no row is lost, and none is read in vain."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import accept_database
from odoo_shadow.mirror.run.batches import parts_of, threads_of
from odoo_shadow.mirror.run.plan import Work
from odoo_shadow.mirror.sync.model import mirror_model, no_report
from odoo_shadow.mirror.sync.parts import Part, PartResult, load_in_threads, load_part
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.mirror.sync.table_hold import RangeHold, hold_range
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError, ShadowOwnershipError
from odoo_shadow.shadow.state.scan_ranges import read_ranges
from odoo_shadow.shadow.state.watermarks import read_watermark
from odoo_shadow.source.errors import OdooServerError, OdooUnreadableRecordsError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.kind import SourceKind
from tests.support.library import BOOK, TABLE, is_equal, library_of, mirror, rows
from tests.support.memory_source import MemorySource
from tests.support.running import StoppedError, log_of, stop_after

PARTS = 3
NOW = MirrorOptions(batch_size=4, wait=timedelta(0))


@pytest.fixture(params=[pytest.param(False, marks=pytest.mark.nightly), True], ids=["records", "copies"])
def library(request: pytest.FixtureRequest) -> MemorySource:
    """Ten books with the ids 1 to 10, and fifty far above."""
    made = library_of(gives_copies=request.param, tells_versions=True)
    made.create(BOOK, 50, first=1_000_000, name="Another")
    made.wait()
    return made


def load(
    library: MemorySource, shadow: ShadowDatabase, number: int, run: Run, *, of: int = PARTS, pages: int = 0
) -> PartResult | MirrorResult:
    """Let one worker read its part.

    :param pages: after so many pages it dies; 0 for never.
    """
    report = stop_after(pages) if pages else no_report
    return load_part(library, shadow, BOOK, Part(number, of), run=run, options=NOW, on_progress=report)


def slowly(work: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """The same work, that takes so long."""

    def later(*given: object) -> Any:
        time.sleep(seconds)
        return work(*given)

    return later


def assert_finished(
    library: MemorySource, shadow: ShadowDatabase, results: Sequence[PartResult | MirrorResult]
) -> None:
    """All workers have ended well, so the table must be complete."""
    with shadow.transaction() as tx:
        assert read_watermark(tx, TABLE) is not None
    assert any(isinstance(item, MirrorResult) for item in results) and is_equal(library, shadow)


def test_threads_share_a_first_load(library: MemorySource, shadow: ShadowDatabase) -> None:
    result = load_in_threads(library, shadow, BOOK, PARTS, run=Run(), options=MirrorOptions(batch_size=4))
    assert (result.kind, result.counts.inserted) == (ScanKind.FIRST_LOAD, 60) and is_equal(library, shadow)
    assert sorted(number for _, number in library.pages_read)[-1] <= 4
    (entry,) = log_of(shadow)
    assert (entry["status"], entry["rows_inserted"]) == ("success", 60)
    library.pages_read.clear()
    assert mirror(library, shadow).counts.written == 0 and not library.pages_read


def test_ranges_are_even_by_rows_where_ids_have_gaps(library: MemorySource, shadow: ShadowDatabase) -> None:
    first = load(library, shadow, 1, Run())
    assert isinstance(first, PartResult) and first.counts.inserted == 20
    with shadow.transaction() as tx:
        ranges = read_ranges(tx, TABLE)
        assert read_watermark(tx, TABLE) is None
    assert [one.after_id for one in ranges[1:]] == [one.up_to_id for one in ranges[:-1]]
    assert len(ranges) == PARTS and ranges[-1].up_to_id == 1_000_049


def test_a_worker_that_dies_is_the_only_one_to_go_on(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    with pytest.raises(StoppedError):
        load(library, shadow, 2, run, pages=3)
    with pytest.raises(StoppedError):
        load(library, shadow, 3, run, pages=2)
    assert isinstance(load(library, shadow, 1, run), PartResult)
    (entry,) = log_of(shadow)
    assert (entry["status"], entry["rows_inserted"]) == ("error", 3 * 4 + 2 * 4 + 20)  # those of later ones, too
    assert isinstance(load(library, shadow, 3, run), PartResult)
    library.pages_read.clear()
    last = load(library, shadow, 2, run)
    assert isinstance(last, MirrorResult) and last.counts.inserted == 60 and is_equal(library, shadow)
    assert sum(number for _, number in library.pages_read) == 20 - 3 * 4
    assert [entry["status"] for entry in log_of(shadow)] == ["error", "success"]


def test_the_seconds_of_a_load_are_those_of_all_its_workers(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    load(library, shadow, 1, run)
    with shadow.transaction() as tx:
        tx.run("UPDATE {log} SET started_at = started_at - interval '1 h'", log=tx.own("odoo_shadow_sync_log"))
    load(library, shadow, 2, run)
    result = load(library, shadow, 3, run)
    (entry,) = log_of(shadow)
    assert isinstance(result, MirrorResult) and result.seconds >= 3600 and entry["duration_ms"] >= 3_600_000


def test_the_next_run_takes_up_what_was_left(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    load(library, shadow, 1, run)
    with pytest.raises(StoppedError):
        load(library, shadow, 3, run, pages=2)
    library.pages_read.clear()
    result = mirror(library, shadow)
    assert result.resumed and result.counts.inserted == 60 - 20 - 2 * 4 and is_equal(library, shadow)
    assert [entry["rows_inserted"] for entry in log_of(shadow)] == [20 + 2 * 4, result.counts.inserted]
    assert result.watermark.rows_synced == 60
    assert sum(number for _, number in library.pages_read) == 60 - 20 - 2 * 4
    library.pages_read.clear()
    assert mirror(library, shadow).counts.written == 0 and not library.pages_read


def test_other_workers_take_up_what_was_left(library: MemorySource, shadow: ShadowDatabase) -> None:
    load(library, shadow, 1, Run())
    library.pages_read.clear()
    later = Run()
    assert all(isinstance(load(library, shadow, number, later), PartResult) for number in (3, 2))
    assert isinstance(load(library, shadow, 1, later), MirrorResult) and is_equal(library, shadow)
    assert sum(number for _, number in library.pages_read) == 40


def test_a_run_that_is_planned_anew_with_fewer_workers_leaves_no_range_to_nobody(
    library: MemorySource, shadow: ShadowDatabase
) -> None:
    run = Run()
    load(library, shadow, 1, run)
    assert_finished(library, shadow, [load(library, shadow, number, run, of=2) for number in (2, 1)])


@pytest.mark.sampled
@pytest.mark.parametrize("between", ["other workers", "a run of everything", "an accepted database"])
def test_what_another_run_left_is_left_to_nobody_who_has_gone(
    library: MemorySource, shadow: ShadowDatabase, between: str
) -> None:
    run = Run()
    load(library, shadow, 1, run)
    load(library, shadow, 2, run)
    if between == "other workers":
        with pytest.raises(StoppedError):
            load(library, shadow, 1, Run(), pages=1)
    elif between == "a run of everything":
        with pytest.raises(StoppedError):
            mirror(library, shadow, full=True, on_progress=stop_after(2))
    else:
        accept_database(library, shadow)
    assert_finished(library, shadow, [load(library, shadow, 3, run)])


def test_a_worker_that_finished_in_vain_finishes_when_it_is_tried_again(shadow: ShadowDatabase) -> None:
    """Nobody else comes again: it reads all that is not known to be there."""
    library, run = library_of(), Run()
    library.unreadable = {3}
    assert isinstance(load(library, shadow, 1, run), PartResult)
    load(library, shadow, 2, run)
    for _ in range(2):
        with pytest.raises(OdooUnreadableRecordsError, match="3"):
            load(library, shadow, 3, run)
    library.unreadable = set()
    assert_finished(library, shadow, [load(library, shadow, 3, run)])


def test_a_worker_that_reads_differently_writes_nothing(library: MemorySource, shadow: ShadowDatabase) -> None:
    """As when somebody changes the language of a connection while its tasks run: whoever finishes reads it all."""
    run, german = Run(), deepcopy(library)
    german.access = replace(library.access, lang="de_DE")
    german.write_silently(BOOK, [*range(1, 11), *range(1_000_000, 1_000_050)], name="Ein Buch")
    load(library, shadow, 1, run)
    assert load(german, shadow, 2, run).counts.inserted == 0
    assert_finished(library, shadow, [load(library, shadow, 3, run)])


def test_no_worker_reads_a_range_of_another_run(
    library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its settings are others: this one hashes no names."""
    hashing, other = deepcopy(library), Run()
    hashing.access = replace(library.access, hash_secret="".join(chr(33 + 7 * n % 89) for n in range(40)))
    settings = ModelSettings(hashed_fields=("name",))
    load(library, shadow, 1, Run())
    held: list[int] = []

    def hold_later(own: ShadowDatabase, run: Run, table: str, number: int) -> AbstractContextManager[RangeHold | None]:
        held.append(number)
        if len(held) == 2 and run.id != other.id:
            with closing(shadow.another()) as third:
                load_part(hashing, third, BOOK, Part(3, 3), run=other, options=NOW, settings=settings)
        return hold_range(own, run, table, number)

    monkeypatch.setattr("odoo_shadow.mirror.sync.parts.hold_range", hold_later)
    with suppress(ShadowBusyError):
        load_part(library, shadow, BOOK, Part(1, 1), run=Run(), options=NOW, settings=ModelSettings())
    for number in (1, 2):
        load_part(hashing, shadow, BOOK, Part(number, 3), run=other, options=NOW, settings=settings)
    assert "Another" not in {name for (name,) in rows(shadow, "name")}


def test_a_worker_leaves_ranges_that_another_run_has_taken_up(
    library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(library, shadow, 1, Run())
    other, held = Run(), list[int]()

    def hold_later(own: ShadowDatabase, run: Run, table: str, number: int) -> AbstractContextManager[RangeHold | None]:
        held.append(number)
        if len(held) == 2:
            with closing(shadow.another()) as third:
                load(library, third, 3, other)
        return hold_range(own, run, table, number)

    monkeypatch.setattr("odoo_shadow.mirror.sync.parts.hold_range", hold_later)
    assert load(library, shadow, 1, Run(), of=1).counts.inserted == 20
    assert_finished(library, shadow, [load(library, shadow, number, other) for number in (2, 1)])


def test_a_row_that_somebody_keeps_locked_is_not_waited_for_for_ever(
    library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(library, shadow, 1, Run())
    monkeypatch.setattr("odoo_shadow.shadow.state.lease.LEASE", timedelta(seconds=1))
    with closing(shadow.another()) as other, other.transaction() as tx:
        tx.run("SELECT FROM {leases} FOR UPDATE", leases=tx.internal("lease"))
        with pytest.raises(ShadowBusyError):
            load(library, shadow, 2, Run())


def test_what_takes_the_source_long_does_not_lose_the_table(
    library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others wait to divide the load: they would all take it from each other, one after the other, for ever."""
    monkeypatch.setattr("odoo_shadow.shadow.state.lease.LEASE", timedelta(seconds=1))
    monkeypatch.setattr("odoo_shadow.mirror.sync.model_run.RENEW_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(library, "versions", slowly(library.versions, 1.5))
    monkeypatch.setattr(library, "nth_id", slowly(library.nth_id, 0.7))
    result = load_in_threads(library, shadow, BOOK, PARTS, run=Run(), options=MirrorOptions(batch_size=4))
    assert result.counts.inserted == 60 and [entry["status"] for entry in log_of(shadow)] == ["success"]


def test_versions_of_a_scan_that_read_nothing_vouch_for_no_row(
    library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(1))
    library.write_silently(BOOK, [2], pages=77)
    with monkeypatch.context() as broken:
        for name in ("pages", "copy_pages"):
            broken.setattr(library, name, Mock(side_effect=OdooServerError("it is down")))
        with pytest.raises(OdooServerError):
            mirror(library, shadow, full=True)
    for _ in range(3):
        mirror(library, shadow)
    assert is_equal(library, shadow)


def test_what_changes_meanwhile_is_found(library: MemorySource, shadow: ShadowDatabase) -> None:
    """Also what no `write_date` tells, by the run after: the versions count that there were before the first page."""
    run = Run()
    load(library, shadow, 1, run)
    library.write_silently(BOOK, [4], pages=77)
    library.unlink(BOOK, [5])
    library.create(BOOK, name="New")
    library.wait()
    load(library, shadow, 2, run)
    load(library, shadow, 3, run)
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_no_run_takes_the_table_of_a_worker(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    load(library, shadow, 1, run)
    taken = []

    def try_to_take(_: object) -> None:
        with pytest.raises(ShadowBusyError, match="part 2"):
            mirror_model(library, shadow, BOOK, run=Run(), options=NOW)
        taken.append(True)

    load_part(library, shadow, BOOK, Part(2, PARTS), run=run, options=NOW, on_progress=try_to_take)
    assert taken


def test_a_worker_that_was_silent_writes_nothing_more(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    load(library, shadow, 1, run)

    def fall_asleep(_: object) -> None:
        with shadow.transaction() as tx:
            tx.run("UPDATE {r} SET held_until = now() - interval '1 s'", r=tx.internal("scan_range"))
        mirror(library, shadow)

    load_part(library, shadow, BOOK, Part(2, PARTS), run=run, options=NOW, on_progress=fall_asleep)
    assert is_equal(library, shadow) and len(rows(shadow, "id")) == 60
    with shadow.transaction() as tx:
        reached = read_watermark(tx, TABLE)
    assert reached is not None and reached.rows_synced == 60


def test_a_record_that_cannot_be_read_is_told_at_the_end(shadow: ShadowDatabase) -> None:
    library = library_of()
    library.unreadable = {3}
    run = Run()
    assert isinstance(load(library, shadow, 1, run), PartResult)
    load(library, shadow, 2, run)
    with pytest.raises(OdooUnreadableRecordsError, match="3"):
        load(library, shadow, 3, run)
    library.unreadable = set()
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_a_field_that_comes_meanwhile_is_left_to_the_end(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    load(library, shadow, 1, run)
    library.add_field(BOOK, Field("isbn", "char"))
    library.write_silently(BOOK, [4, 1_000_049], isbn="978")
    assert load(library, shadow, 2, run).counts.inserted == 0
    assert isinstance(load(library, shadow, 3, run), MirrorResult) and is_equal(library, shadow)
    assert [isbn for _, isbn in rows(shadow, "id", "isbn") if isbn] == ["978", "978"]


def test_the_plan_divides_only_first_loads_and_by_size() -> None:
    large = Work(BOOK, "first load", rows=1_000_000, is_first_load=True)
    assert parts_of(large, SourceKind.API) == 10 and parts_of(large, SourceKind.DATABASE) == 4
    assert parts_of(Work(BOOK, "first load", rows=10**9, is_first_load=True), SourceKind.API) == 64
    assert parts_of(large, SourceKind.API, at_most=2) == 2
    small = Work(BOOK, "first load", rows=50_001, is_first_load=True)
    assert parts_of(small, SourceKind.API) == 1
    assert threads_of(small, SourceKind.DATABASE, at_most=9) == 2 and threads_of(small, SourceKind.API, at_most=9) == 3
    assert parts_of(Work(BOOK, "1 row was written", rows=10**6), SourceKind.API) == 1
    assert parts_of(Work(BOOK, "first load", is_first_load=True), SourceKind.API) == 1


@pytest.mark.parametrize("number", [1, PARTS])
def test_a_backup_that_is_restored_during_the_load_fails_it(
    library: MemorySource, shadow: ShadowDatabase, number: int
) -> None:
    """There was no row to compare with Odoo when it began."""
    backup = deepcopy(library.models[BOOK].records)
    library.write(BOOK, [2, 3], pages=77)
    library.wait()

    def restore_at_the_end(progress: Progress) -> None:
        if progress.done >= 1:
            library.models[BOOK].records.clear()
            library.models[BOOK].records.update(deepcopy(backup))

    work = mirror_model if number == 1 else partial(load_in_threads, number=number)
    with pytest.raises(ShadowOwnershipError, match="book 3"):
        work(library, shadow, BOOK, run=Run(), options=NOW, on_progress=restore_at_the_end)
    assert [entry["status"] for entry in log_of(shadow)] == ["error"]
    with pytest.raises(ShadowOwnershipError, match="book 3"):
        mirror(library, shadow)
    mirror(library, shadow, full=True)
    assert is_equal(library, shadow)
