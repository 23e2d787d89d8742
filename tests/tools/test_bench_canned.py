"""The benchmarks' server of ready-made rows answers as the stand-in does, or says what it cannot answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from odoo_shadow.source.errors import OdooRequestError
from odoo_shadow.source.types import Argument
from odoo_stand_in import StandIn
from tests.support.clients import client_of
from tools.bench_canned import CannedAnswers, serve

MODEL = "res.partner"
TOO = {"active_test": False}


@pytest.fixture(scope="module")
def odoo(postgres: str) -> Iterator[StandIn]:
    """A stand-in whose partners are numbered without gaps, so that as many ready-made ones are just these."""
    with StandIn(postgres, flavour="19", database="own_canned") as running:
        ids = running.execute(MODEL, "search", [], context=TOO)
        assert sorted(ids) == list(range(1, len(ids) + 1))
        yield running


@pytest.fixture
def rows(odoo: StandIn) -> int:
    return len(odoo.execute(MODEL, "search", [], context=TOO))


@pytest.fixture
def url(odoo: StandIn, rows: int) -> Iterator[str]:
    url, end = serve(CannedAnswers(odoo.url, MODEL, rows))
    yield url
    end()


WRITTEN = "2026-06-01 00:00:00"
DOMAINS: list[list[Any]] = [
    [],
    [["id", ">", 3]],
    [["id", ">=", 3], ["id", "<", 9]],
    [["id", ">", 3], ["id", "<=", 9], ["id", "!=", 5]],
    [["id", "=", 4]],
    [["id", "in", [9, 4, 400_000, 2]]],
    [["id", "not in", [1, 2]]],
    [["id", "in", [9, 4, 2]], ["id", ">", 2], ["id", "in", [4, 5]]],
    [["id", ">", 400_000]],
    [["id", "<", -1]],
    ["&", ["id", ">", 2], ["id", "<", 6]],
    ["|", ["id", "<", 3], ["id", "=", 7]],
    ["!", ["id", ">", 3]],
    [["id", ">", 2], "|", ["id", "<", 6], "!", ["id", "<", 20]],
    [["active", "in", [True, False]]],
    [["active", "=", False]],
    [["name", "!=", False], ["email", "=", False]],
]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@pytest.mark.parametrize("context", [{}, TOO], ids=["archived hidden", "archived too"])
def test_what_matches(domain: list[Any], context: Mapping[str, Argument], odoo: StandIn, url: str) -> None:
    with client_of(odoo) as real, client_of(odoo, host=url) as canned:
        wanted = real.search(MODEL, domain, order="id", context=context)
        assert canned.search(MODEL, domain, order="id", context=context) == wanted
        assert canned.search(MODEL, domain, order="id desc", limit=2, context=context) == wanted[::-1][:2]
        assert canned.search_count(MODEL, domain, context=context) == len(wanted)
        assert canned.search_read(
            MODEL, domain, ["write_date", "parent_id"], offset=1, limit=3, order="id", context=context
        ) == real.search_read(
            MODEL, domain, ["write_date", "parent_id"], offset=1, limit=3, order="id", context=context
        )


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
def test_when_they_were_written(operator: str, odoo: StandIn, url: str) -> None:
    with client_of(odoo) as real, client_of(odoo, host=url) as canned:
        moments = [str(row["write_date"]) for row in real.search_read(MODEL, [], ["write_date"], context=TOO)]
        middle = sorted(moments)[len(moments) // 2]
        for moment in (middle, f"{middle}.5"):
            domain = [("write_date", operator, moment)]
            wanted = real.search(MODEL, domain, order="id", context=TOO)
            assert canned.search(MODEL, domain, order="id", context=TOO) == wanted
        newest = real.search_read(MODEL, [], ["write_date"], order="write_date desc", limit=1, context=TOO)
        found = canned.search_read(MODEL, [], ["write_date"], order="write_date desc", limit=1, context=TOO)
        assert found[0]["write_date"] == newest[0]["write_date"] == max(moments)


def test_the_sample_comes_again_and_again(odoo: StandIn, rows: int) -> None:
    url, end = serve(CannedAnswers(odoo.url, MODEL, 10 * rows))
    with client_of(odoo, host=url) as canned:
        assert canned.search_count(MODEL, context=TOO) == 10 * rows
        (one, again) = canned.search_read(MODEL, [("id", "in", [5, 5 + 9 * rows])], ["name"], context=TOO)
        assert one["name"] == again["name"] and again["id"] == 5 + 9 * rows
        assert canned.search_read(MODEL, [("id", "=", 10 * rows)], ["id"], context=TOO) == [{"id": 10 * rows}]
        read = canned.execute_kw(MODEL, "read", [[7, 5 + rows], ["name"]])
        assert isinstance(read, list) and read[1] == {"id": 5 + rows, "name": one["name"]}
        with pytest.raises(OdooRequestError, match="has been deleted"):
            canned.execute_kw(MODEL, "read", [[10 * rows + 1], ["name"]])
    end()


def test_what_is_not_about_rows_is_the_stand_ins_answer(odoo: StandIn, url: str) -> None:
    with client_of(odoo) as real, client_of(odoo, host=url) as canned:
        assert canned.version == real.version and canned.user_id() == real.user_id()
        assert canned.fields_get(MODEL) == real.fields_get(MODEL)
        assert canned.readable_models == real.readable_models
        assert canned.search_read("res.users", [], ["login"]) == real.search_read("res.users", [], ["login"])
        before = len(odoo.calls)
        canned.search_read("res.users", [], ["login"])
        assert len(odoo.calls) == before  # remembered


UNKNOWN: dict[str, tuple[str, dict[str, Argument], str]] = {
    "a method": ("read_group", {"domain": [], "groupby": ["country_id"]}, "this method"),
    "an operator": ("search", {"domain": [["id", "child_of", 3]]}, "child_of"),
    "a field": ("search", {"domain": [["x_none", "=", 3]]}, "x_none"),
    "a path": ("search", {"domain": [["parent_id.name", "=", "x"]]}, "parent_id.name"),
    "a term": ("search_count", {"domain": [["id", 3]]}, "the domain"),
    "a sign": ("search_count", {"domain": ["^", ["id", "=", 3], ["id", "=", 4]]}, "the domain"),
    "half a domain": ("search_count", {"domain": ["|", ["id", "=", 3]]}, "the domain"),
    "a wanted field": ("search_read", {"domain": [], "fields": ["x_none"]}, "x_none"),
    "an order": ("search", {"domain": [], "order": "id sideways"}, "id sideways"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_it_cannot_answer_is_told_by_name(what: str, odoo: StandIn, url: str) -> None:
    method, arguments, words = UNKNOWN[what]
    with client_of(odoo, host=url) as canned, pytest.raises(OdooRequestError) as raised:
        canned.execute_kw(MODEL, method, kwargs={**arguments, "context": TOO})
    assert f"has no answer to {MODEL}.{method}" in str(raised.value)
    assert words in str(raised.value)


def test_another_protocol_and_a_stand_in_that_has_gone_are_told(odoo: StandIn, url: str) -> None:
    answer = requests.post(f"{url}/jsonrpc", json={}, timeout=5)
    assert answer.status_code == 501 and "jsonrpc" in answer.json()["message"]
    alone, end = serve(CannedAnswers("http://127.0.0.1:1", MODEL, 5))
    answer = requests.post(f"{alone}/json/2/res.users/context_get", json={}, timeout=5)
    assert answer.status_code == 500 and "/json/2/res.users/context_get" in answer.json()["message"]
    end()
