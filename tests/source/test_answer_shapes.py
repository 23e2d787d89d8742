"""Answers of another shape than Odoo's: each ends in one sentence, wherever it is read."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.sync.id_check import IdCheck, Transactions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.tables.ids import LiveIds
from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.api.variants import add_variants
from odoo_shadow.source.errors import (
    OdooAuthenticationError,
    OdooConfigurationError,
    OdooError,
    OdooRecordIdError,
    OdooRequestError,
    OdooServerError,
)
from odoo_shadow.source.groups import By, Grouping
from odoo_shadow.source.reading import Reading, Variant
from odoo_shadow.source.types import Json
from odoo_shadow.text.findings import Verdict
from tests.support.raw_clients import SECRET, ClientTo, failing_with
from tests.support.raw_server import RawServer, Reply, Request, result

pytestmark = pytest.mark.attack

A_MOMENT = datetime(2024, 2, 29, tzinfo=UTC)
SHAPES: list[Json] = [
    None,
    True,
    7,
    1.5,
    "text",
    [],
    {},
    [None],
    [[]],
    [7],
    [{}],
    [{"id": None}],
    [{"id": True, "model": None, "name": {}, "display_name": []}],
    [{"id": [1], "model": ["a"], "code": 7, "value": 7, "company_ids": 7, "company_id": [], "name": 7, "modules": {}}],
    [{"id": 1, "company_ids": [True, "1"], "company_id": None, "login_date": 7, "login": 7, "modules": 7}],
    [{"id": 2**70, "model": 1, "transient": None, "state": None, "count": None}],
    [{"model": "x", "name": "x", "id": 1}, {"model": "x"}],
    {"a": None},
    {"a": {}},
    {"a": {"type": {}}},
    {"": {"type": "char"}},
    {"a\ud800": {"type": "char"}},
    {"a\x00": {"type": "char"}},
    {"a" * 999: {"type": "char"}},
    {"id": {"type": None}},
]

READERS: dict[str, Callable[[ApiSource], object]] = {
    "search_read": lambda odoo: odoo.client.search_read("res.partner"),
    "search": lambda odoo: odoo.client.search("res.partner"),
    "search_count": lambda odoo: odoo.client.search_count("res.partner"),
    "fields_get": lambda odoo: odoo.client.fields_get("res.partner"),
    "readable models": lambda odoo: odoo.readable_models,
    "models": ApiSource.discover,
    "fields": lambda odoo: odoo.describe("res.partner"),
    "fields' states": lambda odoo: odoo.field_states(["res.partner"]),
    "layout": lambda odoo: read_layout(odoo, "res.partner"),
    "languages": ApiSource.languages,
    "companies": ApiSource.companies,
    "the database's uuid": lambda odoo: odoo.database_state(),
    "when rows were written": lambda odoo: odoo.dates("res.partner", [1], made=True),
    "groups": lambda odoo: odoo.groups(Grouping("res.partner", (By("a"), By("b", month=True)), ("c",))),
    "about a model": lambda odoo: odoo.about("res.partner"),
    "owner": lambda odoo: odoo.client._check_owner(2),
}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: json.dumps(shape)[:30])
@pytest.mark.parametrize("what", READERS)
def test_any_shape_is_read_or_refused(what: str, shape: Json, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: result(shape)
    try:
        READERS[what](source)
    except OdooError as error:
        assert "'odoo_raw'" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: json.dumps(shape)[:30])
def test_the_doctor_tells_of_any_shape(
    shape: Json, server: RawServer, source: ApiSource, shadow: ShadowDatabase
) -> None:
    server.otherwise = lambda _: result(shape)
    findings = examine(source, shadow, ["res.partner"], timedelta(minutes=15))
    assert any(finding.verdict is not Verdict.OK for finding in findings)


LOGINS: list[tuple[Json, type[OdooError]]] = [
    (False, OdooAuthenticationError),
    (None, OdooAuthenticationError),
    (True, OdooServerError),
    ("2", OdooServerError),
    ([2], OdooServerError),
    ({}, OdooServerError),
    (2.0, OdooServerError),
    (2**64, OdooServerError),
]


@pytest.mark.parametrize(("answer", "kind"), LOGINS, ids=str)
def test_a_login_that_answers_no_user(
    answer: Json, kind: type[OdooError], server: RawServer, source: ApiSource
) -> None:
    server.everything = lambda _: result(answer)
    with failing_with(kind):
        source.user_id()


@pytest.mark.parametrize("envelope", ['{"result": 7}', '{"jsonrpc": "2.0"}', "7", '"x"', "null", "[7]"])
@pytest.mark.parametrize("status", [201, 206, 400, 500])
def test_a_result_with_another_status_is_none(envelope: str, status: int, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: Reply(status, envelope)
    with failing_with(OdooServerError):
        source.client.search_count("res.partner")


ERRORS: list[Json] = [
    None,
    7,
    "x",
    [],
    {},
    {"data": None},
    {"data": []},
    {"data": {"name": {}, "message": []}},
    {"data": {"name": 7, "message": 7}},
    {"data": {"name": "x" * 10**6, "message": "y" * 10**6}},
    {"data": {"name": "a.b\n\x1b[2J", "message": "\n\n"}},
    {"data": {"name": f"odoo.{SECRET}", "message": f"{'x' * 295}{SECRET}", "debug": f"Traceback: {SECRET}"}},
    {"data": {"name": "odoo.exceptions.AccessError", "message": f"{'x' * 290}{SECRET}", "debug": SECRET}},
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: json.dumps(error)[:30])
def test_any_error_is_one_short_sentence(error: Json, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: Reply(body=json.dumps({"error": error}))
    with pytest.raises(OdooError) as raised:
        source.client.search_count("res.partner")
    assert len(str(raised.value)) < 800
    for length in range(4, len(SECRET)):  # no piece of it either
        assert SECRET[:length] not in str(raised.value)


def test_no_chain_of_errors_holds_the_request(
    server: RawServer, client_to: ClientTo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests' own errors carry the request, and so the password in its body."""
    caplog.set_level(logging.DEBUG)
    replies = [
        Reply(raw=b""),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
        Reply(body="{"),
        Reply(301),
    ]
    for protocol in ("jsonrpc", "xmlrpc"):
        for reply in replies:
            server.everything = lambda _, reply=reply: reply
            with pytest.raises(OdooError) as raised:
                client_to(server.url, protocol=protocol).user_id()
            seen: BaseException | None = raised.value
            while seen is not None:
                assert not hasattr(seen, "request")
                assert SECRET not in repr(seen) + repr(vars(seen))
                seen = seen.__cause__ or seen.__context__
            assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in caplog.text


