"""A shadow that is dead, silent or slow is reported within seconds, and holds up neither the others nor Airflow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from airflow_provider_odoo_shadow.page import app
from airflow_provider_odoo_shadow.page.shadows import SECONDS
from tests.support.airflow_connections import shadow_connection
from tests.support.airflow_pages import PAGE, Visits, seen
from tests.support.many_tables import fill_with_tables
from tests.support.tcp_proxy import Moment, TcpProxy, hold_until

TABLE = "/mirrors/well/tables/odoo_shadow_wide_1"
PASSWORD = "correct-horse-battery-7"
VISITORS = 30
MOST_SECONDS = SECONDS + 6  # what a busy machine may add


def at_port(port: int) -> str:
    """Return a connection to a port of this machine, without TLS."""
    fields = {"conn_type": "postgres", "host": "127.0.0.1", "port": port, "schema": "x", "login": "y"}
    return json.dumps({**fields, "password": PASSWORD})


@pytest.fixture(autouse=True)
def well(visits: Visits, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that is well, and one whose connection a test chooses."""
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))
    fill_with_tables(database, "well", tables=1, days=1)
    visits.publish(well={"schema": "well"}, ill={"postgres_conn_id": "ill"})


class Tarpit:
    """A port that accepts connections and says nothing."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self.listener.getsockname()[1]
        self.caught: list[socket.socket] = []

    def catch(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed in the end
            while True:
                self.caught.append(self.listener.accept()[0])


@pytest.fixture
def tarpit() -> Iterator[Tarpit]:
    found = Tarpit()
    threading.Thread(target=found.catch, daemon=True).start()
    yield found
    found.listener.shutdown(socket.SHUT_RDWR)
    for item in (found.listener, *found.caught):
        item.close()


def timed(visits: Visits, path: str) -> tuple[float, int, str]:
    start = time.monotonic()
    answer = visits.client().get(PAGE + path)
    assert PASSWORD not in answer.text
    return time.monotonic() - start, answer.status_code, seen(answer.text)


def assert_told(visits: Visits, sentence: str) -> None:
    """All pages say it in time, with the other mirror beside it."""
    for path in ("/", "/mirrors/ill"):
        seconds, status, text = timed(visits, path)
        assert (status, seconds < MOST_SECONDS) == (200, True)
        assert sentence in text
    assert f"{PAGE}/mirrors/well" in visits.get("/")
    seconds, status, text = timed(visits, "/mirrors/ill/tables/odoo_shadow_res_partner")
    assert (status, seconds < MOST_SECONDS) == (503, True)
    assert sentence in text


def test_nothing_listens(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ILL", at_port(1))
    assert_told(visits, "Shadow database 'ill' cannot be reached, because nothing listens there: check the host")


@pytest.mark.nightly
def test_nothing_is_said(visits: Visits, monkeypatch: pytest.MonkeyPatch, tarpit: Tarpit) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ILL", at_port(tarpit.port))
    assert_told(visits, "Shadow database 'ill' cannot be reached, because nothing answers: check the host")


def test_a_host_that_nobody_knows(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = json.loads(at_port(5432)) | {"host": "nobody.invalid"}
    monkeypatch.setenv("AIRFLOW_CONN_ILL", json.dumps(unknown))
    assert_told(visits, "because its host name cannot be resolved")


def test_there_is_no_such_connection(visits: Visits) -> None:
    assert_told(visits, "There is no Airflow connection 'ill': add it, of type Postgres")


def test_extras_that_make_no_sense(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ILL", json.dumps({"conn_type": "postgres", "extra": {"sslmod": "require"}}))
    assert_told(visits, "there is no extra field 'sslmod' (did you mean sslmode?)")


def test_the_login_is_refused(visits: Visits, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    stranger = json.loads(shadow_connection(database)) | {"login": "nobody_of_this_name", "password": PASSWORD}
    monkeypatch.setenv("AIRFLOW_CONN_ILL", json.dumps(stranger))
    assert_told(visits, "Shadow database 'ill' refused the connection: correct it")


def test_the_server_falls_silent(visits: Visits, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    over = threading.Event()
    with psycopg.connect(database) as connection:
        folder = connection.info.host
    with TcpProxy(f"{folder}/.s.PGSQL.5432") as proxy:
        local = json.loads(shadow_connection(database)) | {"host": "127.0.0.1", "port": proxy.port}
        monkeypatch.setenv("AIRFLOW_CONN_ILL", json.dumps({**local, "extra": {"sslmode": "disable"}}))
        for _ in range(VISITORS):
            proxy.at(Moment(b"statement_timeout TO '5s'"), hold_until(over))
        seconds, status, text = timed(visits, "/")
        over.set()
    assert (status, seconds < MOST_SECONDS) == (200, True)
    assert f"Shadow database 'ill' has not answered within {SECONDS:.0f} seconds: check" in text
    assert "1 table" in text


def test_a_lock_is_not_waited_for(visits: Visits, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ILL", at_port(1))
    with psycopg.connect(database) as connection:
        connection.execute("LOCK TABLE well.odoo_shadow_sync_log IN ACCESS EXCLUSIVE MODE")
        seconds, status, text = timed(visits, "/mirrors/well")
    assert (status, seconds < MOST_SECONDS) == (200, True)
    assert "Problem: Shadow database 'odoo_shadow_db'" in text
    assert "Shadow database" not in seen(visits.get("/mirrors/well"))


def test_many_visitors_of_a_silent_shadow_hold_up_nobody(
    visits: Visits, monkeypatch: pytest.MonkeyPatch, tarpit: Tarpit
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ILL", at_port(tarpit.port))

    async def visit_all() -> None:
        transport, cookies = httpx.ASGITransport(visits.app), dict(visits.client().cookies)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=cookies, timeout=60) as many:
            waiting = [asyncio.create_task(many.get(f"{PAGE}/mirrors/ill/tables/any")) for _ in range(VISITORS)]
            while len(tarpit.caught) < 2:
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # for the others to queue behind them
            for path in (PAGE + TABLE, "/api/v2/dags"):
                assert (await many.get(path)).status_code == 200
            assert not all(visit.done() for visit in waiting)
            assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {503}

    asyncio.run(visit_all())


def test_nothing_is_written(visits: Visits, monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    """A page that tried to write would be refused by PostgreSQL."""

    def write(tx: object, now: object) -> object:
        return tx.run("DELETE FROM well.odoo_shadow_meta")  # type: ignore[attr-defined]

    monkeypatch.setattr(app, "read_overview", write)
    assert "well" in timed(visits, "/mirrors/well")[2]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM well.odoo_shadow_meta").fetchone() == (1,)
