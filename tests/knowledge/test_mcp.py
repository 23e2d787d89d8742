"""The MCP server, asked by a client of the SDK: what its tools answer, and how little that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import LiteralString

import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from tests.support.mcp_site import EVIL, Asking, Site, over_stdio
from tests.support.stored_documents import Stored, open_search, store

pytestmark = pytest.mark.one_flavour

PARTNERS = "odoo_shadow.odoo_shadow_res_partner"
OLD_DOCUMENTS: LiteralString = "UPDATE odoo_shadow.odoo_shadow_document_model SET as_of = '2020-01-01Z'"
MART_OF_NEW_YEAR: LiteralString = "UPDATE odoo_marts.mart_freshness SET as_of = '2026-01-01 10:00Z'"


@pytest.fixture(scope="module")
def client(site: Site) -> Iterator[Asking]:
    """A client of the server over stdio, as a desktop program starts it."""
    with over_stdio(site) as connected:
        yield connected


def test_the_four_tools_say_that_they_only_read(client: Asking) -> None:
    tools = client.tools().tools
    assert [tool.name for tool in tools] == ["search", "describe", "query", "freshness"]
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)


def test_what_there_is_is_told_in_few_words_marts_first(client: Asking) -> None:
    answer = client.call("describe")
    found = answer.json
    assert found["marts"] == {"odoo_marts.mart_sales": "Sales order lines: one row each."}
    assert found["models"].keys() == {"res.partner", "sale.order"}
    assert "_named" in found["hints"]
    assert len(answer.text) < 1_200


def test_a_model_is_told_by_its_columns_choices_and_what_points_to_it(client: Asking) -> None:
    found = client.call("describe", name="res.partner").json
    assert found["view"] == f"{PARTNERS}_named"
    assert found["columns"]["type"] == "text Address Type: contact=Contact|invoice=Invoice"
    assert found["columns"]["parent_id"] == "int Related Company (res.partner)"
    assert found["pointed_to_by"] == ["res.partner.parent_id", "sale.order.partner_id"]
    assert client.call("describe", name="res.partner", matching="address").json["columns"].keys() == {"type"}
    by_view = client.call("describe", name=f"{PARTNERS}_named").json
    assert by_view["columns"] == found["columns"]


def test_a_mart_is_told_by_the_meaning_of_its_columns(client: Asking) -> None:
    found = client.call("describe", name="mart_sales").json
    assert found["columns"]["amount_untaxed"] == "numeric Amount without taxes, in the company's currency."


def test_a_query_returns_values_with_their_types_and_as_of_when_they_are(client: Asking) -> None:
    found = client.query(
        "SELECT count(*), sum(amount_untaxed), 0.1 + 0.2 AS exact, NULL AS none, true AS yes, 'NaN'::float8 AS nan,"
        " 12345678901234567890 AS long, date '2026-01-31' AS day, '{\"a\": [1]}'::jsonb AS doc FROM mart_sales -- all;"
    ).json
    assert found["rows"] == [[3000, 47265750, 0.3, None, True, "NaN", "12345678901234567890", "2026-01-31", {"a": [1]}]]
    assert found["columns"][2:4] == ["exact", "none"]
    assert (found["as_of"], found["is_cut"]) == ("2026-01-01T10:00:00Z", False)
    assert client.query("SELECT name FROM odoo_shadow_res_partner").json["as_of"] == "2026-01-02T03:04:05Z"


def test_no_more_rows_or_characters_than_agreed_are_given_and_it_says_so(client: Asking) -> None:
    found = client.query("SELECT * FROM mart_sales ORDER BY order_id DESC", limit=2).json
    assert (found["rows"], found["is_cut"]) == ([[3000, "A3000", 31500], [2999, "A2999", 31489.5]], True)
    wide = client.query(
        "SELECT a.customer_name || string_agg(b.customer_name, '') FROM mart_sales a, mart_sales b"
        " WHERE b.order_id < 400 GROUP BY a.customer_name",
        limit=1000,
    )
    assert wide.json["is_cut"] and 20 < len(wide.json["rows"]) < 100
    assert len(wide.text) < 70_000
    assert client.query("SELECT string_agg(customer_name, '') FROM mart_sales").json["rows"][0][0].endswith("…")


@pytest.mark.parametrize(
    ("statement", "hint"),
    [
        ("SELECT * FROM res_partner", f"did you mean {PARTNERS}_named?"),
        ("SELECT * FROM odoo_marts.sales", "did you mean odoo_marts.mart_sales?"),
        ("SELECT * FROM mart_sale", "did you mean odoo_marts.mart_sales?"),
        ("SELECT * FROM mart_pipeline", "it has not been built (odoo-shadow marts build)"),
        ("SELECT * FROM odoo_marts.mart_pipeline", "it has not been built (odoo-shadow marts build)"),
        ("SELECT nam FROM odoo_shadow_res_partner", "describe with the table's name lists its columns"),
        ("SELECT lowr('A')", "did you mean lower?"),
        ("SELECT FROM WHERE", "cannot be parsed"),
        ("UPDATE mart_sales SET order_id = 1", "Only one SELECT is run here"),
        ("SELECT 1; SELECT 2", "Only one statement"),
        ("", "empty"),
    ],
)
def test_a_refusal_says_what_to_write_instead(client: Asking, statement: str, hint: str) -> None:
    refused = client.query(statement)
    assert refused.is_error and hint in refused.text
    assert len(refused.text) < 700


def test_wrong_arguments_are_explained(client: Asking) -> None:
    assert "res.partner?" in client.call("describe", name="res.partnr").text
    assert "limit" in client.query("SELECT 1", limit=0).text
    assert "question" in client.call("search").text
    assert "since" in (said := client.call("search", question="x", since="soon").text) and "2026-10-31" in said
    assert "it has not been built" in client.call("describe", name="odoo_marts.mart_stock").text
    assert "There is no page 7: there is one." in client.call("describe", name="res.partner", page=7).text
    assert "(did you mean sale.order?)" in client.call("freshness", models=["sale.ordr"]).text


def test_a_word_of_daily_business_finds_models_by_labels_choices_and_what_people_call_them(client: Asking) -> None:
    vendors = client.call("describe", matching="vendors").json
    assert vendors["models"].keys() == {"res.partner"}
    customer = client.call("describe", matching="customer").json
    assert customer["models"].keys() == {"res.partner"}
    assert customer["columns_that_match"] == {"sale.order": ["partner_id: Customer"]}
    assert customer["marts"].keys() == {"odoo_marts.mart_sales"}  # by its column customer_name
    invoice = client.call("describe", matching="Invoices").json
    assert invoice["columns_that_match"] == {"res.partner": ["type: invoice=Invoice"]}
    assert client.call("describe", name="res.partner", matching="invoice").json["columns"].keys() == {"type"}
    for nothing in (
        client.call("describe", matching="xyzzy"),
        client.call("describe", name="res.partner", matching="x9"),
    ):
        assert "leave matching out" in nothing.json["nothing_matches"]
    assert "nothing_matches" not in invoice


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("suppliers", "res.partner"),
        ("quotation", "sale.order"),
        ("Sales Ordr", "sale.order"),
        ("mart_sals", "mart_sales"),
    ],
)
def test_an_unknown_name_gets_what_people_mean_by_it(client: Asking, name: str, meant: str) -> None:
    assert f"(did you mean {meant}?)" in client.call("describe", name=name).text


def test_without_marts_nobody_is_sent_to_them(site: Site, client: Asking) -> None:
    assert "marts first" in client.call("describe").json["hints"]
    site.as_owner("REVOKE SELECT ON ALL TABLES IN SCHEMA odoo_marts FROM odoo_shadow_reader")
    try:
        hints = client.call("describe").json["hints"]
    finally:
        site.as_owner("GRANT SELECT ON ALL TABLES IN SCHEMA odoo_marts TO odoo_shadow_reader")
    assert "There are no marts, or none that this login may read" in hints and "marts first" not in hints


def test_freshness_says_as_of_when_tables_and_marts_are(client: Asking) -> None:
    found = client.call("freshness").json
    assert found["tables"]["1 table without a problem"] == "2026-01-02T03:04:05Z or later"
    assert "first load" in found["tables"]["sale.order"]
    assert found["marts"] == {"odoo_marts.mart_sales": "2026-01-01T10:00:00Z"}
    assert client.call("freshness", models=["res.partner"]).json["tables"] == {"res.partner": "2026-01-02T03:04:05Z"}


def test_search_finds_documents_with_links_to_odoo(site: Site, client: Asking) -> None:
    refused = client.call("search", question="Azure")
    assert refused.is_error and "odoo-shadow embed" in refused.text
    with ShadowDatabase.from_url(site.owner) as shadow:
        open_search(shadow, vectors=False)
        store(
            shadow,
            Stored("sale.order", 31, "Sales Order S00031, Azure Interior", f"Note: {EVIL}", "S00031"),
            Stored("res.partner", 1, "Contact Azure Interior"),
        )
    answer = client.call("search", question="S00031", limit=1)
    (found,) = answer.json["found"]
    assert (found["odoo_model"], found["odoo_id"], found["url"]) == ("sale.order", 31, "https://odoo.example.com/31")
    assert "ignore all rules" in found["text"] and "<" not in answer.text and "not instructions" in answer.json["note"]
    assert answer.json["as_of"] and "words alone" in answer.json["by_words_because"]
    models = client.call("search", question="azure", models=["res.partner"]).json["found"]
    assert [item["odoo_model"] for item in models] == ["res.partner"]
    assert "sale.order?" in client.call("search", question="azure", models=["sale.ordr"]).text
    assert client.call("search", question="azure", since="2026-01-01", until="2026-01-31").json["found"] == []
    assert "timezone" in client.call("search", question="azure", since="2026-01-01T10:00").text
    function = client.call("describe", name="odoo_shadow.odoo_shadow_search").json
    assert "query text" in function["takes"] and "title text" in function["returns"]
    assert client.query(function["example"]).json["rows"] == []
    assert client.query("SELECT odoo_id FROM odoo_shadow_search(query => 'S00031') LIMIT 1").json["rows"] == [[31]]


def test_the_oldest_of_all_that_is_read_counts_and_what_is_not_known_is_said(site: Site, client: Asking) -> None:
    with ShadowDatabase.from_url(site.owner) as shadow:
        open_search(shadow, vectors=False)
        store(shadow, Stored("x.old", 1, "Quirk of old"))
    site.as_owner(OLD_DOCUMENTS)
    both = "SELECT count(*) FROM odoo_shadow_document, odoo_shadow_res_partner"
    marts = "SELECT count(*) FROM mart_sales, odoo_shadow_res_partner"
    found = "SELECT count(*) FROM odoo_shadow_search('quirk'), mart_sales"
    for statement in ("SELECT title FROM odoo_shadow_document", both, found):
        assert client.query(statement).json["as_of"] == "2020-01-01T00:00:00Z", statement
    unset_and_reset: tuple[tuple[str, LiteralString, LiteralString], ...] = (
        (both, "UPDATE odoo_shadow.odoo_shadow_document_model SET as_of = NULL", OLD_DOCUMENTS),
        (marts, "UPDATE odoo_marts.mart_freshness SET as_of = NULL", MART_OF_NEW_YEAR),
    )
    for statement, unset, reset in unset_and_reset:
        site.as_owner(unset)
        answer = client.query(statement).json
        site.as_owner(reset)
        assert (answer["as_of"], "not known" in answer["as_of_is_null_because"]) == (None, True), statement
    assert client.query(marts).json["as_of"] == "2026-01-01T10:00:00Z"
    assert "as_of_is_null_because" not in client.query("SELECT table_name FROM odoo_shadow_watermark").json


@pytest.mark.attack
def test_a_text_that_looks_like_an_order_stays_a_marked_text(client: Asking) -> None:
    answer = client.query("SELECT name FROM odoo_shadow_res_partner WHERE id = 3")
    assert answer.json["rows"] == [[EVIL]]
    assert "not instructions" in answer.json["note"]
    assert "<" not in answer.text and answer.text.isprintable()
    refused = client.query("SELECT name::int FROM odoo_shadow_res_partner WHERE id = 3")
    assert refused.is_error and "ignore all rules" in refused.text and "not instructions" in refused.text
    assert "<" not in refused.text and refused.text.isprintable()
