"""Rows that no window shows and no count betrays at first sight: each was lost once, by a run that ended green."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.errors import MassDeletionError
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import Depth, VerifyOptions, verify_model
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooFatalError, OdooServerError, OdooUnreadableRecordsError
from odoo_stand_in import Fault, StandIn
from tests.support.ageing import age
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.running import StoppedError, column, log_of, statuses_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal, shadow_rows

pytestmark = pytest.mark.one_flavour

ROWS = 40
PAGES = MirrorOptions(batch_size=10, look_back=timedelta(0))


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(odoo) as opened, visits(odoo, ROWS):
        yield opened


def stumble_over(odoo: StandIn, *ids: int) -> None:
    """Let Odoo stumble over records whenever their names are read; none mends all."""

    def stumble(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and any(row["id"] in ids and "x_name" in row for row in rows):
            raise ValueError("a value that cannot be read")
        return rows

    odoo.rewrite = stumble if ids else None


def test_a_retry_meets_the_record_again_that_could_not_be_read(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    odoo.execute(VISIT, "write", list(range(1, ROWS + 1)), {"x_name": "News"})
    run = Run()
    stumble_over(odoo, 2)
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, run=run, on_progress=stop_after(6))
    with pytest.raises(OdooUnreadableRecordsError, match="cannot give the records 2;"):
        mirror_with(source, shadow, PAGES, run=run)
    stumble_over(odoo)
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_record_that_cannot_be_read_keeps_no_deletion_back(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    stumble_over(odoo, 2)
    with pytest.raises(OdooUnreadableRecordsError):
        mirror_with(source, shadow, PAGES)  # never in the shadow
    odoo.execute(VISIT, "unlink", [6])  # the counts would agree by now
    with pytest.raises(OdooUnreadableRecordsError, match="cannot give the records 2;"):
        mirror_with(source, shadow, PAGES)
    assert set(shadow_rows(database, VISITS)) == set(range(1, ROWS + 1)) - {2, 6}


def test_a_new_column_does_not_stop_the_others_for_one_record(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    odoo.add_field(VISIT, "x_note", "char")

    def stumble(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and any(row["id"] == 5 and "x_note" in row for row in rows):
            raise ValueError("a value that cannot be read")
        return rows

    odoo.rewrite = stumble
    odoo.execute(VISIT, "write", [30], {"x_name": "News", "x_note": "new"})
    with pytest.raises(OdooUnreadableRecordsError, match="cannot give the records 5;"):
        mirror_with(source, shadow, PAGES)
    assert column(shadow, "x_name", [30], VISITS) == {30: "News"}
    odoo.rewrite = None
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_rows_that_the_login_sees_only_now_are_read_however_old(
    odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, ROWS), source_of(odoo) as source:
        odoo.hide_late(VISIT, range(31, 41))
        mirror_with(source, shadow, PAGES)
        assert set(shadow_rows(database, VISITS)) == set(range(1, 31))
        odoo.hide_late(VISIT, [])
        assert mirror_with(source, shadow, PAGES).counts.inserted == 10
        assert_equal(odoo, database, [VISIT])


def test_a_row_without_write_date_is_read(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    in_odoo(odoo, "INSERT INTO x_visit (id, x_name) VALUES (5000, 'by SQL')")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


@pytest.mark.parametrize("hidden", [range(11, 31), range(31, 41), range(1, 41)], ids=["a page", "the newest", "all"])
def test_records_that_a_search_hides_after_its_limit_do_not_end_it(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, hidden: range
) -> None:
    odoo.hide_late(VISIT, hidden)
    mirror_with(source, shadow, PAGES)
    assert set(shadow_rows(database, VISITS)) == set(range(1, ROWS + 1)) - set(hidden)
    for depth in Depth:
        found = verify_model(source, shadow, VISIT, run=Run(), options=PAGES, verify=VerifyOptions(depth))
        assert (found.rows, found.differences) == (ROWS - len(hidden), 0)


def test_a_table_that_was_dropped_is_read_whole_even_if_the_first_try_fails(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    in_shadow(shadow, "DROP TABLE {odoo_shadow_x_visit} CASCADE")
    run = Run()
    odoo.faults.add(Fault(VISIT, "search_read", status=502, times=50))
    with pytest.raises(OdooServerError):
        mirror_with(source, shadow, PAGES, run=run)
    odoo.faults.clear()
    mirror_with(source, shadow, PAGES, run=run)
    assert_equal(odoo, database, [VISIT])


def test_rows_changed_while_the_login_saw_too_little_are_not_stale_afterwards(
    odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, 300), source_of(odoo) as source:
        mirror_with(source, shadow, PAGES)
        before = watermark_of(shadow, VISITS)
        odoo.execute(VISIT, "write", [77], {"x_name": "News"})
        odoo.hide_late(VISIT, range(50, 301))
        with pytest.raises(MassDeletionError):
            mirror_with(source, shadow, PAGES)
        after = watermark_of(shadow, VISITS)
        assert before and after and after.last_write_date == before.last_write_date
        odoo.hide_late(VISIT, [])
        mirror_with(source, shadow, PAGES)
        assert column(shadow, "x_name", [77], VISITS) == {77: "News"}


def test_negative_ids_are_rows_like_others(own_odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    own_odoo.add_model("x_forecast", {"x_name": "char"})
    own_odoo.fill("x_forecast", 20)
    in_odoo(own_odoo, "UPDATE x_forecast SET id = -id WHERE mod(id, 2) = 0")
    age(own_odoo, "x_forecast")
    with source_of(own_odoo) as source:
        mirror_with(source, shadow, replace(PAGES, batch_size=4), model="x_forecast")
        assert_equal(own_odoo, database, ["x_forecast"])
        in_shadow(shadow, "DELETE FROM {odoo_shadow_x_forecast} WHERE id = -8")
        found = verify_model(source, shadow, "x_forecast", run=Run(), options=PAGES, verify=VerifyOptions())
    assert found.differences == 1


def test_another_language_or_login_is_read_whole(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo) as english:
        mirror_with(english, shadow, model="res.country")
    with source_of(odoo, extras={"lang": "fr_FR"}) as french:
        result = mirror_with(french, shadow, model="res.country")
        assert result.counts.updated > 0
        assert mirror_with(french, shadow, model="res.country").counts.written == 0


@pytest.mark.parametrize("wrong", [{"extras": {"lang": "de"}}, {"login": "demo"}], ids=["language", "login"])
def test_a_slip_in_the_connection_does_not_cost_a_reload(
    odoo: StandIn, shadow: ShadowDatabase, wrong: dict[str, Any]
) -> None:
    with source_of(odoo) as right:
        mirror_with(right, shadow, model="res.country")
        before = watermark_of(shadow, "odoo_shadow_res_country")
        with source_of(odoo, **wrong) as slipped, pytest.raises(OdooFatalError):
            mirror_with(slipped, shadow, model="res.country")
        assert watermark_of(shadow, "odoo_shadow_res_country") == before
        assert mirror_with(right, shadow, model="res.country").kind is ScanKind.INCREMENTAL


def test_a_moment_set_back_while_a_run_was_broken_off_is_not_forgotten(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'by SQL' WHERE id = 3")  # a day old: only a replay finds it
    odoo.execute(VISIT, "write", list(range(11, 41)), {"x_name": "News"})
    run = Run()
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, run=run, on_progress=stop_after(1))
    mark = watermark_of(shadow, VISITS)
    assert mark is not None
    mirror_model(
        source,
        shadow,
        VISIT,
        run=run,
        options=PAGES,
        replay_from=lambda _: mark.last_write_date - timedelta(days=2),
    )
    assert_equal(odoo, database, [VISIT])


def test_a_replay_from_the_beginning_takes_a_restored_backup_for_what_it_is(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'older', write_date = write_date - interval '9 days' WHERE id = 4")
    in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET last_write_date = to_timestamp(0)")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


@pytest.mark.parametrize("on_delete", list(OnDelete))
def test_a_repair_treats_what_is_gone_as_the_sync_was_told_to(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, on_delete: OnDelete
) -> None:
    mirror_with(source, shadow, replace(PAGES, on_delete=on_delete))
    odoo.execute(VISIT, "unlink", [6])
    found = verify_model(source, shadow, VISIT, run=Run(), options=PAGES, verify=VerifyOptions(repair=True))
    rows = in_shadow(shadow, "SELECT to_jsonb(t) ->> '_deleted_at' FROM {odoo_shadow_x_visit} t WHERE id = 6")
    assert found.repaired == (0 if on_delete is OnDelete.IGNORE else 1)
    assert [bool(mark) for (mark,) in rows] == {
        OnDelete.DELETE: [],
        OnDelete.MARK: [True],
        OnDelete.IGNORE: [False],
    }[on_delete]


def test_the_public_view_shows_the_marks(source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    mirror_with(source, shadow, replace(PAGES, on_delete=OnDelete.MARK))
    with psycopg.connect(database) as connection:
        connection.execute("SELECT _deleted_at FROM public.odoo_shadow_x_visit")


def test_a_view_on_the_public_view_does_not_stop_a_new_type(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow, PAGES)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE VIEW bi AS SELECT x_name FROM public.odoo_shadow_x_visit")
    for kind in ("integer", "char", "integer", "char"):
        odoo.remove_field(VISIT, "x_name")
        odoo.add_field(VISIT, "x_name", kind)
        mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])
    assert set(statuses_of(shadow)) == {"success"}


def test_what_is_uninstalled_says_that_its_rows_stay(odoo: StandIn, shadow: ShadowDatabase) -> None:
    with source_of(odoo) as source:
        with visits(odoo, ROWS):
            mirror_with(source, shadow, PAGES)
        with pytest.raises(Exception, match="has no model x_visit"):
            mirror_with(source, shadow, PAGES)
    (said,) = [entry["error_message"] for entry in log_of(shadow) if entry["status"] == "skipped"]
    assert f"Of what was mirrored before, {ROWS} rows stay" in said
