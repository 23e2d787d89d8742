"""Lets hypothesis tell stories: seeded, the seed printed, as many as are asked for."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.support.stories.machine import Story, World
from tests.support.stories.plans import Profile

_GIVEN = os.environ.get("ODOO_SHADOW_SEED", "2026")
SEED = random.SystemRandom().randrange(2**32) if _GIVEN == "random" else int(_GIVEN)
"""Printed when a test fails; `make chaos` takes a random one each time."""

STORIES = int(os.environ.get("ODOO_SHADOW_STORIES", "5"))
"""Stories of one flavour; `make chaos` tells thousands."""

_STEPS = 20


def tell(world: World, profile: Profile, stories: int) -> None:
    """Tell so many stories; raises the first one's error whose end is wrong."""
    print(f"ODOO_SHADOW_SEED={SEED}")  # noqa: T201 - pytest shows it with a failure

    class Told(Story):
        def __init__(self) -> None:
            super().__init__(world, profile)

    machine: type[RuleBasedStateMachine] = Told
    run_state_machine_as_test(
        seed(SEED)(machine),
        settings=settings(
            max_examples=stories,
            stateful_step_count=_STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
