"""Old entries of the logs are removed after a run, but nothing that is read later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from odoo_shadow.mirror.health.freshness import Claim, ask_freshness
from odoo_shadow.mirror.health.health import read_health
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import Depth, mirrored_models
from odoo_shadow.mirror.run import housekeeping
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.housekeeping import remove_old_entries
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.announced import written_rows
from odoo_shadow.shadow.state.finished import finished_tables
from odoo_shadow.shadow.state.sync_log import entries_of_run, skipped_tables
from odoo_shadow.shadow.state.verifications import outcomes_of_run
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooError, OdooUnknownModelError
from odoo_stand_in import AccessError, StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_shadow, mirror_with, visits
from tests.support.verifying import let_pass, verify

pytestmark = pytest.mark.one_flavour

DAYS = 90
OLD = timedelta(days=DAYS + 1)
COMPANY = "res.company"
COMPANIES = "odoo_shadow_res_company"


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(odoo) as opened, visits(odoo, 20):
        yield opened


def let_age(shadow: ShadowDatabase, time: timedelta = OLD) -> None:
    """Let everything in the logs have happened so much earlier."""
    in_shadow(
        shadow,
        "UPDATE {odoo_shadow_sync_log} SET started_at = started_at - {time}, completed_at = completed_at - {time}",
        time=time,
    )
    in_shadow(shadow, "UPDATE {odoo_shadow_schema_log} SET changed_at = changed_at - {time}", time=time)
    in_shadow(
        shadow,
        "UPDATE {odoo_shadow_verification} SET started_at = started_at - {time}, completed_at = completed_at - {time}",
        time=time,
    )


def counts(shadow: ShadowDatabase) -> tuple[int, ...]:
    """How many log entries, details, changes and verifications there are."""
    ((*found,),) = in_shadow(
        shadow,
        "SELECT (SELECT count(*) FROM {odoo_shadow_sync_log}), (SELECT count(*) FROM odoo_shadow_internal.sync_detail),"
        " (SELECT count(*) FROM {odoo_shadow_schema_log}), (SELECT count(*) FROM {odoo_shadow_verification})",
    )
    return tuple(map(int, found))


def log_ids(shadow: ShadowDatabase, table: str = VISITS) -> list[int]:
    rows = in_shadow(
        shadow, "SELECT id FROM {odoo_shadow_sync_log} WHERE table_name = {table} ORDER BY id", table=table
    )
    return [int(row[0]) for row in rows]


def health(shadow: ShadowDatabase) -> object:
    with shadow.transaction() as tx:
        return read_health(tx, datetime(2030, 1, 1, tzinfo=UTC))


def fail(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, run: Run) -> None:
    """Let a run of the visits fail."""

    def refuse(model: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
        if model == VISIT:
            raise AccessError("not now")
        return rows

    odoo.rewrite = refuse
    with pytest.raises(OdooError):
        mirror_with(source, shadow, MirrorOptions(full=True), run=run)
    odoo.rewrite = None


def test_what_is_old_is_removed(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    for _ in range(2):
        mirror_with(source, shadow)
        verify(source, shadow, Depth.QUICK)
    odoo.add_field(VISIT, "x_note", "char")
    mirror_with(source, shadow)
    assert counts(shadow) == (3, 3, 2, 2)
    let_age(shadow)
    mirror_with(source, shadow)
    verify(source, shadow, Depth.QUICK)
    before = health(shadow)
    remove_old_entries(shadow, DAYS)
    assert counts(shadow) == (2, 2, 1, 1)  # the one that wrote rows stays
    assert health(shadow) == before


def test_what_is_not_old_stays(source: ApiSource, shadow: ShadowDatabase) -> None:
    for _ in range(3):
        mirror_with(source, shadow)
        verify(source, shadow, Depth.QUICK)
    let_age(shadow, timedelta(days=DAYS - 1))
    before = counts(shadow)
    remove_old_entries(shadow, DAYS)
    assert counts(shadow) == before
    remove_old_entries(shadow, DAYS - 2)
    assert counts(shadow) == (2, 2, 1, 1)


def test_a_run_that_does_not_read_the_mirrors_file_keeps_what_it_said(
    source: ApiSource, shadow: ShadowDatabase
) -> None:
    for _ in range(2):
        mirror_with(source, shadow)
        verify(source, shadow)
    let_age(shadow)
    remove_old_entries(shadow, DAYS + 2)
    before = counts(shadow)
    remove_old_entries(shadow, None)
    assert counts(shadow) == before
    remove_old_entries(shadow, DAYS)
    assert sum(counts(shadow)) < sum(before)


def test_the_last_entry_of_each_table_stays(source: ApiSource, shadow: ShadowDatabase) -> None:
    for model in (VISIT, COMPANY) * 3:
        mirror_with(source, shadow, model=model)
    first, _, last, first_company, _, last_company = *log_ids(shadow), *log_ids(shadow, COMPANIES)
    let_age(shadow)
    remove_old_entries(shadow, DAYS)
    assert (log_ids(shadow), log_ids(shadow, COMPANIES)) == ([first, last], [first_company, last_company])


def test_the_last_good_entry_stays(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "AT_ONCE", 1)  # it is not looked at again and again, either
    for _ in range(3):
        mirror_with(source, shadow)
    for _ in range(3):
        fail(odoo, source, shadow, Run())
    wrote, _, good, _, _, failed = log_ids(shadow)
    let_age(shadow)
    before = health(shadow)
    remove_old_entries(shadow, DAYS)
    assert log_ids(shadow) == [wrote, good, failed]
    assert health(shadow) == before


def test_a_table_that_only_the_end_of_other_runs_writes_is_as_fresh_as_before(
    source: ApiSource, shadow: ShadowDatabase
) -> None:
    mirror_with(source, shadow)
    let_age(shadow)
    for _ in range(2):  # as rows of other tables leave that point to rows of this one
        in_shadow(
            shadow,
            "INSERT INTO {odoo_shadow_sync_log} (sync_run_id, table_name, status, rows_updated, metadata)"
            " VALUES (gen_random_uuid(), {table}, 'success', 1, {metadata})",
            table=VISITS,
            metadata='{"closing": "rows that point to records that are gone"}',
        )
    moment = datetime.now(UTC) - timedelta(days=1)
    before = ask_freshness(shadow, [VISIT], Claim.FRESH, moment)
    remove_old_entries(shadow, DAYS)
    assert ask_freshness(shadow, [VISIT], Claim.FRESH, moment) == before
    assert before[0].is_met


def test_rows_that_nobody_was_told_of_are_announced(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    def announced() -> list[tuple[str, int]]:
        with shadow.transaction() as tx:
            return [(item.table, item.last_entry) for item in written_rows(tx, run_id=Run().id)]

    mirror_with(source, shadow)
    for _ in range(2):
        mirror_with(source, shadow)
    let_age(shadow)
    first, _, last = log_ids(shadow)
    before = announced()
    assert before == [(VISITS, first)]
    remove_old_entries(shadow, DAYS)
    assert (announced(), log_ids(shadow)) == (before, [first, last])


def test_a_model_that_is_not_installed_is_still_known(source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_with(source, shadow)
    with pytest.raises(OdooUnknownModelError):
        mirror_with(source, shadow, model="x_gone")
    with shadow.transaction() as tx:
        skipped = skipped_tables(tx)
    assert skipped
    let_age(shadow)
    remove_old_entries(shadow, DAYS)
    with shadow.transaction() as tx:
        assert skipped_tables(tx) == skipped
    assert mirrored_models(shadow) == [VISIT]


def test_the_last_verification_of_each_kind_stays(source: ApiSource, shadow: ShadowDatabase) -> None:
    run = Run()
    mirror_with(source, shadow, run=run)
    list(close_run(source, shadow, run=run, options=MirrorOptions()))
    for depth in (Depth.FULL, Depth.FULL, Depth.QUICK, Depth.QUICK):
        verify(source, shadow, depth)
    for _ in range(2):
        in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'wrong'")
        let_pass(shadow, timedelta(days=8))
        run = Run()
        mirror_with(source, shadow, run=run)
        list(close_run(source, shadow, run=run, options=MirrorOptions()))
    rows = in_shadow(shadow, "SELECT kind, max(id) FROM {odoo_shadow_verification} GROUP BY 1 ORDER BY 1")
    assert [row[0] for row in rows] == ["full", "quick", "slice"]
    let_age(shadow)
    before = health(shadow)
    remove_old_entries(shadow, DAYS)
    assert in_shadow(shadow, "SELECT kind, id FROM {odoo_shadow_verification} ORDER BY 1, 2") == rows
    assert health(shadow) == before


def test_the_last_change_of_each_table_stays(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror_with(source, shadow, model=COMPANY)
    mirror_with(source, shadow)
    odoo.add_field(VISIT, "x_note", "char")
    mirror_with(source, shadow)
    let_age(shadow)
    remove_old_entries(shadow, DAYS)
    rows = in_shadow(shadow, "SELECT table_name, change FROM {odoo_shadow_schema_log} ORDER BY id")
    assert rows == [(COMPANIES, "table created"), (VISITS, "column added")]


@pytest.mark.sampled
@pytest.mark.parametrize("what", ["was since", "is still running"])
def test_a_run_that_is_not_over_keeps_its_entries(source: ApiSource, shadow: ShadowDatabase, what: str) -> None:
    run = Run()
    mirror_with(source, shadow)
    mirror_with(source, shadow, run=run)
    verify(source, shadow, run=run)
    if what == "is still running":
        mirror_with(source, shadow, model=COMPANY, run=run)
        in_shadow(shadow, "UPDATE {odoo_shadow_sync_log} SET status = 'running', completed_at = NULL WHERE id = 3")
    let_age(shadow)
    if what == "was since":
        mirror_with(source, shadow, model=COMPANY, run=run)
    mirror_with(source, shadow)  # in another run, so that the entry is not its table's last
    verify(source, shadow)
    with shadow.transaction() as tx:
        before = entries_of_run(tx, run.id), finished_tables(tx, run.id), outcomes_of_run(tx, run.id)
    assert len(before[0]) == 2 and before[2]
    remove_old_entries(shadow, DAYS)
    with shadow.transaction() as tx:
        assert (entries_of_run(tx, run.id), finished_tables(tx, run.id), outcomes_of_run(tx, run.id)) == before


def test_a_verification_that_is_not_over_keeps_what_it_found(source: ApiSource, shadow: ShadowDatabase) -> None:
    run = Run()
    for model in (VISIT, COMPANY):
        mirror_with(source, shadow, model=model)
    verify(source, shadow, run=run)
    let_age(shadow)
    verify(source, shadow, model=COMPANY, run=run)
    verify(source, shadow)
    remove_old_entries(shadow, DAYS)
    with shadow.transaction() as tx:
        assert [item.table for item in outcomes_of_run(tx, run.id)] == [COMPANIES, VISITS]


def many(shadow: ShadowDatabase, number: int) -> None:
    in_shadow(
        shadow,
        "INSERT INTO {odoo_shadow_sync_log} (sync_run_id, table_name, status, started_at, completed_at, duration_ms)"
        " SELECT gen_random_uuid(), 'odoo_shadow_x_visit', 'error', now() - {old}, now() - {old}, 0"
        " FROM generate_series(1, {number})",
        old=OLD,
        number=number,
    )


def test_a_run_removes_a_bounded_number(
    source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(housekeeping, "AT_ONCE", 10)
    monkeypatch.setattr(housekeeping, "MOST_PER_RUN", 30)
    mirror_with(source, shadow)
    many(shadow, 50)
    mirror_with(source, shadow)
    with caplog.at_level("INFO"):
        remove_old_entries(shadow, DAYS)
    assert counts(shadow)[0] == 52 - 30
    assert "Older than 90 days, so removed: 30 rows of odoo_shadow_sync_log" in caplog.text
    remove_old_entries(shadow, DAYS)
    assert counts(shadow)[0] == 2


def test_who_reads_or_writes_is_not_in_the_way(source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    mirror_with(source, shadow)
    many(shadow, 5)
    mirror_with(source, shadow)
    with psycopg.connect(database) as other:
        other.execute("SELECT * FROM odoo_shadow.odoo_shadow_sync_log")
        other.execute("SELECT * FROM odoo_shadow.odoo_shadow_sync_log ORDER BY started_at LIMIT 2 FOR UPDATE")
        remove_old_entries(shadow, DAYS)
        assert counts(shadow)[0] == 4  # those that somebody holds are left to the next run
    remove_old_entries(shadow, DAYS)
    assert counts(shadow)[0] == 2


def test_a_failure_is_told_and_fails_nothing(
    source: ApiSource, shadow: ShadowDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    remove_old_entries(shadow, DAYS)  # there is no shadow
    mirror_with(source, shadow)
    in_shadow(shadow, "ALTER TABLE {odoo_shadow_sync_log} RENAME started_at TO begun_at")
    remove_old_entries(shadow, DAYS)
    assert "Old log entries were not removed; the next run tries again" in caplog.text
