"""How many records are asked for at once: as many as fit, without making the server do its work again and again."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from odoo_shadow.source.api.http import PAGE_BYTES
from odoo_shadow.source.api.page_size import PageSize

MIB = 2**20
SMALL = 2_000


def few_among(small: int, large: int, every: int, number: int) -> list[int]:
    chance = random.Random(7)  # noqa: S311 - no secret
    return [large if chance.random() < 1 / every else small for _ in range(number)]


SIZES = {
    "all small": [SMALL] * 20_000,
    "all large": [1_200_000] * 240,
    "each as large as a page": [PAGE_BYTES - 1] * 30,
    "few large": few_among(SMALL, 1_200_000, 100, 20_000),
    "few huge": few_among(SMALL, 30 * MIB, 2_000, 20_000),
    "huge ones together": [*[SMALL] * 5_000, *[20 * MIB] * 10, *[SMALL] * 5_000],
    "growing": [100 + item for item in range(20_000)],
    "small, then large": [*[SMALL] * 10_000, *[300_000] * 1_000],
    "large, then small": [*[300_000] * 1_000, *[SMALL] * 10_000],
}


def read(sizes: Sequence[int]) -> tuple[int, int, int]:
    """Read records; return how many the server rendered, how many bytes, and in how many calls."""
    size, at, rendered, rendered_bytes, calls = PageSize(2_000), 0, 0, 0, 0
    while at < len(sizes):
        page = sizes[at : at + size.records]
        rendered, rendered_bytes, calls = rendered + len(page), rendered_bytes + sum(page), calls + 1
        if sum(page) > PAGE_BYTES and size.records > 1:
            size.shrink(len(page), sum(page))
            continue
        at += len(page)
        size.grow(len(page), sum(page))
    return rendered, rendered_bytes, calls


@pytest.mark.parametrize("name", SIZES)
def test_the_server_does_its_work_about_twice_at_most(name: str) -> None:
    sizes = SIZES[name]
    rendered, rendered_bytes, calls = read(sizes)
    assert rendered <= 2.1 * len(sizes)
    assert rendered_bytes <= (2.1 if max(sizes) <= PAGE_BYTES else 7) * sum(sizes)
    fewest = max(len(sizes) / 2_000, sum(sizes) / PAGE_BYTES)
    assert calls <= 6 * fewest + 20


def test_ordinary_pages_cost_no_further_call() -> None:
    assert read([PAGE_BYTES // 2_000] * 20_000) == (20_000, 20_000 * (PAGE_BYTES // 2_000), 10)


def test_small_records_are_soon_read_in_full_pages_again() -> None:
    size = PageSize(2_000)
    size.shrink(2_000, 100 * PAGE_BYTES)
    read_so_far, pages = 0, 0
    while size.records < 2_000:
        size.grow(size.records, size.records * SMALL)
        read_so_far, pages = read_so_far + size.records, pages + 1
    assert pages < 20 and read_so_far < 10_000
