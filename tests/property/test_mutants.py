from __future__ import annotations
import os, random, time
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.conftest import FLAVOURS, Flavour
from tests.property.machine import Profile, Story, World, Lost
from tests.property.mutants import MUTANTS

SEED = int(os.environ.get("ODOO_SHADOW_SEED") or random.SystemRandom().randrange(2**32))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_m(worlds, mutant):
    fl = os.environ.get("FL", "19")
    world = worlds[fl]
    n = [0]

    @seed(SEED)
    def story() -> Story:
        n[0] += 1
        return Story(world, mutant.profile)

    s = time.perf_counter()
    try:
        with mutant.broken(), pytest.raises(Lost) as lost:
            run_state_machine_as_test(
                story,
                settings=settings(
                    max_examples=int(os.environ.get("EX", "100")),
                    stateful_step_count=20,
                    deadline=None,
                    database=None,
                    print_blob=True,
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.generate],
                    report_multiple_bugs=False,
                ),
            )
    finally:
        with open("/tmp/prop/mutants.log", "a") as f:
            f.write(f"{mutant.name} {fl} seed {SEED} {n[0]} stories {time.perf_counter() - s:.1f} s\n")
