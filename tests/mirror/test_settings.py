"""Settings of single models: which rows, which fields; and what becomes of a table when they change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings, settings_of
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.tables.tables import ChangeKind
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooError
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, CountingProxy, in_odoo, in_shadow, mirror_with, row_count, visits
from tests.support.running import PARTNERS, column, log_of, mirror, statuses_of
from tests.support.source_of_truth import Rows, assert_equal, expected_rows, shadow_rows
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.one_flavour

COMPANIES = ModelSettings(domain=(["is_company", "=", True],))
PEOPLE = ModelSettings(domain=(["is_company", "=", False],))
NO_STREETS = ModelSettings(exclude_fields=("street*", "x_[ns]*"))
STREETS = {"street", "street2", "x_notes", "x_score", "x_segment", "x_slogan", "x_settings"}
AS_IT_IS = ModelSettings()


def expected(odoo: StandIn, condition: str) -> Rows:
    """The partners that meet a condition, as the shadow should have them."""
    in_table = {number for (number,) in in_odoo(odoo, f"SELECT id FROM res_partner WHERE {condition}")}  # noqa: S608
    return {number: row for number, row in expected_rows(odoo, "res.partner").items() if number in in_table}


def assert_partners(odoo: StandIn, database: str, condition: str) -> None:
    """All cells of the partners that meet a condition are there, and no other partner is."""
    found, wanted = shadow_rows(database, PARTNERS), expected(odoo, condition)
    assert found.keys() == wanted.keys() and wanted
    for number, row in wanted.items():
        assert {name: str(found[number][name]) for name in row} == {name: str(cell) for name, cell in row.items()}


def history(shadow: ShadowDatabase, table: str = PARTNERS) -> set[tuple[str, str]]:
    """What happened to a table's columns, the names of those columns beside it."""
    rows = in_shadow(
        shadow, "SELECT change, column_name FROM {odoo_shadow_schema_log} WHERE table_name = {table}", table=table
    )
    return {(str(change), str(name)) for change, name in rows if name is not None}


@pytest.fixture
def visiting(odoo: StandIn, source: ApiSource) -> Iterator[ApiSource]:
    """A client of an Odoo that has a small model, too."""
    with visits(odoo, 30):
        yield source


