"""The shadow's server is replaced in the middle of a run by one that lacks the newest commits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.parts import Part, load_part
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.mirror.sync.table_hold import hold_table
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError
from odoo_shadow.shadow.state.registry import read_status
from tests.support.failing_over import LaggingServer
from tests.support.library import BOOK, TABLE, is_equal, library_of, mirror
from tests.support.memory_source import MemorySource
from tests.support.running import StoppedError, statuses_of


def losing_a_page(server: LaggingServer, shadow: ShadowDatabase, after: int) -> Callable[[Progress], None]:
    """Return a report that lets the server lose the page after the one with this number."""
    pages = 0

    def report(_: Progress) -> None:
        nonlocal pages
        pages += 1
        if pages == after:
            server.copy(shadow)
        elif pages == after + 1:
            server.fail_over(shadow)

    return report


@pytest.fixture
def library() -> MemorySource:
    made = library_of()
    made.create(BOOK, 50, name="Another")
    made.wait(24 * 60)
    return made


@pytest.fixture
def server(postgres: str, database: str) -> LaggingServer:
    return LaggingServer(postgres, database)


def test_a_first_load_does_not_go_on(library: MemorySource, shadow: ShadowDatabase, server: LaggingServer) -> None:
    with pytest.raises(ShadowBusyError, match="the database has lost what this run wrote last"):
        mirror(library, shadow, on_progress=losing_a_page(server, shadow, 3))
    mirror(library, shadow)
    assert is_equal(library, shadow) and statuses_of(shadow) == ["error", "success"]


def test_nor_does_an_incremental_run(library: MemorySource, shadow: ShadowDatabase, server: LaggingServer) -> None:
    mirror(library, shadow)
    library.write(BOOK, range(1, 41), name="Edited")
    library.wait()
    with pytest.raises(ShadowBusyError, match="the database has lost what this run wrote last"):
        mirror(library, shadow, on_progress=losing_a_page(server, shadow, 3))
    mirror(library, shadow)
    assert is_equal(library, shadow)


def test_a_worker_of_many_reads_again_what_was_lost(
    library: MemorySource, shadow: ShadowDatabase, server: LaggingServer, caplog: pytest.LogCaptureFixture
) -> None:
    run, options = Run(), MirrorOptions(batch_size=4, wait=timedelta(0))
    load_part(library, shadow, BOOK, Part(2, 2), run=run, options=options)
    report = losing_a_page(server, shadow, 3)
    with caplog.at_level("INFO"):
        load_part(library, shadow, BOOK, Part(1, 2), run=run, options=options, on_progress=report)
    assert is_equal(library, shadow) and "not in the window" not in caplog.text  # its end found nothing missing


def test_the_table_is_free_afterwards_and_the_failure_is_noted(
    library: MemorySource, shadow: ShadowDatabase, server: LaggingServer
) -> None:
    mirror(library, shadow)
    library.write(BOOK, range(1, 41), name="Edited")
    library.wait()
    options = MirrorOptions(batch_size=4, wait=timedelta(0))
    report = losing_a_page(server, shadow, 3)
    with pytest.raises(ShadowBusyError):
        mirror_model(library, shadow, BOOK, run=Run(holder="the first"), options=options, on_progress=report)
    with shadow.transaction() as tx:
        assert read_status(tx, TABLE).sync_errors == 1
    mirror_model(library, shadow, BOOK, run=Run(holder="the second"), options=options)
    assert is_equal(library, shadow)


def test_so_it_is_if_already_the_hold_was_lost(
    library: MemorySource, shadow: ShadowDatabase, server: LaggingServer
) -> None:
    mirror(library, shadow)
    server.copy(shadow)
    with (
        pytest.raises(ShadowBusyError, match=r"taken over by another run .*, or the database has lost"),
        hold_table(shadow, BOOK, Run(), MirrorOptions(), {}) as hold,
    ):
        server.fail_over(shadow)
        hold.keep_alive()


def test_nothing_is_lost_by_a_transaction_that_was_rolled_back(library: MemorySource, shadow: ShadowDatabase) -> None:
    mirror(library, shadow)
    with hold_table(shadow, BOOK, Run(), MirrorOptions(), {}) as hold:
        for reason in (psycopg.Rollback(), StoppedError("of its own")):
            with suppress(StoppedError), hold.transaction():
                raise reason
            hold.keep_alive()
        with hold.transaction() as tx:
            hold.release(tx)
    assert mirror(library, shadow).counts.written == 0
