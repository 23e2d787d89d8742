"""Reads answers of an endpoint: what is not a vector for each text, in order, is never taken for one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from odoo_shadow.knowledge.embedding.endpoint import Endpoint
from odoo_shadow.knowledge.embedding.errors import (
    EmbeddingConfigurationError,
    EmbeddingError,
    EmbeddingRetriableError,
    RefusedTextError,
)
from odoo_shadow.knowledge.embedding.http import Answer
from odoo_shadow.knowledge.embedding.port import Vector
from odoo_shadow.knowledge.embedding.vectors import MOST_DIMENSIONS, unit
from odoo_shadow.text.shown import shown

_LONGEST_REASON = 200
_REFUSED_TEXT = (400, 413, 422)
_FOR_LATER = (408, 425, 429)


def check_status(endpoint: Endpoint, answer: Answer) -> None:
    """Raise an error for an answer that is not 200; it says what its user can do."""
    status = answer.status
    if status in range(200, 300):
        return
    reason = _reason(answer)
    if status in (401, 403):
        what = "refuses the key" if endpoint.key else "demands a key"
        raise EmbeddingConfigurationError(f"{endpoint} {what} (HTTP {status}): correct EMBEDDINGS_API_KEY.{reason}")
    if status in (404, 405):
        raise EmbeddingConfigurationError(
            f"{endpoint} has no embeddings at this address, or not this model (HTTP {status}): correct EMBEDDINGS or "
            f"EMBEDDINGS_MODEL.{reason}"
        )
    if status in _REFUSED_TEXT:
        raise RefusedTextError(f"{endpoint} refuses a text (HTTP {status}).{reason}")
    if status in _FOR_LATER or status >= 500:
        what = "refuses more calls for now" if status == 429 else "failed"
        raise EmbeddingRetriableError(f"{endpoint} {what} (HTTP {status}).{reason}", retry_after=answer.retry_after)
    raise EmbeddingError(f"{endpoint} refuses to answer (HTTP {status}).{reason}")


def read_vectors(endpoint: Endpoint, answer: Answer, texts: int) -> list[Vector | None]:
    """Return the vectors of so many texts, in the texts' order; None where one has no direction, such as of NaN.

    :raises EmbeddingRetriableError: the answer is not one for these texts.
    """
    items = _items(endpoint, answer)
    if len(items) != texts:
        raise EmbeddingRetriableError(f"{endpoint} answered {len(items):,} vectors for {texts:,} texts.")
    found: list[Vector | None] = []
    lengths: set[int] = set()
    for values in _in_order(endpoint, items):
        if not isinstance(values, list) or not 1 <= len(values) <= MOST_DIMENSIONS:
            raise EmbeddingRetriableError(
                f"{endpoint} answered something that is not a list of 1 to {MOST_DIMENSIONS:,} numbers: a model of "
                "more dimensions needs EMBEDDINGS_DIMENSIONS."
            )
        lengths.add(len(values))
        found.append(unit(values))
    if len(lengths) > 1:
        raise EmbeddingRetriableError(f"{endpoint} answered vectors of {len(lengths)} lengths at once.")
    return found


def _items(endpoint: Endpoint, answer: Answer) -> list[object]:
    try:
        document: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        what = "a page of HTML" if answer.is_html else "something that is not JSON"
        raise EmbeddingRetriableError(f"{endpoint} answered {what}: check the URL in EMBEDDINGS.") from None
    items = document.get("data") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise EmbeddingRetriableError(
            f"{endpoint} answered JSON that has no embeddings: check the URL in EMBEDDINGS and EMBEDDINGS_MODEL."
        )
    return items


def _in_order(endpoint: Endpoint, items: Sequence[object]) -> list[object]:
    """Return what each item holds, by its index; some servers give none, and then the order is the texts'."""
    entries = [item if isinstance(item, dict) else {} for item in items]
    places = [entry.get("index") for entry in entries]
    if all(place is None for place in places):
        return [entry.get("embedding") for entry in entries]
    by_place = {
        place: entry.get("embedding")
        for place, entry in zip(places, entries, strict=True)
        if isinstance(place, int) and not isinstance(place, bool)
    }
    if sorted(by_place) != list(range(len(entries))):
        raise EmbeddingRetriableError(f"{endpoint} answered vectors of which it is unclear whose they are.")
    return [by_place[place] for place in range(len(entries))]


def _reason(answer: Answer) -> str:
    """Return what the endpoint says itself, in OpenAI's form or as text."""
    try:
        document: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    said: object = document
    for key in ("error", "message"):
        if isinstance(said, dict):
            said = said.get(key, said if key == "error" else None)
    return f" It says: {shown(said, longest=_LONGEST_REASON)}" if isinstance(said, str) and said.strip() else ""
