"""A plan maps only models that have work: what it costs, what it notices, and what it writes down of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooRequestError, OdooServerError, OdooUnknownModelError
from odoo_stand_in import Fault, StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.planning import passed_over, plan, plan_and_mirror, work_of
from tests.support.running import StoppedError, calls_of, column, log_of, scan_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal
from tests.support.verifying import verify

pytestmark = pytest.mark.one_flavour

ROWS = 30
SEVERAL = (VISIT, "res.partner", "project.project", "res.country")
LEFT = "its last run left work to do"
IGNORE = MirrorOptions(on_delete=OnDelete.IGNORE)


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    """A client; a small model has been mirrored by plan."""
    age(odoo, "res.country")
    with source_of(odoo) as opened, visits(odoo, ROWS):
        yield opened


@pytest.fixture
def planned(source: ApiSource, shadow: ShadowDatabase) -> ApiSource:
    """That client; the model has been planned and mirrored, and has nothing to do."""
    assert work_of(plan_and_mirror(source, shadow)) == {VISIT: "first load"}
    return source


def meta(shadow: ShadowDatabase, name: str) -> object:
    ((value,),) = in_shadow(shadow, f"SELECT {name} FROM {{odoo_shadow_meta}}")  # noqa: S608 - a column's name
    return value


def test_a_model_without_work_advances_as_if_it_had_run(planned: ApiSource, shadow: ShadowDatabase) -> None:
    in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET last_write_date = last_write_date - interval '1 hour'")
    in_shadow(shadow, "UPDATE {odoo_shadow_meta} SET last_sync_at = last_sync_at + interval '1 minute'")
    run, old = Run(), watermark_of(shadow, VISITS)
    moment = planned.clock().source
    found = plan(planned, shadow, run=run)
    (unchanged,) = found.unchanged
    assert found.work == () and (unchanged.model, unchanged.table) == (VISIT, VISITS)
    assert old is not None
    assert unchanged.watermark == watermark_of(shadow, VISITS)
    assert unchanged.watermark.last_write_date >= moment > old.last_write_date
    assert (unchanged.watermark.last_id, unchanged.watermark.rows_synced) == (old.last_id, old.rows_synced)
    entry = log_of(shadow)[-1]
    assert (entry["sync_run_id"], entry["status"], entry["metadata"]) == (str(run.id), "success", {"unchanged": True})
    assert (entry["rows_inserted"], entry["duration_ms"]) == (0, 0) and entry["completed_at"] is not None
    assert meta(shadow, "last_sync_duration_ms") == 0
    assert str(found) == "0 models have work, 1 is unchanged"


def test_last_sync_at_advances_with_it(planned: ApiSource, shadow: ShadowDatabase) -> None:
    before = meta(shadow, "last_sync_at")
    plan(planned, shadow)
    after = meta(shadow, "last_sync_at")
    assert isinstance(before, datetime) and isinstance(after, datetime) and after > before


def test_two_calls_a_model_at_the_most(source: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    plan_and_mirror(source, shadow, SEVERAL)
    odoo.calls.clear()
    assert passed_over(plan(source, shadow, SEVERAL)) == list(SEVERAL)
    calls = calls_of(odoo)
    assert all(calls.count((model, "search_count")) == 2 for model in SEVERAL)
    others = [call for call in calls if call[1] != "search_count"]
    assert len(others) == 2 and others[1] == ("ir.model.fields", "search_read")
    assert others[0][0] in SEVERAL  # whether Odoo's database is still the same
    odoo.execute("res.partner", "write", [5], {"ref": "one of several"})
    odoo.calls.clear()
    assert list(work_of(plan(source, shadow, SEVERAL))) == ["res.partner"]
    assert calls_of(odoo).count(("res.partner", "search_count")) == 1  # work is work, however much


def test_what_the_books_tell_costs_no_call(source: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    odoo.calls.clear()
    assert set(work_of(plan(source, shadow, SEVERAL)).values()) == {"first load"}
    assert {model for model, _ in calls_of(odoo)} <= {"ir.model.fields", "ir.config_parameter"}


def test_rows_that_were_written_are_work(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    odoo.execute(VISIT, "write", [7], {"x_name": "News"})
    (reason,) = work_of(plan_and_mirror(planned, shadow)).values()
    assert reason.startswith("1 row was written since 20") and reason.endswith(" UTC")
    assert_equal(odoo, database, [VISIT])


@pytest.mark.parametrize("on_delete", [OnDelete.DELETE, OnDelete.MARK])
def test_a_row_that_was_deleted_is_work(
    source: ApiSource, odoo: StandIn, shadow: ShadowDatabase, on_delete: OnDelete
) -> None:
    options = MirrorOptions(on_delete=on_delete)
    plan_and_mirror(source, shadow, options=options)
    odoo.execute(VISIT, "unlink", [7])
    reason = f"Odoo has {ROWS - 1} rows, the shadow {ROWS}"
    assert work_of(plan_and_mirror(source, shadow, options=options)) == {VISIT: reason}
    assert passed_over(plan(source, shadow, options=options)) == [VISIT]  # a marked row counts no more


def test_a_row_that_shows_itself_only_now_is_work(planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    in_odoo(odoo, "INSERT INTO x_visit (x_name) VALUES ('By SQL')")  # without any write_date
    assert work_of(plan(planned, shadow)) == {VISIT: f"Odoo has {ROWS + 1} rows, the shadow {ROWS}"}


def test_deletions_that_are_ignored_are_no_work(source: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    plan_and_mirror(source, shadow, options=IGNORE)
    odoo.execute(VISIT, "unlink", [7])
    odoo.calls.clear()
    assert passed_over(plan(source, shadow, options=IGNORE)) == [VISIT]
    assert calls_of(odoo).count((VISIT, "search_count")) == 1  # nobody asks how many there are
    assert passed_over(plan(source, shadow)) == [VISIT]  # as in the last run, when nothing else is said
    deleting = MirrorOptions(on_delete=OnDelete.DELETE)
    assert work_of(plan(source, shadow, options=deleting)) == {VISIT: "it is read differently from before"}


def test_fields_that_come_change_and_go_are_work(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    changes: list[Callable[[], None]] = [
        lambda: odoo.add_field(VISIT, "x_grade", "char", default="A"),
        lambda: odoo.remove_field(VISIT, "x_grade"),
        lambda: odoo.add_field(VISIT, "x_grade", "integer", default=1),
        lambda: odoo.add_field(VISIT, "x_partner_ids", "many2many", relation="res.partner"),
    ]
    for change in changes:
        change()
        assert work_of(plan_and_mirror(planned, shadow)) == {VISIT: "its fields changed"}
        assert passed_over(plan(planned, shadow)) == [VISIT]
        assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(domain=(["id", ">", 7],)),
        ModelSettings(exclude_fields=("x_name",)),
        ModelSettings(all_companies=True),
        ModelSettings(extra_fields=("display_name",)),
    ],
    ids=lambda settings: next(iter(settings.model_fields_set)),
)
def test_other_settings_are_work(planned: ApiSource, shadow: ShadowDatabase, settings: ModelSettings) -> None:
    reasons = work_of(plan_and_mirror(planned, shadow, settings=settings))
    assert reasons == {VISIT: "its domain changed" if settings.domain else "it is read differently from before"}
    refreshed = {VISIT: "it has fields that Odoo does not store"} if settings.extra_fields else {}
    for said in (settings, None):  # nothing said: as the last run did
        assert work_of(plan_and_mirror(planned, shadow, settings=said)) == refreshed
    assert work_of(plan(planned, shadow, settings=ModelSettings())) == reasons


def test_another_login_or_language_is_work(planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo, extras={"lang": "fr_FR"}) as french:
        assert work_of(plan(french, shadow)) == {VISIT: "it is read differently from before"}


def test_a_run_that_failed_is_work(planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    odoo.registry.models[VISIT].refusal = "Out of order."
    with pytest.raises(OdooRequestError):
        mirror_with(planned, shadow)
    odoo.registry.models[VISIT].refusal = None
    assert work_of(plan(planned, shadow)) == {VISIT: LEFT}


def test_what_was_planned_and_never_run_is_work(source: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    plan_and_mirror(source, shadow)
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    assert work_of(plan(source, shadow)) == {VISIT: "its fields changed"}
    for _ in range(2):
        assert work_of(plan(source, shadow)) == {VISIT: LEFT}
    mirror_with(source, shadow)
    assert passed_over(plan(source, shadow)) == [VISIT]


def test_a_scan_that_was_left_unfinished_is_work(planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    with pytest.raises(StoppedError):
        mirror_with(planned, shadow, MirrorOptions(full=True, batch_size=10), on_progress=stop_after(1))
    in_shadow(shadow, "UPDATE {odoo_shadow_meta} SET sync_errors = 0")  # killed, it could not say that it failed
    assert scan_of(shadow, VISITS) is not None
    assert work_of(plan(planned, shadow)) == {VISIT: LEFT}


def test_a_column_that_not_all_rows_have_is_work(planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    plan(planned, shadow)  # so that the fields are what they were
    with pytest.raises(StoppedError):
        mirror_with(planned, shadow, MirrorOptions(batch_size=10), on_progress=stop_after(1))
    in_shadow(shadow, "UPDATE {odoo_shadow_meta} SET sync_errors = 0, last_sync_at = now()")
    in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET scan_run_id = NULL")
    assert work_of(plan(planned, shadow)) == {VISIT: LEFT}
    mirror_with(planned, shadow)
    assert set(column(shadow, "x_grade", range(1, ROWS + 1), VISITS).values()) == {"A"}


def test_a_table_that_was_dropped_is_work(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    in_shadow(shadow, "DROP TABLE {odoo_shadow_x_visit} CASCADE")
    assert work_of(plan_and_mirror(planned, shadow)) == {VISIT: "first load"}
    assert_equal(odoo, database, [VISIT])


def test_a_model_without_write_date_is_always_work(source: ApiSource, odoo: StandIn, shadow: ShadowDatabase) -> None:
    plan_and_mirror(source, shadow, ["mail.followers"])
    for _ in range(2):
        reasons = work_of(plan_and_mirror(source, shadow, ["mail.followers"]))
        assert reasons == {"mail.followers": "it has no write_date, so all of it is read"}


def test_a_replay_is_work_as_far_as_rows_were_written_since(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    mark = watermark_of(shadow, VISITS)
    assert mark is not None
    hours_ago, days_ago = (mark.last_write_date - timedelta(hours=h) for h in (2, 48))
    assert passed_over(plan(planned, shadow, replay_from=lambda _: hours_ago)) == [VISIT]
    advanced = watermark_of(shadow, VISITS)
    assert advanced is not None and advanced.last_write_date >= mark.last_write_date  # nothing there to replay
    (reason,) = work_of(plan(planned, shadow, replay_from=lambda _: days_ago)).values()
    assert reason.startswith(f"{ROWS} rows were written since {days_ago - timedelta(minutes=15):%Y-%m-%d %H:%M:%S}")
    never = datetime(1970, 1, 1, tzinfo=UTC)
    mirror_with(planned, shadow)
    assert work_of(plan(planned, shadow, replay_from=lambda _: never)) == {VISIT: "everything is read again"}


def test_full_is_work_for_all(planned: ApiSource, shadow: ShadowDatabase) -> None:
    assert work_of(plan(planned, shadow, options=MirrorOptions(full=True))) == {VISIT: "everything is read again"}


def test_a_table_that_another_run_holds_is_not_advanced(
    planned: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    found = []

    def plan_meanwhile(progress: Progress) -> None:
        with ShadowDatabase.from_url(database, name="second") as second:
            before = watermark_of(second, VISITS)
            found.append(work_of(plan(planned, second)))
            assert watermark_of(second, VISITS) == before

    mirror_with(planned, shadow, on_progress=plan_meanwhile)
    assert found == [{VISIT: "another run is writing it"}]
    assert [entry["metadata"].get("unchanged") for entry in log_of(shadow)] == [None, None]


def test_a_model_that_refuses_to_be_counted_is_left_to_its_own_run(
    source: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    plan_and_mirror(source, shadow, SEVERAL)
    odoo.registry.models[VISIT].refusal = "Visits cannot be accessed directly."
    found = plan(source, shadow, SEVERAL)
    odoo.registry.models[VISIT].refusal = None
    assert list(work_of(found)) == [VISIT] and "Visits cannot be accessed" in work_of(found)[VISIT]
    assert passed_over(found) == list(SEVERAL[1:])


def test_a_model_that_was_uninstalled_is_left_to_its_own_run(own_odoo: StandIn, shadow: ShadowDatabase) -> None:
    own_odoo.add_model(VISIT, {"x_name": "char"})
    with source_of(own_odoo) as source:
        plan_and_mirror(source, shadow, [VISIT, "no.such.model"][:1])
        own_odoo.uninstall(VISIT)
        found = plan(source, shadow, [VISIT, "no.such.model"])
        assert work_of(found) == {VISIT: "its fields changed", "no.such.model": "first load"}
        with pytest.raises(OdooUnknownModelError):
            mirror_with(source, shadow)
    tables = {model for (model,) in in_shadow(shadow, "SELECT odoo_model FROM {odoo_shadow_meta}")}
    assert tables == {VISIT}  # what the server does not have gets no entry


def test_a_model_that_takes_too_long_to_count_is_left_to_its_own_run(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    before = watermark_of(shadow, VISITS)
    odoo.faults.add(Fault(VISIT, "search_count", times=100, status=503))
    assert work_of(plan(planned, shadow)).keys() == {VISIT}
    assert watermark_of(shadow, VISITS) == before


def test_a_server_that_does_not_answer_fails_the_plan(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    before = watermark_of(shadow, VISITS)
    odoo.faults.add(Fault("ir.model.fields", "search_read", times=100, status=503))
    with pytest.raises(OdooServerError):
        plan(planned, shadow)
    assert watermark_of(shadow, VISITS) == before


@pytest.fixture
def limited(odoo: StandIn) -> Iterator[ApiSource]:
    secret = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    with source_of(odoo, login=odoo.limited_login, password=secret) as opened:
        yield opened


def test_a_limited_login_plans_as_well(
    source: ApiSource, limited: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    models = (VISIT, "res.partner")
    assert set(work_of(plan_and_mirror(limited, shadow, models)).values()) == {"first load"}
    assert passed_over(plan(limited, shadow, models)) == list(models)
    odoo.add_field(VISIT, "x_grade", "char")
    assert work_of(plan(limited, shadow, models)) == {VISIT: "its fields changed"}


def test_a_limited_login_needs_three_calls_a_model_at_the_most(
    source: ApiSource, limited: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    plan_and_mirror(limited, shadow)
    odoo.calls.clear()
    assert passed_over(plan(limited, shadow)) == [VISIT]
    assert len([model for model, _ in calls_of(odoo) if model == VISIT]) <= 3 + 1  # whether the database is the same


def test_a_watermark_in_the_future_is_set_right(
    planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    """Whoever put it there: what is written until then would never be read."""
    in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET last_write_date = '2090-01-01 00:00:00+00'")
    assert work_of(plan_and_mirror(planned, shadow)) == {VISIT: "its watermark lies in the future"}
    mark = watermark_of(shadow, VISITS)
    assert mark is not None and mark.last_write_date <= planned.clock().source
    odoo.execute(VISIT, "write", [7], {"x_name": "Later"})
    plan_and_mirror(planned, shadow)
    assert_equal(odoo, database, [VISIT])


def test_a_repair_is_no_run(planned: ApiSource, odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    """It mends rows, but a new field has no column yet, and the run that was to make it never came."""
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    assert work_of(plan(planned, shadow)) == {VISIT: "its fields changed"}
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'Wrong' WHERE id = 7")
    assert verify(planned, shadow, repair=True).repaired == 1
    assert work_of(plan_and_mirror(planned, shadow)) == {VISIT: LEFT}
    assert_equal(odoo, database, [VISIT])


def test_a_right_that_is_granted_later_brings_the_columns(
    source: ApiSource, odoo: StandIn, shadow: ShadowDatabase
) -> None:
    odoo.add_field(VISIT, "x_model_ids", "many2many", relation="ir.model")
    secret = odoo.limited_api_key if odoo.flavour == "19" else odoo.limited_password
    dictionary = odoo.registry.models["ir.model"]
    closed = dictionary.read_groups
    login = {"login": odoo.limited_login, "password": secret}
    with source_of(odoo, **login) as limited:
        plan_and_mirror(limited, shadow)
        assert passed_over(plan(limited, shadow)) == [VISIT]
    assert in_shadow(shadow, "SELECT 1 FROM {odoo_shadow_field} WHERE field_name = 'x_model_ids'") == []
    try:
        dictionary.read_groups = ("base.group_user",)
        with source_of(odoo, **login) as limited:
            assert work_of(plan_and_mirror(limited, shadow)) == {
                VISIT: "the login can read models now that it could not read before"
            }
            assert passed_over(plan(limited, shadow)) == [VISIT]
    finally:
        dictionary.read_groups = closed
    assert in_shadow(shadow, "SELECT DISTINCT x_model_ids FROM {odoo_shadow_x_visit}") == [([],)]
