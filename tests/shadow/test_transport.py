"""A server without TLS gets neither the shadow's password nor its rows."""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Iterator
from threading import Thread

import pytest

from odoo_shadow.postgres import transport
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowConfigurationError

pytestmark = pytest.mark.attack

SECRET = "pass-of-the-shadow"
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


class Greedy(socketserver.ThreadingTCPServer):
    """A server, or somebody in between, that has no TLS and asks for the password in the clear."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{SECRET}@127.0.0.1:{self.server_address[1]}/postgres"


class _Handler(socketserver.StreamRequestHandler):
    server: Greedy

    def handle(self) -> None:
        while True:
            size, code = struct.unpack("!ii", self.rfile.read(8))
            rest = self.rfile.read(size - 8)
            if code not in (SSL_REQUEST, GSS_REQUEST):
                break
            self.wfile.write(b"N")
        self.server.heard.append(rest)
        self.wfile.write(b"R" + struct.pack("!ii", 8, 3))  # AuthenticationCleartextPassword
        self.server.heard.append(self.rfile.read(64))


@pytest.fixture
def greedy() -> Iterator[Greedy]:
    with Greedy() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let loopback count as another machine, since tests reach no other."""
    monkeypatch.setattr(transport, "_is_local_host", lambda _: False)


def connect(url: str) -> ShadowConfigurationError:
    with (
        pytest.raises(ShadowConfigurationError) as raised,
        ShadowDatabase.from_url(url, name="shadow_db") as shadow,
        shadow.transaction(),
    ):
        pass
    assert SECRET not in str(raised.value)
    return raised.value


def test_a_server_without_tls_hears_nothing(greedy: Greedy, elsewhere: None) -> None:
    assert "offers no TLS" in str(connect(greedy.url))
    assert greedy.heard == []


def test_a_cleartext_password_is_not_given_even_where_tls_was_turned_off(greedy: Greedy, elsewhere: None) -> None:
    assert "asks for the password itself" in str(connect(f"{greedy.url}?sslmode=disable"))
    assert not any(SECRET.encode() in heard for heard in greedy.heard)


def test_an_airflow_connection_is_protected_as_well(
    greedy: Greedy, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_odoo_shadow.hooks.shadow import shadow_database

    monkeypatch.setenv("AIRFLOW_CONN_SHADOW_ELSEWHERE", greedy.url)
    with (
        pytest.raises(ShadowConfigurationError, match="offers no TLS") as raised,
        shadow_database("shadow_elsewhere", "odoo_shadow") as shadow,
        shadow.transaction(),
    ):
        pass
    assert SECRET not in str(raised.value)
    assert greedy.heard == []
