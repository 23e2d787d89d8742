"""A PostgreSQL 15 beside the 18, and databases with a hostile login on both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_stand_in import StandIn
from tests.support.debian_postgres import POSTGRES_15, debian_postgres
from tests.support.flavours import Flavour
from tests.support.hostile_database import Hostile
from tests.support.roles import new_role
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture
def odoo(shared_odoos: dict[Flavour, StandIn]) -> StandIn:
    """A shared stand-in, for tests that read from it only."""
    return shared_odoos["19"]


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[str]:
    """The URL of a PostgreSQL 15's maintenance database."""
    if not (POSTGRES_15 / "pg_ctl").exists():
        pytest.skip("PostgreSQL 15 is not installed (Debian: postgresql-15)")
    with debian_postgres() as url:
        yield url


@pytest.fixture(params=["18", pytest.param("15", marks=pytest.mark.nightly)])
def database_server(request: pytest.FixtureRequest) -> str:
    """The URL of each server's maintenance database, one after the other."""
    return str(request.getfixturevalue("postgres" if request.param == "18" else "postgres_15"))


@pytest.fixture(params=["superuser", "least rights"])
def hostile(request: pytest.FixtureRequest, database_server: str) -> Iterator[Hostile]:
    """A database where `mallory` may create in `public`, mirrored by the most and the least privileged role."""
    url = new_database(database_server)
    with new_role(url) as mallory, new_role(url) as mirror:
        role = None if request.param == "superuser" else mirror
        database = Hostile(url, mallory, role)
        database.open_public()
        yield database
    drop_database(database_server, url)
