"""One record, several languages and companies: what is read, what is left as it was, and whether write_date moves."""

from __future__ import annotations

import pytest

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from odoo_shadow.source.types import Context, Json
from tests.support.records import ARCHIVED_TOO, Records

pytestmark = pytest.mark.odoo

FRENCH: Context = {"lang": "fr_FR"}
ENGLISH: Context = {"lang": "en_US"}
TAG = "res.partner.category"


@pytest.fixture
def two_languages(hook: OdooHook) -> None:
    if hook.search_count("res.lang", [("code", "=", "fr_FR")]) == 0:
        pytest.skip("needs fr_FR switched on")


@pytest.fixture
def companies(hook: OdooHook) -> list[int]:
    """Companies of the login, at least two."""
    (user,) = hook.search_read("res.users", [("login", "=", hook.connection.login)], ["company_ids"])
    ids = [one for one in user["company_ids"] if isinstance(one, int)] if isinstance(user["company_ids"], list) else []
    if len(ids) < 2:
        pytest.skip("needs two companies")
    return ids


def names(records: Records, tag: int) -> tuple[Json, Json]:
    """The tag's name in English and in French."""
    english, french = (records.read(TAG, [tag], ["name"], context=context)[0]["name"] for context in (ENGLISH, FRENCH))
    return english, french


def test_active_languages_are_found_and_others_only_when_asked_for(hook: OdooHook, limited_hook: OdooHook) -> None:
    active = {record["code"] for record in hook.search_read("res.lang", [], ["code"])}
    assert "en_US" in active
    assert active == {record["code"] for record in limited_hook.search_read("res.lang", [], ["code"])}
    assert active == {record["code"] for record in hook.search_read("res.lang", [("active", "=", True)], ["code"])}
    assert hook.search_count("res.lang", context=ARCHIVED_TOO) > len(active)
    assert hook.search_count("res.lang", [("active", "=", False)]) > 0


@pytest.mark.usefixtures("two_languages")
def test_a_text_without_translation_is_english(records: Records) -> None:
    (tag,) = records.create(TAG, [{"name": "Tag"}])
    assert names(records, tag) == ("Tag", "Tag")


@pytest.mark.usefixtures("two_languages")
def test_a_translation_leaves_the_other_languages_alone_and_moves_write_date(records: Records) -> None:
    (tag,) = records.create(TAG, [{"name": "Tag"}])
    (before,) = records.settle(TAG, [tag])
    records.write(TAG, [tag], context=FRENCH, name="Étiquette")
    assert names(records, tag) == ("Tag", "Étiquette")
    assert records.write_dates(TAG, [tag])[0] > before
    records.write(TAG, [tag], context=ENGLISH, name="Label")
    assert names(records, tag) == ("Label", "Étiquette")


@pytest.mark.usefixtures("two_languages")
def test_a_text_that_is_first_written_in_another_language_is_the_english_one_too(records: Records) -> None:
    (tag,) = records.create(TAG, [{"name": "Étiquette"}], context=FRENCH)
    assert names(records, tag) == ("Étiquette", "Étiquette")
    records.write(TAG, [tag], context=ENGLISH, name="Tag")
    assert names(records, tag) == ("Tag", "Étiquette")


@pytest.mark.usefixtures("two_languages")
def test_a_search_compares_the_text_of_its_language(records: Records, hook: OdooHook) -> None:
    (tag,) = records.create(TAG, [{"name": records.prefix}])
    records.write(TAG, [tag], context=FRENCH, name=f"{records.prefix} fr")
    domain = [("name", "=", f"{records.prefix} fr")]
    assert hook.search(TAG, domain, context=FRENCH) == [tag]
    assert hook.search(TAG, domain, context=ENGLISH) == []


def test_values_of_the_first_company_and_records_of_all(records: Records, hook: OdooHook, companies: list[int]) -> None:
    partner = records.partner()
    owned = records.create("res.partner", [{"company_id": one} for one in companies])
    for company in companies:
        values: Context = {"allowed_company_ids": [company]}
        records.write("res.partner", [partner], context=values, barcode=f"{records.prefix} {company}")
    for first in companies:
        context: Context = {"allowed_company_ids": [first, *(one for one in companies if one != first)]}
        assert records.read_partner(partner, "barcode", context=context)["barcode"] == f"{records.prefix} {first}"
        assert hook.search("res.partner", [("id", "in", owned)], order="id", context=context) == owned
    only: Context = {"allowed_company_ids": companies[:1]}
    assert hook.search("res.partner", [("id", "in", owned)], context=only) == owned[:1]


def test_a_company_dependent_value_moves_write_date(records: Records, companies: list[int]) -> None:
    partner = records.partner()
    (before,) = records.settle("res.partner", [partner])
    other: Context = {"allowed_company_ids": companies[-1:]}
    records.write("res.partner", [partner], context=other, barcode=records.prefix)
    assert records.write_dates("res.partner", [partner])[0] > before
