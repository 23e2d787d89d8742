"""Words of invented companies, their desks and things."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

_WORDS: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
KINDS = tuple(_WORDS["kind"])
AWKWARD_TEXTS = (
    'He said: "it\'s fine";\nsecond line\twith a tab',
    "C:\\temp\\new \\N \\. back\\slashes",
    "emoji 🚚📦 and ümläuts, ﷽, 漢字",
    "line one\r\nline two\n\n  trailing blanks  ",
    "'; DROP TABLE res_partner; --",
    '{"json": [1, 2]} <b>markup</b> & ampersand',
    "comma, semicolon; pipe| percent% under_score",
)


def company(random: Random) -> str:
    """Invent a company's name."""
    return f"{random.choice(_WORDS['company'])} {random.choice(_WORDS['trade'])} {random.choice(_WORDS['form'])}"


def contact(random: Random) -> str:
    """Invent a contact: a desk somewhere, nobody in person."""
    return f"{random.choice(_WORDS['desk'])} {random.choice(_WORDS['company'])}"


def desk(random: Random) -> str:
    """Invent a desk within a company."""
    return random.choice(_WORDS["desk"])


def product(random: Random) -> str:
    """Invent a product's name."""
    return f"{random.choice(_WORDS['kind'])} {random.choice(_WORDS['thing'])}"


def city(random: Random) -> str:
    """Invent a town."""
    return random.choice(_WORDS["city"])


def street(random: Random) -> str:
    """Invent a street and number."""
    return f"{random.choice(_WORDS['street'])} {random.randint(1, 180)}"


def task(random: Random) -> str:
    """Something to do."""
    return f"{random.choice(_WORDS['verb']).capitalize()} the {product(random).lower()}"


def sentence(random: Random) -> str:
    """Invent a short text; every now and then an awkward one."""
    if random.random() < 0.15:
        return random.choice(AWKWARD_TEXTS)
    return f"{task(random)} and {random.choice(_WORDS['verb'])} the {random.choice(_WORDS['thing']).lower()}."


def word(random: Random) -> str:
    """Invent a word for a field that needs one."""
    return f"{random.choice(_WORDS['kind'])}-{random.randint(100, 999)}"
