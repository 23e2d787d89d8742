"""One HTTP call to Odoo: a kept-alive session, bounds, a rate limit, and clear errors for every way to fail."""

from __future__ import annotations

import io
import json
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import cast

import requests
from urllib3.exceptions import HTTPError

from odoo_shadow.source.api.answers import is_flat_enough
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.headers import announced_bytes, moment_of, seconds_to_wait
from odoo_shadow.source.api.inflate import Inflater, TooLongError
from odoo_shadow.source.api.network import damaged, network_error, wants_tls
from odoo_shadow.source.api.wire import Budget, open_session, spending
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooError,
    OdooLargeAnswerError,
    OdooServerError,
    OdooThrottledError,
)
from odoo_shadow.source.types import Json
from odoo_shadow.text.log import logger

log = logger(__name__)

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a TCP connection; an answer may take as long as the connection's own timeout."""

DEADLINE_IN_TIMEOUTS = 2
"""A call takes at most this many of the connection's timeouts: one until the answer begins, one while it arrives."""

MOST_BYTES = 128 * 2**20
"""The largest answer, as it arrives and decompressed; a single record may be as large."""

PAGE_BYTES = 8 * 2**20
"""The largest answer with several records, which can be asked for in smaller numbers. A page of 2,000 records has 3 to
10 MB, and takes about five times as much memory while it is read and written."""

_MOST_COUNTED = 4 * PAGE_BYTES
"""How far an answer that is too large, and did not announce its size, is read in order to count its bytes."""

MOST_VALUES = 8_000_000
"""Values of one answer, or ids. Each takes up to a hundred bytes in memory, and three on the wire (`[],`)."""

_HEADERS_BYTES = 2**20
_READ_AT_ONCE = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class HttpAnswer:
    """An answer whose body has been read."""

    status: int
    body: bytes
    content_type: str

    @property
    def is_html(self) -> bool:
        """Whether a page for people came instead of data."""
        return "html" in self.content_type or (self.body.lstrip()[:1] == b"<" and "xml" not in self.content_type)


