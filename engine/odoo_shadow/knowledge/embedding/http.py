"""One call of an endpoint for embeddings, within bounds of time and bytes, however it answers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException

import requests
from urllib3.exceptions import HTTPError

from odoo_shadow.knowledge.embedding.endpoint import Endpoint
from odoo_shadow.knowledge.embedding.errors import (
    EmbeddingConfigurationError,
    EmbeddingError,
    EmbeddingRetriableError,
    SlowAnswerError,
)
from odoo_shadow.source.api.headers import seconds_to_wait
from odoo_shadow.source.api.wire import Budget, open_session, spending

MOST_BYTES = 64 * 2**20
"""The largest answer: 256 vectors of 4,000 numbers have some 20 MB."""

_CONNECT_TIMEOUT = 10.0
_READ_AT_ONCE = 65_536
_IN_TIMEOUTS = 2


@dataclass(frozen=True)
class Answer:
    """An answer whose body has been read.

    :param retry_after: seconds that it asks to wait.
    """

    status: int
    body: bytes
    retry_after: float | None

    @property
    def is_html(self) -> bool:
        """Whether it is a page for people instead of data."""
        return self.body.lstrip()[:1] == b"<"


class Caller:
    """Calls one endpoint over a connection that is kept."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session = open_session(1, is_loopback=endpoint.is_loopback)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def post(self, body: bytes, at_most: float | None = None) -> Answer:
        """Post a body to the endpoint.

        :param at_most: seconds to wait for an answer to begin, if these are fewer than the endpoint's.
        :raises SlowAnswerError: it does not answer in time.
        :raises EmbeddingRetriableError: it cannot be reached.
        :raises EmbeddingError: its answer is too long, or in an encoding that was not asked for.
        :raises EmbeddingConfigurationError: it redirects, or its certificate is not trusted.
        """
        timeout = self._endpoint.timeout if at_most is None else min(at_most, self._endpoint.timeout)
        budget = Budget(timeout * _IN_TIMEOUTS, MOST_BYTES)
        try:
            with spending(budget):
                return self._exchange(body, timeout)
        except (requests.RequestException, HTTPError, HTTPException, OSError, UnicodeError) as error:
            failure = self._failure(error, budget, timeout)
        # Raised out here, it does not carry the other error, which holds the request and so the key.
        raise failure

    def _exchange(self, body: bytes, timeout: float) -> Answer:
        endpoint = self._endpoint
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if endpoint.key is not None:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        response = self._session.post(
            endpoint.url,
            data=body,
            headers=headers,
            timeout=(min(_CONNECT_TIMEOUT, timeout), timeout),
            allow_redirects=False,
            stream=True,
        )
        with closing(response):
            if response.status_code in range(300, 400):
                raise EmbeddingConfigurationError(
                    f"{endpoint} redirects to another address (HTTP {response.status_code}), which is not followed: "
                    "set EMBEDDINGS to the final one."
                )
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise EmbeddingError(
                    f"{endpoint} answered in an encoding that was not asked for: let the proxy in front of it not "
                    "compress."
                )
            content = b"".join(response.raw.stream(_READ_AT_ONCE, decode_content=False))
        return Answer(response.status_code, content, seconds_to_wait(response.headers.get("Retry-After")))

    def _failure(self, error: Exception, budget: Budget, timeout: float) -> Exception:
        endpoint = self._endpoint
        if budget.is_full:
            return EmbeddingError(
                f"{endpoint} answered with more than {MOST_BYTES >> 20} MiB, of which nothing was used: check the URL."
            )
        if isinstance(error, requests.exceptions.SSLError):
            return EmbeddingConfigurationError(
                f"{endpoint} cannot be called over TLS: check its certificate and the port."
            )
        if budget.is_late or isinstance(error, requests.exceptions.Timeout):
            return SlowAnswerError(f"{endpoint} did not answer within {timeout:g} s.")
        if isinstance(error, requests.exceptions.ConnectionError | OSError | HTTPError | HTTPException):
            return EmbeddingRetriableError(f"{endpoint} cannot be reached, or broke off its answer.")
        return EmbeddingConfigurationError(f"{endpoint} cannot be called: check the URL in EMBEDDINGS.")
