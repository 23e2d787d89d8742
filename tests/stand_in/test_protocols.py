"""Protocols, errors, rights and faults of the stand-in, over HTTP."""

from __future__ import annotations

import xmlrpc.client

import pytest
import requests

from odoo_stand_in import Fault
from tests.support.wire import Wire

pytestmark = pytest.mark.both_flavours


def test_login_by_password_and_by_key(wire: Wire) -> None:
    odoo = wire.odoo
    for secret in (odoo.password, odoo.api_key):
        assert wire.jsonrpc("common", "authenticate", odoo.database, "admin", secret, {})["result"] == 2
    for secret in ("wrong", odoo.expired_api_key):
        assert wire.jsonrpc("common", "authenticate", odoo.database, "admin", secret, {})["result"] is False
    assert wire.call("res.partner", "search", [], secret="wrong")["name"] == "odoo.exceptions.AccessDenied"
    unknown = wire.jsonrpc("common", "authenticate", "nope", "admin", "admin", {})
    assert unknown["error"]["data"]["name"] == "psycopg2.OperationalError"


def test_version_page_only_on_19(older: Wire, newer: Wire) -> None:
    assert requests.get(f"{newer.odoo.url}/web/version", timeout=5).json()["version"] == "19.0"
    missing = requests.get(f"{older.odoo.url}/web/version", timeout=5)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("model", "method", "args", "name"),
    [
        ("no.model", "search", ([],), "odoo.exceptions.UserError"),
        ("mail.thread", "search", ([],), "odoo.exceptions.AccessError"),
        ("res.partner", "nope", ([],), "builtins.AttributeError"),
        ("res.partner", "search", ([["nope", "=", 1]],), "builtins.ValueError"),
        ("res.partner", "write", ([99999], {"name": "x"}), "odoo.exceptions.MissingError"),
        ("res.partner", "search", ([], 0, -1), "psycopg2.errors.InvalidRowCountInLimitClause"),
    ],
)
def test_error_names(wire: Wire, model: str, method: str, args: tuple[object, ...], name: str) -> None:
    error = wire.call(model, method, *args)
    assert error["name"] == name
    assert set(error) == {"name", "message", "debug", "arguments", "context"}


def test_json2_statuses(newer: Wire) -> None:
    assert newer.json2("res.partner", "search_count", {"domain": [["id", "=", 1]]}).json() == 1
    refused = newer.json2("res.partner", "search", {"domain": []}, key=newer.odoo.expired_api_key)
    assert (refused.status_code, refused.json()["message"]) == (401, "Invalid apikey")
    assert newer.json2("no.model", "search", {"domain": []}).status_code == 404
    assert newer.json2("res.partner", "nope", {}).status_code == 404
    assert newer.json2("res.partner", "search", {"domain": [], "ids": [1]}).status_code == 422
    assert newer.json2("res.partner", "search", {"domain": [], "nope": 1}).status_code == 422
    assert newer.json2("account.move", "search", {"domain": []}, newer.odoo.limited_api_key).status_code == 403
    assert newer.json2("res.partner", "search", {"domain": [["nope", "=", 1]]}).status_code == 500


def test_xmlrpc_results_and_faults(wire: Wire) -> None:
    assert wire.xmlrpc("res.partner", "search", [["id", "=", 1]]) == [1]
    codes = {}
    for model, domain in (("no.model", []), ("mail.thread", []), ("res.partner", [["nope", "=", 1]])):
        with pytest.raises(xmlrpc.client.Fault) as caught:
            wire.xmlrpc(model, "search", domain)
        codes[model] = caught.value.faultCode
    assert codes == {"no.model": 2, "mail.thread": 4, "res.partner": 1}


def test_a_limited_user_sees_less(wire: Wire) -> None:
    def limited(model: str, method: str, *args: object) -> object:
        return wire.call(model, method, *args, uid=3, secret="limited")

    for model in ("account.move", "ir.model", "ir.config_parameter"):
        refused = limited(model, "search", [])
        assert isinstance(refused, dict)
        assert refused["name"] == "odoo.exceptions.AccessError"
    fields = limited("res.partner", "fields_get", [], ["type"])
    assert isinstance(fields, dict)
    assert "name" in fields
    assert "credit_limit" not in fields
    assert limited("res.company", "search", []) == [1]


def test_faults_come_once_and_after(wire: Wire) -> None:
    wire.odoo.faults.add(
        Fault(model="res.partner", status=429, headers={"Retry-After": "1"}, after=1),
        Fault(model="res.users", body="<html>sorry</html>"),
        Fault(model="res.country", close=True),
    )
    answers = [
        requests.post(f"{wire.odoo.url}/jsonrpc", json=_call(wire, "res.partner"), timeout=5).status_code
        for _ in range(3)
    ]
    assert answers == [200, 429, 200]
    assert requests.post(f"{wire.odoo.url}/jsonrpc", json=_call(wire, "res.users"), timeout=5).text.startswith("<html>")
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{wire.odoo.url}/jsonrpc", json=_call(wire, "res.country"), timeout=5)
    assert len(wire.odoo.faults) == 0
    assert wire.odoo.calls.count(("res.partner", "search")) == 3


def _call(wire: Wire, model: str) -> dict[str, object]:
    args = [wire.odoo.database, 2, "admin", model, "search", [[]], {}]
    return {"params": {"service": "object", "method": "execute_kw", "args": args}}
