"""Whatever happens to Odoo and to the mirror: when the dust has settled, one run leaves both equal.

A second mirror lives through the same story. It reads Odoo's own database, and ends with the same rows.
"""

from __future__ import annotations

import pytest

from tests.support.flavours import FLAVOURS, Flavour
from tests.support.stories.machine import World
from tests.support.stories.plans import Profile
from tests.support.stories.telling import STORIES, tell


@pytest.mark.timeout(0)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_run_is_enough(worlds: dict[Flavour, World], flavour: Flavour) -> None:
    tell(worlds[flavour], Profile(has_twin=True), STORIES)
