"""Embeddings of an endpoint that speaks OpenAI's protocol: OpenAI, Mistral, Ollama, vLLM and many others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from odoo_shadow.knowledge.embedding.answers import check_status, read_vectors
from odoo_shadow.knowledge.embedding.endpoint import Endpoint
from odoo_shadow.knowledge.embedding.errors import (
    EmbeddingConfigurationError,
    EmbeddingError,
    EmbeddingRetriableError,
    RefusedTextError,
    SlowAnswerError,
)
from odoo_shadow.knowledge.embedding.http import Caller
from odoo_shadow.knowledge.embedding.port import Load, Passage, Vector
from odoo_shadow.text.log import logger

log = logger(__name__)

FORM = "whole 1"
"""How documents are read. It stands behind the model's name: another form makes other vectors, under another name."""

LONGEST = 6_000
"""Characters of a passage: some 2,000 tokens, a quarter of what OpenAI's models take."""

SHORTEST = 400
"""To so few characters a text is cut that is refused, which may be because it is too long for the model."""

FIRST_TEXTS = 16
MOST_TEXTS = 128
"""Of one request: the first has few, since a small server works on for minutes at one that is no longer waited for; as
long as answers are quick, the next has twice as many."""

MOST_CHARACTERS = 120_000
"""Of one request: some 40,000 tokens; OpenAI takes 300,000."""

TRIES = 6
LONGEST_WAIT = 60.0
"""Seconds before another try, whatever Retry-After asks for; the next run goes on where this one gives up."""

TRIES_OF_A_QUESTION = 2
LONGEST_WAIT_OF_A_QUESTION = 2.0
LONGEST_ANSWER_TO_A_QUESTION = 10.0
"""Seconds. Somebody waits for the answer, which words alone can give, too."""

_BACK_OFF = wait_random_exponential(multiplier=0.5, max=30.0)
_CHARACTERS_PER_TOKEN = 3
_QUICK = 4
"""An answer is quick that takes less than this part of the time that is waited for it."""

_PROBE = "Sales Order"


@dataclass(frozen=True)
class _Patience:
    """How long vectors are waited for.

    :param wait: seconds before another try, at most.
    :param answer: seconds for an answer, at most; None for as long as the endpoint's settings say.
    """

    tries: int
    wait: float
    answer: float | None = None


_OF_DOCUMENTS = _Patience(TRIES, LONGEST_WAIT)
_OF_A_QUESTION = _Patience(TRIES_OF_A_QUESTION, LONGEST_WAIT_OF_A_QUESTION, LONGEST_ANSWER_TO_A_QUESTION)


