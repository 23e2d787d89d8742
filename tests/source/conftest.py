"""Clients of a server that answers whatever a test wants."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.api.source import ApiSource
from tests.support.raw_clients import SECRET, ClientTo
from tests.support.raw_server import RawServer


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server without TLS."""
    with RawServer() as running:
        yield running


@pytest.fixture
def client_to() -> Iterator[ClientTo]:
    """Make clients: `client_to(url, timeout=0.2, login="x")`; by JSON-RPC unless told otherwise."""
    opened: list[OdooClient] = []

    def make(url: str, **changed: object) -> OdooClient:
        fields: dict[str, object] = {"host": url, "database": "db", "login": "someone", "password": SECRET}
        fields.update(
            {name: changed.pop(name) for name in ("host", "database", "login", "password") if name in changed}
        )
        extras = {"protocol": "jsonrpc", **changed}
        opened.append(OdooClient(OdooConnection.parse("odoo_raw", extras=extras, **fields)))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def client(server: RawServer, client_to: ClientTo) -> OdooClient:
    """A client of the server."""
    return client_to(server.url)


@pytest.fixture
def source(client: OdooClient) -> ApiSource:
    """The server as a source."""
    return ApiSource(client)
