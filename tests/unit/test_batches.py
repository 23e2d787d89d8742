"""How the models of a run are gathered into tasks."""

from __future__ import annotations

import random

from odoo_shadow.mirror.run.batches import MOST_MODELS, SMALL, gather
from odoo_shadow.mirror.run.plan import Work


def works(*sizes: int | None) -> list[Work]:
    return [Work(f"x.model_{number}", "first load", size) for number, size in enumerate(sizes)]


def test_three_hundred_small_models_are_twenty_tasks() -> None:
    batches = gather(works(*[3] * 300), at_once=2)
    assert [len(batch) for batch in batches] == [15] * 20


def test_a_large_model_or_one_of_unknown_size_stays_alone_and_comes_first() -> None:
    large, unknown, *small = works(SMALL + 1, None, SMALL, 7, 0)
    first, second, *others = gather([*small, unknown, large], at_once=1)
    assert {first, second} == {(large,), (unknown,)}
    assert sorted(work.model for batch in others for work in batch) == sorted(work.model for work in small)


def test_there_is_a_task_for_each_place_that_works_at_the_same_time() -> None:
    assert [len(batch) for batch in gather(works(1, 1, 1, 1, 1), at_once=3)] == [2, 2, 1]
    assert [len(batch) for batch in gather(works(1, 1), at_once=8)] == [1, 1]
    assert gather([], at_once=2) == []


def test_batches_are_of_about_the_same_size() -> None:
    batches = gather(works(4000, 3000, 2000, 1000, 500, 500), at_once=2)
    assert [sum(work.rows or 0 for work in batch) for batch in batches] == [5500, 5500]


def test_every_model_is_in_exactly_one_batch_and_keeps_its_order_there() -> None:
    chance = random.Random(13)  # noqa: S311 - no secret
    for _ in range(200):
        sizes = [chance.choice([None, 0, chance.randrange(20_000)]) for _ in range(chance.randrange(90))]
        given = works(*sizes)
        batches = gather(given, at_once=chance.randrange(1, 5))
        assert sorted((work for batch in batches for work in batch), key=given.index) == given
        for batch in batches:
            assert 0 < len(batch) <= MOST_MODELS
            assert list(batch) == sorted(batch, key=given.index)
            assert len(batch) == 1 or all(work.rows is not None and work.rows <= SMALL for work in batch)
