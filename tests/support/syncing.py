"""`odoo-shadow sync` as a process between two proxies: how it is started and killed, and what must hold afterwards."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import psycopg

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import StandIn, ValidationError
from tests.support.running import PARTNERS, scan_of, statuses_of, watermark_of
from tests.support.shell import PG_PASSWORD, Outcome, Shell, shell_for
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows
from tests.support.tcp_proxy import Address, Link, Moment, TcpProxy

MODEL = "res.partner"
PAGE = 50
PAGES_IN_HAND = 2
"""A page is read while the one before is written: a run that dies then has both in hand."""

ONE_MODEL = ("sync", "--models", MODEL, "--batch-size", str(PAGE))
READ_A_PAGE = b'"limit": %d' % PAGE
"""In the JSON protocols of both flavours; nothing else asks for so many records."""
CHECKPOINT = b"SET scan_run_id = '"
"""Sent with each page, and before the first one of a scan that reads everything."""
COMMIT = b"COMMIT\0"


@dataclass
class Site:
    """An Odoo and a shadow database, a proxy in front of each, and runs of the program against the proxies.

    :param database: the shadow database without the proxy.
    """

    odoo: StandIn
    database: str
    to_odoo: TcpProxy
    to_postgres: TcpProxy
    shell: Shell
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        """Start a run and leave it running."""
        process = self.shell.start(*(arguments or ONE_MODEL), **changed)
        self.processes.append(process)
        return process

    def run(self, *arguments: str, **changed: str) -> Outcome:
        """Run to the end."""
        return outcome_of(self.start(*arguments, **changed))

    def kill(self, _: Link | None = None) -> None:
        """Kill the run that was started last, at once."""
        self.processes[-1].kill()
        self.processes[-1].wait(10)

    def run_killed_at(self, proxy: TcpProxy, moment: Moment, *arguments: str) -> None:
        """Start a run that dies at a moment."""

        def kill_and_drop(link: Link) -> None:
            self.kill()
            link.drop()

        proxy.at(moment, kill_and_drop)
        outcome = self.run(*arguments)
        assert outcome.code == -signal.SIGKILL, f"not killed: {outcome}"

    def close(self) -> None:
        """Leave nothing running."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(10)

    def let_leases_run_out(self) -> None:
        """Let a minute and a half pass for the leases of dead runs."""
        with psycopg.connect(self.database) as connection:
            if connection.execute("SELECT to_regclass('odoo_shadow.odoo_shadow_watermark')").fetchone() != (None,):
                connection.execute(
                    "UPDATE odoo_shadow_internal.lease SET held_until = clock_timestamp() - interval '1 s'"
                    " WHERE held_until IS NOT NULL"
                )

    def wait_for(self, what: str, is_so: Callable[[], bool]) -> None:
        """Return when something has come true."""
        for _ in range(3000):
            if is_so():
                return
            time.sleep(0.01)
        raise AssertionError(f"waited in vain: {what}")

    def assert_whole_pages(self, page_size: int = PAGE) -> None:
        """Rows, checkpoint and counts of a first load that has not ended agree; every row is as in Odoo."""
        if not self._has_table():
            return
        rows = shadow_rows(self.database, PARTNERS)
        wanted = expected_rows(self.odoo, MODEL)
        with ShadowDatabase.from_url(self.database) as shadow:
            scan, mark = scan_of(shadow), watermark_of(shadow)
        if mark is not None:
            assert scan is None and len(rows) == len(wanted)
        else:
            last_id = scan.last_id if scan else 0
            assert rows.keys() == {number for number in wanted if number <= last_id}
            assert len(rows) % page_size == 0
        assert self._books() == (len(rows), len(rows))

    def assert_settled(self, models: Iterable[str] = (MODEL,), *, lang: str = "en_US") -> None:
        """Every row is as in Odoo, the books agree with the rows, and nothing is left open."""
        models = tuple(models)
        assert assert_equal(self.odoo, self.database, models, lang=lang)
        with ShadowDatabase.from_url(self.database) as shadow:
            statuses = statuses_of(shadow)
            assert "running" not in statuses and statuses[-1] == "success"
            for model in models:
                table = "odoo_shadow_" + model.replace(".", "_")
                mark = watermark_of(shadow, table)
                rows = shadow_rows(self.database, table)
                assert scan_of(shadow, table) is None
                assert mark is not None and self._books(table)[0] == len(rows) <= mark.rows_synced
        assert self._held() == 0

    def _books(self, table: str = PARTNERS) -> tuple[int, int]:
        with psycopg.connect(self.database) as connection:
            (found,) = connection.execute(
                "SELECT row_count, rows_synced FROM odoo_shadow.odoo_shadow_meta"
                " JOIN odoo_shadow.odoo_shadow_watermark USING (table_name) WHERE table_name = %s",
                (table,),
            ).fetchall()
        return int(found[0]), int(found[1])

    def _held(self) -> int:
        with psycopg.connect(self.database) as connection:
            ((held,),) = connection.execute("SELECT count(held_by) FROM odoo_shadow_internal.lease").fetchall()
        return int(held)

    def _has_table(self) -> bool:
        with psycopg.connect(self.database) as connection:
            return connection.execute(f"SELECT to_regclass('odoo_shadow.{PARTNERS}')").fetchone() != (None,)


