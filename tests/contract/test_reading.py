"""Which records a search finds, in which order, and how pages are cut."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.errors import OdooConfigurationError
from odoo_shadow.source.types import Domain
from tests.support.records import ARCHIVED_TOO, Records, Values
from tests.support.servers import HookTo, OdooServer

pytestmark = pytest.mark.odoo


def test_archived_records_are_invisible_without_active_test(records: Records, hook: OdooHook) -> None:
    active, archived = records.create("res.partner", [{}, {"active": False}])
    own: Domain = [("id", "in", [active, archived])]
    assert hook.search("res.partner", own) == [active]
    assert hook.search_count("res.partner", own) == 1
    assert [record["id"] for record in hook.search_read("res.partner", own, ["id"])] == [active]
    assert hook.search("res.partner", own, order="id", context=ARCHIVED_TOO) == [active, archived]
    assert hook.search_count("res.partner", own, context=ARCHIVED_TOO) == 2
    assert records.read_partner(archived, "active")["active"] is False
    assert hook.search("res.partner", [*own, ("active", "=", False)]) == [archived]


def test_a_record_that_gets_archived_disappears_from_plain_searches(records: Records, hook: OdooHook) -> None:
    partner = records.partner()
    records.write("res.partner", [partner], active=False)
    assert hook.search("res.partner", [("id", "=", partner)]) == []
    assert records.read_partner(partner, "active")["active"] is False


def test_x2many_lists_leave_archived_records_out_even_with_active_test(records: Records) -> None:
    shown, archived = records.create("res.partner.category", [{}, {"active": False}])
    partner = records.partner(category_id=[(6, 0, [shown, archived])])
    assert records.read_partner(partner, "category_id", context=ARCHIVED_TOO)["category_id"] == [shown]


def test_iter_pages_sees_archived_records_and_cuts_pages_by_id(records: Records, hook: OdooHook) -> None:
    ids = records.partners(7)
    records.write("res.partner", ids[2:4], active=False)
    pages = list(hook.iter_pages("res.partner", ["active"], [("id", "in", ids)], page_size=3))
    assert [[record["id"] for record in page] for page in pages] == [ids[:3], ids[3:6], ids[6:]]
    assert pages[0][2]["active"] is False


def test_pages_by_id_lose_nothing_when_rows_vanish_and_pages_by_offset_do(records: Records, hook: OdooHook) -> None:
    ids = records.partners(6)
    own: Domain = [("id", "in", ids)]
    pages = hook.iter_pages("res.partner", ["id"], own, page_size=3)
    seen = [record["id"] for record in next(pages)]
    by_offset = hook.search_read("res.partner", own, ["id"], limit=3, order="id")
    records.unlink("res.partner", ids[:1])
    by_offset += hook.search_read("res.partner", own, ["id"], limit=3, offset=3, order="id")
    seen += [record["id"] for page in pages for record in page]
    assert seen == ids
    assert [record["id"] for record in by_offset] == [*ids[:3], *ids[4:]]


def test_iter_pages_does_not_wait_for_records_that_are_made_meanwhile(records: Records, hook: OdooHook) -> None:
    ids = records.partners(3)
    pages = hook.iter_pages("res.partner", ["id"], [("name", "like", records.prefix)], page_size=2)
    seen = [record["id"] for record in next(pages)]
    records.partner()
    seen += [record["id"] for page in pages for record in page]
    assert seen == ids


def test_order_limit_and_offset(records: Records, hook: OdooHook) -> None:
    ids = records.partners(5)
    own: Domain = [("id", "in", ids)]
    assert hook.search("res.partner", own, order="id") == ids
    assert hook.search("res.partner", own, order="id desc", limit=2) == [ids[4], ids[3]]
    records.write("res.partner", ids[1:2], color=9)
    assert hook.search("res.partner", own, order="color desc, id desc") == [ids[1], *reversed(ids[2:]), ids[0]]
    page = hook.search_read("res.partner", own, ["id"], limit=2, offset=3, order="id")
    assert [record["id"] for record in page] == ids[3:]


def test_only_the_fields_that_are_named_are_read(records: Records, hook: OdooHook) -> None:
    partner = records.partner()
    assert hook.search_read("res.partner", [("id", "=", partner)], ["ref", "id"]) == [{"id": partner, "ref": False}]
    (everything,) = hook.search_read("res.partner", [("id", "=", partner)])
    assert set(everything) == set(hook.fields_get("res.partner", ["type"])) - _virtual(hook)


def _virtual(hook: OdooHook) -> set[str]:
    """Fields that forms show but no record has: they come without `store`."""
    return {name for name, details in hook.fields_get("res.partner", ["store"]).items() if "store" not in details}


def test_search_count_counts_what_search_finds(records: Records, hook: OdooHook) -> None:
    ids = records.partners(3)
    domains: list[Domain] = [[("id", "in", ids)], [("id", "in", ids), ("id", ">", ids[0])], [("id", "=", -1)]]
    for domain in domains:
        assert hook.search_count("res.partner", domain) == len(hook.search("res.partner", domain))
    assert hook.execute_kw("res.partner", "search_count", [[("id", "in", ids)]], {"limit": 2}) == 2


A, B, C, D = range(4)
PEOPLE: tuple[Values, ...] = (
    {"ref": "north", "color": 1, "is_company": True},
    {"ref": "South", "color": 2},
    {"ref": "100% south_west", "color": 3},
    {"color": 0},
)
DOMAINS: dict[str, tuple[Domain, list[int]]] = {
    "equal": ([("ref", "=", "north")], [A]),
    "different finds empty ones": ([("ref", "!=", "north")], [B, C, D]),
    "empty": ([("ref", "=", False)], [D]),
    "not empty": ([("ref", "!=", False)], [A, B, C]),
    "in": ([("color", "in", [1, 3])], [A, C]),
    "in nothing": ([("color", "in", [])], []),
    "not in finds empty ones": ([("ref", "not in", ["north", "South"])], [C, D]),
    "not in with empty": ([("ref", "not in", ["north", False])], [B, C]),
    "in with empty": ([("ref", "in", ["north", False])], [A, D]),
    "greater": ([("color", ">", 1), ("color", "<=", 3)], [B, C]),
    "like": ([("ref", "like", "outh")], [B, C]),
    "like heeds case": ([("ref", "like", "south")], [C]),
    "ilike": ([("ref", "ilike", "SOUTH")], [B, C]),
    "not ilike finds empty ones": ([("ref", "not ilike", "south")], [A, D]),
    "=like": ([("ref", "=like", "S%")], [B]),
    "=ilike": ([("ref", "=ilike", "s%h")], [B]),
    "or": (["|", ("color", "=", 1), ("color", "=", 2)], [A, B]),
    "not": (["!", ("color", ">", 1)], [A, D]),
    "not over or": (["!", "|", ("color", "=", 1), ("ref", "=", "South")], [C, D]),
    "and over or": (["&", ("is_company", "=", False), "|", ("color", "=", 1), ("color", "=", 2)], [B]),
    "boolean": ([("is_company", "=", True)], [A]),
    "boolean false": ([("is_company", "!=", True)], [B, C, D]),
    "always": ([(1, "=", 1)], [A, B, C, D]),
    "never": ([(0, "=", 1)], []),
}


@pytest.fixture(scope="module")
def people(hook: OdooHook, server: OdooServer) -> Iterator[list[int]]:
    """Four partners for domains."""
    made = Records(hook, server)
    yield made.create("res.partner", PEOPLE)
    made.clean_up()


@pytest.mark.parametrize("what", DOMAINS)
def test_domains(what: str, people: list[int], hook: OdooHook) -> None:
    domain, expected = DOMAINS[what]
    found = hook.search("res.partner", [("id", "in", people), *domain], order="id")
    assert found == [people[place] for place in expected]


def test_domains_over_relations(records: Records, hook: OdooHook) -> None:
    (tag,) = records.create("res.partner.category", [{}])
    parent = records.partner(is_company=True, ref=records.prefix, category_id=[(6, 0, [tag])])
    child = records.partner(parent_id=parent)
    assert hook.search("res.partner", [("parent_id", "=", parent)]) == [child]
    assert hook.search("res.partner", [("parent_id.ref", "=", records.prefix)]) == [child]
    assert hook.search("res.partner", [("category_id", "in", [tag])]) == [parent]
    assert hook.search("res.partner", [("id", "child_of", parent)], order="id") == [parent, child]
    assert hook.search("res.partner", [("id", "=", parent), ("parent_id", "=", False)]) == [parent]


def test_null_write_dates_are_out_of_every_window(records: Records, hook: OdooHook, sql: psycopg.Connection) -> None:
    partner = records.partner()
    sql.execute("UPDATE res_partner SET write_date = NULL WHERE id = %s", [partner])
    own: Domain = [("id", "=", partner)]
    assert hook.search("res.partner", [*own, ("write_date", ">=", "1970-01-01 00:00:00")]) == []
    assert hook.search("res.partner", [*own, ("write_date", "<", "2100-01-01 00:00:00")]) == []
    assert hook.search("res.partner", [*own, ("write_date", "=", False)]) == [partner]
    assert hook.search("res.partner", own) == [partner]


def test_records_of_other_companies_are_invisible(records: Records, hook: OdooHook, hook_to: HookTo) -> None:
    companies = hook.search("res.company", [], order="id")
    if len(companies) < 2:
        pytest.skip("needs two companies")
    first, second, nobody = records.create("res.partner", [{"company_id": one} for one in (*companies[:2], False)])
    own: Domain = [("id", "in", [first, second, nobody])]
    assert hook.search("res.partner", own, order="id") == [first, second, nobody]
    for company, visible in zip(companies[:2], (first, second), strict=True):
        of_one = hook_to({"company_ids": str(company)})
        assert of_one.search("res.partner", own, order="id") == [visible, nobody]
        context = {"allowed_company_ids": [company]}
        assert hook.search("res.partner", own, order="id", context=context) == [visible, nobody]


def test_company_dependent_values_are_those_of_the_first_company(
    records: Records, hook: OdooHook, hook_to: HookTo
) -> None:
    (user,) = hook.search_read("res.users", [("login", "=", hook.connection.login)], ["company_id", "company_ids"])
    own_company, companies = user["company_id"], user["company_ids"]
    assert isinstance(own_company, int)
    assert isinstance(companies, list)
    partner = records.partner()
    records.write("res.partner", [partner], context={"allowed_company_ids": [own_company]}, barcode=records.prefix)
    assert records.read_partner(partner, "barcode")["barcode"] == records.prefix
    for company in companies:
        others = [one for one in companies if one != company]
        of_one = hook_to({"company_ids": [company, *others]})
        (record,) = of_one.search_read("res.partner", [("id", "=", partner)], ["barcode"])
        assert record["barcode"] == (records.prefix if company == own_company else False)


@pytest.fixture
def french(hook: OdooHook) -> Iterator[str]:
    """A second language, switched on for the test where it is off."""
    (language,) = hook.search_read("res.lang", [("code", "=", "fr_FR")], ["active"], context=ARCHIVED_TOO)
    if not language["active"]:
        hook.execute_kw("res.lang", "write", [[language["id"]], {"active": True}])
    yield "fr_FR"
    if not language["active"]:
        hook.execute_kw("res.lang", "write", [[language["id"]], {"active": False}])


def test_translated_text_comes_in_the_language_of_the_context(
    french: str, records: Records, hook: OdooHook, hook_to: HookTo
) -> None:
    both, only_english = records.create("res.partner.category", [{"name": "Tag"}, {"name": "Only"}])
    records.write("res.partner.category", [both], context={"lang": french}, name="Étiquette")
    assert hook.fields_get("res.partner.category", ["translate"])["name"]["translate"] is True
    domain: Domain = [("id", "in", [both, only_english])]
    for lang, expected in ((None, "Tag"), ("en_US", "Tag"), (french, "Étiquette")):
        found = hook_to({"lang": lang}).search_read("res.partner.category", domain, ["name"], order="id")
        assert [record["name"] for record in found] == [expected, "Only"]


def test_an_unknown_language_is_english_and_refused_from_18_on(
    records: Records, server: OdooServer, hook_to: HookTo
) -> None:
    (tag,) = records.create("res.partner.category", [{"name": "Tag"}])
    hook = hook_to({"lang": "xx_XX"})
    if server.version >= 18:
        with pytest.raises(OdooConfigurationError, match="no language 'xx_XX'"):
            hook.search_read("res.partner.category", [("id", "=", tag)], ["name"])
    else:
        assert hook.search_read("res.partner.category", [("id", "=", tag)], ["name"])[0]["name"] == "Tag"
