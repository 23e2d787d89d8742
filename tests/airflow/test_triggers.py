"""The trigger as the triggerer runs it: beside others, moved from one process to another, whatever the shadow does."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string

from airflow_provider_odoo_shadow.triggers import question as questions
from airflow_provider_odoo_shadow.triggers.odoo_shadow import OdooShadowTrigger
from airflow_provider_odoo_shadow.triggers.question import Question
from odoo_shadow.mirror.health.freshness import Claim
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import StandIn
from tests.support.airflow_connections import shadow_connection
from tests.support.clients import source_of
from tests.support.fake_postgres import refusing
from tests.support.running import mirror

pytestmark = [pytest.mark.one_flavour, pytest.mark.usefixtures("connections")]

COMPANY = "res.company"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CONNECTION = "AIRFLOW_CONN_ODOO_SHADOW_DB"
PASSWORD = "shadow-hunter2"


def trigger_of(as_of: datetime = LONG_AGO, timeout: timedelta = timedelta(minutes=2)) -> OdooShadowTrigger:
    asked = Question((COMPANY,), Claim.FRESH, as_of, "odoo_shadow_db", "odoo_shadow", ())
    ends_at = datetime.now(UTC) + timeout
    return OdooShadowTrigger(question=asked.write(), ends_at=ends_at.isoformat(), poke_interval=0.2)


async def event_of(trigger: OdooShadowTrigger) -> dict[str, str]:
    """Run a trigger as the triggerer does, after it went through the metadata database."""
    path, arguments = trigger.serialize()
    running: OdooShadowTrigger = import_string(path)(**json.loads(json.dumps(arguments)))
    async with asyncio.timeout(60):
        events = [event async for event in running.run()]
    (event,) = events
    payload: dict[str, str] = event.payload
    return payload


def address(port: int) -> str:
    extra = {"sslmode": "disable"}
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": port,
            "schema": "shadow",
            "login": "mirror",
            "password": PASSWORD,
            "extra": extra,
        }
    )


@pytest.fixture
def mirrored(odoo: StandIn, database: str) -> None:
    with source_of(odoo) as source, ShadowDatabase.from_url(database) as shadow:
        mirror(source, shadow, COMPANY)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level("INFO", "airflow_provider_odoo_shadow")
    return lambda: [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_it_ends_when_the_tables_are_fresh(mirrored: None) -> None:
    assert asyncio.run(event_of(trigger_of())) == {"status": "met", "message": ""}


def test_it_says_why_it_timed_out(mirrored: None) -> None:
    ended = asyncio.run(event_of(trigger_of(datetime(2999, 1, 1, tzinfo=UTC), timedelta(seconds=1))))
    assert ended["status"] == "timed out"
    assert ended["message"].endswith("waiting for 2999-01-01 00:00:00 UTC")


def test_a_database_that_is_down_is_asked_again(
    mirrored: None, database: str, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    monkeypatch.setenv(CONNECTION, address(1))

    async def come_back() -> dict[str, str]:
        waiting = asyncio.create_task(event_of(trigger_of()))
        while not warnings():
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        monkeypatch.setenv(CONNECTION, shadow_connection(database))
        return await waiting

    assert asyncio.run(come_back())["status"] == "met"
    (said,) = warnings()
    assert "cannot be reached" in said and said.endswith("It is asked again."), "once, although it was asked often"


def test_a_database_that_stays_down_ends_the_wait_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONNECTION, address(1))
    ended = asyncio.run(event_of(trigger_of(timeout=timedelta(seconds=1))))
    assert ended["status"] == "timed out" and "cannot be reached" in ended["message"]


def test_a_database_that_never_answers_holds_up_no_other_trigger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(questions._PARAMETERS, "connect_timeout", "2")  # psycopg's least
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.05)
            ticks += 1

    async def beside() -> dict[str, str]:
        other = asyncio.create_task(tick())
        try:
            return await event_of(trigger_of(timeout=timedelta(seconds=1)))
        finally:
            other.cancel()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(CONNECTION, address(silent.getsockname()[1]))
        ended = asyncio.run(beside())
    assert ended["status"] == "timed out" and "nothing answers" in ended["message"]
    assert ticks > 10


@pytest.mark.parametrize("what", ["password", "connection", "extra"])
def test_a_wrong_connection_ends_the_wait_at_once(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    with refusing("28P01", 'password authentication failed for user "mirror"') as port:
        if what == "password":
            monkeypatch.setenv(CONNECTION, address(port))
        elif what == "connection":
            monkeypatch.delenv(CONNECTION)
        else:
            monkeypatch.setenv(CONNECTION, address(port).replace("sslmode", "slmode"))
        ended = asyncio.run(event_of(trigger_of()))
    assert ended["status"] == "failed"
    assert "odoo_shadow_db" in ended["message"] and PASSWORD not in ended["message"]


def test_its_arguments_hold_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONNECTION, address(1))
    _, arguments = trigger_of().serialize()
    text = json.dumps(arguments)
    assert "odoo_shadow_db" in text
    for secret in (PASSWORD, "127.0.0.1", "sslmode"):
        assert secret not in text


def test_another_triggerer_takes_it_over_where_it_was() -> None:
    first = trigger_of()
    path, arguments = first.serialize()
    again: Any = import_string(path)(**json.loads(json.dumps(arguments)))
    assert again.serialize() == first.serialize()
    assert again.ends_at == first.ends_at, "a restart does not begin the timeout again"


def test_the_triggerer_imports_psycopg_and_the_engine_in_a_thread_only() -> None:
    """It imports a trigger's class in its event loop, where half a second would hold up all others."""
    statement = (
        "import sys, airflow.triggers.base, airflow.jobs.triggerer_job_runner; before = set(sys.modules);"
        "import airflow_provider_odoo_shadow.triggers.odoo_shadow;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}),"
        " *sorted(name for name in set(sys.modules) - before if name.startswith('odoo_shadow.')))"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True)
    imported = done.stdout.split()
    assert "airflow_provider_odoo_shadow" in imported
    assert "psycopg" not in imported and "odoo_shadow.mirror" not in imported
