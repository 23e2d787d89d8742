"""Takes credentials out of texts, in every form in which a server or a library may repeat them.

Secrets are registered once, where they enter the process; from then on `redact` knows them. It must run before a text
is cut, since half a secret is not recognised any more.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

REDACTED = "***"

SHORTEST = 3
"""Characters; a shorter secret would turn every text into asterisks."""

_WHOLE_WORD_BELOW = 6
_SHORTEST_BASE64 = 8
_MOST_SECRETS = 256
"""Secrets that one process remembers; the oldest go first."""

_PASSWORDS = (
    re.compile(r"://[^/@:]*:(.*)@", re.DOTALL),
    re.compile(r"[?&](?:ssl)?password=([^&]*)"),
    re.compile(r"\b(?:ssl)?password\s*=\s*'((?:[^'\\]|\\.)*)'"),
    re.compile(r"\b(?:ssl)?password\s*=\s*([^'\s]\S*)"),
)
"""Where a database's URL or conninfo string has a password."""
_LOGINS = (re.compile(r"://([^/@:]*):"), re.compile(r"\buser\s*=\s*'?([^'\s]+)"))

_lock = threading.Lock()
_forms: dict[str, tuple[str, ...]] = {}
_pattern: re.Pattern[str] | None = None


def protect(secret: str | None, *, login: str = "") -> None:
    """Let `redact` know a secret: a password, an API key, a hash secret, a database URL.

    :param login: the login that goes with it, for HTTP's Basic form. A password that equals its login is no secret.
    """
    if secret is None or len(secret.strip()) < SHORTEST or secret == login:
        return
    with _lock:
        known = _forms.pop(secret, ())
        _forms[secret] = tuple(dict.fromkeys([*known, *forms_of(secret, login)]))
        while len(_forms) > _MOST_SECRETS:
            del _forms[next(iter(_forms))]
        _compile()


def protect_url(url: str) -> None:
    """Let `redact` know a database's URL or conninfo string, if it holds a password, and that password.

    The text may be malformed: then whatever stands between the login and the last `@` is taken for the password.
    """
    found = [match.group(1) for pattern in _PASSWORDS for match in pattern.finditer(url)]
    login = next((match.group(1) for pattern in _LOGINS for match in pattern.finditer(url)), "")
    for password in found:
        for read in (password, unquote(password), re.sub(r"\\(.)", r"\1", password)):
            protect(read, login=unquote(login))
    if found:
        protect(url)


def redact(text: str) -> str:
    """Return a text with every known secret replaced."""
    pattern = _pattern
    return text if pattern is None else pattern.sub(REDACTED, text)


def forms_of(secret: str, login: str = "") -> list[str]:
    """Return a secret as it is and as JSON, URLs, HTML, Python, hexadecimal and base64 write it."""
    as_bytes = secret.encode(errors="surrogatepass")
    plain = [secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]]
    encoded = [quote(as_bytes, safe=""), quote(as_bytes), quote_plus(as_bytes), html.escape(secret)]
    lower = [re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), text) for text in encoded]
    as_base64 = [*_base64_forms(as_bytes), *(_base64_forms(f"{login}:{secret}".encode()) if login else ())]
    hexadecimal = [as_bytes.hex(), as_bytes.hex().upper()]
    return list(dict.fromkeys([*plain, *encoded, *lower, *as_base64, *hexadecimal]))


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Yield what stays of a secret in base64, whatever stands before and after it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret).rstrip(b"=").decode()
        # The characters at both ends also hold bits of the neighbours.
        first = (before * 8 + 5) // 6
        last = (before + len(secret)) * 8 // 6
        stable = whole[first:last]
        if len(stable) >= _SHORTEST_BASE64:
            yield stable
            yield stable.translate(str.maketrans("+/", "-_"))


def _compile() -> None:
    global _pattern
    forms = sorted({form for forms in _forms.values() for form in forms}, key=len, reverse=True)
    _pattern = re.compile("|".join(map(_as_pattern, forms))) if forms else None


def _as_pattern(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= _WHOLE_WORD_BELOW else rf"(?<!\w){escaped}(?!\w)"
