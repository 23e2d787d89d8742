"""The address of an incoming webhook. Whoever knows its path may post there, so the path is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from odoo_shadow.text.errors import ShownError
from odoo_shadow.text.hosts import is_loopback
from odoo_shadow.text.redaction import protect
from odoo_shadow.text.shown import Shown, shown

_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\]")
_HOST = re.compile(r"[\w.:-]+")
_LONGEST_HOST = 253
_KEY = re.compile(r".{16,}|(?=.*\d).{8,}")
"""A part of a path that is a key, not a word such as `services`."""


class WebhookError(ShownError):
    """A webhook that cannot be used; the message names its host at most."""


@dataclass(frozen=True)
class Webhook:
    """Where to post.

    :param name: how messages call it: the Airflow connection, or the option.
    :param host: all that is shown of the address.
    """

    name: str
    url: str = field(repr=False)
    host: str

    @classmethod
    def parse(cls, name: str, url: str, *, allow_http: bool, how_to_allow: str) -> Self:
        """Check the URL, and let `redact` know its secret parts.

        :param allow_http: whether the secret path may travel unencrypted to another machine.
        :param how_to_allow: the setting by which its owner says so.
        :raises WebhookError: it is not a URL, or it would send the secret path unencrypted.
        """
        stripped = url.strip()
        for secret in secrets_of(stripped):
            protect(secret)
        parts = _split(stripped)
        hostname = parts.hostname if parts else None
        if parts is None or hostname is None:
            raise WebhookError(
                f"The webhook ({name}) is not a URL such as https://chat.example.com/hooks/… (http or https, with a "
                "path, without a login)."
            )
        if parts.scheme == "http" and not (allow_http or is_loopback(hostname)):
            raise WebhookError(
                f"The webhook ({name}) would send its secret path unencrypted to {hostname}: write https://…, or, if "
                f"that network is trusted, set {how_to_allow}."
            )
        return cls(name, stripped, hostname)

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.host)

    def __str__(self) -> Shown:
        """Return what may be shown of it."""
        return shown(f"The webhook at {self.host} ({self.name})")


def secrets_of(url: str) -> tuple[str, ...]:
    """Return the parts of a webhook's URL that nobody may see, the URL itself among them."""
    return tuple(dict.fromkeys(_secrets(url.strip())))


def _secrets(url: str) -> Iterator[str]:
    if url.rpartition("://")[2]:
        yield url
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
    except ValueError:
        return
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if path.strip("/"):
        yield path.strip("/")
    pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    yield from (piece for piece in pieces if _KEY.fullmatch(piece))


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL that can be a webhook's, else None."""
    try:
        parts = urlsplit(url)
        hostname, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_host = _HOST.fullmatch(hostname) and len(hostname) <= _LONGEST_HOST
    is_odd = "@" in parts.netloc or parts.fragment or _NEVER_IN_A_URL.search(url)
    has_path = bool(parts.path.strip("/") or parts.query)
    return parts if parts.scheme in ("http", "https") and is_host and has_path and not is_odd else None
