"""How hard a secret is to guess, roughly: enough to refuse what people type when they are asked for a long password.

What is hashed with the secret (phone numbers, mail addresses) can be enumerated: a guessed secret reveals all of it.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

ENOUGH_BITS = 72
HOW_TO_MAKE_ONE = 'python3 -c "import secrets; print(secrets.token_hex(32))"'

_WALKS = (
    *(
        "1234567890",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertzuiop",
        "yxcvbnm",
        "azertyuiop",
        "qsdfghjklm",
        "wxcvbn",
    ),
    *("1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp"),
)
"""Sequences of neighbouring keys."""

_STEPS = frozenset(pair for walk in _WALKS for way in (walk, walk[::-1]) for pair in pairwise(way))
_FORETELLING = 3
"""Characters that make a sequence or a repetition: random texts have pairs that look like one."""


def estimated_bits(secret: str) -> float:
    """Estimate the entropy of the characters that cannot be predicted from those before them."""
    counts = Counter(secret).values()
    per_character = -sum(count / len(secret) * math.log2(count / len(secret)) for count in counts)
    folded = secret.casefold()
    return per_character * sum(not _is_foretold(folded, at) for at in range(len(folded)))


def _is_foretold(text: str, at: int) -> bool:
    """Say whether a character continues a sequence, a row of neighbouring keys, or a repetition."""
    last = text[max(0, at + 1 - _FORETELLING) : at + 1]
    if len(last) < _FORETELLING:
        return False
    return last in text[:at] or all(abs(ord(a) - ord(b)) <= 1 or (a, b) in _STEPS for a, b in pairwise(last))
