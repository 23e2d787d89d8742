"""Fields that Odoo does not store: no cursor shows their changes, so every run reads them anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, CountingProxy, in_odoo, in_shadow, mirror_with, visits
from tests.support.running import StoppedError, column, log_of, statuses_of, stop_after
from tests.support.source_of_truth import assert_equal, shadow_rows
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.one_flavour

ROWS = 30
ALL_ROWS = range(1, ROWS + 1)
SHOWN = ModelSettings(extra_fields=("x_shown", "x_company_name"))
NO_LOOK_BACK = MirrorOptions(batch_size=20, look_back=timedelta(0))
AS_IT_IS = ModelSettings()


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    """A client whose calls are counted; a small model has fields that are not stored."""
    with source_of(odoo, host=proxy.url) as opened, visits(odoo, ROWS):
        odoo.add_field(VISIT, "x_shown", "char", store=False, mirror_of="x_name")
        odoo.add_field(VISIT, "x_company_name", "char", store=False, related="company_id.name")
        yield opened


def shown(shadow: ShadowDatabase) -> dict[int, object]:
    return column(shadow, "x_shown", ALL_ROWS, VISITS)


def names_in_odoo(odoo: StandIn) -> dict[int, object]:
    return dict(in_odoo(odoo, "SELECT id, x_name FROM x_visit"))


def synced(shadow: ShadowDatabase) -> dict[int, object]:
    return column(shadow, "_synced_at", ALL_ROWS, VISITS)


def test_the_first_load_reads_them_as_well(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    result = mirror_with(source, shadow, NO_LOOK_BACK, settings=SHOWN)
    assert result.counts.inserted == ROWS
    assert shown(shadow) == names_in_odoo(odoo)
    assert set(column(shadow, "x_company_name", ALL_ROWS, VISITS).values()) == {"Acme Nordwind GmbH"}
    assert_equal(odoo, database, [VISIT])
    assert found_by(verify(source, shadow)) == {}


def test_changes_without_a_write_date_arrive_and_only_those_rows_are_written(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, NO_LOOK_BACK, settings=SHOWN)
    before = synced(shadow)
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By SQL' WHERE id IN (7, 25)")
    result = mirror_with(source, shadow, NO_LOOK_BACK)
    assert result.counts.written == 2
    assert log_of(shadow)[-1]["rows_updated"] == 2
    assert shown(shadow) == names_in_odoo(odoo)
    after = synced(shadow)
    assert {number for number in ALL_ROWS if after[number] != before[number]} == {7, 25}
    assert mirror_with(source, shadow, NO_LOOK_BACK).counts == RowCounts()


def test_only_those_fields_are_read_of_rows_that_did_not_change(
    proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, NO_LOOK_BACK, settings=SHOWN)
    proxy.clear()
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert {tuple(sorted(call.fields)) for call in proxy.of("search_read")} == {("id", "x_company_name", "x_shown")}
    assert proxy.answered("search_read") == ROWS


def test_rows_that_come_and_change_have_them_in_the_same_run(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, settings=SHOWN)
    (created,) = odoo.execute(VISIT, "create", [{"x_name": "Created since"}])
    odoo.execute(VISIT, "write", [7], {"x_name": "Written since"})
    mirror_with(source, shadow)
    wanted = {7: "Written since", created: "Created since"}
    assert column(shadow, "x_shown", [7, created], VISITS) == wanted == column(shadow, "x_name", wanted, VISITS)


def test_a_run_that_ends_in_between_leaves_them_to_the_next(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, NO_LOOK_BACK)
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, NO_LOOK_BACK, settings=SHOWN, on_progress=stop_after(2))
    assert statuses_of(shadow) == ["success", "error"]
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert shown(shadow) == names_in_odoo(odoo)


def test_a_field_that_is_stored_after_all_is_read_once(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, NO_LOOK_BACK, settings=ModelSettings(extra_fields=("x_name",)))
    proxy.clear()
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert proxy.of("search_read") == []
    assert_equal(odoo, database, [VISIT])


def test_they_are_hashed_where_that_is_asked_for(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    with source_of(odoo, extras={"hash_secret": "a key that nobody guesses"}) as keyed:
        mirror_with(keyed, shadow, settings=ModelSettings(extra_fields=("x_shown",), hashed_fields=("x_s*",)))
        hashes = shown(shadow)
        assert len(hashes) == ROWS and all(len(str(value)) == 64 for value in hashes.values())
        assert found_by(verify(keyed, shadow)) == {}


def test_verify_compares_and_repairs_them(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_with(source, shadow, settings=SHOWN)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_shown = 'By a stranger' WHERE id = 7")
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_company_name = NULL WHERE id = 9")
    assert found_by(verify(source, shadow)) == {"differing": [7, 9]}
    assert verify(source, shadow, repair=True).repaired == 2
    assert shown(shadow) == names_in_odoo(odoo)
    assert found_by(verify(source, shadow)) == {}


def test_a_field_that_is_asked_for_no_more_is_written_no_more(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, settings=SHOWN)
    before = shown(shadow)
    mirror_with(source, shadow, settings=AS_IT_IS)
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By SQL'")
    mirror_with(source, shadow)
    assert shown(shadow) == before
    mirror_with(source, shadow, settings=SHOWN)
    assert set(shown(shadow).values()) == {"By SQL"}


def test_values_of_a_field_that_is_excluded_are_removed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow, settings=SHOWN)
    mirror_with(source, shadow, settings=ModelSettings(exclude_fields=("x_shown",)))
    assert set(shown(shadow).values()) == {None}


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("x_nothing", "x_visit has no field 'x_nothing' that this login can read: correct extra_fields."),
        ("x_picture", "x_visit, field 'x_picture': binary fields are never mirrored."),
        ("x_visit_ids", "x_visit, field 'x_visit_ids': one2many fields are never mirrored."),
    ],
)
def test_what_cannot_be_mirrored_is_refused_in_one_sentence(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, name: str, refusal: str
) -> None:
    odoo.add_field(VISIT, "x_picture", "binary")
    odoo.add_field(VISIT, "x_visit_ids", "one2many", relation=VISIT, relation_field="company_id")
    with pytest.raises(MirrorConfigurationError) as refused:
        mirror_with(source, shadow, settings=ModelSettings(extra_fields=(name,)))
    assert str(refused.value) == refusal
    assert [(entry["status"], entry["error_message"]) for entry in log_of(shadow)] == [("error", refusal)]


@pytest.mark.parametrize("name", ["id", "write_date"])
def test_what_every_table_has_anyway_may_be_named(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, name: str
) -> None:
    mirror_with(source, shadow, settings=ModelSettings(extra_fields=(name,)))
    assert_equal(odoo, database, [VISIT])
    assert shadow_rows(database, VISITS).keys() == set(ALL_ROWS)
