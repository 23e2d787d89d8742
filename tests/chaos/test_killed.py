"""SIGKILL, at chosen moments of what the process says to Odoo and to PostgreSQL; then the same command again."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import StandIn
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.running import PARTNERS, log_of, scan_of
from tests.support.source_of_truth import shadow_rows
from tests.support.syncing import (
    CHECKPOINT,
    COMMIT,
    MODEL,
    ONE_MODEL,
    PAGE,
    PAGES_IN_HAND,
    READ_A_PAGE,
    Site,
    edit_all,
    go_on_working,
    outcome_of,
    read_twice,
    site_of,
    tcp_address_of,
)
from tests.support.tcp_proxy import Link, Moment

needs_pgbouncer = [
    pytest.mark.pgbouncer,
    pytest.mark.skipif(PROGRAM is None, reason="the program pgbouncer is not installed"),
]

ON_THE_WAY = {
    "before the second page is asked for": ("odoo", Moment(READ_A_PAGE, 2)),
    "when the third page is given": ("odoo", Moment(READ_A_PAGE, 3, answered=True)),
    "when rows are counted": ("odoo", Moment(b"search_count")),
    "while rows are copied": ("postgres", Moment(b"COPY ", 3, answered=True)),
    "before rows are merged": ("postgres", Moment(b'odoo_shadow_staging" AS staged', 3)),
    "before a page is committed": ("postgres", Moment(CHECKPOINT, 4, then=COMMIT)),
    "when a page is committed": ("postgres", Moment(CHECKPOINT, 4, then=COMMIT, answered=True)),
    "before the watermark is committed": ("postgres", Moment(b"SET last_write_date = ", then=COMMIT)),
    "when the watermark is committed": ("postgres", Moment(b"SET last_write_date = ", then=COMMIT, answered=True)),
    "before the log is closed": ("postgres", Moment(b"SET status = 'success'", then=COMMIT)),
}


def kill_and_go_on(site: Site, read: list[int], at: tuple[str, Moment]) -> None:
    """Kill a first load at a moment, let people work, and run again."""
    proxy = {"odoo": site.to_odoo, "postgres": site.to_postgres}[at[0]]
    site.run_killed_at(proxy, at[1])
    site.assert_whole_pages()
    changed = go_on_working(site.odoo)
    site.let_leases_run_out()
    again = site.run()
    assert (again.code, again.err) == (0, "")
    site.assert_settled()
    assert read_twice(read, changed) <= PAGES_IN_HAND * PAGE


@pytest.mark.sampled
@pytest.mark.parametrize("at", ON_THE_WAY.values(), ids=ON_THE_WAY)
def test_the_next_run_goes_on_from_the_last_committed_page(site: Site, read: list[int], at: tuple[str, Moment]) -> None:
    kill_and_go_on(site, read, at)


@pytest.mark.parametrize("flavour", ["17"])
@pytest.mark.nightly
def test_so_it_does_over_json_rpc(site: Site, read: list[int]) -> None:
    kill_and_go_on(site, read, ("odoo", Moment(READ_A_PAGE, 3)))


@pytest.mark.parametrize("pool_size", [pytest.param(1, marks=needs_pgbouncer)])
@pytest.mark.nightly
def test_so_it_does_through_a_transaction_pooler(odoo: StandIn, database: str, read: list[int], pool_size: int) -> None:
    with pgbouncer(database, pool_size) as pooled, site_of(odoo, database, tcp_address_of(pooled)) as site:
        kill_and_go_on(site, read, ON_THE_WAY["before a page is committed"])


def test_nothing_is_read_twice_beyond_the_pages_in_hand(site: Site, read: list[int]) -> None:
    """The worst moment: a page is about to be committed, and the one that is read ahead has come already."""

    def wait_for_the_next_page(_: Link) -> None:
        site.wait_for("a page ahead", lambda: len(read) >= 4 * PAGE)

    site.to_postgres.at(Moment(CHECKPOINT, 4), wait_for_the_next_page)
    site.run_killed_at(site.to_postgres, Moment(CHECKPOINT, 4, then=COMMIT))
    site.let_leases_run_out()
    assert site.run().code == 0
    site.assert_settled()
    assert read_twice(read) <= PAGES_IN_HAND * PAGE


BEFORE_IT_READS = {
    "the schema is made": Moment(b"CREATE SCHEMA"),
    "the books are made": Moment(b'CREATE TABLE IF NOT EXISTS "odoo_shadow".odoo_shadow_sync_log'),
    "the schema is committed": Moment(b"CREATE SCHEMA", then=COMMIT, answered=True),
    "the schema is bound to the Odoo": Moment(b"SET odoo_url = ", then=COMMIT),
    "the table is taken": Moment(b"SET held_by = ", then=COMMIT),
    "the run is logged": Moment(b"SET held_by = ", then=COMMIT, answered=True),
    "the table is made": Moment(f'CREATE TABLE IF NOT EXISTS "odoo_shadow"."{PARTNERS}"'.encode()),
    "the table is committed": Moment(
        f'CREATE TABLE IF NOT EXISTS "odoo_shadow"."{PARTNERS}"'.encode(), then=COMMIT, answered=True
    ),
}


@pytest.mark.nightly
def test_a_first_run_that_dies_again_and_again(site: Site, read: list[int]) -> None:
    for moment in BEFORE_IT_READS.values():
        site.run_killed_at(site.to_postgres, moment)
        site.assert_whole_pages()
        site.let_leases_run_out()
    assert site.run().code == 0
    site.assert_settled()
    assert read_twice(read) == 0
    with ShadowDatabase.from_url(site.database) as shadow:
        killed = [entry for entry in log_of(shadow) if entry["status"] == "error"]
    assert len(killed) == 3 and all("it was killed" in entry["error_message"] for entry in killed)


LATER = {"an incremental run": (), "a full run": ("--full",)}


@pytest.mark.nightly
@pytest.mark.parametrize("options", LATER.values(), ids=LATER)
def test_a_later_run_goes_on(site: Site, read: list[int], options: tuple[str, ...]) -> None:
    assert site.run().code == 0
    edit_all(site.odoo)
    time.sleep(1.1)  # what was written in the second in which a window begins is read again, and rightly so
    read.clear()
    site.run_killed_at(site.to_postgres, Moment(CHECKPOINT, 5, then=COMMIT), *ONE_MODEL, *options)
    with ShadowDatabase.from_url(site.database) as shadow:
        scan = scan_of(shadow)
    assert scan is not None
    assert min(read) < scan.last_id < max(read)
    read.clear()
    site.let_leases_run_out()
    assert site.run(*ONE_MODEL, *options, "--look-back", "0").code == 0
    assert min(read) > scan.last_id
    assert read_twice(read) == 0
    site.assert_settled()


@pytest.mark.parametrize("committed", [pytest.param(False, marks=pytest.mark.nightly), True])
def test_a_run_that_dies_while_it_deletes_rows(site: Site, committed: bool) -> None:
    assert site.run().code == 0
    go_on_working(site.odoo)
    site.run_killed_at(site.to_postgres, Moment(b"DELETE FROM", then=COMMIT, answered=committed))
    site.let_leases_run_out()
    assert site.run().code == 0
    site.assert_settled()


@pytest.mark.parametrize("flavour", ["17"])
def test_a_run_that_dies_while_it_fills_a_new_column_goes_on(site: Site, read: list[int]) -> None:
    assert site.run().code == 0
    site.odoo.add_field(MODEL, "x_size", "integer", default=7)
    try:
        read.clear()
        site.run_killed_at(site.to_postgres, Moment(b"SET fill_after_id = ", 4, then=COMMIT))
        site.let_leases_run_out()
        assert site.run().code == 0
        site.assert_settled()
        assert {row["x_size"] for row in shadow_rows(site.database, PARTNERS).values()} == {7}
        assert read_twice(read) <= PAGES_IN_HAND * PAGE
    finally:
        site.odoo.remove_field(MODEL, "x_size")


def test_a_retry_of_the_same_run_takes_over_at_once(site: Site, read: list[int]) -> None:
    """As in Airflow, where all tries of a task are one run: it need not wait for its own dead try's lease."""
    run_id = str(uuid4())
    one_try = [sys.executable, "-m", "tests.support.one_try", run_id, MODEL, str(PAGE)]

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            one_try,
            env=site.shell.env,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        site.processes.append(process)
        return process

    def kill_and_drop(link: Link) -> None:
        site.kill()
        link.drop()

    site.to_postgres.at(Moment(CHECKPOINT, 4, then=COMMIT), kill_and_drop)
    assert outcome_of(start()).code < 0
    site.assert_whole_pages()
    again = outcome_of(start())
    assert again.code == 0, again.err
    assert "(resumed)" in again.out
    site.assert_settled()
    assert read_twice(read) <= PAGES_IN_HAND * PAGE
    with psycopg.connect(site.database) as connection:
        ((runs,),) = connection.execute(
            "SELECT count(DISTINCT sync_run_id) FROM odoo_shadow.odoo_shadow_sync_log"
        ).fetchall()
    assert runs == 1
