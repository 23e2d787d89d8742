"""HTTP connections whose answers have bounds: of time and of bytes, whatever the server sends and however slowly.

A timeout bounds a single wait for bytes only; a server that sends a byte now and then would keep a call for ever. So
every send and receive of a call, including headers, chunk sizes and "100 Continue", draws on the call's `Budget`.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

_SENT_AT_ONCE = 65_536
"""Bytes; the remaining time is checked between two pieces."""


class Stage(Enum):
    """How far a call has come."""

    CONNECTING = auto()
    """No connection is established yet, or TLS is not."""
    ASKING_PROXY = auto()
    CONNECTED = auto()
    ANSWERING = auto()
    """The first bytes of an answer have arrived."""
    READING = auto()
    """All of its headers have arrived."""


class CutHeadersError(HTTPException):
    """A connection ended within an answer's headers, which `http.client` takes for their end."""


class Budget:
    """The time and the bytes that one call may use.

    :ivar is_full: whether it has used up its bytes.
    :ivar stage: how far the call has got.
    :ivar has_ended: whether the other side has closed the connection.
    """

    def __init__(self, seconds: float, answer_bytes: int) -> None:
        self.seconds = seconds
        self.stage = Stage.CONNECTING
        self.has_ended = False
        self._deadline = time.monotonic() + seconds
        self._bytes_left = answer_bytes
        self.is_full = False

    @property
    def is_late(self) -> bool:
        """Whether its time ran out."""
        return time.monotonic() >= self._deadline

    def seconds_left(self, at_most: float | None) -> float:
        """Return how long to wait for the next bytes. Raises `TimeoutError` when no time is left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the call's time ran out")
        return left if at_most is None else min(left, at_most)

    def take(self, received: int) -> None:
        """Count received bytes. Raises `OSError` when they are too many."""
        self._bytes_left -= received
        if self._bytes_left < 0:
            self.is_full = True
            raise OSError("the answer is too long")


_budget: ContextVar[Budget] = ContextVar("odoo_call_budget")


@contextmanager
def spending(budget: Budget) -> Iterator[None]:
    """Let everything that this thread sends and receives in the block draw on a budget."""
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


class _Received(io.RawIOBase):
    """A socket's incoming bytes, counted and timed."""

    def __init__(self, sock: socket.socket, source: io.RawIOBase) -> None:
        self._sock = sock
        self._source = source
        self._patience = sock.gettimeout()
        self._budget = _budget.get()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._budget.seconds_left(self._patience))
        received = self._source.readinto(buffer)
        self._budget.take(received or 0)
        self._budget.has_ended = received == 0
        if received and self._budget.stage is Stage.CONNECTED:
            self._budget.stage = Stage.ANSWERING
        return received

    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Reads a socket through `_Received`."""

    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Received(sock, sock.makefile("rb", buffering=0)))

    def begin(self) -> None:
        super().begin()
        budget = _budget.get()
        if budget.has_ended:
            raise CutHeadersError("the connection ended within the headers")
        if budget.stage is Stage.ANSWERING:  # not a proxy's, which opens the way
            budget.stage = Stage.READING


class _Http(HTTPConnection):
    """Sends in pieces, each within the time that is left, and receives through `_Response`."""

    response_class = _Response

    def connect(self) -> None:
        super().connect()
        _budget.get().stage = Stage.CONNECTED

    def _tunnel(self) -> None:
        budget = _budget.get()
        budget.stage = Stage.ASKING_PROXY
        super()._tunnel()
        budget.stage = Stage.CONNECTING

    def request(self, *args: Any, **named: Any) -> None:
        if self.sock is not None:  # kept from an earlier call
            _budget.get().stage = Stage.CONNECTED
        super().request(*args, **named)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        patience, budget = self.sock.gettimeout(), _budget.get()
        view = memoryview(data)
        for start in range(0, len(view), _SENT_AT_ONCE):
            self.sock.settimeout(budget.seconds_left(patience))
            self.sock.sendall(view[start : start + _SENT_AT_ONCE])


class _Https(_Http, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    """Makes bounded connections, through a proxy too."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        _use_bounded(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **named: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **named)
        _use_bounded(manager)
        return manager


def _use_bounded(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _Session(requests.Session):
    """A session that never examines where a redirect points.

    requests would read and decompress such an answer as a whole, even with redirects turned off.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - requests' signature
        return None


def open_session(max_connections: int, *, is_loopback: bool) -> requests.Session:
    """Return a session that keeps its connections to one server open. Use it within `spending`.

    :param is_loopback: the server is this machine.
    """
    session = _Session()
    adapter = _Adapter(pool_connections=1, pool_maxsize=max_connections, pool_block=True)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # Neither a web session of Odoo's nor .netrc must take the place of the credential.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.auth = _keep_headers
    # Calls to this machine, which may be unencrypted, must not go through a proxy that the environment names.
    session.trust_env = not is_loopback
    return session


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
