"""The one function through which text from outside reaches people."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

from odoo_shadow.text.redaction import redact

LONGEST = 1_000
"""Characters that are shown of one text."""

_COMMAND = re.compile(r"::(?=(?:end)?group::)|(?<!\S)::(?=[A-Za-z])|##(?=\w*\[)")
"""The marks by which Airflow's log viewer folds lines, and those that a CI job executes as commands."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, reorder or hide text, or mean nothing: escape codes, line ends, bidi."""

Shown: TypeAlias = str
"""A text that may be printed, logged or stored as it is."""


def shown(text: object, *, longest: int = LONGEST) -> Shown:
    """Return text on one line, without credentials, with every character visible.

    Characters that a terminal, a log viewer or a CI job would obey are escaped as in Python. Text that is too long is
    cut.
    """
    plain = redact(str(text), longest)
    if not (plain.isascii() and plain.isprintable()):
        plain = "".join(map(_visible, plain))
    return _COMMAND.sub(lambda found: f"{found.group()[:-1]}\\x{ord(found.group()[-1]):02x}", plain)


def shown_block(text: object, *, longest: int = 20 * LONGEST) -> Shown:
    """Return text of several lines, such as a table that this project laid out, with `shown` applied to each line."""
    plain = redact(str(text))
    return "\n".join(shown(line, longest=longest) for line in plain.split("\n"))


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