def outcome_of(process: subprocess.Popen[str]) -> Outcome:
    """Wait for a run's end."""
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, out, err)


def assert_told_in_a_sentence(outcome: Outcome, *words: str) -> None:
    """A run that failed says so, and why, without a traceback."""
    assert outcome.code in (1, 2), outcome
    assert "Traceback" not in outcome.err
    told = " ".join(outcome.err.split())  # the log is wrapped
    for word in words:
        assert word in told, outcome.err


def socket_of(database: str) -> str:
    """Return the path of the Unix socket that a database's URL means."""
    (folder,) = parse_qs(urlsplit(database).query)["host"]
    return f"{folder}/.s.PGSQL.5432"


def tcp_address_of(url: str) -> Address:
    """Return the host and port that a URL means."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def read_twice(read: Iterable[int], changed: Iterable[int] = ()) -> int:
    """Return how many rows were read again although nobody had changed them."""
    expected = set(changed)
    return sum(count - 1 for number, count in Counter(read).items() if number not in expected)


def go_on_working(odoo: StandIn) -> set[int]:
    """Do what people do in Odoo while nobody mirrors it: edit, archive, create, delete; return the ids.

    All but the new record have low ids: a scan that died has passed them. None has children that would change, too.
    """
    childless: list[int] = odoo.execute(MODEL, "search", [("child_ids", "=", False), ("active", "=", True)], order="id")
    edited, archived, *others = childless
    moment = time.monotonic_ns()
    odoo.execute(MODEL, "write", [edited], {"name": f"Edited meanwhile {moment}"})
    odoo.execute(MODEL, "write", [archived], {"active": False})
    (created,) = odoo.execute(MODEL, "create", [{"name": f"Created meanwhile {moment}"}])
    return {edited, archived, created, _delete_one(odoo, others)}


def _delete_one(odoo: StandIn, ids: Iterable[int]) -> int:
    """Delete the first record that nothing else needs."""
    for number in ids:
        try:
            odoo.execute(MODEL, "unlink", [number])
        except ValidationError:
            continue
        return number
    raise AssertionError("all records are needed")


def edit_all(odoo: StandIn, ago: timedelta = timedelta(minutes=1)) -> None:
    """Edit all records some time ago."""
    ids = odoo.execute(MODEL, "search", [], 0, None, "id", context={"active_test": False})
    odoo.execute(MODEL, "write", ids, {"function": f"Edited {ago} before {time.monotonic_ns()}"})
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute("UPDATE res_partner SET write_date = write_date - %s", (ago,))


@contextmanager
def site_of(odoo: StandIn, database: str, postgres_at: Address) -> Iterator[Site]:
    """A site whose shadow database is reached at an address, which may be a pooler's."""
    with TcpProxy(tcp_address_of(odoo.url)) as to_odoo, TcpProxy(postgres_at) as to_postgres:
        url = f"postgresql://postgres:{PG_PASSWORD}@127.0.0.1:{to_postgres.port}{urlsplit(database).path}"
        env = {
            **shell_for(odoo, database).env,
            "ODOO_URL": f"http://127.0.0.1:{to_odoo.port}",
            "SUPABASE_DB_URL": f"{url}?sslmode=disable&gssencmode=disable",
        }
        site = Site(odoo, database, to_odoo, to_postgres, Shell(env))
        try:
            yield site
        finally:
            site.close()
