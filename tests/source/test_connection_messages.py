"""What the "Test connection" button says, through the Airflow hook."""

from __future__ import annotations

import json

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_stand_in import Fault, StandIn
from tests.support.raw_clients import SECRET

pytestmark = pytest.mark.both_flavours

WRONG_KEY = "0123456789abcdef" * 2 + "01234567"


def form_says(monkeypatch: pytest.MonkeyPatch, odoo: StandIn, **changed: object) -> tuple[bool, str]:
    """Test a connection to a stand-in, some of its fields given otherwise."""
    fields = {
        "conn_type": "odoo",
        "host": odoo.url,
        "schema": odoo.database,
        "login": odoo.login,
        "password": odoo.api_key,
    }
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_FORM", json.dumps({**fields, **changed}))
    hook = OdooHook("odoo_form")
    works, message = hook.test_connection()
    assert "\n" not in message
    assert "Traceback" not in message
    for secret in (odoo.api_key, SECRET, WRONG_KEY):
        assert secret not in message
    if works:
        hook.get_conn().close()
    return works, message


def test_it_works(monkeypatch: pytest.MonkeyPatch, shared_odoo: StandIn) -> None:
    version, protocol = ("19.0", "JSON-2") if shared_odoo.flavour == "19" else ("17.0", "JSON-RPC")
    partners = shared_odoo.execute("res.partner", "search_count", [])
    assert form_says(monkeypatch, shared_odoo) == (
        True,
        f"Connected to Odoo {version}, database '{shared_odoo.database}', over {protocol} as user 2 ('admin'), "
        f"who sees {partners} partners.",
    )


TROUBLE: list[tuple[dict[str, object], str]] = [
    ({"password": SECRET}, "refused the login 'admin' with this password or API key: check both"),
    ({"password": WRONG_KEY}, "API keys expire, in Odoo 19 after at most three months: create a new one"),
    ({"login": "nobody", "password": SECRET}, "refused the login 'nobody'"),
    ({"host": None}, "the host (URL) is empty: fill it in."),
    ({"schema": ""}, "the database (schema) is empty: fill it in."),
    ({"password": ""}, "the password or API key is empty: fill it in."),
    ({"host": f"https://x:{SECRET}@example.com"}, "the host (URL) is not a URL such as https://erp.example.com"),
    ({"schema": "nope"}, "the server has no database 'nope': correct the database (schema)."),
    ({"extra": {"protocol": "soap"}}, "protocol is text, but must be one of auto, json2, jsonrpc, xmlrpc."),
    ({"extra": {"timeout": "soon"}}, "timeout is text, but must be a number above zero."),
    ({"extra": {"company_ids": "98765"}}, "companies"),
]


@pytest.mark.parametrize(("changed", "told"), TROUBLE)
def test_what_is_wrong(
    changed: dict[str, object], told: str, monkeypatch: pytest.MonkeyPatch, shared_odoo: StandIn
) -> None:
    works, message = form_says(monkeypatch, shared_odoo, **changed)
    assert not works, message
    assert message.startswith("Odoo connection 'odoo_form'")
    assert told in message


def test_trouble_on_the_way(monkeypatch: pytest.MonkeyPatch, shared_odoo: StandIn) -> None:
    shared_odoo.faults.add(Fault(times=20, status=502, body="<html>Bad gateway</html>"))
    works, message = form_says(monkeypatch, shared_odoo)
    assert not works
    assert message.endswith("or a proxy in front of it failed (HTTP 502).")


def test_json2_asked_of_17(monkeypatch: pytest.MonkeyPatch, shared_odoo: StandIn) -> None:
    works, message = form_says(monkeypatch, shared_odoo, extra={"protocol": "json2"})
    assert works is (shared_odoo.flavour == "19")
    assert works or message.endswith("is Odoo 17.0, which has no JSON-2: set protocol to auto or jsonrpc.")
