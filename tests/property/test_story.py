"""Whatever happens to Odoo and to the mirror: when the dust has settled, one run leaves both equal."""

from __future__ import annotations

import pytest

from tests.support.flavours import FLAVOURS, Flavour
from tests.support.stories.machine import World
from tests.support.stories.plans import Profile
from tests.support.stories.telling import STORIES, tell


@pytest.mark.timeout(0)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_run_is_enough(worlds: dict[Flavour, World], flavour: Flavour) -> None:
    tell(worlds[flavour], Profile(), STORIES)
