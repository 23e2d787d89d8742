"""What a call consists of: the protocol that is chosen, the address, the context."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.errors import OdooAuthenticationError, OdooRequestError
from odoo_shadow.source.types import Context
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import RawServer, Reply, Request, result

KEY_LIKE = "0123456789abcdef" * 2 + "01234567"


def newer_odoo(is_key: bool, is_password: bool) -> Callable[[Request], Reply]:
    """An Odoo 19 where the credential is a key, or a password, or neither."""

    def reply(request: Request) -> Reply:
        if request.path == "/web/version":
            return Reply(body='{"version": "19.0"}')
        if request.path.startswith("/json/2/"):
            refused = '{"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}'
            answer = '{"uid": 2}' if request.path.endswith("context_get") else "7"
            return Reply(body=answer) if is_key else Reply(401, refused)
        if request.call == "authenticate":
            return result(2 if is_password else False)
        return result(8)

    return reply


@pytest.mark.parametrize(
    ("password", "is_key", "is_password", "label", "count"),
    [
        (KEY_LIKE, True, True, "JSON-2", 7),
        (KEY_LIKE, False, True, "JSON-RPC", 8),
        (KEY_LIKE.upper(), True, True, "JSON-RPC", 8),
        (KEY_LIKE[:-1], True, True, "JSON-RPC", 8),
        ("a password", False, True, "JSON-RPC", 8),
    ],
    ids=["key", "password that looks like a key", "upper case", "too short", "password"],
)
def test_auto_finds_out_whether_the_credential_is_a_key(
    password: str, is_key: bool, is_password: bool, label: str, count: int, server: RawServer, client_to: ClientTo
) -> None:
    server.everything = newer_odoo(is_key, is_password)
    client = client_to(server.url, protocol="auto", password=password)
    assert client.protocol.label == label
    assert client.search_count("res.partner") == count


def test_a_key_that_nobody_accepts(server: RawServer, client_to: ClientTo) -> None:
    server.everything = newer_odoo(is_key=False, is_password=False)
    with failing_with(OdooAuthenticationError, "API keys expire"):
        client_to(server.url, protocol="auto", password=KEY_LIKE).search_count("res.partner")


def test_the_protocol_is_chosen_once(server: RawServer, client_to: ClientTo) -> None:
    server.everything = newer_odoo(is_key=True, is_password=True)
    client = client_to(server.url, protocol="auto", password=KEY_LIKE)
    for _ in range(3):
        client.search_count("res.partner")
    paths = [request.path for request in server.requests]
    assert paths == ["/web/version", "/json/2/res.users/context_get", *["/json/2/res.partner/search_count"] * 3]


def test_json2_names_the_arguments_of_odoos_own_methods(server: RawServer, client_to: ClientTo) -> None:
    server.everything = newer_odoo(is_key=True, is_password=True)
    client = client_to(server.url, protocol="json2", password=KEY_LIKE)
    client.execute_kw("res.partner", "write", [[1, 2], {"color": 3}])
    request = server.requests[-1]
    assert json.loads(request.body) == {"ids": [1, 2], "vals": {"color": 3}}
    assert request.headers["X-Odoo-Database"] == "db"
    with failing_with(OdooRequestError, "name those of res.partner.write"):
        client.execute_kw("res.partner", "write", [[1], {}, "more"])


def test_a_path_prefix_is_kept(server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: result(2)
    assert client_to(f"{server.url}/erp/").search_count("res.partner") == 2
    assert {request.path for request in server.requests} == {"/erp/jsonrpc"}


def test_search_read_asks_for_bare_ids_and_for_no_more_than_it_needs(server: RawServer, client: OdooClient) -> None:
    server.otherwise = lambda _: result([])
    client.search_read("res.partner", [("id", ">", 1)], ["name"], limit=5, order="id")
    arguments = json.loads(server.requests[-1].body)["params"]["args"]
    assert arguments[3:6] == ["res.partner", "search_read", [[["id", ">", 1]]]]
    assert arguments[6] == {"fields": ["name"], "load": "", "limit": 5, "order": "id"}


@pytest.mark.parametrize(
    ("extras", "given", "sent"),
    [
        ({}, None, None),
        ({}, {"active_test": False}, {"active_test": False}),
        ({"lang": "fr_FR", "company_ids": "3,1"}, None, {"lang": "fr_FR", "allowed_company_ids": [3, 1]}),
        ({"lang": "fr_FR"}, {"active_test": False}, {"lang": "fr_FR", "active_test": False}),
        ({"lang": "fr_FR"}, {"lang": "de_DE"}, {"lang": "de_DE"}),
    ],
)
def test_language_and_companies_travel_in_the_context(
    extras: dict[str, object], given: Context | None, sent: Context | None, server: RawServer, client_to: ClientTo
) -> None:
    client_to(server.url, **extras).search_count("res.partner", context=given)
    params = json.loads(server.requests[-1].body)["params"]
    assert params["args"][6].get("context") == sent
