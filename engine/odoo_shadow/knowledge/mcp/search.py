"""The tool `search`: documents that fit a question, with the rights of the login."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError, EmbeddingError
from odoo_shadow.knowledge.mcp import answer
from odoo_shadow.knowledge.search.ask import Question, ask
from odoo_shadow.text.log import logger

if TYPE_CHECKING:
    from odoo_shadow.knowledge.embedding.port import Embedder, Vector
    from odoo_shadow.knowledge.mcp.answer import Json
    from odoo_shadow.knowledge.mcp.session import Sessions
    from odoo_shadow.knowledge.search.ask import Found

log = logger(__name__)

_LONGEST_TITLE = 300
_LONGEST_SNIPPET = 1_500
_TURN = 5.0
"""Seconds that a question waits until those of others have their vectors: other tools wait for its end, too."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _InTurn:
    """An embedder, which serves one thread at a time, for many."""

    embedder: Embedder

    @property
    def name(self) -> str:
        return self.embedder.name

    def embed_query(self, text: str) -> Vector:
        if not _one_at_a_time.acquire(timeout=_TURN):
            raise EmbeddingError("it takes long to make those of other questions.")
        try:
            return self.embedder.embed_query(text)
        except (EmbeddingError, EmbeddingConfigurationError) as error:
            log.warning("A question was searched by words alone: %s", error)
            raise
        finally:
            _one_at_a_time.release()


def search(sessions: Sessions, embedder: Embedder | None, question: Question) -> dict[str, Json]:
    """Find documents.

    :param embedder: None to search by words alone.
    :raises SearchError: there are no documents, or none of a model that was named.
    :raises ShadowError: the database could not be asked.
    """
    with sessions.database() as shadow:
        found = ask(shadow, question, None if embedder is None else _InTurn(embedder))
    return {
        "note": answer.NOTE,
        "as_of": answer.moment(found.oldest),
        **({"by_words_because": found.by_words_because} if found.by_words_because else {}),
        "found": [_as_json(item) for item in found.found],
    }


def _as_json(item: Found) -> dict[str, Json]:
    return {
        "odoo_model": item.odoo_model,
        "odoo_id": item.odoo_id,
        "title": answer.text(item.title, _LONGEST_TITLE),
        "text": answer.text(item.snippet, _LONGEST_SNIPPET),
        "url": item.url,
        "score": round(item.score, 4),
        "dated_at": answer.moment(item.dated_at),
        "company_id": item.company_id,
        **({} if item.by_words else {"near_by_meaning_alone": True}),
    }
