"""MCP over HTTP: with a token always, and only for whoever calls the server by its own name."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from odoo_shadow.shadow.errors import ShadowConfigurationError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

TOKEN = "ODOO_SHADOW_MCP_TOKEN"  # noqa: S105 - a variable's name
SHORTEST_TOKEN = 32
PATH = "/mcp"
_LONGEST_BODY = 1_000_000
_MOST_CONNECTIONS = 64
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:/@\s]*)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return _is_loopback(self.host)

    def url(self, port: int) -> str:
        """Return what callers use.

        :param port: the one that it got, if it was any.
        """
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{port}{PATH}"


def read_address(given: str) -> Address:
    """Read HOST:PORT; without a host it is this machine alone.

    :raises ShadowConfigurationError: it is no address.
    """
    found = _ADDRESS.fullmatch(given.strip())
    port = int(found["port"]) if found else 0
    if found is None or not 0 <= port < 2**16:
        raise ShadowConfigurationError(f"--http '{given}' is not an address: write HOST:PORT, such as 127.0.0.1:8765.")
    return Address(found["six"] or found["host"] or "127.0.0.1", port)


def check_token(token: str | None) -> str:
    """Return the token that callers must send.

    :raises ShadowConfigurationError: there is none, or one that could be guessed.
    """
    given = (token or "").strip()
    if len(given) < SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or len(set(given)) < 10:
        raise ShadowConfigurationError(
            f"{TOKEN} must be a secret of at least {SHORTEST_TOKEN} characters, which callers send as a bearer token: "
            "make one by: openssl rand -hex 32"
        )
    return given


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
    """Serve until Ctrl-C or SIGTERM."""
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
    uvicorn.Server(config).run(sockets=[listening])


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
        if self._is_loopback and not _is_loopback(_name_of(host)):
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


def _is_loopback(name: str) -> bool:
    if name.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
