"""Stand-ins with everything that a reader of tables may stumble over, for the whole folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_stand_in import StandIn
from tests.support.flavours import FLAVOURS, Flavour
from tests.support.two_sources import Both, both_sources_of


@pytest.fixture(scope="package")
def awkward_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    running = {
        flavour: StandIn(
            postgres, flavour=flavour, database=f"two_sources{flavour}", scale=0.1, schema="tables", copied=True
        )
        for flavour in FLAVOURS
    }
    for odoo in running.values():
        odoo.start()
    yield running
    for odoo in running.values():
        odoo.stop()


@pytest.fixture(params=FLAVOURS)
def awkward_odoo(request: pytest.FixtureRequest, awkward_odoos: dict[Flavour, StandIn]) -> StandIn:
    """A stand-in with every kind of field and name, in both flavours; a test must leave its tables as they were."""
    return awkward_odoos[request.param]


@pytest.fixture
def both(awkward_odoo: StandIn) -> Iterator[Both]:
    with both_sources_of(awkward_odoo) as opened:
        yield opened


@pytest.fixture
def shared_both(shared_odoo: StandIn) -> Iterator[Both]:
    with both_sources_of(shared_odoo) as opened:
        yield opened
