"""An Odoo of two companies and its restricted shadow, mirrored once and copied for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest

from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.shadow.access.mode import RowLevelSecurity
from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.companies import OF_ONE, api_roles, let_users_read, sync, two_companies
from tests.support.memory_source import MemorySource
from tests.support.roles import run_as_owner
from tests.support.tables import make_base
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture(scope="package")
def server(postgres: str) -> Iterator[str]:
    """The URL of a server's maintenance database; the server has the roles of an API."""
    with api_roles(postgres):
        yield postgres


@pytest.fixture(scope="package")
def bare(server: str) -> Iterator[str]:
    """The URL of a database with a mirror's schema and no model, to be copied."""
    url = new_database(server)
    with ShadowDatabase.from_url(url) as shadow:
        make_base(shadow)
    yield url
    drop_database(server, url)


@pytest.fixture(scope="package")
def project(server: str, bare: str) -> Iterator[tuple[str, MemorySource]]:
    """A database whose rows are restricted, as `init supabase` sets it up, and its Odoo; `ada` has company One.

    Tests that change nothing ask it itself.
    """
    url, odoo = new_database(server, template=bare), two_companies()
    with ShadowDatabase.from_url(url) as shadow:
        assert sync(odoo, shadow, mode=RowLevelSecurity.COMPANY) == ()
        let_users_read(url)
        run_as_owner(url, OF_ONE)
        assert update_for_readers(shadow) == ()
    yield url, odoo
    drop_database(server, url)


@pytest.fixture
def unchanged(project: tuple[str, MemorySource]) -> str:
    """The URL of the project's own database, for tests that only read."""
    return project[0]


@pytest.fixture
def odoo(project: tuple[str, MemorySource]) -> MemorySource:
    return deepcopy(project[1])


@pytest.fixture
def restricted(server: str, project: tuple[str, MemorySource]) -> Iterator[str]:
    """The URL of this test's copy."""
    url = new_database(server, template=project[0])
    yield url
    drop_database(server, url)


@pytest.fixture
def shadow(restricted: str) -> Iterator[ShadowDatabase]:
    """This test's copy, as the sync's role."""
    with ShadowDatabase.from_url(restricted, name="shadow_db") as opened:
        yield opened


@pytest.fixture
def database(server: str, bare: str) -> Iterator[str]:
    """The URL of a database with a mirror's schema and no model."""
    url = new_database(server, template=bare)
    yield url
    drop_database(server, url)


@pytest.fixture
def empty_shadow(database: str) -> Iterator[ShadowDatabase]:
    with ShadowDatabase.from_url(database, name="shadow_db") as opened:
        yield opened
