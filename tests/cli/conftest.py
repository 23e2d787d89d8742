"""A shell on a shared stand-in and a database that is empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_stand_in import StandIn
from tests.support.flavours import Flavour
from tests.support.shell import Shell, shell_for


@pytest.fixture
def odoo19(shared_odoos: dict[Flavour, StandIn]) -> Iterator[StandIn]:
    """The shared stand-in of Odoo 19, without faults."""
    odoo = shared_odoos["19"]
    odoo.calls.clear()
    yield odoo
    odoo.faults.clear()
    odoo.rewrite = None


@pytest.fixture
def shell(odoo19: StandIn, database: str) -> Shell:
    """A shell on Odoo 19, through JSON-2 with an API key."""
    return shell_for(odoo19, database)
