"""Which embedder somebody has chosen."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo_shadow.knowledge.embedding.endpoint import Endpoint
from odoo_shadow.knowledge.embedding.local import LocalEmbedder, is_installed
from odoo_shadow.knowledge.embedding.openai import OpenAiEmbedder
from odoo_shadow.knowledge.embedding.port import Embedder

LOCAL, NONE = "local", "none"


@dataclass(frozen=True)
class EmbeddingSettings:
    """What the options, the environment or a connection say.

    :param embeddings: `local`, `none`, or the URL of an endpoint; None takes the local model where it is installed.
    :param key: the endpoint's, which nothing shows.
    """

    embeddings: str | None = field(default=None, repr=False)
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    dimensions: int | None = None
    timeout: float = 60.0
    allow_http: bool = False


def make_embedder(settings: EmbeddingSettings) -> Embedder | None:
    """Return the embedder that the settings describe, None for a search by words alone. Nothing is called yet.

    :raises EmbeddingConfigurationError: a setting is wrong, or the local model is wanted and not installed.
    """
    chosen = (settings.embeddings or "").strip()
    if chosen == NONE or (not chosen and not is_installed()):
        return None
    if chosen in ("", LOCAL):
        return LocalEmbedder()
    return OpenAiEmbedder(
        Endpoint.parse(
            chosen,
            model=settings.model,
            key=settings.key,
            dimensions=settings.dimensions,
            timeout=settings.timeout,
            allow_http=settings.allow_http,
        )
    )