def test_only_rows_within_the_domain_are_mirrored(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    result = mirror(source, shadow, settings=COMPANIES, batch_size=30)
    assert_partners(odoo, database, "is_company")  # archived ones too
    assert result.counts.inserted == row_count(shadow, PARTNERS)
    assert found_by(verify(source, shadow, model="res.partner")) == {}


def test_a_domain_of_alternatives_is_one_condition_beside_the_window(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    either = ModelSettings(domain=("|", ["id", "<=", 20], "&", ["is_company", "=", True], ["id", ">", 300]))
    mirror(source, shadow, settings=either, batch_size=7)
    condition = "id <= 20 OR is_company AND id > 300"
    assert_partners(odoo, database, condition)
    odoo.execute("res.partner", "write", [5, 50], {"name": "Written since"})
    result = mirror(source, shadow, settings=either, look_back=timedelta(0))
    assert result.counts.inserted == 0
    assert result.counts.updated < 5  # the window is not widened by the alternatives
    assert_partners(odoo, database, condition)


def test_a_row_that_leaves_the_domain_leaves_the_table_and_one_that_enters_comes(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, settings=COMPANIES)
    leaving = min(shadow_rows(database, PARTNERS).keys() - {1, 2, 3})
    entering, without_a_trace = sorted(expected(odoo, "NOT is_company AND id > 20"))[:2]
    odoo.execute("res.partner", "write", [leaving], {"is_company": False})
    odoo.execute("res.partner", "write", [entering], {"is_company": True})
    result = mirror(source, shadow)
    assert (result.kind, result.counts.deleted, result.counts.inserted) == (ScanKind.INCREMENTAL, 1, 1)
    assert_partners(odoo, database, "is_company")
    in_odoo(odoo, "UPDATE res_partner SET is_company = true WHERE id = %s", without_a_trace)
    assert mirror(source, shadow).counts.inserted == 1  # the count betrays it
    assert_partners(odoo, database, "is_company")
    assert row_count(shadow, PARTNERS) == len(shadow_rows(database, PARTNERS))


def test_a_row_that_leaves_the_domain_is_marked_where_deleted_ones_are(
    visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    named = ModelSettings(domain=(["x_name", "!=", "Out"],))
    mark = MirrorOptions(on_delete=OnDelete.MARK)
    mirror_with(visiting, shadow, mark, settings=named)
    for name, is_marked in (("Out", True), ("In again", False)):
        odoo.execute(VISIT, "write", [7], {"x_name": name})
        mirror_with(visiting, shadow, mark)
        assert (column(shadow, "_deleted_at", [7], VISITS)[7] is not None) is is_marked
        assert found_by(verify(visiting, shadow)) == {}


def test_another_domain_reads_everything_again_and_asks_before_many_rows_go(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    everyone = shadow_rows(database, PARTNERS).keys()
    with pytest.raises(
        MassDeletionError, match=r"outside of its domain .* has the domain changed, .*allow_mass_delete"
    ):
        mirror(source, shadow, settings=COMPANIES)
    assert shadow_rows(database, PARTNERS).keys() == everyone
    result = mirror_with(source, shadow, MirrorOptions(allow_mass_delete=True), model="res.partner", settings=COMPANIES)
    assert result.kind is ScanKind.READ_AGAIN  # which the first try began
    assert_partners(odoo, database, "is_company")

    # Nothing was written in Odoo meanwhile: only reading everything finds those that were outside.
    result = mirror_with(source, shadow, MirrorOptions(allow_mass_delete=True), model="res.partner", settings=PEOPLE)
    assert result.kind is ScanKind.NEW_DOMAIN
    assert_partners(odoo, database, "is_company IS NOT TRUE")
    assert mirror(source, shadow).kind is ScanKind.INCREMENTAL


def test_verify_and_repair_know_the_domain(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, settings=COMPANIES)
    lacking = max(shadow_rows(database, PARTNERS))
    outside = min(expected(odoo, "NOT is_company"))
    in_shadow(shadow, "DELETE FROM {odoo_shadow_res_partner} WHERE id = {id}", id=lacking)
    in_shadow(shadow, "INSERT INTO {odoo_shadow_res_partner} (id, name) VALUES ({id}, 'Outside')", id=outside)
    wanted = {"missing": [lacking], "extra": [outside]}
    assert found_by(verify(source, shadow, model="res.partner")) == wanted
    assert verify(source, shadow, model="res.partner", repair=True).repaired == 2
    assert_partners(odoo, database, "is_company")


def test_a_domain_that_odoo_refuses_fails_clearly_and_changes_nothing(
    source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    before = shadow_rows(database, PARTNERS)
    with pytest.raises(OdooError) as refused:
        mirror(source, shadow, settings=ModelSettings.parse("res.partner", {"domain": [["no_such_field", "=", 1]]}))
    assert "\n" not in str(refused.value) and "Traceback" not in str(refused.value)
    assert statuses_of(shadow) == ["success", "error"]
    assert shadow_rows(database, PARTNERS) == before


def test_excluded_fields_get_no_column(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    mirror(source, shadow, settings=NO_STREETS)
    row = shadow_rows(database, PARTNERS)[5]
    assert row.keys().isdisjoint(STREETS) and {"city", "zip", "x_visits"} <= row.keys()
    wanted = expected_rows(odoo, "res.partner")
    assert {number: row["city"] for number, row in shadow_rows(database, PARTNERS).items()} == {
        number: row["city"] for number, row in wanted.items()
    }
    assert mirror(source, shadow, full=True).counts.written == 0
    assert found_by(verify(source, shadow, model="res.partner")) == {}


def test_values_of_fields_that_are_excluded_later_are_removed_and_return_with_them(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    mirror(source, shadow, settings=NO_STREETS)
    rows = shadow_rows(database, PARTNERS)
    assert {cell for row in rows.values() for name, cell in row.items() if name in STREETS} == {None}
    assert len({row["city"] for row in rows.values()}) > 1
    assert history(shadow) == {(str(ChangeKind.EMPTIED), name) for name in STREETS}
    odoo.execute("res.partner", "write", [5], {"street": "Not to be seen", "city": "To be seen"})
    mirror(source, shadow)
    assert column(shadow, "street", [5]) == {5: None}
    assert column(shadow, "city", [5]) == {5: "To be seen"}
    assert found_by(verify(source, shadow, model="res.partner")) == {}

    mirror(source, shadow, settings=AS_IT_IS)
    assert_equal(odoo, database, ["res.partner"])
    assert (str(ChangeKind.RETURNED), "street") in history(shadow)


@pytest.mark.parametrize("on_delete", [OnDelete.MARK, OnDelete.IGNORE])
def test_values_of_rows_that_are_gone_from_odoo_are_removed_as_well(
    visiting: ApiSource, odoo: StandIn, shadow: ShadowDatabase, on_delete: OnDelete
) -> None:
    options = MirrorOptions(on_delete=on_delete)
    mirror_with(visiting, shadow, options)
    odoo.execute(VISIT, "unlink", [7])
    mirror_with(visiting, shadow, options)
    mirror_with(visiting, shadow, options, settings=ModelSettings(exclude_fields=("x_name",)))
    assert set(column(shadow, "x_name", [6, 7], VISITS).items()) == {(6, None), (7, None)}


def test_a_credential_is_let_in_by_its_name_alone_and_goes_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow, "project.project")
    (created,) = odoo.execute("project.project", "create", [{"name": "Shared", "access_token": "let-me-in"}])
    mirror(source, shadow, "project.project", settings=ModelSettings(allow_fields=("access_*",)))
    table = "odoo_shadow_project_project"
    assert "access_token" not in shadow_rows(database, table)[created]  # no pattern lets a credential in
    mirror(source, shadow, "project.project", settings=ModelSettings(allow_fields=("access_token",)))
    assert column(shadow, "access_token", [created], table) == {created: "let-me-in"}
    assert found_by(verify(source, shadow, model="project.project")) == {}
    mirror(source, shadow, "project.project", settings=AS_IT_IS)
    assert column(shadow, "access_token", [created], table) == {created: None}
    odoo.execute("project.project", "unlink", [created])


def test_what_is_allowed_and_excluded_is_excluded(source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    both = ModelSettings(allow_fields=("access_token",), exclude_fields=("*_token",))
    mirror(source, shadow, "project.project", settings=both)
    assert "access_token" not in next(iter(shadow_rows(database, "odoo_shadow_project_project").values()))


def test_settings_are_kept_until_others_are_given(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    settings = ModelSettings(domain=COMPANIES.domain, exclude_fields=("street",))
    mirror(source, shadow, settings=settings)
    for full in (False, True):
        mirror(source, shadow, full=full)
        assert shadow_rows(database, PARTNERS).keys() == expected(odoo, "is_company").keys()
        assert "street" not in shadow_rows(database, PARTNERS)[1]
    mirror(source, shadow, settings=AS_IT_IS)
    assert_equal(odoo, database, ["res.partner"])
    mirror(source, shadow)
    assert_equal(odoo, database, ["res.partner"])


def test_settings_that_do_not_fit_are_not_kept(
    visiting: ApiSource, shadow: ShadowDatabase, odoo: StandIn, database: str
) -> None:
    mirror_with(visiting, shadow)
    with pytest.raises(MirrorConfigurationError, match=r"x_visit has no field 'x_nothing'.*extra_fields"):
        mirror_with(visiting, shadow, settings=ModelSettings(extra_fields=("x_nothing",), exclude_fields=("x_name",)))
    assert [entry["status"] for entry in log_of(shadow)] == ["success", "error"]
    mirror_with(visiting, shadow)
    assert_equal(odoo, database, [VISIT])


def test_settings_alone_cost_no_reading(odoo: StandIn, shadow: ShadowDatabase) -> None:
    """Leaving a field out changes no row that is kept: nothing is read for its sake."""
    with CountingProxy(odoo) as proxy, source_of(odoo, host=proxy.url) as source, visits(odoo, 30):
        mirror_with(source, shadow)
        proxy.clear()
        no_look_back = MirrorOptions(look_back=timedelta(0))
        mirror_with(source, shadow, no_look_back, settings=ModelSettings(exclude_fields=("x_name",)))
        assert proxy.answered("search_read") == 0


@pytest.mark.parametrize("setting", ["exclude_fields", "hashed_fields", "allow_fields"])
def test_a_misspelt_field_is_refused_before_anything_is_read(
    odoo: StandIn, shadow: ShadowDatabase, setting: str
) -> None:
    """Otherwise the field that was meant would be mirrored in the clear, and nobody told."""
    with source_of(odoo, extras={"hash_secret": "a key that nobody guesses"}) as source:
        with pytest.raises(MirrorConfigurationError, match=r"no field 'emial'.*\(did you mean email\?\): correct"):
            mirror(source, shadow, settings=ModelSettings.parse("res.partner", {setting: ["emial"]}))
        mirror(source, shadow, settings=settings_of("res.partner", {"res.*": ModelSettings(exclude_fields=("emial",))}))
