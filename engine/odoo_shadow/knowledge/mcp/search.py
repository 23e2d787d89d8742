"""The tool `search`: documents that fit a question, with the rights of the login."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from odoo_shadow.knowledge.mcp import answer
from odoo_shadow.knowledge.search.ask import Question, ask

if TYPE_CHECKING:
    from odoo_shadow.knowledge.embedding.port import Embedder
    from odoo_shadow.knowledge.mcp.answer import Json
    from odoo_shadow.knowledge.mcp.session import Sessions
    from odoo_shadow.knowledge.search.ask import Found

_LONGEST_TITLE = 300
_LONGEST_SNIPPET = 1_500
_one_at_a_time = threading.Lock()
"""An embedder serves one thread at a time."""


def search(sessions: Sessions, embedder: Embedder | None, question: Question) -> dict[str, Json]:
    """Find documents.

    :param embedder: None to search by words alone.
    :raises SearchError: there are no documents, or none of a model that was named.
    :raises ShadowError: the database could not be asked.
    """
    with sessions.database() as shadow, _turn(embedder):
        found = ask(shadow, question, embedder)
    return {
        "note": answer.NOTE,
        "as_of": answer.moment(found.oldest),
        **({"by_words_because": found.by_words_because} if found.by_words_because else {}),
        "found": [_as_json(item) for item in found.found],
    }


def _turn(embedder: Embedder | None) -> threading.Lock:
    return threading.Lock() if embedder is None else _one_at_a_time


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
