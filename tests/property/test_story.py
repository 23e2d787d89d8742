from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import FLAVOURS
from tests.property.machine import Profile, Story

SEED = int(os.environ.get("ODOO_SHADOW_SEED") or random.SystemRandom().randrange(2**32))
EXAMPLES = int(os.environ.get("EX", "30"))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_one_run_is_enough(worlds, flavour):
    print("seed", SEED)
    world = worlds[flavour]

    @seed(SEED)
    def story() -> Story:
        return Story(world, Profile())

    run_state_machine_as_test(
        story,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=[Phase.generate] + ([Phase.shrink] if os.environ.get("SHRINK") else []),
            report_multiple_bugs=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
