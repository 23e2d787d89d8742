"""Sums by group: the same from every version and over every protocol."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.api.groups import FIRST_WITH_FORMATTED, GROUPS_AT_ONCE, read_groups
from odoo_shadow.source.errors import OdooAccessError, OdooUnknownFieldError, OdooUnknownModelError
from odoo_shadow.source.groups import By, Grouping, GroupKey, Sums
from odoo_shadow.source.types import Argument
from tests.support.records import Records

pytestmark = pytest.mark.odoo


def groups(hook: OdooHook, grouping: Grouping, at_once: int = GROUPS_AT_ONCE) -> dict[GroupKey, Sums]:
    return read_groups(hook.get_conn(), grouping, at_once=at_once)


def sums(records: int, *values: str) -> Sums:
    return Sums(records, tuple(map(Decimal, values)))


@pytest.mark.sampled
def test_sums_by_relation_and_text(spoken: OdooHook, records: Records) -> None:
    parent, other = records.create("res.partner", [{"name": "Same"}, {"name": "Same"}])
    ids = records.create(
        "res.partner",
        [
            {"parent_id": parent, "ref": "a", "color": 3},
            {"parent_id": parent, "ref": "a", "color": 4},
            {"parent_id": parent, "color": 5, "active": False},
            {"parent_id": other, "ref": "a", "color": 6},
        ],
    )
    grouping = Grouping("res.partner", (By("parent_id"), By("ref")), ("color",), [("id", "in", ids)])
    expected = {
        (parent, "a"): sums(2, "7"),
        (parent, None): sums(1, "5"),
        (other, "a"): sums(1, "6"),
    }
    assert groups(spoken, grouping) == expected
    # In several calls where a call may give two groups at most: nothing twice, nothing lost.
    assert groups(spoken, grouping, at_once=2) == expected


def test_a_question_for_the_sum_of_everything(spoken: OdooHook, records: Records) -> None:
    ids = records.create("res.partner", [{"color": 3}, {"color": 4}])
    assert groups(spoken, Grouping("res.partner", (), ("color",), [("id", "in", ids)])) == {(): sums(2, "7")}
    assert groups(spoken, Grouping("res.partner", (), ("color",), [("id", "=", -1)])) == {(): sums(0, "0")}
    assert groups(spoken, Grouping("res.partner", (By("ref"),), ("color",), [("id", "=", -1)])) == {}


def test_months_of_times_are_those_of_the_zone_and_months_of_dates_have_none(
    spoken: OdooHook, records: Records
) -> None:
    partner = records.partner()
    ids = records.create(
        "sale.order",
        [
            {"partner_id": partner, "date_order": "2023-12-31 14:59:59", "validity_date": "2024-01-01"},
            {"partner_id": partner, "date_order": "2023-12-31 15:00:00", "validity_date": "2024-01-31"},
            {"partner_id": partner, "date_order": "2024-01-31 23:59:59", "validity_date": False},
        ],
    )

    def months(field: str, zone: str) -> dict[GroupKey, int]:
        grouping = Grouping("sale.order", (By(field, month=True),), (), [("id", "in", ids)], time_zone=zone)
        return {key: found.records for key, found in groups(spoken, grouping).items()}

    december, january, february = date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1)
    assert months("date_order", "UTC") == {(december,): 2, (january,): 1}
    assert months("date_order", "Asia/Tokyo") == {(december,): 1, (january,): 1, (february,): 1}
    assert months("date_order", "America/New_York") == {(december,): 2, (january,): 1}
    assert months("validity_date", "UTC") == months("validity_date", "Asia/Tokyo") == {(january,): 2, (None,): 1}


def test_a_zone_that_a_server_does_not_know_is_taken_for_utc(hook: OdooHook, records: Records) -> None:
    ids = records.create("sale.order", [{"partner_id": records.partner(), "date_order": "2024-01-15 12:00:00"}])
    named: dict[str, Argument] = {
        "domain": [("id", "in", ids)],
        "groupby": ["date_order:month"],
        "context": {"tz": "Nowhere/Land"},
    }
    if hook.get_conn().version.major >= FIRST_WITH_FORMATTED:
        answer = hook.execute_kw("sale.order", "formatted_read_group", [], named)
    else:
        answer = hook.execute_kw("sale.order", "read_group", [], {**named, "fields": [], "lazy": False})
    assert "2024-01-01 00:00:00" in str(answer)


def test_one_company_at_a_time(hook: OdooHook, records: Records) -> None:
    first, second = hook.search("res.company", [], order="id", limit=2)
    ids = records.create("res.partner", [{"company_id": first, "color": 1}, {"company_id": second, "color": 2}])
    own = [("id", "in", ids)]
    both = {(first,): sums(1, "1"), (second,): sums(1, "2")}
    assert groups(hook, Grouping("res.partner", (By("company_id"),), ("color",), own)) == both
    of_second = Grouping("res.partner", (By("company_id"),), ("color",), own, company_id=second)
    assert groups(hook, of_second) == {(second,): sums(1, "2")}


def test_what_cannot_be_asked(hook: OdooHook, limited_hook: OdooHook) -> None:
    with pytest.raises(OdooUnknownModelError):
        groups(hook, Grouping("no.such.model", (), ()))
    with pytest.raises(OdooUnknownFieldError):
        groups(hook, Grouping("res.partner", (By("no_such_field"),), ()))
    with pytest.raises(OdooUnknownFieldError):
        groups(hook, Grouping("res.partner", (), ("no_such_field",)))
    with pytest.raises(OdooAccessError):
        groups(limited_hook, Grouping("account.move.line", (By("account_id"),), ("balance",)))
