"""Checks vectors: one that is not what it should be would be found for every question, or for none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from odoo_shadow.knowledge.embedding.port import Vector

MOST_DIMENSIONS = 4_000
"""What an HNSW index of halfvec takes."""


def unit(values: Sequence[object]) -> Vector | None:
    """Return numbers as a vector of length 1, None if they are none, or have no direction."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return None
    try:
        numbers = [float(value) for value in values if isinstance(value, int | float)]
    except OverflowError:  # an integer of hundreds of digits
        return None
    largest = max(map(abs, numbers), default=0.0)
    if largest == 0 or not math.isfinite(largest) or any(map(math.isnan, numbers)):
        return None
    scaled = [number / largest for number in numbers]
    length = math.hypot(*scaled)
    return [number / length for number in scaled]


def as_text(vector: Vector) -> str:
    """Return a vector as PostgreSQL reads it; halfvec keeps three digits."""
    return f"[{','.join(f'{number:.5g}' for number in vector)}]"
