"""read_pages: ascending ids inside a window, whatever the server does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from odoo_shadow.source.api.client import OdooClient
from odoo_shadow.source.api.domains import ARCHIVED_TOO
from odoo_shadow.source.api.ids import highest_id
from odoo_shadow.source.api.pages import read_pages
from odoo_shadow.source.errors import OdooRecordIdError, OdooRequestError, OdooServerError
from odoo_shadow.source.pages import Page
from odoo_shadow.source.reading import EVERYWHERE, Reading, Where
from odoo_shadow.source.types import Domain
from odoo_stand_in import StandIn
from tests.support.raw_clients import ClientTo, failing_with
from tests.support.raw_server import RawServer, Reply, Request, result

pytestmark = pytest.mark.both_flavours

MODEL = "res.partner"
Rows = list[dict[str, Any]]


@pytest.fixture
def everyone(shared_client: OdooClient) -> list[int]:
    """All ids of the model, archived ones too."""
    return shared_client.search(MODEL, order="id", context=ARCHIVED_TOO)


def ids(pages: Iterator[Page] | list[Page]) -> list[list[object]]:
    return [[record["id"] for record in page.records] for page in pages]


def test_pages_hold_everything_once(shared_client: OdooClient, everyone: list[int]) -> None:
    pages = list(read_pages(shared_client, Reading(MODEL, ("name",)), up_to_id=everyone[-1], page_size=70))
    assert ids(pages) == [everyone[start : start + 70] for start in range(0, len(everyone), 70)]
    assert [page.last_id for page in pages] == [group[-1] for group in ids(pages)]
    assert [page.is_last for page in pages] == [*[False] * (len(pages) - 1), True]
    assert set(pages[0].records[0]) == {"id", "name"}


def test_the_window_is_after_and_up_to(shared_client: OdooClient, everyone: list[int]) -> None:
    pages = read_pages(shared_client, Reading(MODEL, ("id",)), after_id=everyone[4], up_to_id=everyone[9], page_size=3)
    assert ids(pages) == [everyone[5:8], everyone[8:10]]


def test_a_domain_narrows_it(shared_client: OdooClient, everyone: list[int]) -> None:
    domain: Domain = ["|", ("id", "in", everyone[:3]), ("id", "=", everyone[-1])]
    pages = list(read_pages(shared_client, Reading(MODEL, ("id",)), domain, up_to_id=everyone[-1], page_size=3))
    assert ids(pages) == [everyone[:3], everyone[-1:]]


@pytest.mark.parametrize(("after_id", "up_to_id"), [(0, 0), (5, 5), (9, 5)])
def test_an_empty_window_asks_nothing(
    after_id: int, up_to_id: int, shared_odoo: StandIn, shared_client: OdooClient
) -> None:
    pages = list(read_pages(shared_client, Reading(MODEL, ("id",)), after_id=after_id, up_to_id=up_to_id))
    assert pages == [Page([], after_id, is_last=True)]
    assert shared_odoo.calls == []


def test_a_window_without_records_ends_with_an_empty_page(shared_client: OdooClient, everyone: list[int]) -> None:
    above = everyone[-1] + 1000
    pages = list(read_pages(shared_client, Reading(MODEL, ("id",)), after_id=everyone[-1], up_to_id=above))
    assert pages == [Page([], above, is_last=True)]


def test_a_gap_up_to_the_end_needs_one_more_call(shared_client: OdooClient, everyone: list[int]) -> None:
    up_to = everyone[-1] + 1000
    pages = list(read_pages(shared_client, Reading(MODEL, ("id",)), after_id=everyone[-3], up_to_id=up_to))
    assert ids(pages) == [everyone[-2:], []]
    assert [page.is_last for page in pages] == [False, True]


def test_a_server_that_caps_its_pages_loses_nothing(
    shared_odoo: StandIn, shared_client: OdooClient, everyone: list[int]
) -> None:
    shared_odoo.rewrite = lambda _, rows: rows[:50]
    pages = list(read_pages(shared_client, Reading(MODEL, ("id",)), up_to_id=everyone[-1], page_size=2000))
    assert [one for page in ids(pages) for one in page] == everyone
    assert max(len(page.records) for page in pages) == 50
    assert pages[-1].is_last


def descending(_: str, rows: Rows) -> Rows:
    return rows[::-1]


def twice(_: str, rows: Rows) -> Rows:
    return [rows[0], *rows]


def from_the_start(_: str, rows: Rows) -> Rows:
    return [{"id": 1}, *rows[:-1]]


def the_last_one_again(_: str, rows: Rows) -> Rows:
    return [{"id": rows[0]["id"] - 1}, *rows[:-1]]


def beyond_the_end(_: str, rows: Rows) -> Rows:
    return [*rows[:-1], {"id": 10**9}]


def without_ids(_: str, rows: Rows) -> Rows:
    return [{"name": "x"} for _ in rows]


def text_for_ids(_: str, rows: Rows) -> Rows:
    return [{"id": str(row["id"])} for row in rows]


def shared(_: str, rows: Rows) -> Rows:
    return [*rows[:2], rows[1], *rows[3:]]


@pytest.mark.parametrize("odd", [descending, twice, from_the_start, the_last_one_again, beyond_the_end, without_ids])
def test_a_page_that_is_not_what_was_asked_for(
    odd: Any, shared_odoo: StandIn, shared_client: OdooClient, everyone: list[int]
) -> None:
    pages = read_pages(shared_client, Reading(MODEL, ("id",)), after_id=3, up_to_id=everyone[40], page_size=10)
    assert ids([next(pages)]) == [[one for one in everyone if one > 3][:10]]
    shared_odoo.rewrite = odd
    with failing_with(OdooServerError, MODEL, "none of it was written", name="odoo_test"):
        list(pages)


@pytest.mark.parametrize(("odd", "told"), [(text_for_ids, "not an integer"), (shared, "more than one record")])
def test_records_without_ids_of_their_own_are_told_as_such(
    odd: Any, told: str, shared_odoo: StandIn, shared_client: OdooClient, everyone: list[int]
) -> None:
    """As those of SQL views may be: it is no fault of the server's."""
    shared_odoo.rewrite = odd
    with failing_with(OdooRecordIdError, MODEL, told, "cannot be mirrored", name="odoo_test"):
        list(read_pages(shared_client, Reading(MODEL, ("id",)), up_to_id=everyone[40], page_size=10))


