"""One HTTP call to Odoo: a kept-alive session, timeouts, a rate limit, and clear errors for every way to fail."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError

from airflow_provider_odoo_shadow.source.connection import OdooConnection
from airflow_provider_odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooServerError,
    OdooThrottledError,
    OdooTimeoutError,
    OdooUnreachableError,
)
from airflow_provider_odoo_shadow.source.types import Json

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a TCP connection; an answer may take as long as the connection's own timeout."""

_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class HttpAnswer:
    """What came back."""

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
        self._session = _session(connection)
        self._pace = threading.Lock()
        self._next_call = 0.0
        self._server_time: datetime | None = None

    @property
    def server_time(self) -> datetime | None:
        """The server's clock in its newest answer (HTTP `Date`, whole seconds, cut off), None before the first."""
        return self._server_time

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()

    def get(self, path: str) -> HttpAnswer:
        """Fetch a path below the connection's URL. Raises an `OdooError`."""
        return self._send("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Post a body to a path below the connection's URL. Raises an `OdooError`."""
        return self._send("POST", path, body, headers)

    def decode(self, answer: HttpAnswer) -> Json:
        """Read an answer's body as JSON.

        :raises OdooServerError: it is a page of HTML, or not whole.
        """
        try:
            return cast(Json, json.loads(answer.body))
        except ValueError:
            raise self.not_data(answer) from None

    def not_data(self, answer: HttpAnswer) -> OdooServerError:
        """Build the error for an answer that is not what the protocol promises."""
        what = "a page of HTML" if answer.is_html else "something that is not a whole Odoo answer"
        return OdooServerError(
            f"{self.connection} answered {what} (HTTP {answer.status}): "
            "check the URL, or whether a proxy in front shows a maintenance page."
        )

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        self._wait_for_turn()
        try:
            response = self._session.request(
                method,
                self.connection.url + path,
                data=body,
                headers=dict(headers),
                timeout=(min(CONNECT_TIMEOUT, self.connection.timeout), self.connection.timeout),
                verify=self.connection.verify,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise self._network_error(error) from None
        self._note_time(response.headers.get("Date"))
        self._check_status(response, path)
        return HttpAnswer(response.status_code, response.content, response.headers.get("Content-Type", ""))

    def _wait_for_turn(self) -> None:
        if self.connection.requests_per_second is None:
            return
        with self._pace:
            now = time.monotonic()
            wait = max(0.0, self._next_call - now)
            self._next_call = now + wait + 1.0 / self.connection.requests_per_second
        time.sleep(wait)

    def _note_time(self, date: str | None) -> None:
        if date is None:
            return
        try:
            self._server_time = parsedate_to_datetime(date).astimezone(UTC)
        except ValueError:
            return

    def _network_error(self, error: Exception) -> Exception:
        connection = self.connection
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE" not in str(error).upper():
            return OdooConfigurationError(f"{connection} does not speak TLS there: use http, or the port of https.")
        if isinstance(error, requests.exceptions.SSLError):
            return OdooConfigurationError(
                f"{connection}: the server's certificate is not trusted; "
                "set verify to a CA file that knows it, or to false for a test server."
            )
        if isinstance(error, requests.exceptions.Timeout) or _stopped_half_way(error):
            return OdooTimeoutError(
                f"{connection} did not answer within {connection.timeout:g} s: try smaller pages, or a longer timeout."
            )
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return OdooConfigurationError(f"{connection}: the URL is not one that can be called; correct the host.")
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            return OdooConfigurationError(f"{connection}: {error.strerror or 'cannot read the CA file'}: see verify.")
        if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
            return OdooUnreachableError(f"{connection} broke off in the middle of an answer.")
        return OdooUnreachableError(
            f"{connection} cannot be reached: check the URL and the port, and that this machine may connect to it."
        )

    def _check_status(self, response: requests.Response, path: str) -> None:
        status, connection = response.status_code, self.connection
        if status in _REDIRECTS:
            raise OdooConfigurationError(
                f"{connection} redirects {path} to another address (HTTP {status}): "
                "put the final URL into the connection, with https if the server wants it."
            )
        retry_after = _seconds(response.headers.get("Retry-After"))
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


def _session(connection: OdooConnection) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connection.max_connections, pool_block=True)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # A web session of Odoo's must not stand in for the credential, and .netrc must not replace it.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.auth = _keep_headers
    return session


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _stopped_half_way(error: Exception) -> bool:
    """Say whether the answer began, but did not go on in time; requests calls that a ConnectionError."""
    return bool(error.args) and isinstance(error.args[0], ReadTimeoutError)


def _seconds(retry_after: str | None) -> float | None:
    """Read `Retry-After`: seconds, or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
