"""Connections that do not come about, or break before, within or after the first bytes: each gets its own sentence."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnreachableError,
)
from tests.support.certificates import Certificate
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import RawServer, Reply

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
LOGS = "check the logs of the Odoo worker and of any proxy in front of it"
Served = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Served) -> Iterator[int]:
    """Accept connections, let each be served in a thread of its own, and then close it; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_one(accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), accepted:
            serve(accepted)

    def accept() -> None:
        with contextlib.suppress(OSError):  # the listener is closed in the end
            while True:
                threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def hear(connection: socket.socket) -> None:
    """Take a request, whole: what is left unread would turn the end into a reset."""
    heard = b""
    connection.settimeout(0.2)
    with contextlib.suppress(TimeoutError):  # what is no HTTP has no end
        while not is_whole(heard) and (piece := connection.recv(65536)):
            heard += piece
    connection.settimeout(None)


def is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *([0-9]+)", head.lower())
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def answering(raw: bytes, *, reset: bool = False) -> Served:
    def serve(connection: socket.socket) -> None:
        hear(connection)
        connection.sendall(raw)
        if reset:
            connection.settimeout(0.05)
            with contextlib.suppress(TimeoutError):  # what was sent must arrive before the reset does
                connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return serve


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


BROKEN: dict[str, tuple[Served, tuple[str, ...]]] = {
    "closed": (answering(b""), ("accepted the connection and closed it without an answer", LOGS, "expect https")),
    "reset": (
        answering(b"", reset=True),
        ("accepted the connection and reset it without an answer", LOGS, "expect https"),
    ),
    "within the status line": (answering(b"HTTP"), ("broke off within the headers of an answer", LOGS)),
    "reset within the headers": (answering(HEAD, reset=True), ("broke off within the headers of an answer", LOGS)),
    "reset within a body": (
        answering(HEAD + b"Content-Length: 40\r\n\r\n{", reset=True),
        ("broke off in the middle of an answer", LOGS),
    ),
    "reset within a chunk": (
        answering(HEAD + b"Transfer-Encoding: chunked\r\n\r\n28\r\n{", reset=True),
        ("broke off in the middle of an answer", LOGS),
    ),
    "SSH": (answering(b"SSH-2.0-OpenSSH_9.6\r\n"), ("something that is not HTTP ('SSH-2.0-OpenSSH_9.6')", "the port")),
    "HTTP/2": (answering(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80"), ("something that is not HTTP", "check the port")),
    "escape codes": (answering(b"\x1b[31m" + b"x" * 5000 + b"\n"), ("is not HTTP ('\\x1b[31mxxx",)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_server_that_breaks_off_is_not_called_unreachable(what: str, client_to: ClientTo) -> None:
    serve, words = BROKEN[what]
    with listening(serve) as port, failing_with(OdooUnreachableError, *words) as caught:
        client_to(f"http://127.0.0.1:{port}").search_count("res.partner")
    assert "cannot be reached" not in str(caught[0])
    assert len(str(caught[0])) < 400


@pytest.mark.parametrize("protocol", ["json2", "jsonrpc", "xmlrpc", "auto"])
def test_all_protocols_say_so(protocol: str, client_to: ClientTo) -> None:
    with listening(answering(b"")) as port, failing_with(OdooUnreachableError, "closed it without an answer", LOGS):
        client_to(f"http://127.0.0.1:{port}", protocol=protocol).search_count("res.partner")


def test_a_kept_connection_that_breaks_off(server: RawServer, client: OdooClient) -> None:
    """By a call that is not tried again: another try would have a connection of its own."""
    for raw, words in ((b"", "closed it without an answer"), (b"220 mail\r\n", "something that is not HTTP")):
        assert client.search_count("res.partner") == 7
        server.script.append(Reply(raw=raw))
        with failing_with(OdooUnreachableError, words):
            client.execute_kw("res.partner", "write", [[1], {"color": 1}])


def test_no_way_to_an_address(client_to: ClientTo) -> None:
    with failing_with(OdooUnreachableError, "cannot be reached from this machine (Network is unreachable)"):
        client_to("https://224.0.0.1").search_count("res.partner")  # TCP does not go to many at once


def test_nobody_answers_the_knocking(client_to: ClientTo) -> None:
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # what is beyond the backlog, Linux does not answer
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with failing_with(
            OdooTimeoutError, "cannot be reached, because no connection was established within 0.2 s", "firewall"
        ) as caught:
            client_to(f"http://127.0.0.1:{full.getsockname()[1]}", timeout=0.2).search_count("res.partner")
    assert "pages" not in str(caught[0])  # smaller ones would not help


# TLS


def test_silence_within_the_handshake(client_to: ClientTo) -> None:
    with (
        listening(silent) as port,
        failing_with(OdooTimeoutError, "did not complete the TLS handshake within 0.5 s", "speaks https, or use http"),
    ):
        client_to(f"https://127.0.0.1:{port}", timeout=0.5).search_count("res.partner")


def test_an_end_within_the_handshake(client_to: ClientTo) -> None:
    with (
        listening(answering(b"")) as port,
        failing_with(OdooConfigurationError, "closed it during the TLS handshake", "speaks https, or use http"),
    ):
        client_to(f"https://127.0.0.1:{port}").search_count("res.partner")
    with (
        listening(answering(b"", reset=True)) as port,
        failing_with(OdooUnreachableError, "reset it during the TLS handshake", "speaks https, or use http"),
    ):
        client_to(f"https://127.0.0.1:{port}").search_count("res.partner")


@pytest.mark.parametrize("raw", [b"220 mail.example.com ESMTP\r\n", HEAD + b"\r\n"], ids=["mail", "HTTP"])
def test_https_to_a_port_without_tls(raw: bytes, client_to: ClientTo) -> None:
    with listening(answering(raw)) as port, failing_with(OdooConfigurationError, "does not speak TLS there: use http"):
        client_to(f"https://127.0.0.1:{port}").search_count("res.partner")


def test_http_to_a_port_with_tls(tmp_path: Path, client_to: ClientTo) -> None:
    with RawServer(Certificate(tmp_path).context) as tls, failing_with(OdooUnreachableError, "https") as caught:
        client_to(tls.url.replace("https:", "http:")).search_count("res.partner")
    assert "cannot be reached" not in str(caught[0])


SAYING_SO = {
    "nginx": "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
    "Apache": "<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    "Go": "Client sent an HTTP request to an HTTPS server.\n",
}


@pytest.mark.parametrize("who", SAYING_SO)
@pytest.mark.parametrize("protocol", ["json2", "jsonrpc", "xmlrpc"])
def test_a_server_that_says_so_itself(who: str, protocol: str, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(400, SAYING_SO[who], "text/html")
    with failing_with(OdooServerError, "expects https at that port, but was called with http: put https into the URL"):
        client_to(server.url, protocol=protocol).search_count("res.partner")


def test_a_break_after_the_handshake(tmp_path: Path, client_to: ClientTo) -> None:
    certificate = Certificate(tmp_path)
    with RawServer(certificate.context) as tls:
        client = client_to(tls.url, verify=str(certificate.path))
        tls.otherwise = lambda _: Reply(raw=b"")
        with failing_with(OdooUnreachableError, "closed it without an answer", LOGS) as caught:
            client.search_count("res.partner")
        tls.otherwise = lambda _: Reply(raw=HEAD + b"Content-Length: 40\r\n\r\n{")
        with failing_with(OdooUnreachableError, "broke off in the middle of an answer, after 1 bytes", LOGS):
            client.search_count("res.partner")
    assert "TLS" not in str(caught[0]) and "https, or" not in str(caught[0])


def test_no_tls_after_the_handshake(tmp_path: Path, client_to: ClientTo) -> None:
    """As a relay does that loses the server behind it and says so in the clear."""
    certificate = Certificate(tmp_path)

    def serve(connection: socket.socket) -> None:
        with socket.socket(fileno=os.dup(connection.fileno())) as bare:
            hear(certificate.context.wrap_socket(connection, server_side=True))
            bare.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    with (
        listening(serve) as port,
        failing_with(OdooUnreachableError, "accepted the connection and broke it off without an answer", LOGS),
    ):
        client_to(f"https://127.0.0.1:{port}", verify=str(certificate.path)).search_count("res.partner")


def test_a_client_certificate_is_wanted(tmp_path: Path, client_to: ClientTo) -> None:
    certificate = Certificate(tmp_path)
    certificate.context.maximum_version = ssl.TLSVersion.TLSv1_2  # from 1.3 on the refusal races with the request
    certificate.context.verify_mode = ssl.CERT_REQUIRED
    certificate.context.load_verify_locations(certificate.path)
    with RawServer(certificate.context) as tls, failing_with(OdooConfigurationError, "client certificate") as caught:
        client_to(tls.url, verify=str(certificate.path)).search_count("res.partner")
    assert "not trusted" not in str(caught[0])


def test_a_certificate_that_has_expired(tmp_path: Path, client_to: ClientTo) -> None:
    certificate = Certificate(tmp_path, age=timedelta(days=30))
    with RawServer(certificate.context) as tls, failing_with(OdooConfigurationError, "certificate has expired"):
        client_to(tls.url, verify=str(certificate.path)).search_count("res.partner")


# Proxies that the environment names

REFUSED = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
PROXIES: dict[str, tuple[Served, type[OdooUnreachableError | OdooTimeoutError], str]] = {
    "refuses": (answering(REFUSED), OdooUnreachableError, "refused to connect onwards (HTTP 407)"),
    "closes": (answering(b""), OdooUnreachableError, "broke off, or did not answer in HTTP"),
    "is no proxy": (answering(b"SSH-2.0-OpenSSH_9.6\r\n"), OdooUnreachableError, "did not answer in HTTP"),
    "is silent": (silent, OdooTimeoutError, "it did not answer within 0.2 s"),
}


@pytest.mark.parametrize("what", PROXIES)
def test_a_proxy_on_the_way(what: str, client_to: ClientTo, monkeypatch: pytest.MonkeyPatch) -> None:
    serve, kind, words = PROXIES[what]
    with listening(serve) as port:
        monkeypatch.setenv("https_proxy", f"http://someone:of-the-proxy@127.0.0.1:{port}")
        with failing_with(kind, "through the proxy that the environment names", words, "no_proxy") as caught:
            client_to("https://erp.example.com", timeout=0.2).search_count("res.partner")
    assert "of-the-proxy" not in str(caught[0])


def test_what_is_behind_a_proxy_is_not_the_proxys(client_to: ClientTo, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(connection: socket.socket) -> None:
        answering(b"HTTP/1.1 200 Connection established\r\n\r\n")(connection)
        hear(connection)

    with listening(serve) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with failing_with(OdooConfigurationError, "closed it during the TLS handshake") as caught:
            client_to("https://erp.example.com").search_count("res.partner")
    assert "proxy" not in str(caught[0])


def test_a_proxy_that_has_gone(client_to: ClientTo, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(silent) as port:
        pass
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    with failing_with(OdooUnreachableError, "cannot be reached through the proxy", "it accepts no connection"):
        client_to("https://erp.example.com").search_count("res.partner")
