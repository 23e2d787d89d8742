"""Values by language and by company, beside the column that holds the main one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import Call, CountingProxy, in_odoo, in_shadow, mirror_with, visits
from tests.support.raw_server import HTML_TYPE, Reply
from tests.support.running import PARTNERS, column, mirror
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows
from tests.support.verifying import found_by, verify

KINDS, KINDS_TABLE = "x_kinds", "odoo_shadow_x_kinds"
LANGUAGES = ("en_US", "fr_FR")
COMPANIES = (1, 2, 3)
EVERYTHING = ModelSettings(all_languages=True, all_companies=True)
AS_IT_IS = ModelSettings()
NO_LOOK_BACK = MirrorOptions(batch_size=5, look_back=timedelta(0))


def as_json(cell: Any) -> Any:
    """Return a value as it should stand in a JSON object."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}+00"
    return cell.isoformat() if isinstance(cell, date) else cell


def companions(odoo: StandIn, model: str) -> dict[int, dict[str, dict[str, Any]]]:
    """What the companions of a model's columns should hold, from Odoo's own tables: by id and column."""
    fields = odoo.registry.models[model].fields.values()
    translated = [field.name for field in fields if field.translate]
    by_company = [field.name for field in fields if field.company_dependent and field.name != "x_edi_password"]
    in_language = {lang: expected_rows(odoo, model, lang) for lang in LANGUAGES}
    in_company = {str(one): expected_rows(odoo, model, company=one) for one in COMPANIES}
    return {
        number: {
            **{f"{name}__translations": _labelled(in_language, number, name) for name in translated},
            **{f"{name}__companies": _labelled(in_company, number, name) for name in by_company},
        }
        for number in in_language["en_US"]
    }


def _labelled(rows: dict[str, Any], number: int, name: str) -> dict[str, Any]:
    return {label: as_json(found[number][name]) for label, found in rows.items()}


def assert_companions(odoo: StandIn, database: str, model: str) -> int:
    """Compare all companions with Odoo's tables; return how many agreed."""
    found, cells = shadow_rows(database, "odoo_shadow_" + model.replace(".", "_")), 0
    for number, row in companions(odoo, model).items():
        assert {name: found[number][name] for name in row} == row, number
        cells += len(row)
    return cells


@pytest.fixture
def french_is_off(odoo: StandIn) -> Iterator[Callable[[bool], None]]:
    """What activates and deactivates the second language; afterwards it is active again."""

    def activate(is_active: bool) -> None:
        in_odoo(odoo, "UPDATE res_lang SET active = %s WHERE code = 'fr_FR'", is_active)

    activate(False)
    yield activate
    activate(True)


@pytest.fixture
def limit_companies(odoo: StandIn) -> Iterator[Callable[..., None]]:
    """What limits the administrator to some companies; afterwards all are allowed again."""

    def allow(*companies: int) -> None:
        in_odoo(odoo, "DELETE FROM res_company_users_rel WHERE user_id = 2")
        for company in companies:
            in_odoo(odoo, "INSERT INTO res_company_users_rel (user_id, cid) VALUES (2, %s)", company)

    yield allow
    allow(*COMPANIES)


