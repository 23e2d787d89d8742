"""Groups that Odoo would not give: each ends in one sentence, and no sum is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooServerError
from odoo_shadow.source.groups import By, Grouping, Sums
from odoo_shadow.source.types import Json
from tests.support.raw_clients import failing_with
from tests.support.raw_server import RawServer, result

pytestmark = pytest.mark.attack

GROUPING = Grouping("sale.order", (By("partner_id"), By("date_order", month=True)), ("amount",), time_zone="Asia/Tokyo")
BEGINS = "2023-12-31 15:00:00"
WHOLE: Mapping[str, Json] = {
    "partner_id": [7, "Ada"],
    "date_order:month": "January 2024",
    "__range": {"date_order:month": {"from": BEGINS, "to": "2024-01-31 15:00:00"}},
    "amount": 1.5,
    "__count": 2,
}


def at(begins: Json) -> Json:
    return {"date_order:month": {"from": begins}}


ODD: dict[str, tuple[list[dict[str, Json]], str]] = {
    "no count": ([{**WHOLE, "__count": False}], "without a number of records"),
    "a negative count": ([{**WHOLE, "__count": -1}], "without a number of records"),
    "a sum that is text": ([{**WHOLE, "amount": "1.5"}], "'amount' is not a number"),
    "no sum": ([{key: value for key, value in WHOLE.items() if key != "amount"}], "'amount' is not a number"),
    "a true sum": ([{**WHOLE, "amount": True}], "'amount' is not a number"),
    "a sum beyond numbers": ([{**WHOLE, "amount": float("inf")}], "'amount' is inf"),
    "no partner": ([{key: value for key, value in WHOLE.items() if key != "partner_id"}], "without 'partner_id'"),
    "a partner without id": ([{**WHOLE, "partner_id": [None, "Ada"]}], "neither an id nor text"),
    "an empty partner": ([{**WHOLE, "partner_id": []}], "neither an id nor text"),
    "one group twice": ([dict(WHOLE), dict(WHOLE)], "one group twice"),
    "a month without bounds": ([{**WHOLE, "__range": {}}], "does not say when it begins"),
    "a month that is no moment": ([{**WHOLE, "__range": at("January")}], "does not say when it begins"),
    "a zone that the server does not know": ([{**WHOLE, "__range": at("2024-01-01 00:00:00")}], "'Asia/Tokyo'"),
    "a month of half a day": ([{**WHOLE, "__range": at("2023-12-31 15:00:01")}], "'Asia/Tokyo'"),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_group(what: str, server: RawServer, source: ApiSource) -> None:
    groups, said = ODD[what]
    server.otherwise = lambda _: result([*groups])
    with failing_with(OdooServerError, said):
        source.groups(GROUPING)


def test_more_groups_than_were_asked_for(server: RawServer, source: ApiSource) -> None:
    many: list[Json] = [{**WHOLE, "partner_id": number} for number in range(5_002)]
    server.otherwise = lambda _: result(many)
    with failing_with(OdooServerError, "5002 groups where at most 5001 were asked for"):
        source.groups(GROUPING)


def test_groups_of_ids_which_16_cannot_give(server: RawServer, source: ApiSource) -> None:
    server.version = "16.0"
    server.otherwise = lambda _: result([{"id": 3, "amount": 1.5}, {"id": 4, "amount": False}])
    found = source.groups(Grouping("sale.order", (By("id"),), ("amount",)))
    assert found == {(3,): Sums(1, (Decimal("1.5"),)), (4,): Sums(1, (Decimal(0),))}
    assert server.calls == ["search_read"]
    server.otherwise = lambda _: result([WHOLE])
    assert list(source.groups(GROUPING)) == [(7, date(2024, 1, 1))]
    assert server.calls[-1] == "read_group"
