"""A first load that several workers share: whatever ends one of them, no row is lost, and none is read in vain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.batches import parts_of
from odoo_shadow.mirror.run.plan import Work
from odoo_shadow.mirror.sync.model import mirror_model, no_report
from odoo_shadow.mirror.sync.model_run import MirrorResult
from odoo_shadow.mirror.sync.parts import Part, PartResult, load_in_threads, load_part
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError
from odoo_shadow.shadow.state.scan_ranges import read_ranges
from odoo_shadow.shadow.state.watermarks import read_watermark
from odoo_shadow.source.errors import OdooUnreadableRecordsError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.kind import SourceKind
from tests.support.library import BOOK, TABLE, is_equal, library_of, mirror, rows
from tests.support.memory_source import MemorySource
from tests.support.running import StoppedError, log_of, stop_after

PARTS = 3
NOW = MirrorOptions(batch_size=4, wait=timedelta(0))


@pytest.fixture(params=[False, True], ids=["records", "copies"])
def library(request: pytest.FixtureRequest) -> MemorySource:
    """Ten books with the ids 1 to 10, and fifty far above."""
    made = library_of(gives_copies=request.param, tells_versions=True)
    made.create(BOOK, 50, first=1_000_000, name="Another")
    made.wait()
    return made


def load(
    library: MemorySource, shadow: ShadowDatabase, number: int, run: Run, pages: int = 0
) -> PartResult | MirrorResult:
    """Let one worker read its part.

    :param pages: after so many pages it dies; 0 for never.
    """
    report = stop_after(pages) if pages else no_report
    return load_part(library, shadow, BOOK, Part(number, PARTS), run=run, options=NOW, on_progress=report)


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
    assert all(isinstance(load(library, shadow, number, run), PartResult) for number in (1, 3))
    assert [entry["status"] for entry in log_of(shadow)] == ["error"]
    library.pages_read.clear()
    last = load(library, shadow, 2, run)
    assert isinstance(last, MirrorResult) and last.counts.inserted == 60 and is_equal(library, shadow)
    assert sum(number for _, number in library.pages_read) == 20 - 3 * 4
    assert [entry["status"] for entry in log_of(shadow)] == ["error", "success"]


def test_the_next_run_takes_up_what_was_left(library: MemorySource, shadow: ShadowDatabase) -> None:
    run = Run()
    load(library, shadow, 1, run)
    with pytest.raises(StoppedError):
        load(library, shadow, 3, run, pages=2)
    library.pages_read.clear()
    result = mirror(library, shadow)
    assert result.resumed and result.counts.inserted == 60 and is_equal(library, shadow)
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
    results = [load_part(library, shadow, BOOK, Part(number, 2), run=run, options=NOW) for number in (2, 1)]
    assert isinstance(results[0], PartResult) and isinstance(results[1], MirrorResult) and is_equal(library, shadow)


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

    with pytest.raises(ShadowBusyError, match="taken over"):
        load_part(library, shadow, BOOK, Part(2, PARTS), run=run, options=NOW, on_progress=fall_asleep)
    assert is_equal(library, shadow) and len(rows(shadow, "id")) == 60


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
    assert parts_of(Work(BOOK, "1 row was written", rows=10**6), SourceKind.API) == 1
    assert parts_of(Work(BOOK, "first load", is_first_load=True), SourceKind.API) == 1
