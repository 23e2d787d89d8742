"""A source that knows the versions of records: every change is found, whatever `write_date` says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from odoo_shadow.mirror.errors import MassDeletionError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.names import table_name
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.registry import recount_rows
from odoo_shadow.shadow.state.watermarks import NEVER
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.source.reading import Reading
from odoo_shadow.source.versions import BLOCK_IDS, ranges_of
from tests.support.library import BOOK, is_equal, library_of, mirror, rows
from tests.support.memory_source import MemorySource
from tests.support.running import StoppedError, stop_after


@pytest.fixture(params=[False, True], ids=["records", "copies"])
def library(request: pytest.FixtureRequest) -> MemorySource:
    """Ten books, and three thousand more: three blocks of ids, and a part of a fourth."""
    made = library_of(gives_copies=request.param, tells_versions=True)
    made.create(BOOK, 3 * BLOCK_IDS, name="Another")
    made.wait()
    return made


def plan(library: MemorySource, shadow: ShadowDatabase) -> list[str]:
    """The models that have work, and why."""
    found = plan_run(library, shadow, Chosen((BOOK,)), run=Run(), options=MirrorOptions())
    return [item.reason for item in found.work]


def planned_and_mirrored(library: MemorySource, shadow: ShadowDatabase, **options: Any) -> None:
    """A run that has noted what the fields are."""
    plan(library, shadow)
    mirror(library, shadow, batch=500, **options)


def test_what_no_write_date_tells_is_found_by_the_next_run(library: MemorySource, shadow: ShadowDatabase) -> None:
    mirror(library, shadow, batch=500)
    library.write_silently(BOOK, [4, 2000], pages=121)
    library.pages_read.clear()
    later = mirror(library, shadow, batch=500)
    assert (later.kind, later.counts.updated) == (ScanKind.INCREMENTAL, 2)
    assert sum(number for _, number in library.pages_read) == 2 * BLOCK_IDS - 1  # two blocks; there is no book 0
    assert is_equal(library, shadow)


def test_a_row_that_is_gone_is_found_though_another_came(library: MemorySource, shadow: ShadowDatabase) -> None:
    """The number of records stays the same: only a list of all ids would show it by API."""
    mirror(library, shadow, batch=500)
    library.unlink(BOOK, [1500])
    library.create(BOOK, name="New")
    counts = mirror(library, shadow, batch=500).counts
    assert (counts.inserted, counts.deleted) == (1, 1) and is_equal(library, shadow)


def test_nothing_has_changed(library: MemorySource, shadow: ShadowDatabase) -> None:
    planned_and_mirrored(library, shadow)
    library.pages_read.clear()
    assert plan(library, shadow) == []
    assert mirror(library, shadow, batch=500).counts == RowCounts() and library.pages_read == []
    library.write_silently(BOOK, [4], pages=121)
    assert plan(library, shadow) == ["1 block of ids has changed"]


def test_a_table_that_has_fewer_rows_than_odoo_is_no_table_without_work(
    library: MemorySource, shadow: ShadowDatabase
) -> None:
    """Whoever took a row out, and counted again: nothing has changed in Odoo, and no block differs."""
    planned_and_mirrored(library, shadow)
    with shadow.transaction() as tx:
        tx.run("DELETE FROM {table} WHERE id = 2000 RETURNING id", table=tx.own(table_name(BOOK)))
        recount_rows(tx, table_name(BOOK), LiveIds.of(tx, table_name(BOOK)).count_all(tx))
    rows = 10 + 3 * BLOCK_IDS
    assert plan(library, shadow) == [f"Odoo has {rows} rows, the shadow {rows - 1}"]
    mirror(library, shadow, batch=500)
    assert is_equal(library, shadow) and plan(library, shadow) == []


def test_a_run_that_is_cut_off_does_not_read_again_what_it_has_written(
    library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odoo_shadow.mirror.sync.changed_blocks.BLOCKS_AT_ONCE", 1)
    mirror(library, shadow, batch=500)
    library.write_silently(BOOK, range(1, 3000), pages=121)
    with pytest.raises(StoppedError):
        mirror(library, shadow, batch=500, on_progress=stop_after(2))
    library.pages_read.clear()
    assert mirror(library, shadow, batch=500).counts.updated == 2999 - (2 * BLOCK_IDS - 1)
    assert is_equal(library, shadow)


def test_a_suspicious_share_is_asked_about_and_stays_to_be_found(library: MemorySource, shadow: ShadowDatabase) -> None:
    mirror(library, shadow, batch=500)
    library.unlink(BOOK, range(1, 2900))
    for _ in range(2):  # what was not removed is not forgotten
        with pytest.raises(MassDeletionError):
            mirror(library, shadow, batch=500)
    assert mirror(library, shadow, batch=500, allow_mass_delete=True).counts.deleted == 2899
    assert is_equal(library, shadow)


def test_rows_that_stay_are_no_work_for_ever(library: MemorySource, shadow: ShadowDatabase) -> None:
    planned_and_mirrored(library, shadow, on_delete=OnDelete.MARK)
    library.unlink(BOOK, [3])
    assert mirror(library, shadow, batch=500, on_delete=OnDelete.MARK).counts.deleted == 1
    assert plan(library, shadow) == [] and len(rows(shadow, "id")) == 10 + 3 * BLOCK_IDS


@pytest.mark.sampled
@pytest.mark.parametrize(
    "other", [{"basis": "another server"}, {"position": 5}], ids=["another server", "a server that was set back"]
)
def test_versions_of_another_time_line_are_not_compared(
    other: dict[str, Any], library: MemorySource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transaction ids are given a second time after a restore: the same version may be of another row."""
    told = library.versions(Reading(BOOK, ("id",)))
    assert told is not None
    given = replace(told, position=9)
    monkeypatch.setattr(library, "versions", lambda _: given)
    planned_and_mirrored(library, shadow)
    assert plan(library, shadow) == []
    given = replace(given, **other)
    assert plan(library, shadow) == ["its versions cannot be compared with those of its last run"]
    library.write_silently(BOOK, [2], pages=122)
    whole = mirror(library, shadow, batch=500)
    assert (whole.kind, whole.counts.updated) == (ScanKind.FULL, 1) and is_equal(library, shadow)


