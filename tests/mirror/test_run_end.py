"""The end of a run keeps its promises when something goes wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof import rolling as proof
from odoo_shadow.mirror.run.choose import Chosen
from odoo_shadow.mirror.run.closing import DUE, PROOF, Closed, close_run, reread_due
from odoo_shadow.mirror.run.plan import plan_run
from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import RefusedRecordsError, ShadowBusyError, ShadowOwnershipError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import Fault, StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.leads import LEADS, NOW, POINTING
from tests.support.restoring import UUID, set_uuid
from tests.support.running import StoppedError, column, mirror, statuses_of, stop_after
from tests.support.verifying import let_pass, verify

pytestmark = pytest.mark.one_flavour

BOTH = ("x_team", "x_lead")
PAGES = MirrorOptions(wait=timedelta(0), batch_size=10)


@pytest.fixture
def leads(odoo: StandIn) -> Iterator[StandIn]:
    """Two leads of two teams."""
    odoo.add_model("x_team")
    odoo.add_model("x_lead", POINTING)
    teams = odoo.execute("x_team", "create", [{"x_name": "North"}, {"x_name": "South"}])
    odoo.execute("x_lead", "create", [{"x_name": f"of {team}", "x_team_id": team} for team in reversed(teams)])
    age(odoo, *BOTH)
    yield odoo
    for model in reversed(BOTH):
        odoo.uninstall(model)
    set_uuid(odoo, UUID)


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(odoo) as opened:
        yield opened


def mirror_both(source: ApiSource, shadow: ShadowDatabase, options: MirrorOptions = NOW) -> Run:
    run = Run()
    for model in BOTH:
        mirror_with(source, shadow, options, model=model, run=run)
    return run


def end(source: ApiSource, shadow: ShadowDatabase, run: Run, options: MirrorOptions = NOW) -> list[Closed]:
    return list(close_run(source, shadow, run=run, options=options))


@pytest.mark.parametrize("by", ["its own run", "the end of another's"])
def test_a_row_that_could_not_be_read_again_stays_due(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase, by: str
) -> None:
    mirror_both(source, shadow)
    in_shadow(shadow, "ALTER TABLE {odoo_shadow_x_lead} ADD CONSTRAINT own CHECK (id <> 1 OR x_team_id IS NOT NULL)")
    leads.execute("x_team", "unlink", [2])
    mirror(source, shadow, "x_team")
    if by == "its own run":
        with pytest.raises(RefusedRecordsError):
            mirror(source, shadow, "x_lead")
    else:
        (closed,) = end(source, shadow, Run())
        assert isinstance(closed.error, RefusedRecordsError)
    in_shadow(shadow, "ALTER TABLE {odoo_shadow_x_lead} DROP CONSTRAINT own")
    assert [item.error for item in end(source, shadow, Run())] == [None]
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}


def test_nothing_is_read_again_from_another_database(leads: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_both(source, shadow)
    leads.execute("x_team", "unlink", [2])
    mirror(source, shadow, "x_team")
    set_uuid(leads, "another-uuid")
    in_odoo(leads, "UPDATE x_lead SET x_name = 'of another database'")
    with source_of(leads) as fresh:
        (closed,) = end(fresh, shadow, Run())
    assert isinstance(closed.error, ShadowOwnershipError)
    assert set(column(shadow, "x_name", [1, 2], LEADS).values()) == {"of 1", "of 2"}


def test_a_table_that_the_same_run_writes_is_left_to_it(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """Two operators of a DAG run side by side: one ends the run while the other writes."""
    mirror_both(source, shadow)
    leads.execute("x_team", "unlink", [2])
    leads.execute("x_lead", "write", [1, 2], {"x_name": "new"})
    run, closed = Run(), list[Closed]()

    def meanwhile(_: Progress) -> None:
        if not closed:
            with source_of(leads) as other, ShadowDatabase(shadow._connect, name="other") as second:
                mirror(other, second, "x_team", run=run)
                closed.extend([*end(other, second, run), Closed("x_team", "done")])

    mirror(source, shadow, "x_lead", run=run, batch_size=1, on_progress=meanwhile)
    assert [item.what for item in closed] == ["done"]
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}
    assert set(statuses_of(shadow)) == {"success"}


def test_a_task_of_the_same_run_takes_no_table_from_its_end(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """One operator is at the end of the run, in a table that another one begins with just then."""
    mirror_both(source, shadow)
    leads.execute("x_team", "unlink", [2])
    run = Run()
    mirror(source, shadow, "x_team", run=run)
    errors: list[Exception] = []

    def meanwhile(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == "x_lead" and rows and "x_name" in rows[0] and not errors:
            errors.append(AssertionError("it took the table"))
            with source_of(leads) as other, ShadowDatabase(shadow._connect, name="other") as second:
                try:
                    mirror_with(other, second, NOW, model="x_lead", run=run)
                except ShadowBusyError as busy:
                    errors[0] = busy
        return rows

    leads.rewrite = meanwhile
    assert [(item.what, item.error) for item in end(source, shadow, run)] == [(DUE, None)]
    assert [type(error) for error in errors] == [ShadowBusyError]


@pytest.mark.sampled
@pytest.mark.parametrize("why", ["it keeps what is gone", "it is mirrored no more", "it is not mirrored whole"])
def test_no_reference_stays_whose_target_nobody_removes(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase, why: str
) -> None:
    options = MirrorOptions(wait=timedelta(0), on_delete=OnDelete.IGNORE) if "keeps" in why else NOW
    narrow = ModelSettings.parse("x_team", {"domain": [["x_name", "=", "North"]]}) if "whole" in why else None
    mirror_with(source, shadow, options, model="x_team", settings=narrow)
    mirror_with(source, shadow, options, model="x_lead")
    leads.execute("x_team", "unlink", [2])
    run = Run()
    for model in BOTH[why == "it is mirrored no more" :]:
        mirror_with(source, shadow, options, model=model, run=run)
    assert [item.error for item in end(source, shadow, run, options)] == [None]
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}


def test_rows_of_another_language_are_left_to_their_own_run(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    mirror_both(source, shadow)
    leads.execute("x_team", "unlink", [2])
    with source_of(leads, extras={"lang": "fr_FR"}) as other:
        mirror(other, shadow, "x_team")
        assert [item.error for item in end(other, shadow, Run()) if item.error] == []
    assert "run a sync with this connection first" in caplog.text
    assert [item.what for item in end(source, shadow, Run())] == [DUE]
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}


def test_rows_are_read_again_that_point_to_what_a_repair_removed(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_both(source, shadow)
    leads.execute("x_team", "unlink", [2])
    verify(source, shadow, model="x_team", repair=True)
    assert [item.what for item in reread_due(source, shadow, run=Run(), options=NOW)] == [DUE]
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}


def test_rows_are_read_again_that_point_to_what_the_proof_removed(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_both(source, shadow)
    end(source, shadow, run := mirror_both(source, shadow))
    leads.execute("x_team", "unlink", [2])  # after the models' own runs
    in_shadow(shadow, "UPDATE odoo_shadow_internal.proof SET slice_at = now() - interval '2 days'")
    in_shadow(shadow, "DELETE FROM odoo_shadow_internal.proof WHERE table_name = 'odoo_shadow_x_lead'")
    assert [item.what for item in end(source, shadow, run)][-2:] == [PROOF, DUE]
    assert column(shadow, "x_team_id", [1], LEADS) == {1: None}


@pytest.fixture
def visited(odoo: StandIn) -> Iterator[StandIn]:
    with visits(odoo, 40):
        odoo.add_field(VISIT, "x_tags", "many2many", relation="res.partner.category")
        age(odoo, VISIT)
        yield odoo


def one_run(source: ApiSource, shadow: ShadowDatabase, **settings: Any) -> list[Closed]:
    run = Run()
    if plan_run(source, shadow, Chosen((VISIT,)), run=run, options=PAGES).work:
        mirror_with(source, shadow, PAGES, run=run, **settings)
    return end(source, shadow, run, PAGES)


def proven_up_to(shadow: ShadowDatabase) -> object:
    with shadow.transaction() as tx:
        return next(item.proven_up_to for item in list_tables(tx) if item.table == VISITS)


def failures(shadow: ShadowDatabase) -> tuple[int, str | None]:
    """Return what `status` tells: how often runs have failed, and what the last one said."""
    with shadow.transaction() as tx:
        return next((item.sync_errors, item.last_error) for item in list_tables(tx) if item.table == VISITS)


def answer(odoo: StandIn, record_id: int, field: str, values: Iterator[object]) -> None:
    """Let Odoo answer something else for one cell each time; an exception is raised."""

    def rewrite(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            if model == VISIT and row["id"] == record_id and field in row:
                row[field] = next(values)
                if isinstance(row[field], Exception):
                    raise row[field]
        return rows

    odoo.rewrite = rewrite


def test_a_row_that_odoo_cannot_give_is_not_proven(visited: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    one_run(source, shadow)
    in_odoo(visited, "UPDATE x_visit SET x_name = 'by SQL' WHERE id = 7")
    answer(visited, 7, "x_name", iter([ValueError("cannot be read")] * 1000))
    let_pass(shadow, timedelta(days=2))
    assert ["x_visit 7 cannot be read" in str(item.error) for item in one_run(source, shadow)] == [True]
    (again,) = one_run(source, shadow)  # no slice is due, but this row, and the reason is still Odoo's own
    assert "x_visit 7 cannot be read" in str(again.error) and "ValueError" in str(again.error)
    assert proven_up_to(shadow) is None
    assert failures(shadow) == (1, f"At the end of the run, rolling proof: {again.error}")
    visited.rewrite = None
    assert [item.error for item in one_run(source, shadow)] == [None]
    assert failures(shadow) == (0, None)
    assert column(shadow, "x_name", [7], VISITS) == {7: "by SQL"}


def test_a_row_that_is_never_equal_does_not_keep_the_others_from_being_proven(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    one_run(source, shadow)
    in_odoo(visited, "UPDATE x_visit SET x_name = 'by SQL' WHERE id = 35")
    answer(visited, 2, "x_name", (f"odd {number}" for number in range(1000)))
    for _ in range(4):
        let_pass(shadow, timedelta(hours=6))
        one_run(source, shadow)
    assert column(shadow, "x_name", [35], VISITS) == {35: "by SQL"}
    assert proven_up_to(shadow) is None


def test_a_field_that_odoo_does_not_store_is_left_to_the_runs(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    settings = ModelSettings.parse(VISIT, {"extra_fields": ["display_name"]})
    answer(visited, 2, "display_name", (f"{number} seconds ago" for number in range(1000)))
    one_run(source, shadow, settings=settings)
    let_pass(shadow, timedelta(days=2))
    assert one_run(source, shadow, settings=settings) == []
    assert proven_up_to(shadow) is not None


def test_a_wrong_cell_is_written_even_if_its_row_has_the_right_hash(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    one_run(source, shadow)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_tags = '{{99}}' WHERE id = 3")
    one_run(source, shadow)
    assert column(shadow, "x_tags", [3], VISITS) == {3: []}


def test_pages_of_an_earlier_try_are_not_taken_for_read_just_now(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    run = Run()
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, run=run, on_progress=stop_after(2))
    in_odoo(visited, "INSERT INTO res_partner_category_x_visit_rel (x_visit_id, res_partner_category_id) VALUES (3, 1)")
    mirror_with(source, shadow, PAGES, run=run)
    end(source, shadow, run, PAGES)
    assert column(shadow, "x_tags", [3], VISITS) == {3: [1]}


def test_a_row_that_comes_older_than_it_is_here_is_asked_for_again_later(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    """The shadow's clock is ahead, so nothing shows that a row's date lay ahead when it was read."""
    in_odoo(visited, "UPDATE x_visit SET write_date = now() AT TIME ZONE 'UTC' + interval '5 min' WHERE id = 3")
    one_run(source, shadow)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET _synced_at = _synced_at + interval '10 min'")
    visited.execute(VISIT, "write", [3], {"x_name": "edited"})
    mirror_with(source, shadow, PAGES)
    assert column(shadow, "x_name", [3], VISITS) == {3: "X name 3"}  # as if a replica lagged
    in_shadow(shadow, "UPDATE odoo_shadow_internal.due_row SET due_from = due_from - interval '11 min'")
    assert [item.what for item in end(source, shadow, Run(), PAGES)] == [DUE]
    assert column(shadow, "x_name", [3], VISITS) == {3: "edited"}


def test_more_odd_rows_than_are_kept_let_the_round_begin_anew(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "MOST_UNPROVEN", 1)
    one_run(source, shadow)
    odd = iter(range(1000))

    def rewrite(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "x_name": f"{next(odd)}"} if model == VISIT and row["id"] in (2, 3) else row for row in rows]

    visited.rewrite = rewrite
    let_pass(shadow, timedelta(hours=9))  # half of a round
    one_run(source, shadow)
    visited.rewrite = None
    one_run(source, shadow)  # of the two, only one is known
    let_pass(shadow, timedelta(hours=9))
    one_run(source, shadow)
    assert proven_up_to(shadow) is None
    let_pass(shadow, timedelta(hours=12))
    one_run(source, shadow)
    assert proven_up_to(shadow) is not None
    assert set(column(shadow, "x_name", [2, 3], VISITS).values()) == {"X name 2", "X name 3"}


@pytest.mark.nightly
def test_the_slices_of_a_run_share_its_time_and_who_waits_comes_first(
    visited: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "time_for_slices", lambda _: timedelta(seconds=1))
    models = (VISIT, "res.country")

    def run_of_both() -> Run:
        run = Run()
        for model in models:
            mirror_with(source, shadow, PAGES, model=model, run=run)
        return run

    end(source, shadow, run_of_both(), PAGES)
    in_shadow(shadow, "UPDATE odoo_shadow_internal.proof SET slice_at = now() - interval '2 days'")
    in_shadow(
        shadow,
        "UPDATE odoo_shadow_internal.proof SET slice_at = slice_at - interval '1 hour' WHERE table_name = {table}",
        table=VISITS,
    )
    run = run_of_both()
    for table in (VISITS, "odoo_shadow_res_country"):
        in_shadow(shadow, f"UPDATE odoo_shadow.{table} SET create_uid = -1")  # noqa: S608
    visited.faults.add(Fault(VISIT, "search_read", times=1000, delay=1.2))
    first = [item.model for item in end(source, shadow, run, PAGES) if item.what == PROOF]
    visited.faults.clear()
    second = [item.model for item in end(source, shadow, run, PAGES) if item.what == PROOF]
    assert (first, second) == ([VISIT], ["res.country"])


def test_rows_of_a_model_that_odoo_has_no_more_are_not_due_for_ever(
    leads: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    leads.add_model("x_other", {"x_name": "char", "x_team_id": {"type": "many2one", "relation": "x_team"}})
    mirror_both(source, shadow)
    mirror(source, shadow, "x_other")
    leads.execute("x_team", "unlink", [2])
    mirror(source, shadow, "x_team")
    in_shadow(
        shadow, "INSERT INTO odoo_shadow_internal.due_row (table_name, ids) VALUES ('odoo_shadow_x_other', '{{1}}')"
    )
    leads.uninstall("x_other")
    with source_of(leads) as fresh:
        assert [item.error for item in end(fresh, shadow, Run()) if item.error] == []
    assert in_shadow(shadow, "SELECT * FROM odoo_shadow_internal.due_row") == []
