"""What is asked of anything that makes vectors of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Vector: TypeAlias = Sequence[float]
"""Of length 1, so that the cosine of two is the sum of their products."""


@dataclass(frozen=True)
class Passage:
    """A document as it is embedded; neither part is longer than `Embedder.longest`.

    :param title: what it is, in a line; counts more than the body.
    """

    title: str
    body: str

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.title) + len(self.body)


@dataclass(frozen=True)
class Load:
    """What a number of documents costs to embed.

    :param requests: calls over the network; 0 for a model on this machine.
    :param tokens: an estimate: three characters each, which is more than most languages need.
    """

    documents: int
    characters: int
    tokens: int
    requests: int


class QuestionEmbedder(Protocol):
    """Makes vectors of what people ask."""

    @property
    def name(self) -> str:
        """Which model it is, and how it reads documents: only vectors under the same name may be compared."""

    def embed_query(self, text: str) -> Vector:
        """Return the vector of what somebody asks. Raises an `EmbeddingError`."""


class Embedder(QuestionEmbedder, Protocol):
    """Makes vectors of texts. Safe to use from one thread at a time."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has. Raises an `EmbeddingError` if that has to be asked and is not answered."""

    @property
    def longest(self) -> int:
        """Characters of a passage that are read; more are cut off."""

    @property
    def batch(self) -> int:
        """How many passages it takes best at once."""

    def embed_documents(self, passages: Sequence[Passage]) -> list[Vector]:
        """Return a vector for each passage, in their order.

        :raises RefusedTextError: one of them cannot be made a vector; each on its own tells which.
        :raises EmbeddingError: there is no answer, or one that cannot be used.
        """

    def load(self, passages: int, characters: int) -> Load:
        """Estimate what so many passages of so many characters in all cost."""

    def close(self) -> None:
        """Let go of connections."""
