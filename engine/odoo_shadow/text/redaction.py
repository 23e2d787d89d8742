"""Removes credentials from text, in every form in which a server or a library may repeat them.

Secrets are registered once, where they enter the process; from then on `redact` knows them. It must run before a text
is cut, since half a secret is not recognised any more; `redact` does both.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, quote_plus, unquote

from odoo_shadow.text.spelling import LONGEST_CHARACTER, MARK, spellings

REDACTED = "***"

SHORTEST = 3
"""Characters; a shorter secret would turn most text into asterisks."""

_WHOLE_WORD_BELOW = 6
_RANDOM_FROM = 8
_SHORTEST_BASE64 = 8
_MOST_SECRETS = 256
"""Secrets that one process remembers; the oldest go first."""

_LONGEST_SPELLED = 1_000
"""Characters; a longer secret, which is hardly a password, is known only in the forms that `forms_of` writes."""

_KEY = r"(?:\w*(?:password|passphrase|secret)|passfile)"
_PASSWORDS = (
    re.compile(r"://[^/@:]*:(.*)@", re.DOTALL),
    re.compile(rf"[?&]{_KEY}=([^&]*)"),
    re.compile(rf"\b{_KEY}\s*=\s*'((?:[^'\\]|\\.)*)'"),
    re.compile(rf"\b{_KEY}\s*=\s*([^'\s][^\s&]*)"),
)
"""Where a database's URL or conninfo string has a password."""
_LOGINS = (re.compile(r"://([^/@:]*):"), re.compile(r"\buser\s*=\s*'?([^'\s]+)"))


@dataclass(frozen=True)
class _Secret:
    """A secret and its forms.

    :param texts: as `forms_of` writes it; finding none of them is cheap, and the usual case.
    """

    text: str
    texts: tuple[str, ...]

    @property
    def longest(self) -> int:
        """Characters of its longest form."""
        spelled = len(self.text) * LONGEST_CHARACTER if len(self.text) <= _LONGEST_SPELLED else 0
        return max(spelled, *map(len, self.texts))

    @cached_property
    def literal(self) -> re.Pattern[str]:
        """Finds its forms."""
        longest_first = sorted(self.texts, key=len, reverse=True)
        return re.compile("|".join(map(self._as_pattern, longest_first)))

    @cached_property
    def spelled(self) -> re.Pattern[str] | None:
        """Finds it with each of its characters written in a way of its own."""
        if len(self.text) > _LONGEST_SPELLED:
            return None
        return re.compile(_whole(self.text, spellings(self.text)))

    def _as_pattern(self, form: str) -> str:
        """Return a form's pattern. In base64 or hexadecimal it may have letters around it, so any place matches."""
        is_encoded = form != self.text and len(form) >= _WHOLE_WORD_BELOW
        return re.escape(form) if is_encoded else _whole(form, re.escape(form))


_lock = threading.Lock()
_known: dict[str, _Secret] = {}
_secrets: tuple[_Secret, ...] = ()
_margin = 0


def protect(secret: str | None, *, login: str = "") -> None:
    """Let `redact` know a secret: a password, an API key, a hash secret, a database URL.

    :param login: the login that belongs to it, for HTTP's Basic form. A password that equals its login is not secret.
    """
    global _secrets, _margin
    if secret is None or len(secret.strip()) < SHORTEST or secret == login:
        return
    with _lock:
        before = _known.pop(secret, None)
        texts = tuple(dict.fromkeys([*(before.texts if before else ()), *forms_of(secret, login)]))
        _known[secret] = before if before and before.texts == texts else _Secret(secret, texts)
        while len(_known) > _MOST_SECRETS:
            del _known[next(iter(_known))]
        _secrets = tuple(_known.values())
        _margin = max(item.longest for item in _secrets)


def protect_url(url: str) -> None:
    """Let `redact` know a database's URL or conninfo string, if it holds a password, and that password.

    The text may be malformed: then everything between the login and the last `@` counts as the password.
    """
    found = [match.group(1) for pattern in _PASSWORDS for match in pattern.finditer(url)]
    login = next((match.group(1) for pattern in _LOGINS for match in pattern.finditer(url)), "")
    for password in found:
        for read in (password, unquote(password), re.sub(r"\\(.)", r"\1", password)):
            protect(read, login=unquote(login))
    if found:
        protect(url)


def redact(text: str, longest: int | None = None) -> str:
    """Return a text with every known secret replaced.

    :param longest: cut the text to this many characters. No more of it than needed is searched, however long it is, and
        a secret across the cut is found as a whole.
    """
    longest = len(text) if longest is None else longest
    pieces, at = [], 0
    for start, end in _places(text[: longest + _margin]):
        if start >= longest:
            break
        pieces += [text[at:start], REDACTED]
        at = end
    end = max(at, longest)
    return "".join([*pieces, text[at:end], "…" if end < len(text) else ""])


def forms_of(secret: str, login: str = "") -> list[str]:
    """Return a secret as it is and as JSON, URLs, HTML, Python, hexadecimal and base64 write it."""
    as_bytes = secret.encode(errors="surrogatepass")
    plain = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]]
    nested = [json.dumps(json.dumps(secret)[1:-1])[1:-1], secret.replace(" ", "+")]
    encoded = [quote(as_bytes, safe=""), quote(as_bytes), quote(as_bytes, safe="!'()*"), quote_plus(as_bytes)]
    lower = [re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), text) for text in encoded]
    entities = [html.escape(secret), html.escape(secret, quote=False)]
    as_base64 = [*_base64_forms(as_bytes), *(_base64_forms(f"{login}:{secret}".encode()) if login else ())]
    hexadecimal = [as_bytes.hex(), as_bytes.hex().upper()]
    return list(dict.fromkeys([*plain, *nested, *encoded, *lower, *entities, *as_base64, *hexadecimal]))


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Yield the characters of a secret in base64 that do not depend on what comes before and after it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret).rstrip(b"=").decode()
        # The characters at both ends also hold bits of the neighbours.
        first = (before * 8 + 5) // 6
        last = (before + len(secret)) * 8 // 6
        stable = whole[first:last]
        if len(stable) >= _SHORTEST_BASE64:
            yield stable
            yield stable.translate(str.maketrans("+/", "-_"))


def _places(text: str) -> list[tuple[int, int]]:
    """Return where secrets occur, in order; overlapping ones, such as a URL and the password in it, are one place."""
    is_marked = MARK.search(text) is not None
    spans: list[tuple[int, int]] = []
    for secret in _secrets:
        if any(form in text for form in secret.texts):
            spans += (found.span() for found in secret.literal.finditer(text))
        if is_marked and secret.spelled is not None:
            spans += (found.span() for found in secret.spelled.finditer(text))
    places: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if places and start < places[-1][1]:
            places[-1] = places[-1][0], max(places[-1][1], end)
        else:
            places.append((start, end))
    return places


def _whole(form: str, pattern: str) -> str:
    """Restrict a pattern to whole words, if it would otherwise be found within words that are not secret.

    What an encoding writes before it, such as `%3D` or `&#10;`, is not part of a word.
    """
    if len(form) >= _WHOLE_WORD_BELOW and (_looks_random(form) or not re.fullmatch(r"\w+", form)):
        return pattern
    before = r"(?:(?<!\w)|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4}))"
    return rf"{before}(?:{pattern})(?!\w)"


def _looks_random(word: str) -> bool:
    has_digits, has_letters = any(map(str.isdigit, word)), any(map(str.isalpha, word))
    return len(word) >= _RANDOM_FROM and has_digits and has_letters
