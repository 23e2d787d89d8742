"""Another state of Odoo's database, or another database under its name, is never mixed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from odoo_shadow.mirror import identity
from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import accept_database
from odoo_shadow.mirror.proof.verify import VerifyOptions, verify_model
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import ShadowBusyError, ShadowOwnershipError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.shadow.state.schema import recorded_origin
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.text.findings import Verdict
from odoo_stand_in import StandIn
from tests.support.ageing import age
from tests.support.catalog import contents, structure
from tests.support.clients import limited_source_of, source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.flavours import Flavour
from tests.support.planning import passed_over, plan, plan_and_mirror, work_of
from tests.support.restoring import UUID, Backup, set_uuid
from tests.support.running import StoppedError, column, scan_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal

NOTE = "x_note"
NOTES = "odoo_shadow_x_note"
BOTH = (VISIT, NOTE)
ROWS = 60
OPTIONS = MirrorOptions(batch_size=20)
FULL = MirrorOptions(batch_size=20, full=True)
TOLD = "has a backup been restored, or another database put in its place\\? Nothing was written"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_PAUSES", (0.0,))


@pytest.fixture
def odoo(engine_odoos: dict[Flavour, StandIn], request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """One of them, with two models of 60 rows that are a day old."""
    running = engine_odoos[getattr(request, "param", "19")]
    with visits(running, ROWS), notes(running):
        running.calls.clear()
        yield running
    running.rewrite = None
    set_uuid(running, UUID)


@contextmanager
def notes(odoo: StandIn) -> Iterator[None]:
    odoo.add_model(NOTE, {"x_name": "char"})
    try:
        odoo.fill(NOTE, ROWS)
        age(odoo, NOTE)
        yield
    finally:
        odoo.uninstall(NOTE)


@pytest.fixture
def source(odoo: StandIn, shadow: ShadowDatabase) -> Iterator[ApiSource]:
    """Both models have been mirrored."""
    with source_of(odoo) as opened:
        plan_and_mirror(opened, shadow, BOTH, OPTIONS)
        yield opened


def edit(odoo: StandIn, model: str = VISIT, *ids: int) -> None:
    odoo.execute(model, "write", list(ids or (7, 8, 47)), {"x_name": "edited after the backup"})


def edited_and_restored(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, models: Sequence[str] = (VISIT,), uuid: str = UUID
) -> None:
    """A backup, edits in some models, a run, and the backup is restored."""
    backup = Backup(odoo, BOTH)
    for model in models:
        edit(odoo, model)
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    backup.restore(uuid=uuid)


def sync(odoo: StandIn, shadow: ShadowDatabase, models: Sequence[str] = BOTH, options: MirrorOptions = OPTIONS) -> None:
    """A run of a process of its own."""
    with source_of(odoo) as source:
        plan_and_mirror(source, shadow, models, options)


def doubted(shadow: ShadowDatabase) -> set[str]:
    rows = in_shadow(shadow, "SELECT table_name FROM odoo_shadow_internal.table_state WHERE is_doubted")
    return {row[0] for row in rows}


def everywhere(odoo: StandIn, shadow: ShadowDatabase, said: str) -> None:
    """Whatever is asked for says it, and nothing is written."""
    with source_of(odoo) as source:
        doors: dict[str, Callable[[], object]] = {
            "plan": lambda: plan(source, shadow, BOTH),
            "plan of another model": lambda: plan(source, shadow, [NOTE]),
            "run": lambda: mirror_with(source, shadow, OPTIONS),
            "verify": lambda: verify_model(
                source, shadow, VISIT, run=Run(), options=OPTIONS, verify=VerifyOptions(repair=True)
            ),
            "dry run": lambda: dry_run_model(source, shadow, VISIT, options=OPTIONS),
        }
        for door in doors.values():
            with pytest.raises(ShadowOwnershipError, match=said):
                door()
        found = examine(source, shadow, (), timedelta(minutes=15))
    (problem,) = [finding for finding in found if finding.verdict is Verdict.PROBLEM]
    assert problem.subject == "database" and "has a backup been restored" in problem.text


@pytest.mark.parametrize("odoo", ["17", "19"], indirect=True)
def test_a_restored_backup_is_told_at_once_and_nothing_is_written(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    edited_and_restored(odoo, source, shadow)
    before = structure(database), contents(database)
    internal = contents(database, "odoo_shadow_internal")
    everywhere(odoo, shadow, rf"x_visit (7|8|47) was written at \S+ \S+ UTC according to the shadow, but at .*{TOLD}")
    assert (structure(database), contents(database)) == before
    assert contents(database, "odoo_shadow_internal") == internal


@pytest.mark.parametrize("odoo", ["17", "19"], indirect=True)
def test_another_uuid_is_told_at_once_and_nothing_is_written(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    edited_and_restored(odoo, source, shadow, uuid="another-uuid")
    before = structure(database), contents(database), contents(database, "odoo_shadow_internal")
    said = f"is not the one that schema 'odoo_shadow' mirrors: its database.uuid is another-uuid, not {UUID}"
    everywhere(odoo, shadow, said)
    assert (structure(database), contents(database), contents(database, "odoo_shadow_internal")) == before


def test_a_neutralized_copy_is_told_and_may_be_accepted(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    in_odoo(odoo, "INSERT INTO ir_config_parameter (key, value) VALUES ('database.is_neutralized', 'true')")
    try:
        everywhere(odoo, shadow, f"it is a neutralized copy, for tests .*{TOLD}")
        with source_of(odoo) as own:
            accept_database(own, shadow)
        sync(odoo, shadow)
        sync(odoo, shadow)
    finally:
        in_odoo(odoo, "DELETE FROM ir_config_parameter WHERE key = 'database.is_neutralized'")
    sync(odoo, shadow)  # a copy that becomes the real one


@pytest.mark.parametrize("protocol", ["json2", "jsonrpc", "xmlrpc"])
def test_every_protocol_tells(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, protocol: str) -> None:
    edited_and_restored(odoo, source, shadow)
    with source_of(odoo, extras={"protocol": protocol}) as own, pytest.raises(ShadowOwnershipError, match=TOLD):
        plan(own, shadow, BOTH)


@pytest.mark.sampled
@pytest.mark.parametrize("uuid", [UUID, "another-uuid"])
@pytest.mark.parametrize("by", ["switch", "statement"])
def test_what_is_accepted_is_read_whole(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, uuid: str, by: str
) -> None:
    edited_and_restored(odoo, source, shadow, BOTH, uuid)
    with source_of(odoo) as own, pytest.raises(ShadowOwnershipError) as raised:
        plan(own, shadow, BOTH)
    if by == "statement":
        in_shadow(shadow, str(raised.value).partition("on the shadow's database: ")[2].partition(")")[0] + ")")
    else:
        with source_of(odoo) as own:
            accept_database(own, shadow)
    with source_of(odoo) as own:
        assert work_of(plan(own, shadow, BOTH)) == dict.fromkeys(BOTH, "first load")
    sync(odoo, shadow)
    assert_equal(odoo, database, BOTH)
    edit(odoo)
    sync(odoo, shadow)  # and goes on as ever
    assert_equal(odoo, database, BOTH)
    with shadow.transaction() as tx:
        origin = recorded_origin(tx)
    assert origin is not None and origin.uuid == uuid


def test_what_was_accepted_may_take_several_tries(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    edited_and_restored(odoo, source, shadow, BOTH)
    with source_of(odoo) as own:
        accept_database(own, shadow)
        plan(own, shadow, BOTH)
        with pytest.raises(StoppedError):
            mirror_with(own, shadow, OPTIONS, on_progress=stop_after(1))
    sync(odoo, shadow)
    assert_equal(odoo, database, BOTH)


def test_a_run_that_is_under_way_stops_when_another_database_is_accepted(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with ShadowDatabase.from_url(database) as other, pytest.raises(ShadowBusyError):
        mirror_with(source, shadow, FULL, on_progress=lambda _: accept_database(source, other))
    assert watermark_of(shadow, VISITS) is None


@pytest.mark.sampled
@pytest.mark.parametrize("models", [(VISIT,), BOTH], ids=["one model", "both"])
def test_full_accepts_rows_that_were_set_back(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, models: tuple[str, ...]
) -> None:
    for model in models:
        edit(odoo, model)
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    for model in models:
        table = odoo.registry.models[model].table
        in_odoo(odoo, f"UPDATE {table} SET write_date = write_date - interval '3 hours'")  # noqa: S608
    sync(odoo, shadow, models, FULL)
    assert doubted(shadow) == set()
    with source_of(odoo) as own:
        for model in BOTH:
            found = verify_model(own, shadow, model, run=Run(), options=OPTIONS, verify=VerifyOptions())
            assert found.is_settled
    edit(odoo)
    sync(odoo, shadow)
    assert_equal(odoo, database, BOTH)


def test_full_of_one_model_does_not_vouch_for_the_others(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    edited_and_restored(odoo, source, shadow, BOTH)
    edit(odoo, VISIT, 9)  # newer rows than any that x_note holds
    sync(odoo, shadow, [VISIT], FULL)
    assert "x_note" in caplog.text and "read the others whole, too (--full)" in caplog.text
    assert_equal(odoo, database, [VISIT])
    with source_of(odoo) as own, pytest.raises(ShadowOwnershipError, match="x_note"):
        plan(own, shadow, BOTH)
    (country,) = odoo.execute("res.country", "search", [], limit=1)
    odoo.execute("res.country", "write", [country], {"phone_code": 7})
    sync(odoo, shadow, ["res.country"], FULL)  # a table that is made only now vouches for nothing, too
    for models in (BOTH, [VISIT], ["res.country"]):
        with source_of(odoo) as own, pytest.raises(ShadowOwnershipError, match="x_note"):
            plan(own, shadow, models)
    sync(odoo, shadow, [NOTE], FULL)
    sync(odoo, shadow)
    assert_equal(odoo, database, BOTH)
    assert doubted(shadow) == set()


def test_records_of_the_same_ids_are_others_when_they_were_made_later(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    backup = Backup(odoo, BOTH)
    ids = odoo.execute(VISIT, "create", [{"x_name": "made after the backup"}] * 3)
    in_odoo(
        odoo,
        "UPDATE x_visit SET create_date = create_date - interval '9 s', write_date = write_date - interval '9 s'"
        " WHERE id = ANY(%s)",
        ids,
    )
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    backup.restore()
    assert odoo.execute(VISIT, "create", [{"x_name": "made after the restore"}] * 3) == ids
    with (
        source_of(odoo) as own,
        pytest.raises(ShadowOwnershipError, match=f"x_visit {ids[-1]} was created at .*{TOLD}"),
    ):
        plan(own, shadow, BOTH)


def test_records_that_are_only_gone_leave(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    backup = Backup(odoo, BOTH)
    odoo.execute(VISIT, "create", [{"x_name": "made after the backup"}] * 12)
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    backup.restore()
    sync(odoo, shadow)
    assert_equal(odoo, database, BOTH)


def test_where_the_newest_are_gone_others_are_looked_at(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    backup = Backup(odoo, BOTH)
    edit(odoo, NOTE)
    in_odoo(odoo, "UPDATE x_note SET write_date = write_date - interval '9 s' WHERE id IN (7, 8, 47)")
    odoo.execute(VISIT, "create", [{"x_name": "made after the backup"}] * 12)
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    backup.restore()
    with source_of(odoo) as own, pytest.raises(ShadowOwnershipError, match=f"x_note (7|8|47) was written .*{TOLD}"):
        plan(own, shadow, [VISIT])


AHEAD = {"three days": "3 days", "ten minutes": "10 minutes", "two years": "2 years"}


@pytest.mark.sampled
@pytest.mark.parametrize("by", AHEAD)
def test_a_row_that_was_dated_ahead_is_no_evidence(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, by: str
) -> None:
    in_odoo(odoo, "UPDATE x_visit SET write_date = now() AT TIME ZONE 'UTC' + %s::interval WHERE id = 7", AHEAD[by])
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    edit(odoo, VISIT, 7)
    with source_of(odoo) as own:
        plan_and_mirror(own, shadow, BOTH, OPTIONS)
        verify_model(own, shadow, VISIT, run=Run(), options=OPTIONS, verify=VerifyOptions())


def test_nor_is_it_when_that_time_has_come(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    in_shadow(
        shadow,
        "UPDATE {odoo_shadow_x_visit} SET _odoo_write_date = now() - interval '1 min',"
        " _synced_at = now() - interval '10 min' WHERE id = 7",
    )
    in_odoo(odoo, "UPDATE x_visit SET write_date = now() AT TIME ZONE 'UTC' - interval '5 min' WHERE id = 7")
    with source_of(odoo) as own:
        plan(own, shadow, BOTH)
        in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET _synced_at = now() WHERE id = 7")
        with pytest.raises(ShadowOwnershipError, match=TOLD):
            plan(own, shadow, BOTH)


def test_a_row_that_was_set_back_below_newer_ones_is_no_evidence(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - id * interval '1 minute'")
    sync(odoo, shadow, BOTH, FULL)
    with source_of(odoo) as own:
        in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 day' WHERE id = 2")
        mirror_with(own, shadow)
        in_odoo(odoo, "UPDATE x_visit SET create_date = create_date - interval '1 day' WHERE id IN (1, 2)")
        mirror_with(own, shadow)
        in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 hour' WHERE id = 1")
        with pytest.raises(ShadowOwnershipError, match="sync --full --models x_visit is enough"):
            mirror_with(own, shadow)


def test_a_replica_that_lags_is_asked_again(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    edit(odoo)
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    lags = [True]

    def behind(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and lags:
            lags.pop()
            return [{**row, "write_date": "2020-01-01 00:00:00"} for row in rows]
        return rows

    odoo.rewrite = behind
    sync(odoo, shadow)
    assert not lags


def test_a_run_without_changes_asks_once(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    odoo.calls.clear()
    with source_of(odoo) as own:
        assert passed_over(plan(own, shadow, BOTH)) == list(BOTH)
    looks = [call for call in odoo.calls if call[1] == "search_read" and call[0] != "ir.model.fields"]
    assert looks[0] == ("ir.config_parameter", "search_read")
    assert [model for model, _ in looks[1:]] in ([VISIT], [NOTE])


def test_tables_that_tell_nothing_are_left_out(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    everything_but_one = ModelSettings(domain=(["id", "!=", 60],))
    with source_of(odoo) as own:
        plan_and_mirror(own, shadow, [VISIT], OPTIONS, settings=everything_but_one)
    edit(odoo)
    with source_of(odoo) as own:
        plan_and_mirror(own, shadow, [VISIT], OPTIONS, settings=everything_but_one)
        in_odoo(odoo, "UPDATE x_visit SET write_date = write_date - interval '1 day' WHERE id IN (7, 8, 47)")
        plan_and_mirror(own, shadow, BOTH, OPTIONS)


def test_a_login_that_may_not_read_is_told_by_other_rows(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo) as source:
        plan_and_mirror(source, shadow, ["account.move", NOTE], OPTIONS)
        lately = "UPDATE account_move SET write_date = now() AT TIME ZONE 'UTC' - interval '1 minute' WHERE id = 1"
        in_odoo(odoo, lately)
        edit(odoo, NOTE)
        plan_and_mirror(source, shadow, ["account.move", NOTE], OPTIONS)
    with limited_source_of(odoo) as own:
        assert own.database_state().uuid is None
        plan(own, shadow, [NOTE])
        in_odoo(odoo, "UPDATE x_note SET write_date = write_date - interval '1 hour'")
        with pytest.raises(ShadowOwnershipError, match=f"x_note .*{TOLD}"):
            plan(own, shadow, [NOTE])


def test_rows_that_are_marked_as_gone_cost_no_further_look(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    marking = MirrorOptions(on_delete=OnDelete.MARK)
    in_odoo(odoo, "UPDATE x_note SET write_date = now() AT TIME ZONE 'UTC' - interval '9 s' WHERE id = 7")
    ids = odoo.execute(VISIT, "create", [{"x_name": "for a short time"}] * 12)
    plan_and_mirror(source, shadow, BOTH, marking)
    odoo.execute(VISIT, "unlink", ids)
    plan_and_mirror(source, shadow, BOTH, marking)
    odoo.calls.clear()
    plan(source, shadow, BOTH, marking)
    assert len([call for call in odoo.calls if call[0] in BOTH and call[1] == "search_read"]) == 1


@pytest.mark.parametrize("full", [False, True], ids=["first load", "full"])
def test_a_scan_that_was_left_before_a_restore_is_not_finished_after_it(
    odoo: StandIn, shadow: ShadowDatabase, database: str, full: bool
) -> None:
    options = FULL if full else OPTIONS
    backup = Backup(odoo, BOTH)
    edit(odoo)
    with source_of(odoo) as source:
        if full:
            plan_and_mirror(source, shadow, [VISIT], OPTIONS)
        with pytest.raises(StoppedError):
            mirror_with(source, shadow, options, on_progress=stop_after(2))
    assert scan_of(shadow, VISITS) is not None
    backup.restore()
    with source_of(odoo) as own, pytest.raises(ShadowOwnershipError, match=TOLD):
        plan(own, shadow, [VISIT])
    with source_of(odoo) as own:
        result = mirror_with(own, shadow, FULL)
    assert not result.resumed
    assert_equal(odoo, database, [VISIT])


def test_a_uuid_that_was_not_known_is_noted_when_it_is(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with limited_source_of(odoo) as own:
        mirror_with(own, shadow, model=NOTE)
    with shadow.transaction() as tx:
        known = recorded_origin(tx)
        assert known is not None and known.uuid is None
    odoo.calls.clear()
    with source_of(odoo) as own:
        plan(own, shadow, [NOTE])
        mirror_with(own, shadow, model=NOTE)
    assert odoo.calls.count(("ir.config_parameter", "search_read")) == 1
    with shadow.transaction() as tx:
        known = recorded_origin(tx)
    assert known is not None and known.uuid == UUID
    with limited_source_of(odoo) as own:
        mirror_with(own, shadow, model=NOTE)  # a login that cannot know takes it for the same


def test_an_empty_database_of_the_same_name_is_another_one(odoo: StandIn, shadow: ShadowDatabase) -> None:
    """Made anew, its first records have the ids of the former one's, and were made later."""
    in_odoo(odoo, "UPDATE x_note SET create_date = create_date - interval '1 year'")
    with limited_source_of(odoo) as own:
        mirror_with(own, shadow, model=NOTE)
        in_odoo(odoo, "TRUNCATE x_note RESTART IDENTITY")
        odoo.execute(NOTE, "create", [{"x_name": "of another database"}] * 5)
        with pytest.raises(ShadowOwnershipError, match=f"x_note . was created at .*{TOLD}"):
            mirror_with(own, shadow, model=NOTE)


def test_what_is_restored_of_the_shadow_is_no_restore_of_odoo(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    in_shadow(shadow, "CREATE TABLE public.before AS TABLE {odoo_shadow_x_visit}")
    mark = watermark_of(shadow, VISITS)
    edit(odoo)
    plan_and_mirror(source, shadow, BOTH, OPTIONS)
    in_shadow(shadow, "DELETE FROM {odoo_shadow_x_visit}; INSERT INTO {odoo_shadow_x_visit} TABLE public.before")
    assert mark is not None
    in_shadow(
        shadow,
        "UPDATE {odoo_shadow_watermark} SET last_write_date = {mark} WHERE table_name = {t}",
        mark=mark.last_write_date,
        t=VISITS,
    )
    newer: dict[str, datetime] = {VISITS: datetime.fromisoformat("2100-01-01T00:00:00+00:00")}
    with source_of(odoo) as own:  # whatever a Variable says that is newer
        plan(own, shadow, BOTH, replay_from=newer.get)
        mirror_with(own, shadow)
    assert_equal(odoo, database, BOTH)
    assert column(shadow, "x_name", [7], VISITS) == {7: "edited after the backup"}
