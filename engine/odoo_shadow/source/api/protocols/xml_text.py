"""Reads XML-RPC with characters that XML forbids or changes: most control characters, U+FFFE and U+FFFF, line ends.

Odoo writes such characters as they are. 16.0 sends all of them; from 17.0 on control characters are left out of values,
though not of names (`odoo/addons/base/controllers/rpc.py`). An XML parser fails on them, and turns each carriage return
into a line feed. So they are replaced by characters that the answer does not contain, and restored after parsing. The
bytes of half a surrogate pair are not a character, and become U+FFFD.
"""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import Mapping
from xml.parsers import expat

_FORBIDDEN = tuple(chr(code) for code in (*range(9), *range(11, 32), 0xFFFE, 0xFFFF))
_HALF = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_REPLACEMENT = "\ufffd".encode()
_AT_ONCE = 65_536
_DISGUISES = range(0x10F000, 0x10FF80, 64)
"""Where 64 characters for private use begin whose bytes in UTF-8 differ in the last one alone."""


def loads(body: bytes) -> tuple[tuple[object, ...], str | None]:
    """Parse an answer, using little memory.

    Raises what Python's own parser raises, also for XML that is not in UTF-8.
    """
    body, hidden = _disguised(body)
    reader = xmlrpc.client.Unmarshaller(use_builtin_types=True)
    reader.xml("", None)  # expat delivers text, not bytes
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    for start in range(0, len(body), _AT_ONCE):
        parser.Parse(body[start : start + _AT_ONCE], False)
    parser.Parse(b"", True)
    values = tuple(reader.close())
    return (tuple(_shown(value, hidden) for value in values) if hidden else values), reader.getmethodname()


def _disguised(body: bytes) -> tuple[bytes, dict[str, str]]:
    """Replace what is forbidden, unless it would be most of the answer; return also which character replaces which."""
    hidden, longest = {}, len(body) * 3 // 2
    for disguise, forbidden in zip(_unused(body), _FORBIDDEN, strict=False):
        shown, bare = disguise.encode(), forbidden.encode()
        number = body.count(bare)
        if number and len(body) + number * (len(shown) - len(bare)) <= longest:
            hidden[disguise] = forbidden
            body = body.replace(bare, shown)
    return (_HALF.sub(_REPLACEMENT, body) if b"\xed" in body else body), hidden


def _unused(body: bytes) -> list[str]:
    """Return 64 characters that do not occur."""
    first = next((item for item in _DISGUISES if chr(item).encode()[:3] not in body), _DISGUISES[0])
    return [chr(first + item) for item in range(64)]


def _shown(value: object, hidden: Mapping[str, str]) -> object:
    """Put the characters back."""
    if isinstance(value, str):
        for disguise, forbidden in hidden.items() if not value.isascii() else ():
            value = value.replace(disguise, forbidden)
        return value
    if isinstance(value, list):
        return [_shown(item, hidden) for item in value]
    if isinstance(value, dict):
        return {_shown(key, hidden): _shown(item, hidden) for key, item in value.items()}
    return value