def test_every_kind_of_field_has_its_values_by_language_and_company(
    awkward_odoo: StandIn, awkward_source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    result = mirror_with(awkward_source, shadow, NO_LOOK_BACK, model=KINDS, settings=EVERYTHING)
    assert assert_companions(awkward_odoo, database, KINDS) == result.counts.inserted * 13
    assert_equal(awkward_odoo, database, [KINDS])
    archived = [number for number, row in shadow_rows(database, KINDS_TABLE).items() if not row["active"]]
    assert archived  # and were compared
    assert found_by(verify(awkward_source, shadow, model=KINDS)) == {}
    unchanged = RowCounts(unchanged=result.counts.inserted)
    assert mirror_with(awkward_source, shadow, MirrorOptions(full=True), model=KINDS).counts == unchanged


def test_values_differ_by_language_and_company_in_what_is_compared(awkward_odoo: StandIn) -> None:
    """Otherwise the comparison above would prove nothing."""
    rows = companions(awkward_odoo, KINDS)
    for name in rows[1]:
        assert any(len({str(value) for value in row[name].values()}) > 1 for row in rows.values()), name
    assert any(None in row["x_by_company_char__companies"].values() for row in rows.values())


def test_changed_translations_and_company_values_arrive(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, settings=EVERYTHING)
    odoo.execute("res.partner", "write", [5], {"x_slogan": "En avant"}, context={"lang": "fr_FR"})
    odoo.execute("res.partner", "write", [6], {"barcode": "C2"}, context={"allowed_company_ids": [2]})
    odoo.execute("res.partner", "action_archive", [7])
    (created,) = odoo.execute("res.partner", "create", [{"name": "New", "x_slogan": "Onward", "barcode": "C1"}])
    mirror(source, shadow)
    assert column(shadow, "x_slogan__translations", [5])[5]["fr_FR"] == "En avant"
    assert column(shadow, "barcode__companies", [6])[6]["2"] == "C2"
    assert column(shadow, "barcode__companies", [created]) == {created: {"1": "C1", "2": None, "3": None}}
    assert_companions(odoo, database, "res.partner")
    assert_equal(odoo, database, ["res.partner"])
    odoo.execute("res.partner", "unlink", [created])


def test_the_main_language_is_the_connections_own(awkward_odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    extras = {"lang": "fr_FR", "company_ids": [2, 1, 3]}
    with source_of(awkward_odoo, extras=extras) as french:
        mirror(french, shadow, KINDS, settings=EVERYTHING)
        assert_companions(awkward_odoo, database, KINDS)
        rows, wanted = shadow_rows(database, KINDS_TABLE), expected_rows(awkward_odoo, KINDS, "fr_FR", company=2)
        for name in ("x_title", "x_note", "x_page", "x_by_company_char", "x_by_company_integer", "x_by_company_date"):
            assert {number: row[name] for number, row in rows.items()} == {
                number: row[name] for number, row in wanted.items()
            }
        assert found_by(verify(french, shadow, model=KINDS)) == {}


def test_only_the_companies_that_are_chosen_are_kept(
    awkward_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with source_of(awkward_odoo, extras={"company_ids": [3]}) as source:
        mirror(source, shadow, KINDS, settings=EVERYTHING)
    labels = {tuple(row["x_by_company_char__companies"]) for row in shadow_rows(database, KINDS_TABLE).values()}
    assert labels == {("3",)}


def test_a_model_without_such_fields_costs_nothing_more(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with CountingProxy(odoo) as proxy, source_of(odoo, host=proxy.url) as source, visits(odoo, 30):
        mirror_with(source, shadow, settings=EVERYTHING)
        assert {call.model for call in proxy.calls}.isdisjoint({"res.lang"})
        assert [call.limit for call in proxy.of("search_read") if call.model == "x_visit"] == [1, 2000]


def test_a_field_that_is_called_like_a_companion_has_a_column_of_its_own(
    own_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    own_odoo.add_field("res.partner", "x_slogan__translations", "char", default="a field")
    own_odoo.add_field("res.partner", "barcode__companies", "integer", default=7)
    with source_of(own_odoo) as source:
        mirror(source, shadow, settings=EVERYTHING)
        assert_equal(own_odoo, database, ["res.partner"])
        assert_moved(own_odoo, database)
        assert found_by(verify(source, shadow, model="res.partner")) == {}


def test_a_field_may_come_later_that_is_called_like_a_companion(
    own_odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with source_of(own_odoo) as source:
        mirror(source, shadow, settings=EVERYTHING)
        own_odoo.add_field("res.partner", "x_slogan__translations", "char", default="a field")
        own_odoo.add_field("res.partner", "barcode__companies", "integer", default=7)
        for _ in range(2):
            mirror(source, shadow)
            assert_equal(own_odoo, database, ["res.partner"])
            assert_moved(own_odoo, database)


def assert_moved(odoo: StandIn, database: str) -> None:
    """The companions of two fields are there under other names."""
    rows, wanted = shadow_rows(database, PARTNERS), companions(odoo, "res.partner")
    for name in ("x_slogan__translations", "barcode__companies"):
        kept_aside = f"{name}__jsonb"
        (moved,) = [column for column in rows[1] if column.startswith(f"{name}_") and column != kept_aside]
        assert {number: row[moved] for number, row in rows.items()} == {
            number: row[name] for number, row in wanted.items()
        }


def test_companions_of_what_is_excluded_are_emptied_and_return(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, settings=EVERYTHING)
    mirror(source, shadow, settings=EVERYTHING.united(ModelSettings(exclude_fields=("x_slogan", "barcode"))))
    for name in ("x_slogan", "x_slogan__translations", "barcode", "barcode__companies"):
        assert {row[name] for row in shadow_rows(database, PARTNERS).values()} == {None}
    mirror(source, shadow, settings=EVERYTHING)
    assert_companions(odoo, database, "res.partner")


@pytest.mark.nightly
def test_companions_may_be_asked_for_later(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    mirror(source, shadow, settings=EVERYTHING, batch_size=70)
    assert_companions(odoo, database, "res.partner")
    mirror(source, shadow, settings=AS_IT_IS)
    odoo.execute("res.partner", "write", [5], {"x_slogan": "Since then"})
    mirror(source, shadow)
    assert column(shadow, "x_slogan", [5]) == {5: "Since then"}
    mirror(source, shadow, settings=EVERYTHING)  # the columns are written again, so all rows are given them anew
    assert_companions(odoo, database, "res.partner")


def test_a_language_that_is_activated_later_comes_to_all_rows(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    french_is_off: Callable[[bool], None],
) -> None:
    mirror(source, shadow, settings=EVERYTHING)
    assert {tuple(row["x_slogan__translations"]) for row in shadow_rows(database, PARTNERS).values()} == {("en_US",)}
    french_is_off(True)
    mirror(source, shadow)
    assert_companions(odoo, database, "res.partner")


def test_a_language_that_is_deactivated_leaves_all_rows(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    french_is_off: Callable[[bool], None],
) -> None:
    french_is_off(True)
    mirror(source, shadow, settings=EVERYTHING)
    french_is_off(False)
    mirror(source, shadow)
    assert {tuple(row["x_slogan__translations"]) for row in shadow_rows(database, PARTNERS).values()} == {("en_US",)}


@pytest.mark.nightly
def test_verify_tells_of_a_language_that_was_activated_later_and_mends_it(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    french_is_off: Callable[[bool], None],
) -> None:
    mirror(source, shadow, settings=EVERYTHING)
    french_is_off(True)
    verification = verify(source, shadow, model="res.partner", repair=True)
    assert found_by(verification).keys() == {"differing"}
    assert_companions(odoo, database, "res.partner")


def test_a_company_that_the_login_gets_later_comes_to_all_rows(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    limit_companies: Callable[..., None],
) -> None:
    limit_companies(1, 2)
    mirror(source, shadow, settings=EVERYTHING)
    limit_companies(*COMPANIES)
    mirror(source, shadow)
    assert_companions(odoo, database, "res.partner")


@pytest.mark.sampled
@pytest.mark.parametrize("which", ["another language", "another company"])
def test_a_page_that_is_too_large_in_another_language_or_company_is_halved(
    odoo: StandIn, shadow: ShadowDatabase, database: str, which: str
) -> None:
    def is_too_large(call: Call) -> bool:
        wanted = "lang" if which == "another language" else "allowed_company_ids"
        return wanted in call.named.get("context", {}) and len(call.ids or ()) > 60

    with CountingProxy(odoo) as proxy, source_of(odoo, host=proxy.url) as source:
        proxy.before = lambda call: Reply(502, "<html>Bad Gateway</html>", HTML_TYPE) if is_too_large(call) else None
        mirror(source, shadow, settings=EVERYTHING, batch_size=200)
        refused = [len(call.ids or ()) for call in proxy.calls if is_too_large(call)]
        assert refused[:2] == [200, 100]
    assert_companions(odoo, database, "res.partner")
    assert_equal(odoo, database, ["res.partner"])


def test_a_record_that_goes_before_its_translations_are_read_goes(
    odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    (doomed,) = odoo.execute("res.partner", "create", [{"name": "Doomed", "x_slogan": "Not for long"}])

    def delete_meanwhile(call: Call) -> None:
        if "lang" in call.named.get("context", {}) and odoo.execute("res.partner", "search", [["id", "=", doomed]]):
            odoo.execute("res.partner", "unlink", [doomed])

    with CountingProxy(odoo) as proxy, source_of(odoo, host=proxy.url) as source:
        proxy.before = delete_meanwhile
        mirror(source, shadow, settings=EVERYTHING)
    assert_equal(odoo, database, ["res.partner"])
    assert_companions(odoo, database, "res.partner")


@pytest.mark.nightly
def test_verify_sees_and_mends_wrong_companions(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, settings=EVERYTHING)
    in_odoo(odoo, """UPDATE res_partner SET x_slogan = '{"en_US": "a", "fr_FR": "by SQL"}' WHERE id = 4""")
    for statement in (
        """UPDATE {odoo_shadow_res_partner} SET x_slogan__translations = '{{"en_US": "x"}}' WHERE id = 5""",
        "UPDATE {odoo_shadow_res_partner} SET x_slogan__translations = NULL WHERE id = 6",
        "UPDATE {odoo_shadow_res_partner} SET barcode__companies = barcode__companies || '{{\"9\": 1}}' WHERE id = 7",
    ):
        in_shadow(shadow, statement)
    assert found_by(verify(source, shadow, model="res.partner")) == {"differing": [4, 5, 6, 7]}
    assert verify(source, shadow, model="res.partner", repair=True).repaired == 4
    assert_companions(odoo, database, "res.partner")
    assert found_by(verify(source, shadow, model="res.partner")) == {}
