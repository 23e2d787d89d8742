"""Versions, protocols, and that all protocols say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.connection import ProtocolChoice
from odoo_shadow.source.errors import OdooConfigurationError, OdooRequestError
from odoo_shadow.source.types import Json
from tests.support.records import ARCHIVED_TOO, Records, Values, ids_of
from tests.support.servers import HookTo, OdooServer

pytestmark = pytest.mark.odoo

LABELS = {
    ProtocolChoice.JSONRPC: "JSON-RPC",
    ProtocolChoice.XMLRPC: "XML-RPC",
    ProtocolChoice.JSON2: "JSON-2",
}
TEXT_OF_XML = "a'b\"c\\d\te\nf <&> ]]> é ß 漢 🎉"  # XML itself turns a carriage return into a newline


def test_version_needs_no_login(server: OdooServer, hook_to: HookTo) -> None:
    version = hook_to(login="nobody", password="wrong").get_conn().version
    assert version.major == int(server.version)
    assert version.text.startswith(f"{version.major}.") or version.text.startswith("saas~")


@pytest.mark.parametrize("kind", ["password", "API key"])
def test_auto_takes_json2_for_an_api_key_from_19_on(kind: str, server: OdooServer, hook_to: HookTo) -> None:
    secret = server.credentials().get(kind)
    if secret is None:
        pytest.skip(f"no {kind} given")
    hook = hook_to({"protocol": "auto"}, password=secret)
    expected = "JSON-2" if kind == "API key" and server.has_json2 else "JSON-RPC"
    assert hook.get_conn().protocol.label == expected
    assert hook.search_count("res.company") > 0


def test_the_protocol_that_the_connection_names_is_spoken(spoken: OdooHook) -> None:
    assert spoken.get_conn().protocol.label == LABELS[spoken.connection.protocol]
    assert spoken.get_conn().user_id() > 0


def test_json2_is_refused_before_19(server: OdooServer, hook_to: HookTo) -> None:
    if server.has_json2:
        pytest.skip("has JSON-2")
    with pytest.raises(OdooConfigurationError, match="no JSON-2: set protocol to auto or jsonrpc"):
        hook_to({"protocol": "json2"}).search_count("res.partner")


FIELDS = [
    "name",
    "active",
    "color",
    "partner_latitude",
    "parent_id",
    "child_ids",
    "category_id",
    "write_date",
    "comment",
]
Question = Callable[[OdooHook, list[int]], Json]
SAME: dict[str, Question] = {
    "records": lambda hook, own: list(
        hook.search_read("res.partner", [("id", "in", own)], FIELDS, order="id", context=ARCHIVED_TOO)
    ),
    "every field of a record": lambda hook, _: list(hook.search_read("res.country", [], limit=2, order="id")),
    "names of many2one": lambda hook, own: list(
        hook.search_read("res.partner", [("id", "in", own)], ["parent_id"], order="id", load="_classic_read")
    ),
    "ids": lambda hook, own: list(
        hook.search("res.partner", ["&", ("id", "in", own), "|", ("active", "=", False), ("color", "=", 7)], order="id")
    ),
    "a count": lambda hook, own: hook.search_count("res.partner", ["!", ("active", "=", True), ("id", "in", own)]),
    "descriptions": lambda hook, _: {
        name: {key: details.get(key) for key in ("type", "store", "relation", "required", "selection")}
        for name, details in hook.fields_get("res.company").items()
    },
    "an empty list": lambda hook, _: list(hook.search("res.partner", [("id", "=", -1)])),
}


@pytest.fixture(scope="module")
def family(hook: OdooHook, server: OdooServer) -> Iterator[list[int]]:
    """Partners with values of several types, empty ones among them."""
    made = Records(hook, server)
    tags = made.create("res.partner.category", [{}, {}])
    parent = made.partner(is_company=True, color=7, partner_latitude=-1.25, category_id=[(6, 0, tags)])
    yield [parent, *made.create("res.partner", [{"parent_id": parent, "comment": "<p>x</p>"}, {"active": False}])]
    made.clean_up()


@pytest.mark.parametrize("what", SAME)
def test_every_protocol_gives_the_same_answer(what: str, spoken: OdooHook, family: list[int], hook_to: HookTo) -> None:
    expected = SAME[what](hook_to({"protocol": "jsonrpc"}), family)
    assert expected or what == "an empty list"
    assert SAME[what](spoken, family) == expected


def test_every_protocol_writes(spoken: OdooHook, records: Records) -> None:
    values: Values = {"name": f"{records.prefix} {TEXT_OF_XML}", "color": 7, "is_company": True, "ref": False}
    (partner,) = ids_of(spoken.execute_kw("res.partner", "create", [[values]]))
    try:
        record = records.read_partner(partner, *values)
        assert record == {"id": partner, **values}
        assert spoken.execute_kw("res.partner", "write", [[partner], {"color": 8}]) is True
        assert records.read_partner(partner, "color")["color"] == 8
    finally:
        assert spoken.execute_kw("res.partner", "unlink", [[partner]]) is True
    assert records.read("res.partner", [partner], ["id"]) == []


def test_every_protocol_reads_what_was_written(spoken: OdooHook, records: Records) -> None:
    partner = records.partner(name=f"{records.prefix} {TEXT_OF_XML}")
    (record,) = spoken.search_read("res.partner", [("id", "=", partner)], ["name"])
    assert record["name"] == f"{records.prefix} {TEXT_OF_XML}"


def test_json2_takes_no_positional_arguments_of_unknown_methods(server: OdooServer, hook_to: HookTo) -> None:
    if not (server.has_json2 and server.api_key):
        pytest.skip("JSON-2 needs Odoo 19 and an API key")
    hook = hook_to({"protocol": "json2"})
    with pytest.raises(OdooRequestError, match=r"name those of res\.partner\.name_create"):
        hook.execute_kw("res.partner", "name_create", ["x"])


def test_connection_test_tells_what_works(spoken: OdooHook, server: OdooServer) -> None:
    works, message = spoken.test_connection()
    assert works, message
    label = LABELS[spoken.connection.protocol]
    for part in (f"Odoo {spoken.get_conn().version.text}", f"'{server.database}'", label, f"'{server.login}'"):
        assert part in message
    if server.api_key:
        assert server.api_key not in message
