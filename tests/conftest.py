"""Fixtures that all tests share: a real PostgreSQL, fresh databases on it, and stand-in Odoos over HTTP."""

from __future__ import annotations

import gc
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pytest
from tenacity import wait_none
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api import client as source_client
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.text import redaction
from odoo_stand_in import StandIn
from tests.support import airflow_home  # noqa: F401 - nothing above imports Airflow
from tests.support.clients import client_of, source_of
from tests.support.debian_postgres import debian_postgres
from tests.support.emptying import empty
from tests.support.flavours import FLAVOURS, Flavour
from tools.embedded_postgres import drop_database, embedded_postgres, new_database

_E2E = "tests/e2e"


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests wait for servers, too."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Hand out the tests file by file, those of `tests/e2e` together: they share an Airflow."""
    if config.getvalue("dist") != "loadfile":
        return None
    scheduler = LoadFileScheduling(config, log)
    by_file = scheduler._split_scope
    scheduler._split_scope = lambda test: _E2E if test.startswith(f"{_E2E}/") else by_file(test)
    return scheduler


def pytest_collection_finish() -> None:
    """Keep what is imported by now, Airflow above all, out of every later collection of garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each test for one of the two flavours of Odoo, for which one its name decides; a nightly run takes both.

    Tests of the shadow's side take 19, and those that are about the difference both. A nightly run also takes the tests
    that are marked so, and all parameters of those that are sampled.
    """
    if os.environ.get("ODOO_SHADOW_FLAVOURS") == "all":
        return
    by_test: dict[str, dict[Flavour, pytest.Item]] = {}
    for item in items:
        if (found := _flavour_of(item)) is not None:
            by_test.setdefault(found[0], {})[found[1]] = item
    left_out = {item for item in items if item.get_closest_marker("nightly")}
    left_out |= {twins[_other(name, twins[FLAVOURS[0]])] for name, twins in by_test.items() if len(twins) > 1}
    left_out |= set(_beyond_samples(item for item in items if item not in left_out))
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _beyond_samples(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Yield the sets of parameters of sampled tests that are not run: all but one, for which their names decide."""
    by_test: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sampled"):
            by_test.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for found in by_test.values():
        yield from sorted(found, key=lambda item: zlib.crc32(item.nodeid.encode()))[1:]


def _flavour_of(item: pytest.Item) -> tuple[str, Flavour] | None:
    """Return a test's name without its flavour, and the flavour; None when it has none, or needs both."""
    if (
        not isinstance(item, pytest.Function)
        or not hasattr(item, "callspec")
        or item.get_closest_marker("both_flavours")
    ):
        return None
    parts = item.callspec.id.split("-")
    for flavour in FLAVOURS:
        if flavour in parts and flavour in item.callspec.params.values():
            parts.remove(flavour)
            path, _, test = item.nodeid.partition("[")[0].partition("::")
            return f"{Path(path).name}::{test}[{'-'.join(parts)}]", flavour
    return None


def _other(name: str, item: pytest.Item) -> Flavour:
    """Return the flavour that is left out."""
    return FLAVOURS[0] if item.get_closest_marker("one_flavour") else FLAVOURS[zlib.crc32(name.encode()) % 2]


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers the secrets that it was given; one test's must not hide another's words."""
    monkeypatch.setattr(redaction, "_known", {})
    monkeypatch.setattr(redaction, "_secrets", ())


@pytest.fixture(autouse=True)
def no_pause_between_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that fail are tried again at once, unless the server asks for a wait."""
    monkeypatch.setattr(source_client, "_backoff", wait_none())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of the maintenance database: the embedded 18's, or with `ODOO_SHADOW_POSTGRES=15` that of Debian's 15."""
    with debian_postgres() if os.environ.get("ODOO_SHADOW_POSTGRES") == "15" else embedded_postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:  # no test outlives a crash of the machine
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def one_database(postgres: str) -> Iterator[str]:
    """The URL of the database that `database` empties."""
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture
def database(one_database: str) -> Iterator[str]:
    """The URL of a database that is empty at the start of each test: far quicker than a new one."""
    yield one_database
    empty(one_database)


@pytest.fixture
def shadow(database: str) -> Iterator[ShadowDatabase]:
    """A shadow database, empty."""
    with ShadowDatabase.from_url(database, name="shadow_db") as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    """Stand-ins that tests share; a test that uses one must leave its data as it was."""
    running = {
        flavour: StandIn(postgres, flavour=flavour, database=f"shared{flavour}", copied=True) for flavour in FLAVOURS
    }
    for odoo in running.values():
        odoo.start()
    yield running
    for odoo in running.values():
        odoo.stop()


@pytest.fixture(params=FLAVOURS)
def shared_odoo(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    """A shared stand-in, in both flavours one after the other, without faults."""
    odoo = shared_odoos[request.param]
    odoo.faults.clear()
    odoo.calls.clear()
    yield odoo
    odoo.faults.clear()
    odoo.rewrite = None


@pytest.fixture(params=FLAVOURS)
def odoo(request: pytest.FixtureRequest, postgres: str) -> Iterator[StandIn]:
    """A stand-in of this test's own, in both flavours one after the other: its data may be changed."""
    with StandIn(postgres, flavour=request.param, database=f"own{request.param}", copied=True) as running:
        yield running


@pytest.fixture
def shared_client(shared_odoo: StandIn) -> Iterator[OdooClient]:
    """A client of the shared stand-in."""
    with client_of(shared_odoo) as opened:
        yield opened


@pytest.fixture
def shared_source(shared_odoo: StandIn) -> Iterator[ApiSource]:
    """The shared stand-in as a source."""
    with source_of(shared_odoo) as opened:
        yield opened


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    """This test's own stand-in as a source."""
    with source_of(odoo) as opened:
        yield opened
