"""The address of an endpoint for embeddings, and the key that it is called with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError
from odoo_shadow.knowledge.embedding.vectors import MOST_DIMENSIONS
from odoo_shadow.text.hosts import is_loopback
from odoo_shadow.text.redaction import protect
from odoo_shadow.text.shown import Shown, shown

_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff\\]")
_HOST = re.compile(r"[\w.:-]{1,253}")
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_LONGEST_MODEL = 200
_PATH = "/embeddings"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that speaks OpenAI's protocol for embeddings.

    :param dimensions: how long vectors are asked to be; None takes them as the model makes them.
    :param timeout: seconds for an answer to begin, and as many for it to arrive.
    """

    url: str = field(repr=False)
    host: str
    model: str
    key: str | None = field(default=None, repr=False)
    dimensions: int | None = None
    timeout: float = 60.0

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        model: str | None,
        key: str | None = None,
        dimensions: int | None = None,
        timeout: float = 60.0,
        allow_http: bool = False,
    ) -> Self:
        """Check what somebody typed, and let `redact` know the key.

        :param url: with or without `/embeddings` at the end, as programs for OpenAI's API take it.
        :raises EmbeddingConfigurationError: a part is missing or wrong, or the key would travel unencrypted.
        """
        own_key = (key or "").strip() or None
        protect(own_key)
        address, hostname = _read(url.strip(), allow_http=allow_http)
        if own_key is not None and not _KEY.fullmatch(own_key):
            raise EmbeddingConfigurationError(
                "EMBEDDINGS_API_KEY has characters that no key has, such as blanks or line ends: copy it again."
            )
        name = (model or "").strip()
        if not name or len(name) > _LONGEST_MODEL or not name.isprintable():
            raise EmbeddingConfigurationError(
                "EMBEDDINGS_MODEL is missing: set it to the name of a model that the endpoint has, such as "
                "text-embedding-3-small."
            )
        if dimensions is not None and not 1 <= dimensions <= MOST_DIMENSIONS:
            raise EmbeddingConfigurationError(
                f"EMBEDDINGS_DIMENSIONS is {dimensions}, but vectors have between 1 and {MOST_DIMENSIONS:,} dimensions."
            )
        return cls(address, hostname, name, own_key, dimensions, timeout)

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.host)

    def __str__(self) -> Shown:
        """Return how messages call it."""
        return shown(f"The embeddings' endpoint at {self.host}")


def _read(url: str, *, allow_http: bool) -> tuple[str, str]:
    """Return the address that is called, and its host."""
    parts = _split(url)
    hostname = parts.hostname if parts else None
    if parts is None or hostname is None:
        raise EmbeddingConfigurationError(
            "EMBEDDINGS is not local, none or a URL such as https://api.example.com/v1 (http or https, without a "
            "login; the key goes into EMBEDDINGS_API_KEY)."
        )
    if parts.scheme == "http" and not (allow_http or is_loopback(hostname)):
        raise EmbeddingConfigurationError(
            f"EMBEDDINGS would send texts and the key unencrypted to {hostname}: write https://…, or, if that network "
            "is trusted, set EMBEDDINGS_ALLOW_HTTP=true."
        )
    for _, value in parse_qsl(parts.query):  # some servers take a key there
        protect(value)
    path = parts.path.rstrip("/") or "/v1"
    whole = path if path.endswith(_PATH) else path + _PATH
    return parts._replace(path=whole).geturl(), hostname


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL that can be an endpoint's, else None. Some have a version in the query."""
    try:
        parts = urlsplit(url)
        hostname, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    is_odd = "@" in parts.netloc or parts.fragment or _NEVER_IN_A_URL.search(url)
    return parts if parts.scheme in ("http", "https") and _HOST.fullmatch(hostname) and not is_odd else None
