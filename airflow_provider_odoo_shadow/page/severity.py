"""How bad something is, and sentences about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad something is; a larger number is worse."""

    NEUTRAL = 0
    GOOD = 1
    WARNING = 2
    PROBLEM = 3

    @property
    def css(self) -> str:
        """The class of what is shown in its colour."""
        return self.name.lower()


@dataclass(frozen=True)
class Link:
    """Where to go.

    :param is_airflows: whether it is one of Airflow's own pages, which must not open inside the page's frame.
    """

    text: str
    href: str
    is_airflows: bool = True


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what to do about it.

    :param text: a sentence that ends with what to do.
    :param link: where to do it.
    """

    severity: Severity
    text: str
    link: Link | None = None


@dataclass(frozen=True)
class Fact:
    """One thing that people want to know at a glance.

    :param word: the answer in a word or two.
    :param detail: the rest of it.
    """

    name: str
    severity: Severity
    word: str
    detail: str = ""
