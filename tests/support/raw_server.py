"""A small HTTP server that answers whatever a test wants, broken answers too, and a relay that counts connections."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"


@dataclass(frozen=True)
class Request:
    """What arrived: over which connection, and when (seconds of a clock that only runs forward)."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: tuple[str, int]
    at: float

    @property
    def call(self) -> str:
        """The method that a JSON-RPC body calls, else the path."""
        if self.path != "/jsonrpc":
            return self.path
        params = json.loads(self.body)["params"]
        return str(params["args"][4] if params["service"] == "object" else params["method"])


@dataclass(frozen=True)
class Reply:
    """How one request is answered.

    :param raw: bytes to send instead of a proper answer; the connection is closed after them. What is whole for HTTP
        should say `Connection: close`, else the next call may be sent into a connection that is just going.
    :param close: close the connection afterwards, without having said so.
    :param stream: makes pieces to send after `raw`, one after the other, perhaps without end.
    :param hold: wait for this before anything after `raw` is sent.
    """

    status: int = 200
    body: bytes | str = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    stream: Callable[[], Iterable[bytes]] | None = None
    close: bool = False
    hold: threading.Event | None = None
    date: str | None = DATE

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer over the handler's connection."""
        if self.raw is not None:
            handler.wfile.write(self.raw)
            handler.wfile.flush()
        for piece in self.stream() if self.stream is not None else ():
            handler.wfile.write(piece)
            handler.wfile.flush()
        if self.hold is not None:
            self.hold.wait(10)
        if self.raw is None:
            self._send_properly(handler)
        handler.close_connection = self.close or self.raw is not None

    def _send_properly(self, handler: BaseHTTPRequestHandler) -> None:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        own = {"Content-Type": self.content_type, "Content-Length": str(len(body))}
        if self.date is not None:
            own["Date"] = self.date
        handler.send_response_only(self.status)
        for name, value in {**own, **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


def gzipped(body: bytes, **options: Any) -> Reply:
    """An answer that is compressed once, whatever `headers` say."""
    headers = {"Content-Encoding": "gzip", **options.pop("headers", {})}
    return Reply(body=gzip.compress(body), headers=headers, **options)


def result(value: object, **options: Any) -> Reply:
    """A JSON-RPC answer."""
    return Reply(body=json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}), **options)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers), body, self.client_address[:2], time.monotonic())
        with contextlib.suppress(OSError):  # the client may have gone
            self.server.owner.reply_to(request).send(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: RawServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is no news here."""


class RawServer:
    """Answers model calls from `script`, in order, then with `otherwise`; logins and versions by itself.

    `everything`, once set, answers all requests, logins and versions too.

    :ivar version: what it says that it is.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.version = "17.0"
        self.requests: list[Request] = []
        self.script: deque[Reply] = deque()
        self.otherwise: Callable[[Request], Reply] = lambda _: result(7)
        self.everything: Callable[[Request], Reply] | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.url = self.url.replace("http:", "https:")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def reply_to(self, request: Request) -> Reply:
        """Note a request and choose its answer."""
        self.requests.append(request)
        if self.everything is not None:
            return self.everything(request)
        if request.path == "/web/version":
            return Reply(404, "<html>no</html>", HTML_TYPE)
        if request.path == "/jsonrpc" and request.call == "version":
            return result({"server_version": self.version})
        if request.path == "/jsonrpc" and request.call == "authenticate":
            return result(2)
        return self.script.popleft() if self.script else self.otherwise(request)

    @property
    def calls(self) -> list[str]:
        """What was called, in order, without logins and versions."""
        return [one.call for one in self.requests if one.call not in ("/web/version", "version", "authenticate")]

    @property
    def connections(self) -> int:
        """How many TCP connections requests came over."""
        return len({one.connection for one in self.requests})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Relay:
    """Passes bytes on to another server and counts the connections."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self._sockets: list[socket.socket] = []

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed in the end
            while True:
                near, _ = self._listener.accept()
                self.connections += 1
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for one, other in ((near, far), (far, near)):
                    other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()

    def close(self) -> None:
        """Let go of everything."""
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def start(self) -> None:
        """Accept connections."""
        threading.Thread(target=self._accept, daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(url: str) -> Iterator[Relay]:
    """A relay in front of a server."""
    relay = Relay(url)
    relay.start()
    try:
        yield relay
    finally:
        relay.close()
