"""The text that is posted: short, and nothing in it notifies anybody, formats the text or leads elsewhere.

Mattermost takes Slack's syntax in what a webhook posts (`<!channel>`, `<https://…|text>`) besides its own (`@all`, bare
addresses, Markdown). Names of models and tables may contain any of it.
"""

from __future__ import annotations

import re

from odoo_shadow.text.shown import shown

LONGEST = 1_500
"""Characters of a message."""

_LONGEST_NAME = 100
_LONGEST_TEXT = 1_000
_HARMLESS = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "@": "\uff20",  # the full-width @
        "#": "\uff03",
        "~": "\u223c",  # Mattermost: ~channel
        "*": "\u2217",
        "`": "'",
        "|": "\u00a6",
        "[": "(",
        "]": ")",
    }
)
_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)
_CUT_ENTITY = re.compile(r"&[a-z]{0,3}$")


def plain(text: object, *, longest: int = _LONGEST_TEXT) -> str:
    """Return text of which a chat makes nothing but text."""
    apart = _ADDRESS.sub(lambda found: f"{found.group()[:-1]} {found.group()[-1]}", shown(text, longest=longest))
    return apart.translate(_HARMLESS)


def name(text: object) -> str:
    """Return a name as code, so that a chat makes no link of `res.company`."""
    return f"`{plain(text, longest=_LONGEST_NAME)}`"


def message(text: str, link: str = "") -> str:
    """Return a message of at most `LONGEST` characters.

    :param text: composed of what `plain` and `name` return and of words of this project.
    :param link: to what it is about, on a line of its own, which is never cut.
    """
    after = f"\n{link}" if link else ""
    room = LONGEST - len(after)
    if len(text) > room:
        text = _CUT_ENTITY.sub("", text[: room - 1]) + "…"
    return text + after