class HttpTransport:
    """Sends requests to one Odoo. Safe to use from several threads."""

    def __init__(self, connection: OdooConnection) -> None:
        self.connection = connection
        self._session = open_session(connection.max_connections, is_loopback=connection.is_loopback)
        self._pace = threading.Lock()
        self._next_call = 0.0
        self._calls = 0
        self._connect_timeout = min(CONNECT_TIMEOUT, connection.timeout)
        self._server_time: datetime | None = None
        self._of_thread = threading.local()
        if connection.verify is False and not connection.is_loopback:
            log.warning(
                "%s: verify is false, so the server's certificate is not checked, and anyone in between can read and "
                "change everything: set verify to true or a CA file.",
                connection,
            )

    @property
    def server_time(self) -> datetime | None:
        """The server's clock in its newest answer (HTTP `Date`, whole seconds, cut off), None before the first."""
        return self._server_time

    @property
    def received_bytes(self) -> int:
        """The size of all answers that this thread has read."""
        return getattr(self._of_thread, "received_bytes", 0)

    @property
    def calls(self) -> int:
        """How many requests all threads have sent so far."""
        return self._calls

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str) -> HttpAnswer:
        """Fetch a path below the connection's URL. Raises an `OdooError`."""
        return self._send("GET", path, None, {}, can_split=False)

    def post(self, path: str, body: bytes, headers: Mapping[str, str], *, can_split: bool = False) -> HttpAnswer:
        """Post a body to a path below the connection's URL. Raises an `OdooError`.

        :param can_split: the caller can ask for less, so that the answer may have no more than `PAGE_BYTES`.
        """
        return self._send("POST", path, body, headers, can_split=can_split)

    def decode(self, answer: HttpAnswer) -> Json:
        """Read an answer's body as JSON.

        :raises OdooServerError: it is a page of HTML, not whole, or beyond all bounds.
        """
        self.check_values(sum(answer.body.count(sign) for sign in (b",", b":", b"[", b"{")))
        try:
            value = cast(Json, json.loads(answer.body))
        except (ValueError, RecursionError):
            value, is_read = None, False
        else:
            is_read = is_flat_enough(value)
        if not is_read:
            raise self.not_data(answer)
        return value

    def check_values(self, values: int) -> None:
        """Make sure that an answer does not have more values than memory should hold.

        :raises OdooServerError: it does.
        """
        if values > MOST_VALUES:
            raise self._too_much(f"{MOST_VALUES:,} values")

    def not_data(self, answer: HttpAnswer) -> OdooServerError:
        """Build the error for an answer that is not what the protocol promises."""
        what = "a page of HTML" if answer.is_html else "something that is not a whole Odoo answer"
        return OdooServerError(
            f"{self.connection} answered {what} (HTTP {answer.status}): "
            f"check the URL, or whether a proxy in front shows a maintenance page.{self.connection.path_hint}"
        )

    def no_api(self, path: str) -> OdooConfigurationError:
        """Build the error for a server that has nothing at the API's address."""
        return OdooConfigurationError(
            f"{self.connection} has no Odoo API at {path} (HTTP 404): check the URL and its path."
            f"{self.connection.path_hint}"
        )

    def too_large(self, answer_bytes: int) -> OdooLargeAnswerError:
        """Build the error for records that should be asked for in smaller numbers."""
        return OdooLargeAnswerError(
            f"{self.connection} answered {answer_bytes >> 20} MiB or more, which is too much for one page.",
            answer_bytes=answer_bytes,
        )

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], *, can_split: bool
    ) -> HttpAnswer:
        self._wait_for_turn()
        budget = Budget(self.connection.timeout * DEADLINE_IN_TIMEOUTS, MOST_BYTES + _HEADERS_BYTES)
        failure: OdooError | None = None
        try:
            with spending(budget):
                return self._exchange(method, path, body, headers, can_split=can_split)
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            full = self._too_much(f"{MOST_BYTES >> 20} MiB") if budget.is_full else None
            failure = full or network_error(self.connection, error, budget, self._connect_timeout)
        # Raised out here, it does not carry the other error, which holds the request and so the credential.
        raise failure

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], *, can_split: bool
    ) -> HttpAnswer:
        with self._pace:
            self._calls += 1
        response = self._session.request(
            method,
            self.connection.url + path,
            data=body,
            headers={"Accept-Encoding": "gzip", **headers},
            timeout=(self._connect_timeout, self.connection.timeout),
            verify=self.connection.verify,
            allow_redirects=False,
            stream=True,
        )
        with closing(response):
            self._note_time(response.raw.headers.getlist("Date"))
            self._check_status(response, path)
            answer = self._read(response, PAGE_BYTES if can_split else None)
        self._of_thread.received_bytes = self.received_bytes + len(answer)
        self._check_failure(response, answer)
        return HttpAnswer(response.status_code, answer, response.headers.get("Content-Type", ""))

    def _read(self, response: requests.Response, page_bytes: int | None) -> bytes:
        """Read a body within bounds; of encodings only the one that was asked for, and only once, is undone.

        :param page_bytes: how long it may be, since less can be asked for; None when it cannot.
        :raises OdooLargeAnswerError: it is longer.
        """
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        pieces: Iterable[bytes] = response.raw.stream(_READ_AT_ONCE, decode_content=False)
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise OdooServerError(
                f"{self.connection} answered in an encoding that was not asked for: "
                "let the proxy in front of it compress with gzip only, or not at all."
            )
        announced = announced_bytes(response.headers.get("Content-Length"))
        if page_bytes is not None and announced > page_bytes:
            raise self.too_large(announced)
        length = 0
        with io.BytesIO() as body:  # closed, so that the error of a try does not keep its bytes while others are made
            for piece in self._inflated(pieces) if "gzip" in encoding else pieces:
                length += len(piece)
                if page_bytes is None or length <= page_bytes:
                    body.write(piece)
                elif length > _MOST_COUNTED:
                    break
            if page_bytes is not None and length > page_bytes:
                raise self.too_large(length)
            return body.getvalue()

    def _inflated(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        inflater = Inflater(MOST_BYTES)
        for piece in pieces:
            try:
                plain = inflater.feed(piece)
            except zlib.error:
                raise damaged(self.connection) from None
            except TooLongError:
                raise self._too_much(f"{MOST_BYTES >> 20} MiB") from None
            yield plain
        if not inflater.is_whole:
            raise damaged(self.connection)

    def _wait_for_turn(self) -> None:
        if self.connection.requests_per_second is None:
            return
        with self._pace:
            now = time.monotonic()
            wait = max(0.0, self._next_call - now)
            self._next_call = now + wait + 1.0 / self.connection.requests_per_second
        time.sleep(wait)

    def _note_time(self, dates: Iterable[str]) -> None:
        """Keep the server's clock; of several dates, which a server and proxies may send, the earliest."""
        moments = [moment for moment in map(moment_of, dates) if moment is not None]
        if moments:
            self._server_time = min(moments)

    def _too_much(self, what: str) -> OdooServerError:
        return OdooServerError(
            f"{self.connection} answered one call with more than {what}, and none of it was used: try smaller pages."
        )

    def _check_status(self, response: requests.Response, path: str) -> None:
        status, connection = response.status_code, self.connection
        if status in _REDIRECTS:
            raise OdooConfigurationError(
                f"{connection} redirects {path} to another address (HTTP {status}): "
                f"put the final URL into the connection, with https if the server wants it.{connection.path_hint}"
            )

    def _check_failure(self, response: requests.Response, body: bytes) -> None:
        status, connection = response.status_code, self.connection
        plain = wants_tls(connection, status, body)
        if plain:
            raise plain
        retry_after = seconds_to_wait(response.headers.get("Retry-After"))
        if status == 429:
            wait = f" and asks to wait {retry_after:g} s" if retry_after else ""
            raise OdooThrottledError(
                f"{connection} refuses more calls for now (HTTP 429){wait}: lower requests_per_second.",
                retry_after=retry_after,
            )
        is_json = "json" in response.headers.get("Content-Type", "")
        if status >= 500 and not is_json:
            raise OdooServerError(
                f"{connection} or a proxy in front of it failed (HTTP {status}).", retry_after=retry_after
            )