class OpenAiEmbedder:
    """Makes vectors by calls of an endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._caller = Caller(endpoint)
        self._dimensions: int | None = None
        self.name = f"{endpoint.model} {FORM}"
        self.longest = LONGEST
        self.batch = FIRST_TEXTS
        self._grows = True

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has: the endpoint is asked once."""
        if self._dimensions is None:
            try:
                self._embed([_PROBE])
            except RefusedTextError as error:  # nothing is wrong with that text
                raise EmbeddingConfigurationError(
                    f"{self._endpoint} refuses every text, so a setting may be wrong: check EMBEDDINGS_MODEL and "
                    f"EMBEDDINGS_DIMENSIONS. {error}"
                ) from None
        return self._dimensions or 0

    def embed_documents(self, passages: Sequence[Passage]) -> list[Vector]:
        """Return a vector for each passage, in as many requests as needed."""
        texts = [_text(passage)[: self.longest] for passage in passages]
        vectors: list[Vector] = []
        while len(vectors) < len(texts):
            request = next(requests_of(texts[len(vectors) :], self.batch))
            began = time.monotonic()
            try:
                vectors += self._embed(request)
                self._grows = self._grows and (time.monotonic() - began) * _QUICK < self._endpoint.timeout
                if self._grows and len(request) == self.batch:
                    self.batch = min(self.batch * 2, MOST_TEXTS)
            except SlowAnswerError:
                if len(request) == 1:
                    raise
                self.batch, self._grows = len(request) // 2, False
                log.info("%s is slow: it gets %d texts at once from now on", self._endpoint, self.batch)
        return vectors

    def embed_query(self, text: str) -> Vector:
        """Return the vector of what somebody asks."""
        return self._embed([text[: self.longest]], _OF_A_QUESTION)[0]

    def load(self, passages: int, characters: int) -> Load:
        """Estimate what so many passages cost."""
        texts = max(-(-passages // MOST_TEXTS), -(-characters // MOST_CHARACTERS))
        return Load(passages, characters, -(-characters // _CHARACTERS_PER_TOKEN), texts)

    def close(self) -> None:
        """Close the connection."""
        self._caller.close()

    def _embed(self, texts: Sequence[str], patience: _Patience = _OF_DOCUMENTS) -> list[Vector]:
        """Embed the texts of one request; a single one that is refused is tried in ever shorter forms."""
        try:
            return self._ask(texts, patience)
        except RefusedTextError:
            if len(texts) > 1 or len(texts[0]) <= SHORTEST:
                raise
        length = max(len(texts[0]) // 2, SHORTEST)
        vectors = self._embed([texts[0][:length]], patience)
        # It was too long for the model: others of that length would be, too.
        self.longest = min(self.longest, length)
        return vectors

    def _ask(self, texts: Sequence[str], patience: _Patience) -> list[Vector]:
        # Of texts that took too long, fewer are tried at once; a question that did is asked of the words alone.
        has_time = patience.answer is None and len(texts) == 1
        retrying = Retrying(
            stop=stop_after_attempt(patience.tries),
            wait=lambda state: min(_wait(state), patience.wait),
            retry=retry_if_exception(
                lambda error: (
                    isinstance(error, EmbeddingRetriableError) and (has_time or not isinstance(error, SlowAnswerError))
                )
            ),
            before_sleep=_say,
            reraise=True,
        )
        found: list[Vector | None] = retrying(self._try, texts, patience.answer)
        vectors = [vector for vector in found if vector is not None]
        if len(vectors) < len(found):
            raise RefusedTextError(f"{self._endpoint} answered a vector that is empty, zero, NaN or infinite.")
        self._check_dimensions(len(vectors[0]))
        return vectors

    def _try(self, texts: Sequence[str], at_most: float | None) -> list[Vector | None]:
        endpoint = self._endpoint
        body: dict[str, object] = {"model": endpoint.model, "input": list(texts), "encoding_format": "float"}
        if endpoint.dimensions is not None:
            body["dimensions"] = endpoint.dimensions
        answer = self._caller.post(json.dumps(body).encode(), at_most)
        check_status(endpoint, answer)
        return read_vectors(endpoint, answer, len(texts))

    def _check_dimensions(self, found: int) -> None:
        expected = self._dimensions or self._endpoint.dimensions
        if expected is not None and found != expected:
            raise EmbeddingError(
                f"{self._endpoint} answered vectors of {found:,} dimensions, but {expected:,} are expected: correct "
                "EMBEDDINGS_DIMENSIONS, or check whether the model behind EMBEDDINGS_MODEL is another one now."
            )
        self._dimensions = found


def requests_of(texts: Sequence[str], most: int = MOST_TEXTS) -> Iterator[list[str]]:
    """Divide texts into requests of bounded number and length, in order."""
    request: list[str] = []
    characters = 0
    for text in texts:
        if request and (len(request) == most or characters + len(text) > MOST_CHARACTERS):
            yield request
            request, characters = [], 0
        request.append(text)
        characters += len(text)
    if request:
        yield request


def _text(passage: Passage) -> str:
    return f"{passage.title}\n{passage.body}".strip()


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, EmbeddingRetriableError) else None
    return _BACK_OFF(state) if asked is None else asked


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("%s Another try follows.", error)
