"""Worlds for the stories: one stand-in and one shadow database per flavour, for all examples."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from odoo_shadow.mirror.sync import id_check
from tests.support.flavours import FLAVOURS, Flavour
from tests.support.stories.machine import World
from tools.embedded_postgres import drop_database, new_database


@pytest.fixture(scope="module")
def worlds(postgres: str) -> Iterator[dict[Flavour, World]]:
    """One world per flavour. With few rows, too, they are counted in blocks, ranges narrowed, ids listed in chunks."""
    urls = {flavour: (new_database(postgres), new_database(postgres)) for flavour in FLAVOURS}
    made = {flavour: World(postgres, first, flavour, twin=second) for flavour, (first, second) in urls.items()}
    with patch.multiple(id_check, FEW_IDS=2, IDS_PER_CALL=3, ROWS_PER_BLOCK=3, MOST_BLOCKS=4):
        yield made
    for flavour, world in made.items():
        world.close()
        for url in urls[flavour]:
            drop_database(postgres, url)
