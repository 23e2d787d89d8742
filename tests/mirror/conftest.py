"""What the engine's tests share, since making it anew for each would take longer than the tests themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import CountingProxy
from tests.support.flavours import FLAVOURS, Flavour


@pytest.fixture(scope="package")
def engine_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    running = {
        flavour: StandIn(postgres, flavour=flavour, database=f"engine{flavour}", copied=True) for flavour in FLAVOURS
    }
    for odoo in running.values():
        odoo.start()
    yield running
    for odoo in running.values():
        odoo.stop()


@pytest.fixture(params=FLAVOURS)
def odoo(request: pytest.FixtureRequest, engine_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    """A stand-in whose rows may be changed, in both flavours one after the other; all rows are a day old."""
    running = engine_odoos[request.param]
    # Companies and users take over what is written to their partners.
    age(running, "res.partner", "res.company", "res.users", "project.project")
    running.calls.clear()
    yield running
    running.faults.clear()
    running.rewrite = None


@pytest.fixture(scope="package")
def awkward_odoos(postgres: str) -> Iterator[dict[Flavour, StandIn]]:
    running = {
        flavour: StandIn(
            postgres, flavour=flavour, database=f"awkward_engine{flavour}", scale=0.1, schema="awkward", copied=True
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
    """A stand-in with every kind of field and name, whose rows may be changed, in both flavours; rows are a day old."""
    running = awkward_odoos[request.param]
    age(running, *(name for name, model in running.registry.models.items() if model.has_table and model.log_access))
    running.calls.clear()
    return running


@pytest.fixture
def awkward_source(awkward_odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(awkward_odoo) as opened:
        yield opened


@pytest.fixture
def proxy(odoo: StandIn) -> Iterator[CountingProxy]:
    """In front of the stand-in, to see what it is asked."""
    with CountingProxy(odoo) as running:
        yield running


@pytest.fixture(params=FLAVOURS)
def own_odoo(request: pytest.FixtureRequest, postgres: str) -> Iterator[StandIn]:
    """A stand-in of this test's own: its models and fields may be changed as well."""
    with StandIn(postgres, flavour=request.param, database=f"own{request.param}", scale=0.3, copied=True) as running:
        age(running, "res.partner")
        yield running
