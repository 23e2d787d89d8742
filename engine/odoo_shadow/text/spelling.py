"""The ways in which JSON, URLs, XML, HTML and programming languages write a character, alone or within one another."""

from __future__ import annotations

import re
from itertools import groupby

MARK = re.compile(r"%[0-9A-Fa-f]|\\|&[#a-z]")
"""Text without any of these writes every character as itself."""

LONGEST_CHARACTER = 64
"""Characters that one character may take: four bytes, each of them escaped."""

_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "(?:apos|#39)"}
_LETTER_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_ESCAPED = "\"'`/$\\"
"""Characters that some language or shell escapes with a backslash."""

_BACKSLASHES = r"\\\\{0,3}"
"""One to four. All alternatives begin with a literal character, so that `re` skips quickly to where one may begin."""


def spellings(text: str) -> str:
    """Return a pattern for a text in which each character may be written in any way, independently of the others."""
    return "".join(_run(char, len(list(run))) for char, run in groupby(text))


def _run(char: str, length: int) -> str:
    """Return the pattern of a character that is repeated."""
    if char == "\\":
        # As one pattern, since otherwise a run of backslashes could be matched in very many ways.
        others = "|".join(_encodings(char))
        return rf"(?:\\{{{length},{4 * length}}}|(?:{others}){{{length}}})"
    return f"(?:{_any(char)})" + (f"{{{length}}}" if length > 1 else "")


def _any(char: str) -> str:
    plain = [re.escape(char)]
    if char == " ":
        plain.append(r"\+")
    if char in _ESCAPED:
        plain.append(f"{_BACKSLASHES}(?:{'|'.join([re.escape(char), *_entities(char)])})")
    return "|".join([*plain, *_encodings(char)])


def _encodings(char: str) -> list[str]:
    code = ord(char)
    encodings = [_as_percent(char.encode(errors="surrogatepass")), *_entities(char)]
    if 0x80 <= code <= 0xFF:
        encodings.append(_as_percent(bytes([code])))
    encodings += [rf"%u{_hex(code)}", rf"{_BACKSLASHES}[uU]{_hex(code)}", rf"{_BACKSLASHES}u\{{{_hex(code)}\}}"]
    if code > 0xFFFF:
        high, low = 0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)
        encodings.append(rf"{_BACKSLASHES}u{_hex(high)}{_BACKSLASHES}u{_hex(low)}")
    if code <= 0xFF:
        encodings.append(rf"{_BACKSLASHES}x{_hex(code)}")
    if code >= 0x80:
        encodings.append("".join(rf"{_BACKSLASHES}x{_hex(byte)}" for byte in char.encode(errors="surrogatepass")))
    if char in _LETTER_ESCAPES:
        encodings.append(_BACKSLASHES + _LETTER_ESCAPES[char])
    return encodings


def _entities(char: str) -> list[str]:
    code = ord(char)
    numeric = [rf"&(?:amp;)?#0{{0,6}}{code};", rf"&(?:amp;)?#[xX]{_hex(code)};"]
    return [*numeric, *([f"&(?:amp;)?{_NAMED[char]};"] if char in _NAMED else [])]


def _as_percent(encoded: bytes) -> str:
    return "".join(f"%(?:25)?{_hex(byte)}" for byte in encoded)


def _hex(number: int) -> str:
    """Return the pattern of a hexadecimal number in either case, perhaps with zeros before it."""
    digits = f"{number:x}"
    return "0{0,7}" + "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