VERSIONS = ["1" * 5000, "\u0661\u0669.0", "19.0" + "x" * 10**6, "-", "\x1b[2J19.0"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: ascii(version)[:20])
def test_an_odd_version(version: str, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(body=json.dumps({"version": version}))
    try:
        found = client_to(server.url).version
        assert len(found.text) < 60 and found.text.isprintable() and found.major < 10_000
    except OdooConfigurationError as error:
        assert "does not report its version of Odoo" in str(error)


VARIANTS = [
    [{}],
    [{"id": 8, "name": "x"}],
    [{"id": [7], "name": "x"}],
    [{"id": True, "name": "x"}],
    [{"id": 7}],
]


@pytest.mark.parametrize("others", VARIANTS, ids=str)
def test_variants_that_do_not_belong_to_the_records(others: Json, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: result(others)
    variants = (Variant("translations", "en_US", ("name",), is_main=True), Variant("translations", "fr_FR", ("name",)))
    with failing_with(OdooServerError, "fr_FR"):
        add_variants(source.client, Reading("res.partner", ("id", "name"), (), variants), [{"id": 7, "name": "x"}])


COUNTS = [10**15, 2**62, 101]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("count", COUNTS)
def test_more_records_than_ids_are_not_counted_for_ever(count: int, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: result(count)
    with failing_with(OdooRecordIdError, f"{count} records with ids from 1 to 100"):
        _narrowing(source).count_theirs(0, 100)


@pytest.mark.parametrize("ids", [[0], [101], [50, 10**18], [-5]])
def test_ids_from_elsewhere_are_not_taken_for_missing(ids: Json, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: result(ids)
    with failing_with(OdooServerError, "ids that are not from 1 to 100"):
        _narrowing(source).compare(0, 100, 3, 2)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("most", "highest"), [(10**15, 2**62), (2**62, 2**63 - 1), (6_000, 2**40)])
@pytest.mark.parametrize("in_parts", [False, True], ids=["only at first", "in every part"])
def test_records_that_are_counted_but_not_listed(
    most: int, highest: int, in_parts: bool, server: RawServer, source: ApiSource
) -> None:
    def answer(request: Request) -> Reply:
        method, args = json.loads(request.body)["params"]["args"][4:6]
        low, high = ([term[2] for term in args[0] if term[0] == "id" and term[1] == sign][-1] for sign in (">", "<="))
        if method == "search_count":
            return result(min(most, high - low) if in_parts or (low, high) == (0, highest) else 0)
        return result([])

    server.otherwise = answer
    live = SimpleNamespace(listed=lambda *_: set(), count=lambda *_: 0)
    with failing_with(OdooServerError, "listed"):
        _narrowing(source, live).compare(0, highest, most, 0)
    assert len(server.requests) < 200


def test_a_range_without_end_that_has_few_ids_is_soon_listed(server: RawServer, source: ApiSource) -> None:
    ids = [1, 2, 2**40, 2**62]

    def answer(request: Request) -> Reply:
        method, args = json.loads(request.body)["params"]["args"][4:6]
        low, high = ([term[2] for term in args[0] if term[0] == "id" and term[1] == sign][-1] for sign in (">", "<="))
        found = [item for item in ids if low < item <= high]
        return result(len(found) if method == "search_count" else found)

    server.otherwise = answer
    live = SimpleNamespace(listed=lambda _, low, high: {item for item in (2, 7) if low < item <= high})
    narrowing = _narrowing(source, live)
    narrowing.compare(0, 2**62, 10**9, 2)
    assert (narrowing.found.gone, narrowing.found.missing) == ([7], [1, 2**40, 2**62])
    assert len(server.requests) < 200


def _narrowing(source: ApiSource, live: object = None) -> IdCheck:
    """A comparison that ends before anything of the shadow is written.

    :param live: what the shadow has; None when nothing of it is read.
    """
    return IdCheck(source, Reading("res.partner", ("id", "name")), cast(LiveIds, live), cast(Transactions, nullcontext))


@pytest.mark.parametrize("number", ["nan", "NaN", "inf", "-Infinity"])
def test_numbers_that_json_has_not_come_over_every_protocol(
    number: str, server: RawServer, client_to: ClientTo
) -> None:
    """Odoo writes them as Python does: `NaN` and `Infinity` in JSON, `nan` and `inf` in XML."""
    member = f"<member><name>x</name><value><double>{number}</double></value></member>"
    body = methods(f"<value><array><data><value><struct>{member}</struct></value></data></array></value>")
    in_json = {"nan": "NaN", "inf": "Infinity"}.get(number, number)
    user = methods("<value><int>2</int></value>")

    def answer(request: Request) -> Reply:
        if request.path == "/jsonrpc":
            return Reply(body=f'{{"result": [{{"x": {in_json}}}]}}') if request.call == "search_read" else result(2)
        return Reply(body=user if request.path.endswith("common") else body, content_type="text/xml")

    server.everything = answer
    by_xml = client_to(server.url, protocol="xmlrpc").search_read("res.partner")
    assert (
        str(client_to(server.url, protocol="jsonrpc").search_read("res.partner"))
        == str(by_xml)
        == str([{"x": float(number)}])
    )


def test_ids_of_views_that_count_in_fractions_are_whole(server: RawServer, source: ApiSource) -> None:
    """Such as a view whose ids are `numeric`: Odoo passes them on as floats (17.0 and 19.0)."""
    server.otherwise = lambda _: result([3.0, 9007199254740991.0])
    ids = source.client.search("res.partner")
    assert ids == [3, 2**53 - 1] and {type(item) for item in ids} == {int}
    server.otherwise = lambda _: result([{"id": 3.0, "x": 3.0}])
    (record,) = source.client.search_read("res.partner")
    assert record == {"id": 3, "x": 3.0} and type(record["id"]) is int


@pytest.mark.parametrize("number", [3.5, 2.0**53, -(2.0**60)])
def test_other_fractions_are_no_ids(number: float, server: RawServer, source: ApiSource) -> None:
    server.otherwise = lambda _: result([number])
    with failing_with(OdooServerError, "not a list of ids"):
        source.client.search("res.partner")


@pytest.mark.parametrize("flavour", ["jsonrpc", "json2"])
def test_a_secret_within_an_error_text_does_not_change_what_it_means(
    flavour: str, server: RawServer, client_to: ClientTo
) -> None:
    """`project.tags` takes no `load`; the text that says so is redacted, and cut, only for people."""
    said = f"{'x' * 400}search_read() got an unexpected keyword argument 'load'"

    def answer(request: Request) -> Reply:
        if request.path == "/web/version":
            return Reply(404)
        if request.call in ("version", "authenticate"):
            return result({"server_version": "19.0"} if request.call == "version" else 2)
        if b'"load"' not in request.body:
            return Reply(body="[]") if flavour == "json2" else result([])
        if flavour == "json2":
            return Reply(422, json.dumps({"name": "werkzeug.exceptions.UnprocessableEntity", "message": said}))
        return Reply(body=json.dumps({"error": {"data": {"name": "builtins.TypeError", "message": said}}}))

    server.everything = answer
    with client_to(server.url, protocol=flavour, password="unexpected keyword") as client:
        assert client.search_read("project.tags") == []


def methods(value: str, head: str = "") -> str:
    return f"<?xml version='1.0'?>{head}<methodResponse><params><param>{value}</param></params></methodResponse>"


def deep(levels: int) -> str:
    opened, closed = "<value><array><data>" * levels, "</data></array></value>" * levels
    return methods(f"{opened}{closed}")


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "'
    + "ha" * 1000
    + '">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 100}">' for i in range(8))
    + "]><methodResponse><params><param><value><string>&i;</string></value></param></params></methodResponse>"
)
XML: dict[str, str] = {
    "billion laughs": LAUGHS,
    "an entity": methods("<value><int>&a;</int></value>", '<!DOCTYPE x [<!ENTITY a "7">]>'),
    "a file": methods("<value>&a;</value>", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
    "unknown entity": methods("<value>&a;</value>"),
    "deep": deep(65),
    "very deep": deep(200_000),
    "not closed": "<value>" * 100_000,
    "no params": "<methodResponse></methodResponse>",
    "empty params": "<methodResponse><params/></methodResponse>",
    "empty param": "<methodResponse><params><param/></params></methodResponse>",
    "two params": methods("<value><int>7</int></value></param><param><value><int>8</int></value>"),
    "two values": methods("<value><int>7</int></value><value><int>8</int></value>"),
    "a call": "<methodCall><methodName>x</methodName><params><param><value><int>7</int></value></param></params>"
    "</methodCall>",
    "two roots": methods("<value><int>7</int></value>") * 2,
    "huge int": methods(f"<value><int>{'1' * 5000}</int></value>"),
    "large int": methods(f"<value><int>{2**70}</int></value>"),
    "i8 of text": methods("<value><i8>x</i8></value>"),
    "bool of 2": methods("<value><boolean>2</boolean></value>"),
    "date": methods("<value><dateTime.iso8601>99999999T99:99:99</dateTime.iso8601></value>"),
    "right date": methods("<value><dateTime.iso8601>20260101T00:00:00</dateTime.iso8601></value>"),
    "base64": methods("<value><base64>!!</base64></value>"),
    "right base64": methods("<value><base64>aGVsbG8=</base64></value>"),
    "nan": methods("<value><double>nan</double></value>"),
    "struct of one": methods("<value><struct><member><name>a</name></member></struct></value>"),
    "struct with list for a name": methods(
        "<value><struct><member><value><array><data/></array></value><value>1</value></member></struct></value>"
    ),
    "struct with number for a name": methods(
        "<value><struct><member><value><int>1</int></value><value>1</value></member></struct></value>"
    ),
    "ends without begin": methods("<value></array></value>"),
    "data alone": methods("<data/>"),
    "array without value": methods("<array/>"),
    "fault of a number": "<methodResponse><fault><value><int>7</int></value></fault></methodResponse>",
    "fault of a list": "<methodResponse><fault><value><array><data/></array></value></fault></methodResponse>",
    "fault of nothing": "<methodResponse><fault/></methodResponse>",
    "fault without a text": "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int>"
    "</value></member></struct></value></fault></methodResponse>",
    "fault with more": "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value>"
    "</member><member><name>faultString</name><value>x</value></member><member><name>self</name><value>x</value>"
    "</member></struct></value></fault></methodResponse>",
    "fault code of a list": "<methodResponse><fault><value><struct><member><name>faultCode</name><value><array><data/>"
    "</array></value></member><member><name>faultString</name><value>x</value></member></struct></value></fault>"
    "</methodResponse>",
    "utf-16": "<?xml version='1.0' encoding='utf-16'?>" + methods("<value><int>x</int></value>")[21:],
    "unknown encoding": "<?xml version='1.0' encoding='nonsense'?><rss/>",
    "control characters": methods("<value>\x00</value>"),
    "names without end": "<" + "x" * 100_000 + "/>",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("what", XML)
def test_xml_of_another_shape(what: str, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(body=XML[what], content_type="text/xml")
    source = client_to(server.url, protocol="xmlrpc")
    with pytest.raises(OdooError) as raised:
        source.user_id()
    assert isinstance(raised.value, OdooServerError | OdooRequestError)
    assert "root:" not in str(raised.value)


ODD_VALUES = [
    "right date",
    "right base64",
    "struct with number for a name",
    "two params",
    "deep",
    "very deep",
    "a call",
]


@pytest.mark.sampled
@pytest.mark.parametrize("what", ODD_VALUES)
def test_a_value_that_only_xml_has(what: str, server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda request: Reply(
        body=methods("<value><int>2</int></value>") if request.path.endswith("common") else XML[what],
        content_type="text/xml",
    )
    with failing_with(OdooServerError, "not a whole Odoo answer"):
        client_to(server.url, protocol="xmlrpc").execute_kw("res.partner", "read", [[7]])


def test_deep_xml_that_is_just_flat_enough(server: RawServer, client_to: ClientTo) -> None:
    server.everything = lambda _: Reply(body=deep(60), content_type="text/xml")
    with failing_with(OdooServerError, "is not an integer"):
        client_to(server.url, protocol="xmlrpc").user_id()


UNSENDABLE: Mapping[str, Callable[[OdooClient], object]] = {
    "large number": lambda odoo: odoo.search_count("res.partner", [("id", "<=", 2**40)]),
    "half a surrogate": lambda odoo: odoo.search_count("res.partner", [("name", "=", "\ud800")]),
}


@pytest.mark.parametrize("what", UNSENDABLE)
def test_what_xml_rpc_cannot_carry_is_told(what: str, server: RawServer, client_to: ClientTo) -> None:
    seven = methods("<value><int>7</int></value>")
    server.everything = lambda _: Reply(body=seven, content_type="text/xml")
    with failing_with(OdooRequestError, "XML-RPC cannot carry", "jsonrpc"):
        UNSENDABLE[what](client_to(server.url, protocol="xmlrpc"))


def test_json2_errors_of_any_shape(server: RawServer, client_to: ClientTo) -> None:
    shapes: list[Json] = [None, [], 7, {}, {"name": {}}, {"name": 7, "message": []}, {"message": "x" * 10**5}]
    for status in (200, 201, 302, 400, 401, 404, 422, 500):
        for shape in shapes if status != 200 else [*shapes[:2], *shapes[3:]]:

            def answer(request: Request, status: int = status, shape: Json = shape) -> Reply:
                if request.path == "/web/version":
                    return Reply(body='{"version": "19.0"}')
                return Reply(status, json.dumps(shape))

            server.everything = answer
            with pytest.raises(OdooError) as raised:
                client_to(server.url, protocol="json2").search_count("res.partner")
            assert len(str(raised.value)) < 800
