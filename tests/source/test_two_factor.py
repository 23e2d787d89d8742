"""A user with two-factor authentication and a password is told that an API key is needed, if that is why."""

from __future__ import annotations

import json
import xmlrpc.client

import pytest

from odoo_shadow.source.errors import OdooAuthenticationError
from tests.support.raw_clients import SECRET, ClientTo, failing_with
from tests.support.raw_server import HTML_TYPE, RawServer, Reply, Request

KEY = "0123456789abcdef0123456789abcdef01234567"
SESSION = "/web/session/authenticate"
WANTED = json.dumps({"result": {"uid": None}})
DENIED = json.dumps({"error": {"data": {"name": "odoo.exceptions.AccessDenied", "message": "Access Denied"}}})


def refusing(server: RawServer, session: Reply) -> None:
    def answer(request: Request) -> Reply:
        if request.path == SESSION:
            return session
        if request.path == "/xmlrpc/2/common":
            return Reply(body=xmlrpc.client.dumps((False,), methodresponse=True), content_type="text/xml")
        if request.path == "/web/version":
            return Reply(body=json.dumps({"version": "19.0"}))
        if request.path.startswith("/json/2"):
            return Reply(401, json.dumps({"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}))
        return Reply(body=json.dumps({"result": False}))

    server.everything = answer


@pytest.mark.parametrize("protocol", ["jsonrpc", "xmlrpc", "json2"])
def test_it_is_told_by_each_protocol(protocol: str, server: RawServer, client_to: ClientTo) -> None:
    refusing(server, Reply(body=WANTED))
    client = client_to(server.url, protocol=protocol)
    with failing_with(OdooAuthenticationError, "'someone'", "two-factor", "an API key is needed"):
        client.user_id()


@pytest.mark.parametrize(
    "session",
    [
        Reply(body=DENIED),
        Reply(404, "<html>", HTML_TYPE),
        Reply(403, WANTED),
        Reply(body=b"{"),
        Reply(body='{"result": {"uid": 7}}'),
        Reply(body='{"result": {}}'),
    ],
    ids=["wrong password", "no such page", "a refusal", "half an answer", "another reason", "no user"],
)
def test_otherwise_nothing_is_claimed(session: Reply, server: RawServer, client_to: ClientTo) -> None:
    refusing(server, session)
    with failing_with(OdooAuthenticationError, "refused the login 'someone'", "check both"):
        client_to(server.url, protocol="jsonrpc").user_id()


def test_a_key_is_not_tried_as_a_password(server: RawServer, client_to: ClientTo) -> None:
    assert SECRET != KEY
    refusing(server, Reply(body=WANTED))
    with failing_with(OdooAuthenticationError, "check both"):
        client_to(server.url, protocol="jsonrpc", password=KEY).user_id()
    assert SESSION not in [request.path for request in server.requests]
