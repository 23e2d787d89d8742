"""A shell on a shared stand-in and an empty database, and projects that `init` has written into."""

from __future__ import annotations

import pytest

from odoo_stand_in import StandIn
from tests.support.flavours import Flavour
from tests.support.shell import Shell, shell_for


@pytest.fixture
def shell(shared_odoos: dict[Flavour, StandIn], database: str) -> Shell:
    """A shell on Odoo 19."""
    return shell_for(shared_odoos["19"], database)
