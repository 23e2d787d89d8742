"""Answers that are not whole, come too late, or come from something that is no Odoo."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from odoo_shadow.source.api.client import ATTEMPTS, OdooClient
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnreachableError,
)
from odoo_stand_in import Fault, StandIn
from tests.support.clients import client_of
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import HTML_TYPE, RawServer, Reply, result

pytestmark = pytest.mark.both_flavours

BODY = b'{"jsonrpc": "2.0", "id": 1, "result": 7}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What a held answer waits for; set in the end, so that no thread stays behind."""
    event = threading.Event()
    yield event
    event.set()


BROKEN: dict[str, tuple[bytes, type[OdooError], str]] = {
    "closed without an answer": (b"", OdooUnreachableError, "accepted the connection and closed it"),
    "closed within the headers": (HEAD, OdooServerError, "broke off within the headers"),
    "half a body": (
        HEAD + b"Content-Length: 40\r\n\r\n" + BODY[:20],
        OdooUnreachableError,
        "in the middle of an answer, after 20 bytes: check the logs of the Odoo worker",
    ),
    "half a chunk": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n28\r\n" + BODY[:20],
        OdooUnreachableError,
        "broke off",
    ),
    "chunks without an end": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + BODY[:20] + b"\r\n",
        OdooUnreachableError,
        "broke off",
    ),
    "no chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY,
        OdooUnreachableError,
        "a chunked answer that is not valid HTTP",
    ),
    "two lengths": (
        HEAD + b"Content-Length: 40\r\nContent-Length: 41\r\n\r\n" + BODY,
        OdooUnreachableError,
        "contradictory headers",
    ),
    "headers without end": (HEAD + b"A: b\r\n" * 200 + b"\r\n", OdooUnreachableError, "more or longer headers"),
    "no HTTP at all": (
        b"220 mail.example.com ESMTP\r\n",
        OdooUnreachableError,
        "is not HTTP ('220 mail.example.com ESMTP'): check the port",
    ),
    "TLS": (b"\x15\x03\x01\x00\x02\x02\x46", OdooUnreachableError, "put https into the URL"),
    "garbage for gzip": (
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 40\r\n\r\n" + BODY,
        OdooUnreachableError,
        "damaged or incomplete",
    ),
    "half a JSON, whole for HTTP": (HEAD + b"Content-Length: 20\r\n\r\n" + BODY[:20], OdooServerError, "not a whole"),
    "half a JSON, until the end": (HEAD + b"Connection: close\r\n\r\n" + BODY[:20], OdooServerError, "not a whole"),
    "nothing": (HEAD + b"Content-Length: 0\r\n\r\n", OdooServerError, "not a whole"),
    "no UTF-8": (HEAD + b'Content-Length: 4\r\n\r\n"\xff\xfe"', OdooServerError, "not a whole"),
    "JSON of something else": (HEAD + b'Content-Length: 9\r\n\r\n{"ok": 1}', OdooServerError, "not a whole"),
    "a list for an envelope": (HEAD + b"Content-Length: 2\r\n\r\n[]", OdooServerError, "not a whole"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_answer_is_tried_again_and_then_told(what: str, server: RawServer, client: OdooClient) -> None:
    raw, kind, words = BROKEN[what]
    server.otherwise = lambda _: Reply(raw=raw)
    with failing_with(kind, words):
        client.search_count("res.partner")
    assert server.calls == ["search_count"] * ATTEMPTS


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_answer_does_no_harm_when_the_next_is_whole(what: str, server: RawServer, client: OdooClient) -> None:
    server.script.append(Reply(raw=BROKEN[what][0]))
    assert client.search_count("res.partner") == 7


def test_a_chunked_answer_is_read_whole(server: RawServer, client: OdooClient) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (BODY[:5], BODY[5:6], BODY[6:]))
    server.script.append(Reply(raw=HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"))
    assert client.search_count("res.partner") == 7
    assert len(server.calls) == 1


def test_no_answer_in_time(server: RawServer, client_to: ClientTo, held: threading.Event) -> None:
    server.otherwise = lambda _: result(7, hold=held)
    with failing_with(OdooTimeoutError, "did not answer within 0.1 s", "longer timeout"):
        client_to(server.url, timeout=0.1).search_count("res.partner")
    assert server.calls == ["search_count"] * ATTEMPTS


def test_an_answer_that_stops_half_way_is_a_timeout_too(
    server: RawServer, client_to: ClientTo, held: threading.Event
) -> None:
    server.otherwise = lambda _: Reply(raw=HEAD + b"Content-Length: 40\r\n\r\n" + BODY[:20], hold=held)
    with failing_with(OdooTimeoutError, "began to answer, then sent nothing for 0.1 s"):
        client_to(server.url, timeout=0.1).search_count("res.partner")
    assert server.calls == ["search_count"] * ATTEMPTS


def test_a_slow_stand_in_is_a_timeout(shared_odoo: StandIn) -> None:
    shared_odoo.faults.add(Fault(method="search_count", times=ATTEMPTS, delay=0.5))
    with client_of(shared_odoo, extras={"timeout": 0.05}) as client, failing_with(OdooTimeoutError, name="odoo_test"):
        client.search_count("res.partner")


def test_nobody_listens(client_to: ClientTo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with failing_with(OdooUnreachableError, f"127.0.0.1:{port}", "was refused: check the URL and the port"):
        client_to(f"http://127.0.0.1:{port}").search_count("res.partner")


def test_no_such_host(client_to: ClientTo) -> None:
    with failing_with(OdooUnreachableError, "its host name cannot be resolved: check the URL", "DNS"):
        client_to("https://no-such-host.invalid").search_count("res.partner")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_of_a_proxy_is_passing_trouble(status: int, shared_odoo: StandIn) -> None:
    page = "<html><body>Bad gateway</body></html>"
    shared_odoo.faults.add(Fault(method="search_count", times=ATTEMPTS, status=status, body=page))
    with client_of(shared_odoo) as client:
        with failing_with(OdooServerError, f"or a proxy in front of it failed (HTTP {status})", name="odoo_test"):
            client.search_count("res.partner")
        shared_odoo.faults.add(Fault(method="search_count", times=ATTEMPTS - 1, status=status, body=page))
        assert client.search_count("res.partner") > 0
    assert shared_odoo.calls.count(("res.partner", "search_count")) == 2 * ATTEMPTS


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateways_json_is_passing_trouble_too(status: int, shared_odoo: StandIn) -> None:
    fault = Fault(
        method="search_count",
        times=ATTEMPTS - 1,
        status=status,
        body='{"message": "Service Unavailable"}',
        headers={"content-type": "application/json"},
    )
    shared_odoo.faults.add(fault)
    with client_of(shared_odoo) as client:
        assert client.search_count("res.partner") > 0


def test_html_with_status_200_is_passing_trouble(shared_odoo: StandIn) -> None:
    page = "<!doctype html><title>Maintenance</title>"
    shared_odoo.faults.add(Fault(method="search_count", times=ATTEMPTS, status=200, body=page))
    with client_of(shared_odoo) as client, failing_with(OdooServerError, "a page of HTML", name="odoo_test"):
        client.search_count("res.partner")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: Reply(status, headers={"Location": f"{server.url}/elsewhere"})
    with failing_with(OdooConfigurationError, f"HTTP {status}", "put the final URL into the connection"):
        client.search_count("res.partner")
    assert server.calls == ["search_count"]


@pytest.mark.parametrize("protocol", ["auto", "jsonrpc", "xmlrpc"])
def test_a_website_that_is_no_odoo(protocol: str, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(404, "<html>not here</html>", HTML_TYPE)
    with failing_with(OdooConfigurationError, "has no Odoo API", "check the URL"):
        client_to(server.url, protocol=protocol).search_count("res.partner")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(404, "not here", HTML_TYPE), OdooConfigurationError),
        (Reply(415, "no", HTML_TYPE), OdooServerError),
        (Reply(303, headers={"Location": "/"}), OdooConfigurationError),
    ],
)
def test_a_path_out_of_a_browser_is_told_as_the_likely_reason(
    reply: Reply, kind: type[OdooError], server: RawServer, client_to: ClientTo
) -> None:
    server.everything = lambda _: reply
    with failing_with(kind, "If the path '/odoo' was copied from a browser, remove it from the URL."):
        client_to(f"{server.url}/odoo", protocol="jsonrpc").search_count("res.partner")


def test_a_website_that_says_yes_to_everything(server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(200, "<html>welcome</html>", HTML_TYPE)
    with failing_with(OdooServerError, "a page of HTML", "check the URL"):
        client_to(server.url, protocol="auto").search_count("res.partner")


@pytest.mark.parametrize("told", ['{"version": "new"}', '{"version": 19}', "{}", "[]", "null"])
def test_a_server_that_does_not_say_which_odoo_it_is(told: str, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(200, told)
    with failing_with(OdooConfigurationError, "does not report its version of Odoo"):
        client_to(server.url, protocol="auto").search_count("res.partner")


@pytest.mark.parametrize(("told", "major"), [("saas~18.4+e", 18), ("19.0+e", 19), ("17.0-20240101", 17)])
def test_versions_as_hosted_servers_tell_them(told: str, major: int, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(200, json.dumps({"version": told}))
    version = client_to(server.url).version
    assert (version.major, version.text) == (major, told)


@pytest.mark.parametrize("value", ["text", None, {}, 1.5, [{"id": 1}, 2]])
def test_an_answer_of_another_shape(value: object, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: result(value)
    with failing_with(OdooServerError, "res.partner.search_read", "gave an answer that Odoo would not give"):
        client.search_read("res.partner")


XML_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n"
BROKEN_XML = {
    "half": b"<?xml version='1.0'?><methodResponse><params><param><value><int>7",
    "empty": b"",
    "no value": b"<?xml version='1.0'?><methodResponse><params></params></methodResponse>",
    "no number": b"<?xml version='1.0'?><methodResponse><params><param><value><int>x</int></value></param></params>"
    b"</methodResponse>",
    "something else": b"<?xml version='1.0'?><rss></rss>",
}


@pytest.mark.parametrize("what", BROKEN_XML)
def test_broken_xml(what: str, server: RawServer, client_to: ClientTo) -> None:
    server.otherwise = lambda _: Reply(raw=XML_HEAD + BROKEN_XML[what])
    with failing_with(OdooServerError, "not a whole Odoo answer"):
        client_to(server.url, protocol="xmlrpc").search_count("res.partner")
