"""The shadow's server is replaced in the middle of a run by one that lacks the newest pages.

So a failover to a replica that lagged, or a restored backup. A pooler goes on with the new server without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.parts import Part, load_part
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError
from tests.support.library import BOOK, is_equal, library_of, mirror
from tests.support.memory_source import MemorySource
from tests.support.running import statuses_of


class Server:
    """The shadow's database, and its state of a moment ago."""

    def __init__(self, shadow: ShadowDatabase, postgres: str) -> None:
        self._shadow = shadow
        self._postgres = postgres
        with shadow.transaction() as tx:
            ((name,),) = tx.run("SELECT current_database()")
        self._names = {"now": sql.Identifier(str(name)), "then": sql.Identifier(f"{name}_then")}

    def copy(self) -> None:
        """Keep the state of now."""
        self._run("CREATE DATABASE {then} TEMPLATE {now}")

    def fail_over(self) -> None:
        """Go on from the state that was kept; new connections lead there."""
        self._run("DROP DATABASE {now}", "ALTER DATABASE {then} RENAME TO {now}")

    def _run(self, *statements: str) -> None:
        self._shadow.close()
        with psycopg.connect(self._postgres, autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**self._names))


def losing_a_page(server: Server, after: int) -> Callable[[Progress], None]:
    """Return a report that lets the server lose the page after the one with this number."""
    pages = 0

    def report(_: Progress) -> None:
        nonlocal pages
        pages += 1
        if pages == after:
            server.copy()
        elif pages == after + 1:
            server.fail_over()

    return report


@pytest.fixture
def library() -> MemorySource:
    made = library_of()
    made.create(BOOK, 50, name="Another")
    made.wait(24 * 60)
    return made


@pytest.fixture
def server(shadow: ShadowDatabase, postgres: str) -> Server:
    return Server(shadow, postgres)


def test_a_first_load_does_not_go_on(library: MemorySource, shadow: ShadowDatabase, server: Server) -> None:
    with pytest.raises(ShadowBusyError, match="the database has lost what this run wrote last"):
        mirror(library, shadow, on_progress=losing_a_page(server, 3))
    mirror(library, shadow)
    assert is_equal(library, shadow) and statuses_of(shadow) == ["error", "success"]


def test_nor_does_an_incremental_run(library: MemorySource, shadow: ShadowDatabase, server: Server) -> None:
    mirror(library, shadow)
    library.write(BOOK, range(1, 41), name="Edited")
    library.wait()
    with pytest.raises(ShadowBusyError, match="the database has lost what this run wrote last"):
        mirror(library, shadow, on_progress=losing_a_page(server, 3))
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_a_worker_of_many_reads_again_what_was_lost(
    library: MemorySource, shadow: ShadowDatabase, server: Server
) -> None:
    run, options = Run(), MirrorOptions(batch_size=4, wait=timedelta(0))
    load_part(library, shadow, BOOK, Part(2, 2), run=run, options=options)
    load_part(library, shadow, BOOK, Part(1, 2), run=run, options=options, on_progress=losing_a_page(server, 3))
    assert is_equal(library, shadow)
