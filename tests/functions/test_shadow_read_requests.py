"""What shadow-read takes from callers, and what it does when the API is in trouble."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.book import page
from tests.support.edge_functions import FUNCTIONS, EdgeFunction, edge_function
from tests.support.raw_server import RawServer, Reply, Request
from tests.support.scripted_airflow import document

SECRET = "never-passed-on-9"
RPC = ("POST", "/rest/v1/rpc/odoo_shadow_read_version")
READ = ("GET", "/rest/v1/odoo_shadow_res_partner")


@pytest.fixture(scope="module")
def function(upstream: RawServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeFunction]:
    keys = {"SUPABASE_PUBLISHABLE_KEYS": '{"default": "sb_publishable_one"}'}
    folder = tmp_path_factory.mktemp("function")
    with edge_function("shadow-read", folder, SUPABASE_URL=upstream.url, **keys) as served:
        yield served


@pytest.fixture
def api(upstream: RawServer) -> RawServer:
    upstream.requests.clear()
    upstream.everything = answers({})
    return upstream


def answers(trouble: dict[tuple[str, str], Reply]) -> Callable[[Request], Reply]:
    own = {RPC: document("version 1"), READ: document([{"id": 1}])}

    def reply(request: Request) -> Reply:
        return (own | trouble)[request.method, urlsplit(request.path).path]

    return reply


@pytest.mark.attack
@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("", 404, "there are partners, open-invoices, sales-orders"),
        ("/", 404, "there are"),
        ("/nothing", 404, '"nothing"'),
        ("/constructor", 404, '"constructor"'),
        ("/__proto__", 404, "there are"),
        ("/../rest/v1/odoo_shadow_res_users", 404, "there are"),
        ("/partners%2F..%2Fusers", 404, "there are"),
        ("/partners?select=*", 400, '"select" is not a parameter'),
        ("/partners?order=email", 400, '"order" is not a parameter'),
        ("/partners?or=(id.eq.1)", 400, '"or" is not a parameter'),
        ("/partners?countryid=eq.1", 400, 'did you mean "country_id"?'),
        ("/partners?toString=eq.1", 400, "is not a parameter"),
        ("/partners?email=eq.a", 400, '"email" is not a parameter'),
        ("/partners?name=eq.a", 400, 'The filter "name" takes ilike.…'),
        ("/partners?id=not.eq.1", 400, 'The filter "id" takes'),
        ("/partners?id=eq(any).{1}", 400, 'The filter "id" takes'),
        ("/partners?id=1", 400, "such as id=eq.1"),
        (f"/partners?id=eq.{'1' * 600}", 400, "longer than 500"),
        ("/partners?limit=501", 400, "from 1 to 500"),
        ("/partners?limit=0", 400, "from 1 to 500"),
        ("/partners?limit=1&limit=2", 400, "one whole number"),
        ("/partners?offset=-1", 400, "from 0"),
        ("/partners?" + "&".join(["id=eq.1"] * 21), 400, "more than 20"),
    ],
)
def test_only_what_is_listed_can_be_asked(
    function: EdgeFunction, api: RawServer, path: str, status: int, words: str
) -> None:
    answer = function.ask(path=path)
    assert answer.status_code == status
    assert words in answer.json()["message"]
    assert api.requests == []


def test_the_question_is_the_listed_one(function: EdgeFunction, api: RawServer) -> None:
    answer = function.ask(path="/partners?id=in.(1,2)&name=ilike.*a%26select%3D*&limit=7", key="users-token")
    assert answer.status_code == 200
    version, read = api.requests
    assert version.body == b'{"p_tables":["odoo_shadow_res_partner"]}'
    assert dict(parse_qsl(urlsplit(read.path).query)) == {
        "select": "id,name,email,country_id,company_id",
        "order": "id",
        "limit": "7",
        "offset": "0",
        "id": "in.(1,2)",
        "name": "ilike.*a&select=*",
    }
    for request in api.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert (headers["authorization"], headers["apikey"]) == ("Bearer users-token", "sb_publishable_one")
    same = function.ask(path="/partners?limit=7&name=ilike.*a%26select%3D*&id=in.(1,2)", key="users-token")
    assert same.headers["ETag"] == answer.headers["ETag"]


def test_who_does_not_say_who_they_are_is_refused(function: EdgeFunction, api: RawServer) -> None:
    answer = function.ask(path="/partners", key=None)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert api.requests == []
    assert function.ask(path="/partners", key=None, headers={"apikey": "sb_publishable_two"}).status_code == 200
    sent = [{name.lower(): value for name, value in request.headers.items()} for request in api.requests]
    assert {one["apikey"] for one in sent} == {"sb_publishable_two"}
    assert not any("authorization" in one for one in sent)


def test_pages_of_other_addresses_may_read(function: EdgeFunction, api: RawServer) -> None:
    asked = function.ask("OPTIONS", "/partners", key=None)
    assert asked.status_code == 204
    assert "if-none-match" in asked.headers["Access-Control-Allow-Headers"]
    for answer in (function.ask(path="/partners"), function.ask(path="/nothing")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert function.ask("POST", "/partners").status_code == 405


@pytest.mark.parametrize("version", [document(None), document({"code": "PGRST202"}, 404)], ids=["null", "missing"])
def test_without_a_version_nothing_is_kept(function: EdgeFunction, api: RawServer, version: Reply) -> None:
    """Tables that are not mirrored, or a shadow that a former version of the project made."""
    api.everything = answers({RPC: version})
    answer = function.ask(path="/partners", headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.json()) == (200, [{"id": 1}])
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers


@pytest.mark.parametrize("place", [RPC, READ], ids=["version", "rows"])
@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (document({"message": SECRET}, 400), 400, "rest_refuses"),
        (document({"message": SECRET}, 401), 401, "rest_refuses"),
        (document({"message": SECRET}, 403), 403, "rest_refuses"),
        (document({"message": SECRET}, 418), 502, "rest_in_trouble"),
        (document({"message": SECRET}, 500), 500, "rest_in_trouble"),
        (document({"message": SECRET}, 503), 503, "rest_in_trouble"),
        (Reply(200, f"<html>{SECRET}", "text/html"), 502, "upstream_unclear"),
        (document({"message": SECRET}), 502, "upstream_unclear"),
        (Reply(302, headers={"Location": "http://127.0.0.1:9/"}), 502, "upstream_redirects"),
    ],
)
def test_errors_keep_their_status_and_lose_their_words(
    function: EdgeFunction, api: RawServer, place: tuple[str, str], reply: Reply, status: int, code: str
) -> None:
    api.everything = answers({place: reply})
    answer = function.ask(path="/partners")
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
    assert SECRET not in answer.text and SECRET not in function.log.read_text(encoding="utf-8")


def test_a_read_that_the_page_shows_can_be_added(upstream: RawServer, tmp_path: Path) -> None:
    """As it stands there, beside those that are listed; with a time in which nobody asks again."""
    (shown,) = re.findall(r'```ts\n("orders-by-customer": \{.*?)```', page("how-to/edge-functions.md"), re.DOTALL)
    functions = tmp_path / "functions"
    shutil.copytree(FUNCTIONS, functions)
    reads = functions / "shadow-read" / "reads.ts"
    text = reads.read_text(encoding="utf-8").removesuffix("};\n")
    reads.write_text(text + shown.replace("limit: 200,", "limit: 200, maxAge: 10,") + "};\n", encoding="utf-8")
    rows = ("GET", "/rest/v1/odoo_shadow_sale_order_named")
    upstream.requests.clear()
    upstream.everything = answers({rows: document([])})
    with edge_function("shadow-read", tmp_path, functions, SUPABASE_URL=upstream.url) as function:
        answer = function.ask(path="/orders-by-customer?date_order=gte.2026-01-01")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=10, must-revalidate"
    tables = json.loads(upstream.requests[0].body)["p_tables"]
    assert tables == ["odoo_shadow_sale_order", "odoo_shadow_res_partner"]