@pytest.mark.parametrize("since", [timedelta(hours=1), timedelta(days=30_000)], ids=["an hour", "the beginning"])
def test_what_a_person_wants_again_hides_no_other_change(
    since: timedelta, library: MemorySource, shadow: ShadowDatabase
) -> None:
    """A watermark that was set back adds a window to what the versions show."""
    planned_and_mirrored(library, shadow)

    def replay_from(_: str) -> datetime:
        return max(NEVER, library.clock().source - since)

    options = MirrorOptions(look_back=timedelta(0))
    assert plan_run(library, shadow, Chosen((BOOK,)), run=Run(), options=options, replay_from=replay_from).work
    library.write_silently(BOOK, [4], pages=121)
    again = mirror_model(library, shadow, BOOK, run=Run(), options=options, replay_from=replay_from)
    assert again.counts.updated == 1 and is_equal(library, shadow)


def test_a_first_load_in_two_tries_is_read_once_more(library: MemorySource, shadow: ShadowDatabase) -> None:
    """What changed silently between the tries shows by nothing else."""
    with pytest.raises(StoppedError):
        mirror(library, shadow, batch=500, on_progress=stop_after(2))
    library.write_silently(BOOK, [2], pages=122)
    mirror(library, shadow, batch=500)
    assert mirror(library, shadow, batch=500).counts.updated == 1 and is_equal(library, shadow)


def test_a_source_that_knows_no_versions_makes_them_forgotten(library: MemorySource, shadow: ShadowDatabase) -> None:
    """It may see other records: then equal versions say nothing about the table."""
    mirror(library, shadow, batch=500)
    library._tells_versions = False
    library.write(BOOK, [5], name="Seen by the other")
    mirror(library, shadow, batch=500)
    library._tells_versions = True
    library.pages_read.clear()
    mirror(library, shadow, batch=500)
    assert library.pages_read and is_equal(library, shadow)


def test_ranges_cover_their_blocks_and_no_others() -> None:
    assert ranges_of([0, 1, 3, -1], 2) == [
        (-BLOCK_IDS - 1, BLOCK_IDS - 1),
        (BLOCK_IDS - 1, 2 * BLOCK_IDS - 1),
        (3 * BLOCK_IDS - 1, 4 * BLOCK_IDS - 1),
    ]
    assert ranges_of([], 2) == []
