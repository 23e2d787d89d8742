"""Worlds for the stories: one stand-in and one shadow database per flavour, for all examples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import FLAVOURS, Flavour
from tests.property.machine import World
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture(scope="module")
def worlds(postgres: str) -> Iterator[dict[Flavour, World]]:
    """One world per flavour."""
    urls = {flavour: new_database(postgres) for flavour in FLAVOURS}
    made = {flavour: World(postgres, urls[flavour], flavour) for flavour in FLAVOURS}
    yield made
    for flavour, world in made.items():
        world.close()
        drop_database(postgres, urls[flavour])
