"""A password does not reach a proxy or a header that it is not for, and an unchecked certificate is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import OdooConfigurationError
from tests.support.raw_clients import SECRET, ClientTo
from tests.support.raw_server import RawServer

pytestmark = pytest.mark.attack


def test_a_key_with_a_line_end_stays_out_of_headers(server: RawServer, client_to: ClientTo) -> None:
    from odoo_shadow.source.api.protocols.json2 import Json2

    client = client_to(server.url, password=f"{SECRET}\r\nX-Evil: 1")
    with pytest.raises(OdooConfigurationError, match="contains control characters") as caught:
        Json2(client._transport)
    assert SECRET not in str(caught.value)


@pytest.fixture
def bystander() -> Iterator[tuple[str, list[str]]]:
    """A proxy on the way, and what it gets to see."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_error(502)

    proxy = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{proxy.server_port}", seen
    proxy.shutdown()
    proxy.server_close()


def test_what_is_for_this_machine_does_not_go_round_by_a_proxy(
    server: RawServer, client: OdooClient, bystander: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, seen = bystander
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert client.search_count("res.partner") == 7
    assert seen == []


def test_an_unchecked_certificate_is_told(client_to: ClientTo, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        client_to("https://localhost", verify="false")
        assert caplog.text == ""
        client_to("https://erp.example.com", verify="false")
    assert "verify is false" in caplog.text and "certificate is not checked" in caplog.text
    assert SECRET not in caplog.text
