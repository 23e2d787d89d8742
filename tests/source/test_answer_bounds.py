"""Answers without end: in bytes, in time, in depth, in pages. Each ends in one sentence."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import time
import xmlrpc.client
import zlib
from collections.abc import Callable, Iterator

import pytest

from odoo_shadow.source.api import http
from odoo_shadow.source.api.client import ATTEMPTS, OdooClient
from odoo_shadow.source.api.headers import LONGEST_RETRY_AFTER
from odoo_shadow.source.api.http import DEADLINE_IN_TIMEOUTS, MOST_BYTES, MOST_VALUES
from odoo_shadow.source.api.ids import highest_id
from odoo_shadow.source.api.pages import read_pages
from odoo_shadow.source.errors import (
    OdooConfigurationError,
    OdooError,
    OdooRecordIdError,
    OdooServerError,
    OdooThrottledError,
    OdooTimeoutError,
    OdooUnreachableError,
)
from odoo_shadow.source.pages import Page
from odoo_shadow.source.reading import EVERYWHERE, Reading
from tests.support.child import in_a_child
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import HTML_TYPE, RawServer, Reply, Request, gzipped, result

pytestmark = pytest.mark.attack

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
MIB = 2**20
SHORT = 0.2
"""The time-out of slow servers' clients; their deadline is a little longer."""


def of_zeros(mebibytes: int) -> bytes:
    """So many MiB of zeros, compressed."""
    squeeze = zlib.compressobj(9, wbits=zlib.MAX_WBITS + 16)
    return b"".join([*(squeeze.compress(bytes(MIB)) for _ in range(mebibytes)), squeeze.flush()])


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """A gibibyte in a megabyte."""
    return of_zeros(1024)


@pytest.fixture(scope="module")
def double_bomb(bomb: bytes) -> bytes:
    """A gibibyte in a few kilobytes."""
    return gzip.compress(gzip.compress(bomb))


ENCODINGS = ["gzip, gzip", "gzip, gzip, gzip", "deflate, gzip", "br", "zstd", "gzip, identity", "compress", "x" * 5000]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_only_what_was_asked_for_is_decompressed(
    encoding: str, server: RawServer, client: OdooClient, double_bomb: bytes
) -> None:
    server.otherwise = lambda _: Reply(body=double_bomb, headers={"Content-Encoding": encoding})
    with failing_with(OdooServerError, "an encoding that was not asked for"):
        client.search_count("res.partner")
    assert server.requests[-1].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_one_layer_is_welcome(encoding: str, server: RawServer, client: OdooClient) -> None:
    body = json.dumps({"result": 7}).encode()
    server.otherwise = lambda _: gzipped(body, headers={"Content-Encoding": encoding})
    assert client.search_count("res.partner") == 7


@pytest.mark.parametrize("cut", [1, 5, 10_000])
@pytest.mark.parametrize("empty", [0, 1, 3])
def test_a_body_of_several_gzip_files_is_one_body(cut: int, empty: int, server: RawServer, client: OdooClient) -> None:
    body = json.dumps({"result": [{"id": 7, "name": "x" * 50_000}] * 5}).encode()
    parts = [body[start : start + cut * 5_000] for start in range(0, len(body), cut * 5_000)]
    packed = b"".join(map(gzip.compress, [*parts, *[b""] * empty]))
    server.otherwise = lambda _: Reply(body=packed, headers={"Content-Encoding": "gzip"})
    assert len(client.search_read("res.partner")) == 5


