"""MCP over HTTP: with a token always, and only for whoever calls the server by its own name."""

from __future__ import annotations

import hashlib
import hmac
import signal
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from odoo_shadow.knowledge.mcp.address import PATH, Address
from odoo_shadow.shadow.errors import ShadowConfigurationError
from odoo_shadow.text.hosts import is_loopback

if TYPE_CHECKING:
    from types import FrameType

    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

_LONGEST_BODY = 1_000_000
_MOST_CONNECTIONS = 64


def listen(address: Address) -> socket.socket:
    """Begin to listen.

    :raises ShadowConfigurationError: the address is taken, or is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise ShadowConfigurationError(
            f"--http {address.host}:{address.port} cannot be listened at ({error.strerror or error}): choose another."
        ) from None


def serve_http(server: Server[Any], listening: socket.socket, token: str, *, is_loopback: bool) -> None:
    """Serve until SIGTERM or Ctrl-C.

    :raises KeyboardInterrupt: it was Ctrl-C.
    """
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=_LONGEST_BODY,
        # The guard checks these, and the token, before anything is read.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    config = uvicorn.Config(
        Guard(app, token, is_loopback=is_loopback),
        access_log=False,
        log_level="critical",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=65_536,
        http="h11",
        ws="none",
    )
    serving = _Serving(config)
    serving.run(sockets=[listening])
    if serving.was_interrupted:  # whoever was started in the background has no handler of its own for it
        raise KeyboardInterrupt


class _Serving(uvicorn.Server):
    """A server that remembers Ctrl-C."""

    was_interrupted = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.was_interrupted = self.was_interrupted or sig == signal.SIGINT
        super().handle_exit(sig, frame)


class Guard:
    """Answers nobody who has no token, nor a page in a browser that was led here under another name.

    :param is_loopback: the server listens on this machine alone, so no other name can lead to it honestly.
    """

    def __init__(self, app: ASGIApp, token: str, *, is_loopback: bool) -> None:
        self._app = app
        self._digest = _digest(token.encode())
        self._is_loopback = is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] == "http":
            refusal = self._refusal(Headers(scope=scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        elif scope["type"] != "lifespan":
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._is_loopback and not is_loopback(_name_of(host).lower()):
            return PlainTextResponse("This server answers to its own name only.", status_code=421)
        if origin is not None and origin.partition("://")[2] != host:
            return PlainTextResponse("Pages of other sites cannot ask this server.", status_code=403)
        kind, _, given = headers.get("authorization", "").partition(" ")
        # Digests are of one length, whatever was sent.
        is_known = hmac.compare_digest(_digest(given.strip().encode()), self._digest)
        if kind.lower() != "bearer" or not is_known:
            challenge = {"WWW-Authenticate": "Bearer"}
            return PlainTextResponse("A bearer token is needed.", status_code=401, headers=challenge)
        return None


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _name_of(host: str) -> str:
    """Return a Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
