"""A site for runs in processes of their own: stand-ins and a database that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.flavours import FLAVOURS, Flavour
from tests.support.recording import recording
from tests.support.syncing import MODEL, Site, site_of, socket_of


@pytest.fixture(scope="package")
def chaos_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    running = {
        flavour: StandIn(postgres, flavour=flavour, database=f"chaos{flavour}", copied=True) for flavour in FLAVOURS
    }
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


@pytest.fixture
def site(odoo: StandIn, database: str) -> Iterator[Site]:
    with site_of(odoo, database, socket_of(database)) as opened:
        yield opened


@pytest.fixture
def read(odoo: StandIn) -> Iterator[list[int]]:
    """The ids of all partners that Odoo was asked to give, in order."""
    with recording(odoo, MODEL) as ids:
        yield ids
