"""Pages of text are staged ahead on connections of their own: whatever happens to these, no row is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import RefusedRecordsError, ShadowError
from odoo_shadow.shadow.row_counts import RowCounts
from tests.support.library import BOOK, is_equal, library_of, mirror, rows
from tests.support.memory_source import MemorySource
from tests.support.running import StoppedError, stop_after

STAGING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"


@pytest.fixture
def library() -> MemorySource:
    """Thirty books, of which a page has four."""
    made = library_of(gives_copies=True)
    made.create(BOOK, 20, name="One more")
    made.wait()
    return made


def at_page(number: int, do: Callable[[], object]) -> Callable[[Progress], None]:
    """Return a report that does something when so many pages have been committed."""
    seen = 0

    def report(_: Progress) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            do()

    return report


def sessions(database: str, query: str = STAGING) -> list[Any]:
    with psycopg.connect(database, autocommit=True) as connection:
        return [pid for (pid,) in connection.execute(query)]


def test_a_run_that_ends_leaves_nothing_open(library: MemorySource, shadow: ShadowDatabase, database: str) -> None:
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(3))
    assert sessions(database) == [] and len(rows(shadow, "id")) == 12
    assert mirror(library, shadow).counts == RowCounts(inserted=18)
    assert is_equal(library, shadow) and sessions(database) == []


def test_a_connection_that_is_cut_costs_the_run_and_no_row(
    library: MemorySource, shadow: ShadowDatabase, database: str
) -> None:
    def cut() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )

    with pytest.raises(ShadowError):
        mirror(library, shadow, on_progress=at_page(2, cut))
    assert len(rows(shadow, "id")) % 4 == 0
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_a_role_with_one_connection_copies_one_page_after_the_other(library: MemorySource, database: str) -> None:
    only: list[ShadowDatabase] = []

    def connect() -> psycopg.Connection[Any]:
        if only and only[0]._connection is not None:
            raise psycopg.OperationalError('FATAL:  too many connections for role "one"')
        return psycopg.connect(database)

    with ShadowDatabase(connect) as shadow:
        only.append(shadow)
        assert mirror(library, shadow).counts == RowCounts(inserted=30)
        assert is_equal(library, shadow)


def test_a_row_that_is_refused_holds_up_no_staged_page(
    library: MemorySource, shadow: ShadowDatabase, database: str
) -> None:
    for number in (9, 14, 15, 22):
        library.write(BOOK, [number], pages=5000)
    with pytest.raises(StoppedError):
        mirror(library, shadow, on_progress=stop_after(1))
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE odoo_shadow.odoo_shadow_library_book ADD CHECK (pages < 1000)")
    with pytest.raises(RefusedRecordsError, match=r"cannot take the records 9, 14, 15, 22 "):
        mirror(library, shadow)
    assert [number for (number,) in rows(shadow, "id")] == sorted({*range(1, 31)} - {9, 14, 15, 22})
    library.write(BOOK, [9, 14, 15, 22], pages=999)
    mirror(library, shadow)
    assert is_equal(library, shadow)
