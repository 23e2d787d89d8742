"""Clients of a server that answers whatever a test wants, with quick retries."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from tenacity import wait_none

from odoo_shadow.source.api import client as client_module
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.connection import OdooConnection
from odoo_shadow.source.errors import OdooError
from tests.support.raw_server import RawServer

SECRET = "s3cr3t-of-this-test"
ClientTo = Callable[..., OdooClient]
AnyOdooError = TypeVar("AnyOdooError", bound=OdooError)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without waiting, unless the server asks for a wait."""
    monkeypatch.setattr(client_module, "_backoff", wait_none())


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


@contextmanager
def failing_with(kind: type[AnyOdooError], *words: str, name: str = "odoo_raw") -> Iterator[list[AnyOdooError]]:
    """Expect exactly this class, a sentence with these words, and no secret wherever an error can show one."""
    caught: list[AnyOdooError] = []
    with pytest.raises(OdooError) as raised:
        yield caught
    error = raised.value
    assert type(error) is kind, f"{type(error).__name__}: {error}"
    assert isinstance(error, kind)
    for word in (f"'{name}'", *words):
        assert word in str(error)
    shown = str(error) + repr(error) + "".join(traceback.format_exception(error, limit=0))
    assert SECRET not in shown
    assert "\n" not in str(error)
    caught.append(error)
