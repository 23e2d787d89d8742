"""Each safeguard, broken: the stories must come to a wrong end, or they would prove nothing."""

from __future__ import annotations

import pytest

from tests.conftest import Flavour
from tests.property.machine import LostError, World
from tests.property.mutants import MUTANTS, Mutant
from tests.property.telling import tell

MOST_STORIES = 1000
"""With the seed of `make test` each is caught within 25; with others, some took 200."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_a_broken_safeguard_is_caught(worlds: dict[Flavour, World], mutant: Mutant) -> None:
    with mutant.broken(), pytest.raises(LostError):
        tell(worlds["19"], mutant.profile, MOST_STORIES)
