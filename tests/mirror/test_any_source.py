"""The engine on a source that is neither Odoo nor HTTP, which gives records, or text for COPY."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MassDeletionError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import RefusedRecordsError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.tables.present import PresentTable
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.fields import Field
from odoo_shadow.source.pages import CopyPage
from tests.support.library import BOOK, ODD, TABLE, is_equal, library_of, mirror, rows
from tests.support.memory_source import MemorySource
from tests.support.running import StoppedError, stop_after, watermark_of
from tests.support.verifying import found_by, verify
from tests.support.waiting import wait_until_blocked

INSERT_THE_SIXTH = "INSERT INTO odoo_shadow.odoo_shadow_library_book (id, pages) VALUES (6, 1)"


@pytest.fixture(params=[False, True], ids=["records", "copies"])
def library(request: pytest.FixtureRequest) -> MemorySource:
    return library_of(gives_copies=request.param)


def test_a_first_load_and_what_changes_later(library: MemorySource, shadow: ShadowDatabase) -> None:
    first = mirror(library, shadow)
    assert (first.kind, first.counts) == (ScanKind.FIRST_LOAD, RowCounts(inserted=10))
    assert is_equal(library, shadow) and rows(shadow, "name")[-1] == (ODD,)
    library.create(BOOK, 2, name="New")
    library.write(BOOK, [3], name=False, is_lent=False, price=0.0)
    library.unlink(BOOK, [1])
    library.pages_read.clear()
    later = mirror(library, shadow)
    assert (later.kind, later.counts) == (ScanKind.INCREMENTAL, RowCounts(inserted=2, updated=1, deleted=1))
    assert library.pages_read == [(BOOK, 3)]
    assert is_equal(library, shadow) and verify(library, shadow, model=BOOK).differences == 0


def test_a_run_that_is_cut_off_goes_on_from_its_last_page(library: MemorySource, shadow: ShadowDatabase) -> None:
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(2))
    library.pages_read.clear()
    resumed = mirror(library, shadow)
    assert resumed.resumed and library.pages_read[0] == (BOOK, 2)
    assert is_equal(library, shadow)


def test_a_first_load_makes_its_index_at_its_end(library: MemorySource, shadow: ShadowDatabase) -> None:
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(1))
    assert not is_indexed(shadow)
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(1))
    assert not is_indexed(shadow) and len(rows(shadow, "id")) == 8
    mirror(library, shadow)
    assert is_indexed(shadow) and is_equal(library, shadow)
    with shadow.transaction() as tx:
        changes = tx.run("SELECT change FROM {log}", log=tx.own("odoo_shadow_schema_log"))
        tx.run("DROP INDEX {index}", index=tx.own(f"ix_{TABLE}_write_date"))
    assert changes == [("table created",)]
    mirror(library, shadow)
    assert is_indexed(shadow)


def is_indexed(shadow: ShadowDatabase) -> bool:
    with shadow.transaction() as tx:
        return PresentTable.of(tx, TABLE).has_index


def test_a_row_beyond_what_was_read_is_overwritten(
    library: MemorySource, shadow: ShadowDatabase, database: str
) -> None:
    def meddle(_: Progress) -> None:
        with psycopg.connect(database) as connection:
            connection.execute(f"{INSERT_THE_SIXTH} ON CONFLICT DO NOTHING")

    assert mirror(library, shadow, on_progress=meddle).counts == RowCounts(inserted=9, updated=1)
    assert is_equal(library, shadow)


def test_a_row_that_a_first_load_cannot_append_keeps_no_other_out(
    library: MemorySource, shadow: ShadowDatabase, database: str
) -> None:
    library.write(BOOK, [6], pages=5000)
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(1))
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_library_book ADD CHECK (pages < 1000)")
    with pytest.raises(RefusedRecordsError, match=r"library\.book: the shadow cannot take the records 6 "):
        mirror(library, shadow)
    assert [number for (number,) in rows(shadow, "id")] == [1, 2, 3, 4, 5, 7, 8, 9, 10]
    library.write(BOOK, [6], pages=999)
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_a_row_that_somebody_inserts_in_the_same_moment_is_overwritten(
    library: MemorySource, shadow: ShadowDatabase, database: str
) -> None:
    """The mirror does not see it, appends its own row, and waits for what becomes of the other."""
    with psycopg.connect(database) as other, ThreadPoolExecutor(1) as pool:

        def meddle(progress: Progress) -> None:
            if progress.counts.inserted == 4:
                other.execute(INSERT_THE_SIXTH)
                committed.append(pool.submit(commit_when_waited_for, other, database))

        committed: list[Future[None]] = []
        result = mirror(library, shadow, on_progress=meddle)
        committed[0].result()
    assert (result.counts, is_equal(library, shadow)) == (RowCounts(inserted=9, updated=1), True)


def commit_when_waited_for(other: psycopg.Connection[Any], database: str) -> None:
    wait_until_blocked(database)
    other.commit()


def test_what_no_write_date_tells_is_found_and_repaired(library: MemorySource, shadow: ShadowDatabase) -> None:
    mirror(library, shadow)
    library.write_silently(BOOK, [4], pages=121)
    assert mirror(library, shadow).counts.written == 0
    assert found_by(verify(library, shadow, model=BOOK)) == {"differing": [4]}
    assert verify(library, shadow, model=BOOK, repair=True).corrected == 1
    assert is_equal(library, shadow) and verify(library, shadow, model=BOOK).differences == 0


def test_records_and_copies_store_the_same(library: MemorySource, shadow: ShadowDatabase) -> None:
    mirror(library, shadow)
    hashes = rows(shadow, "_sync_hash")
    other = MemorySource(gives_copies=not library._gives_copies)
    other.models, other._now = library.models, library._now
    assert mirror(other, shadow, full=True).counts == RowCounts(unchanged=10)
    assert rows(shadow, "_sync_hash") == hashes


def test_a_row_that_the_table_does_not_take_is_told_and_all_others_are_there(
    library: MemorySource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(library, shadow)
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_library_book ADD CHECK (pages < 1000)")
    library.write(BOOK, [2, 3, 4], name="Rewritten", pages=200)
    library.write(BOOK, [3], pages=5000)
    with pytest.raises(RefusedRecordsError, match=r"library\.book: the shadow cannot take the records 3 "):
        mirror(library, shadow)
    mark = watermark_of(shadow, TABLE)
    assert mark is not None and mark.last_write_date == library.clock().source  # the moment of what it waits for
    assert rows(shadow, "id", "pages")[1:4] == [(2, 200), (3, 120), (4, 200)]
    library.write(BOOK, [3], pages=999)
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_bytes_that_are_no_text_cost_their_row_only(shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    library = library_of(gives_copies=True)
    copy_pages = library.copy_pages

    def spoiled(*args: Any, **named: Any) -> Iterator[CopyPage]:
        pages = (page for page in copy_pages(*args, **named) or () if isinstance(page, CopyPage))
        return (replace(page, text=re.sub(rb"(?m)^(2\t.*)A book", b"\\1A \xff\xfe", page.text)) for page in pages)

    monkeypatch.setattr(library, "copy_pages", spoiled)
    with pytest.raises(RefusedRecordsError, match=r"library\.book: the shadow cannot take the records 2 "):
        mirror(library, shadow)
    assert [number for (number,) in rows(shadow, "id")] == [1, *range(3, 11)]
    monkeypatch.undo()
    assert mirror(library, shadow).counts == RowCounts(inserted=1, unchanged=9)


def test_a_new_field_is_filled_for_all_rows(library: MemorySource, shadow: ShadowDatabase) -> None:
    mirror(library, shadow)
    library.models[BOOK].fields["shelf"] = Field("shelf", "char")
    for number, record in library.models[BOOK].records.items():
        record["shelf"] = f"Shelf {number}"
    mirror(library, shadow)
    assert rows(shadow, "shelf") == [(f"Shelf {number}",) for number in range(1, 11)]


def test_a_suspicious_share_of_the_rows_does_not_go_without_a_word(
    library: MemorySource, shadow: ShadowDatabase
) -> None:
    library.create(BOOK, 300)
    library.wait()
    mirror(library, shadow)
    library.unlink(BOOK, range(1, 300))
    with pytest.raises(MassDeletionError):
        mirror(library, shadow)
    assert mirror(library, shadow, allow_mass_delete=True, on_delete=OnDelete.MARK).counts.deleted == 299
    assert len(rows(shadow, "id")) == 310


def test_of_a_hashed_field_nothing_but_the_hash_comes(library: MemorySource, shadow: ShadowDatabase) -> None:
    """Text for COPY would carry the value itself."""
    object.__setattr__(library.access, "hash_secret", "8f14e45fceea167a5a36dedd4bea2543")
    mirror(library, shadow, settings=ModelSettings(hashed_fields=("name",)))
    assert {len(name) for (name,) in rows(shadow, "name")} == {64}


def test_a_model_in_which_nothing_was_written_has_no_work(library: MemorySource, shadow: ShadowDatabase) -> None:
    run, options = Run(), MirrorOptions()
    mirror(library, shadow)
    plan_run(library, shadow, Chosen((BOOK,)), run=run, options=options)
    mirror(library, shadow)
    library.wait()
    plan = plan_run(library, shadow, Chosen((BOOK,)), run=run, options=options)
    assert plan.work == () and [item.model for item in plan.unchanged] == [BOOK]
    assert [closed for closed in close_run(library, shadow, run=run, options=options) if closed.error] == []


SPOILED: dict[str, Callable[[CopyPage], CopyPage]] = {
    "a line that is not whole": lambda page: replace(page, text=page.text[:-1]),
    "ids that go down": lambda page: replace(page, text=b"".join(reversed(page.text.splitlines(keepends=True)))),
    "no ids": lambda page: replace(page, text=b"x" + page.text),
    "a last id beyond the lines": lambda page: replace(page, last_id=page.last_id + 1, is_last=False),
    "a line beyond the last id": lambda page: replace(page, last_id=page.last_id - 1),
    "a page twice": lambda page: replace(page, last_id=page.last_id, text=b"1" + page.text[1:]),
}


@pytest.mark.parametrize("what", SPOILED)
def test_text_for_copy_that_does_not_fit_is_refused(
    what: str, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = library_of(gives_copies=True)
    copy_pages = library.copy_pages

    def spoiled(*args: Any, **named: Any) -> Iterator[CopyPage]:
        pages = [page for page in copy_pages(*args, **named) or () if isinstance(page, CopyPage)]
        return iter([pages[0], SPOILED[what](pages[1]), *pages[2:]])

    monkeypatch.setattr(library, "copy_pages", spoiled)
    with pytest.raises(OdooServerError, match=r"the memory: library\.book gave an answer that Odoo would not give"):
        mirror(library, shadow)
    assert rows(shadow, "id") == [(1,), (2,), (3,), (4,)]
    monkeypatch.undo()
    mirror(library, shadow)
    assert is_equal(library, shadow)