def test_highest_id_counts_archived_records(server: RawServer, client_to: ClientTo) -> None:
    server.otherwise = lambda request: result(1 if b"search_count" in request.body else [41])
    assert highest_id(client_to(server.url), Reading(MODEL, ()), EVERYWHERE) == 41
    counted, searched = (request.body for request in server.requests[-2:])
    assert b'"order": "id desc"' in searched
    assert all(b'"active_test": false' in body for body in (counted, searched))


def test_highest_id_of_nothing(shared_client: OdooClient, everyone: list[int]) -> None:
    assert highest_id(shared_client, Reading(MODEL, ()), EVERYWHERE) == everyone[-1]
    assert highest_id(shared_client, Reading(MODEL, ()), Where(ids=(-1,))) is None


def test_paging_goes_on_after_trouble(shared_odoo: StandIn, shared_client: OdooClient, everyone: list[int]) -> None:
    from odoo_stand_in import Fault

    shared_odoo.faults.add(Fault(method="search_read", after=1, close=True), Fault(method="search_read", status=503))
    pages = read_pages(shared_client, Reading(MODEL, ("id",)), up_to_id=everyone[-1], page_size=100)
    assert [one for page in ids(pages) for one in page] == everyone


@pytest.mark.parametrize("said", ["Filter on the Account or its Display Name instead", ""])
def test_a_model_that_is_not_searched_by_id_is_refused_with_the_reason(
    said: str, server: RawServer, client: OdooClient
) -> None:
    error = {"name": "odoo.exceptions.UserError", "message": said, "debug": "Traceback"}

    def answer(request: Request) -> Reply:
        is_listed = b'"in"' in request.body
        return Reply(body=json.dumps({"result": 1} if is_listed else {"error": {"data": error}}))

    server.otherwise = answer
    with failing_with(OdooRecordIdError, "account.root cannot be searched by id", "leave it out", said):
        highest_id(client, Reading("account.root", ("id",)), EVERYWHERE)


def test_a_refusal_of_everything_is_not_taken_for_that(server: RawServer, client: OdooClient) -> None:
    error = {"name": "odoo.exceptions.UserError", "message": "Out of order.", "debug": "Traceback"}
    server.otherwise = lambda _: Reply(body=json.dumps({"error": {"data": error}}))
    with failing_with(OdooRequestError, "Out of order."):
        highest_id(client, Reading("res.partner", ("id",)), EVERYWHERE)


def test_a_wrong_domain_is_not_taken_for_that(server: RawServer, client: OdooClient) -> None:
    def answer(request: Request) -> Reply:
        refused = {"error": {"data": {"name": "builtins.ValueError", "message": "Invalid domain term"}}}
        return Reply(body=json.dumps(refused if b"x_wrong" in request.body else {"result": 3}))

    server.otherwise = answer
    with failing_with(OdooRequestError, "Invalid domain term"):
        highest_id(client, Reading("res.partner", ("id",), [("x_wrong", "=", 1)]), EVERYWHERE)