def test_several_gzip_files_have_one_bound(server: RawServer) -> None:
    half = of_zeros(MOST_BYTES // MIB // 2)
    server.otherwise = lambda _: Reply(body=half * 3, headers={"Content-Encoding": "gzip"})
    outcome = in_a_child(server.url, "odoo.search_count('res.partner')")
    assert outcome.error == "OdooServerError" and f"more than {MOST_BYTES // MIB} MiB" in outcome.text
    assert outcome.mebibytes < 2.5 * MOST_BYTES / MIB


@pytest.mark.parametrize("rest", [b"no gzip at all", gzip.compress(b"x")[:12]], ids=["garbage", "half a file"])
def test_what_follows_a_gzip_file_must_be_another(rest: bytes, server: RawServer, client: OdooClient) -> None:
    body = gzip.compress(json.dumps({"result": 7}).encode()) + rest
    server.otherwise = lambda _: Reply(body=body, headers={"Content-Encoding": "gzip"})
    with failing_with(OdooUnreachableError, "damaged or incomplete"):
        client.search_count("res.partner")


@pytest.mark.timeout(60)
def test_gzip_files_without_end(server: RawServer) -> None:
    body = gzip.compress(b"") * (20 * MIB // 20)
    server.otherwise = lambda _: Reply(body=body, headers={"Content-Encoding": "gzip"})
    outcome = in_a_child(server.url, "odoo.search_count('res.partner')")
    assert outcome.error == "OdooServerError" and outcome.mebibytes < MOST_BYTES / MIB


@pytest.mark.sampled
@pytest.mark.parametrize("line", ["x" * 79 + "\n", "\n", "\x85", "x"], ids=ascii)
@pytest.mark.parametrize("protocol", ["jsonrpc", "xmlrpc"])
def test_an_error_text_without_end(line: str, protocol: str, server: RawServer) -> None:
    text = line * (60 * MIB // len(line.encode()))
    error = json.dumps({"error": {"data": {"name": "builtins.ValueError", "message": text}}}, ensure_ascii=False)
    fault = xmlrpc.client.dumps(xmlrpc.client.Fault(1, text))
    body, kind = (error, "application/json") if protocol == "jsonrpc" else (fault, "text/xml")
    server.everything = lambda _: gzipped(body.encode(), content_type=kind)
    outcome = in_a_child(server.url, "odoo.search_count('res.partner')", protocol)
    assert outcome.error == ("OdooServerError" if (line, protocol) == ("\n", "xmlrpc") else "OdooRequestError")
    assert outcome.mebibytes < 5 * MOST_BYTES / MIB


@pytest.mark.sampled
@pytest.mark.parametrize("status", [200, 302, 401, 404, 429, 503])
def test_a_bomb_takes_little_memory_whatever_its_status(status: int, server: RawServer, bomb: bytes) -> None:
    headers = {"Content-Encoding": "gzip", "Location": "https://elsewhere.example.com"}
    server.everything = lambda _: Reply(status, bomb, headers=headers)
    outcome = in_a_child(server.url, "odoo.search_count('res.partner')")
    assert outcome.error == ("OdooConfigurationError" if status == 302 else "OdooServerError"), outcome.text
    assert outcome.mebibytes < 2.5 * MOST_BYTES / MIB


def test_a_redirect_is_not_even_read(server: RawServer) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        for _ in itertools.count():
            sent.append(1)
            yield bytes(65536)

    head = b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe//[\r\n\r\n"
    server.otherwise = lambda _: Reply(raw=head, stream=endless)
    outcome = in_a_child(server.url, "odoo.search_count('res.partner')")
    assert outcome.error == "OdooConfigurationError" and "HTTP 302" in outcome.text
    assert len(sent) < 1000 and outcome.mebibytes < 50


def test_an_answer_without_end(server: RawServer) -> None:
    server.otherwise = lambda _: Reply(raw=HEAD + b"\r\n", stream=lambda: itertools.repeat(bytes(65536)))
    outcome = in_a_child(server.url, "odoo.search_count('res.partner')")
    assert outcome.error == "OdooServerError" and f"more than {MOST_BYTES // MIB} MiB" in outcome.text
    assert outcome.mebibytes < 2.5 * MOST_BYTES / MIB


@pytest.mark.sampled
@pytest.mark.parametrize("shape", ["[],", "{},", '{"a":0},', '"",', "0,", '[[""]],'])
def test_values_without_end(shape: str, server: RawServer) -> None:
    body = f'{{"result": [{shape * (100 * MIB // len(shape))}0]}}'.encode()
    packed = gzip.compress(body, 1)
    assert len(packed) < MIB
    server.otherwise = lambda _: Reply(body=packed, headers={"Content-Encoding": "gzip"})
    outcome = in_a_child(server.url, "odoo.search_read('res.partner')")
    assert outcome.error == "OdooServerError" and f"more than {MOST_VALUES:,} values" in outcome.text
    assert outcome.mebibytes < 3 * MOST_BYTES / MIB


def test_values_that_are_just_few_enough(server: RawServer) -> None:
    body = f'{{"result": [{"[]," * (MOST_VALUES // 2 - 10)}0]}}'.encode()
    server.otherwise = lambda _: gzipped(body)
    outcome = in_a_child(server.url, "odoo.search_read('res.partner')")
    assert outcome.error == "OdooServerError" and "not a list of records" in outcome.text
    assert outcome.mebibytes < 1000


def test_xml_values_without_end(server: RawServer) -> None:
    body = b"<methodResponse><params><param><value><array><data>" + b"<value/>" * (10 * MIB)
    server.everything = lambda _: gzipped(body, content_type="text/xml")
    outcome = in_a_child(server.url, "odoo.search_read('res.partner')", "xmlrpc")
    assert outcome.error == "OdooServerError" and "values" in outcome.text
    assert outcome.mebibytes < 3 * MOST_BYTES / MIB


def drip(data: bytes) -> Callable[[], Iterator[bytes]]:
    """A byte now and then: often enough for a time-out that bounds one wait."""

    def pieces() -> Iterator[bytes]:
        for byte in itertools.cycle(data):
            time.sleep(SHORT / 4)
            yield bytes([byte])

    return pieces


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW: dict[str, tuple[bytes, Callable[[], Iterator[bytes]]]] = {
    "status line": (b"HTTP/1.1 ", drip(b"2")),
    "header": (HEAD + b"X-Slow: ", drip(b"x")),
    "headers": (HEAD, drip(b"A: b\r\n")),
    "continue": (b"", drip(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "body": (HEAD + b"Content-Length: 9999\r\n\r\n", drip(b" ")),
    "body without a length": (HEAD + b"\r\n", drip(b" ")),
    "chunk size": (CHUNKED, drip(b"0")),
    "chunk extension": (CHUNKED + b"1;", drip(b"x")),
    "chunks": (CHUNKED, drip(b"1\r\n \r\n")),
    "chunk": (CHUNKED + b"ffff\r\n", drip(b" ")),
    "trailers": (CHUNKED + b"1\r\n7\r\n0\r\n", drip(b"A: b\r\n")),
    "an error page": (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", drip(b"x")),
    "a gzip body": (HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x")[:10], drip(b"\0")),
}


@pytest.mark.sampled
@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", SLOW)
def test_a_server_that_sends_a_byte_now_and_then(what: str, server: RawServer, client_to: ClientTo) -> None:
    raw, pieces = SLOW[what]
    server.otherwise = lambda _: Reply(raw=raw, stream=pieces)
    began = time.monotonic()
    with failing_with(OdooTimeoutError, f"did not complete its answer within {SHORT * DEADLINE_IN_TIMEOUTS:g} s"):
        client_to(server.url, timeout=SHORT).search_count("res.partner")
    assert time.monotonic() - began < ATTEMPTS * SHORT * DEADLINE_IN_TIMEOUTS + 5
    assert server.calls == ["search_count"] * ATTEMPTS


FLOODS = {
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "chunk extensions": (CHUNKED + b"1;", b"x" * 65536),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n" * 1000),
    "a header": (HEAD + b"X: ", b"x" * 65536),
    "headers": (HEAD, b"A: b\r\n" * 1000),
    "a status line": (b"HTTP/1.1 200 ", b"x" * 65536),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_of_what_is_no_body(
    what: str, server: RawServer, client_to: ClientTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", MIB)
    raw, piece = FLOODS[what]
    server.otherwise = lambda _: Reply(raw=raw, stream=lambda: itertools.repeat(piece))
    with pytest.raises((OdooServerError, OdooUnreachableError)) as raised:
        client_to(server.url, timeout=5).search_count("res.partner")
    told = ("more than 1 MiB", "not HTTP", "broke off", "longer headers than HTTP clients accept", "not valid HTTP")
    assert any(text in str(raised.value) for text in told), raised.value


@pytest.mark.timeout(30)
def test_a_server_that_never_takes_the_request(client_to: ClientTo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = client_to(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=SHORT)
        with failing_with(OdooTimeoutError):
            client.search("res.partner", [("id", "in", list(range(2_000_000)))])


TOO_DEEP = {
    "lists": "[" * 100_000 + "]" * 100_000,
    "objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "not closed": "[" * 1_000_000,
    "just too deep": "[" * 65 + "]" * 65,
}


@pytest.mark.parametrize("what", TOO_DEEP)
@pytest.mark.parametrize("protocol", ["jsonrpc", "json2"])
def test_json_that_is_too_deep(what: str, protocol: str, server: RawServer, client_to: ClientTo) -> None:
    if protocol == "jsonrpc":
        server.otherwise = lambda _: Reply(body=f'{{"result": {TOO_DEEP[what]}}}')
    else:
        server.everything = lambda request: Reply(
            body='{"version": "19.0"}' if request.path == "/web/version" else TOO_DEEP[what]
        )
    with failing_with(OdooServerError, "not a whole Odoo answer"):
        client_to(server.url, protocol=protocol).search_read("res.partner")


NUMBERS = [
    "1" * 5000,
    "-" + "1" * 4301,
    "NaN",
    "-Infinity",
    "Infinity",
    "1e",
    "9" * 30,
    "1e999999",
    "true",
    "1.5",
    "-1",
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:12])
def test_numbers_that_are_none(number: str, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: Reply(body=f'{{"result": {number}}}')
    with failing_with(OdooServerError):
        client.search_count("res.partner")


@pytest.mark.parametrize("number", [*NUMBERS[:-1], "null", "[1]", "{}", str(2**63)], ids=lambda n: str(n)[:12])
def test_ids_that_are_none(number: str, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: Reply(body=f'{{"result": [1, {number}]}}')
    with failing_with(OdooServerError):
        client.search("res.partner")


def test_an_id_that_is_a_text(server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: result([1, "A\x1b[31m" + "7" * 100])
    with failing_with(OdooRecordIdError, "not an integer") as caught:
        client.search("res.partner")
    assert all(len(str(error)) < 400 and "\x1b" not in str(error) for error in caught)


def test_more_than_was_asked_for(server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: result([{"id": number} for number in range(3)])
    with failing_with(OdooServerError, "3 records where at most 2 were asked for"):
        client.search_read("res.partner", limit=2)
    server.otherwise = lambda _: result([1, 2, 3])
    with failing_with(OdooServerError, "3 records where at most 2 were asked for"):
        client.search("res.partner", limit=2)


WAITS = [
    "31536000",
    "1" * 5000,
    "0" * 20 + "99999999",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sat, 01 Jan 2050 00:00:00 GMT",
]


@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: str(wait)[:12])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_for_years(wait: str, status: int, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: Reply(status, "no", "text/plain", {"Retry-After": wait})
    with failing_with(OdooThrottledError if status == 429 else OdooServerError) as caught:
        client.search_count("res.partner")
    assert caught[0].retry_after == LONGEST_RETRY_AFTER
    assert len(server.calls) == 1


ODD_HEADERS = [
    "\u0661\u0662".encode().decode("latin-1"),
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 01 Jan 0000 00:00:00 GMT",
    "1, 2",
    ",",
    "- - -",
    "Sun, 22 Nov 2026 12:00:00 GMT, Sun, 22 Nov 2026 13:00:00 GMT, " * 10,
    "x" * 60_000,
    "0 0 0 0 0 0",
    "Sun, 22 Nov 99999999999999999999 12:00:00 GMT",
    "Sun, 22 Nov 2026 99:99:99 GMT",
    "Sun, 22 Nov 2026 12:00:00 +99999999999999999999",
]


@pytest.mark.parametrize("odd", ODD_HEADERS, ids=lambda odd: str(odd)[:20])
@pytest.mark.parametrize("header", ["Date", "Retry-After", "Location", "Set-Cookie", "Content-Type", "Connection"])
def test_an_odd_header_breaks_nothing(header: str, odd: str, server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: result(7, headers={header: odd})
    assert client.search_count("res.partner") == 7
    server.otherwise = lambda _: Reply(429, "no", "text/plain", {header: odd})
    with failing_with(OdooThrottledError):
        client.search_count("res.partner")


@pytest.mark.parametrize("length", ["x", "-1", "9" * 5000, "7, 8", "\xb2", "99999999999999999999"])
def test_an_odd_length_breaks_nothing(length: str, server: RawServer, client_to: ClientTo) -> None:
    head = HEAD + b"Content-Length: " + length.encode("latin-1") + b"\r\n\r\n"
    server.otherwise = lambda _: Reply(raw=head + b'{"result": 7}')
    client = client_to(server.url, timeout=1)
    try:
        assert client.search_count("res.partner") == 7
    except OdooError as error:
        assert isinstance(error, OdooUnreachableError), error


READING = Reading("res.partner", ("id",))


def searching(ids: object, records: object = ()) -> Callable[[Request], Reply]:
    """A server that answers all searches for ids the same, and all pages."""

    def answer(request: Request) -> Reply:
        return result({"search": ids, "search_read": records, "search_count": 5}.get(request.call))

    return answer


def all_pages(client: OdooClient, after_id: int = 10, up_to_id: int = 20) -> list[Page]:
    return list(read_pages(client, READING, after_id=after_id, up_to_id=up_to_id, page_size=4))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("ids", [[5], [10], [12, 5], [25], [11, 10**18], [True], [2**63], [1.5], [[]], {}, None])
def test_an_empty_page_and_an_id_that_was_not_asked_for(ids: object, server: RawServer, client: OdooClient) -> None:
    server.otherwise = searching(ids)
    with failing_with(OdooServerError, "res.partner"):
        all_pages(client)
    assert len(server.calls) < 20


def test_ids_twice_and_in_disorder_are_read_in_order(server: RawServer, client: OdooClient) -> None:
    server.otherwise = searching([13, 11, 11, 20, 13])
    *withheld, last = all_pages(client)
    assert [page.unreadable.id for page in withheld if page.unreadable] == [11, 13, 20]
    assert last == Page([], 20, is_last=True)


@pytest.mark.timeout(30)
def test_ids_without_records_do_not_go_on_for_ever(server: RawServer, client: OdooClient) -> None:
    fresh = itertools.count(11)
    server.otherwise = lambda request: result([] if request.call == "search_read" else [next(fresh)])
    with failing_with(OdooServerError, "names ids", "gives no records"):
        all_pages(client, up_to_id=2**62)
    assert len(server.calls) < 200


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "records",
    [
        [{}],
        [{"id": 5}],
        [{"id": 10}],
        [{"id": 21}],
        [{"id": True}],
        [{"id": 11.0}],
        [{"id": [11]}],
        [{"id": None}],
        [{"id": 12}, {"id": 11}],
        [{"id": number} for number in range(11, 16)],
        {"id": 11},
        "records",
        [[]],
        None,
    ],
)
def test_a_page_that_was_not_asked_for(records: object, server: RawServer, client: OdooClient) -> None:
    server.otherwise = searching([11], records)
    with failing_with(OdooServerError, "res.partner"):
        all_pages(client)
    assert len(server.calls) <= 3


@pytest.mark.timeout(30)
@pytest.mark.parametrize("records", [[{"id": 5}], [{"id": 13}], [{}]])
def test_records_that_do_not_belong_to_the_ids(records: object, server: RawServer, client: OdooClient) -> None:
    pages = iter([[], records])
    server.otherwise = lambda request: result(next(pages) if request.call == "search_read" else [11, 12])
    with failing_with(OdooServerError, "not asked for"):
        all_pages(client)


@pytest.mark.parametrize("newest", [[True], [2**70], [1, 2], 7, [None]])
def test_a_newest_id_that_is_none(newest: object, server: RawServer, client: OdooClient) -> None:
    server.otherwise = searching(newest)
    with failing_with(OdooServerError):
        highest_id(client, READING, EVERYWHERE)


@pytest.mark.timeout(30)
def test_a_record_after_the_other_that_cannot_be_read(server: RawServer, client: OdooClient) -> None:
    """The first id after a page that fails is one from before it: passing over it would go round in a circle."""

    def answer(request: Request) -> Reply:
        if request.call == "search_read":
            return Reply(500, "<html>no</html>", HTML_TYPE)
        return result([5])

    server.otherwise = answer
    with failing_with(OdooServerError, "the id 5 is not after 10"):
        all_pages(client)


def test_a_configuration_error_is_not_tried_again(server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: Reply(301, headers={"Location": "http://[::1"})
    with failing_with(OdooConfigurationError):
        client.search_count("res.partner")
    assert len(server.calls) == 1
