"""XML-RPC as Odoo writes it: with characters that XML forbids or changes, and errors that go over several lines."""

from __future__ import annotations

import xmlrpc.client

import pytest

from odoo_shadow.source.errors import OdooRequestError, OdooServerError
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import RawServer, Reply

XML_TYPE = "text/xml"
AWKWARD = [
    "a\ufffeb",
    "a\uffffb",
    "\ufffe\uffff" * 3,
    *(f"a{chr(code)}b" for code in range(32)),
    "a line\r\nanother\ranother\nand\r",
    "private: \U0010f001 \U0010f03e, and \x01\ufffe",
    "plain é 😀 \x7f\x85\u2028",
    "\x01<>&\x02",
]


def answering(server: RawServer, value: object) -> None:
    body = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True)  # type: ignore[arg-type]
    server.everything = lambda _: Reply(body=body.encode(errors="surrogatepass"), content_type=XML_TYPE)


def read(server: RawServer, client_to: ClientTo, value: object) -> object:
    with client_to(server.url, protocol="xmlrpc") as client:
        answering(server, 2)
        client.user_id()
        answering(server, [{"id": 7, "name": value, "other": "text"}])
        return client.search_read("res.partner", fields=["name"])[0]["name"]


@pytest.mark.parametrize("text", AWKWARD, ids=ascii)
def test_a_text_comes_as_it_is(text: str, server: RawServer, client_to: ClientTo) -> None:
    assert read(server, client_to, text) == text


def test_so_do_names_and_lists(server: RawServer, client_to: ClientTo) -> None:
    value = {"a\x01": ["\ufffe", {"\r": "\x02"}], "b": [1, 2.5, True, None]}
    assert read(server, client_to, value) == value


def test_half_a_surrogate_pair_is_shown(server: RawServer, client_to: ClientTo) -> None:
    assert read(server, client_to, "a\ud800b\udfffc") == "a\ufffdb\ufffdc"


def test_nothing_but_what_is_forbidden_is_not_believed(server: RawServer, client_to: ClientTo) -> None:
    with failing_with(OdooServerError, "not a whole Odoo answer"):
        read(server, client_to, "\x01" * 10_000)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_not_believed(encoding: str, server: RawServer, client_to: ClientTo) -> None:
    body = f"<?xml version='1.0' encoding='{encoding}'?><methodResponse>é</methodResponse>".encode(encoding)
    server.everything = lambda _: Reply(body=body, content_type=XML_TYPE)
    with client_to(server.url, protocol="xmlrpc") as client, failing_with(OdooServerError, "not a whole Odoo answer"):
        client.user_id()


def test_the_class_of_an_error_is_found_though_postgresql_says_more(server: RawServer, client_to: ClientTo) -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/odoo/sql_db.py", line 332, in execute\n'
        "    res = self._obj.execute(query, params)\n"
        "psycopg2.errors.UndefinedColumn: column vendor_delay_report.on_time_rate does not exist\n"
        'LINE 1: SELECT "vendor_delay_report"."id", "vendor_delay_report"."on...\n'
        "                                           ^\n"
    )
    with client_to(server.url, protocol="xmlrpc") as client:
        answering(server, 2)
        client.user_id()
        body = xmlrpc.client.dumps(xmlrpc.client.Fault(1, text))
        server.everything = lambda _: Reply(body=body, content_type=XML_TYPE)
        with failing_with(OdooRequestError, "UndefinedColumn: column vendor_delay_report.on_time_rate") as raised:
            client.search_read("vendor.delay.report")
    assert raised[0].kind == "UndefinedColumn"
