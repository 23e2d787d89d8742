"""Each safeguard, broken: the stories must come to a wrong end, or they would prove nothing."""

from __future__ import annotations

import pytest

from tests.support.flavours import FLAVOURS, Flavour
from tests.support.stories.machine import LostError, Story, World
from tests.support.stories.mutants import MUTANTS, Mutant
from tests.support.stories.plans import Profile
from tests.support.stories.telling import tell
from tests.support.stories.told import TALES, Tale, told

MOST_STORIES = 1000
"""With the seed of `make test` each is caught within 25; with others, some took 200."""


@pytest.mark.nightly
@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_a_broken_safeguard_is_caught(worlds: dict[Flavour, World], mutant: Mutant) -> None:
    with mutant.broken(), pytest.raises(LostError):
        if isinstance(mutant.stories, Profile):
            tell(worlds["19"], mutant.stories, MOST_STORIES)
        else:
            told(Story(worlds["19"], Profile()), mutant.stories)


@pytest.mark.sampled
@pytest.mark.parametrize("tale", TALES, ids=lambda tale: tale.__name__)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_story_that_was_hard_once_ends_well(worlds: dict[Flavour, World], flavour: Flavour, tale: Tale) -> None:
    told(Story(worlds[flavour], Profile()), tale)
