"""A site for runs in processes of their own: stand-ins and a database that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from odoo_stand_in import StandIn
from tests.conftest import FLAVOURS, Flavour
from tests.mirror.conftest import age
from tests.mirror.test_resume import recording
from tests.support.emptying import empty
from tests.support.shell import PG_PASSWORD, Shell, shell_for
from tests.support.syncing import MODEL, Site, socket_of, tcp_address_of
from tests.support.tcp_proxy import Address, TcpProxy
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture(scope="package")
def chaos_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    running = {flavour: StandIn(postgres, flavour=flavour, database=f"chaos{flavour}") for flavour in FLAVOURS}
    for odoo in running.values():
        odoo.start()
    yield running
    for odoo in running.values():
        odoo.stop()


@pytest.fixture
def flavour() -> Flavour:
    """Which Odoo; a test that wants both is parametrized with this name."""
    return "19"


@pytest.fixture
def odoo(chaos_odoos: dict[Flavour, StandIn], flavour: Flavour) -> Iterator[StandIn]:
    """A stand-in whose rows may be changed; all rows are a day old."""
    running = chaos_odoos[flavour]
    age(running, MODEL)
    running.calls.clear()
    yield running
    running.faults.clear()
    running.rewrite = None


@pytest.fixture(scope="package")
def one_database(postgres: str) -> Iterator[str]:
    url = new_database(postgres)
    yield url
    drop_database(postgres, url)


@pytest.fixture
def database(one_database: str) -> Iterator[str]:
    """The URL of a database that is empty at the start of each test."""
    yield one_database
    empty(one_database)


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


@pytest.fixture
def site(odoo: StandIn, database: str) -> Iterator[Site]:
    with site_of(odoo, database, socket_of(database)) as opened:
        yield opened


@pytest.fixture
def read(odoo: StandIn) -> Iterator[list[int]]:
    """The ids of all partners that Odoo was asked to give, in order."""
    with recording(odoo, MODEL) as ids:
        yield ids
