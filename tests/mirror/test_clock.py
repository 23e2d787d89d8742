"""A clock that lies, once or always, costs reading again, and never a row."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from odoo_shadow.mirror.clock import CLOCK_TOLERANCE
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.proof.verify import Depth
from odoo_shadow.mirror.run.dry_run import dry_run_model
from odoo_shadow.mirror.sync.scan import end_of
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.differences import Difference
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.state.watermarks import NEVER, Scan, Watermark
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.pages import Unreadable
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, Call, CountingProxy, in_odoo, in_shadow, mirror_with, visits
from tests.support.planning import passed_over, plan, plan_and_mirror, work_of
from tests.support.running import StoppedError, scan_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal
from tests.support.verifying import found_by, verify

pytestmark = pytest.mark.attack

ROWS = 30
YEARS = timedelta(days=5 * 365)
PAGES = MirrorOptions(batch_size=10)


def set_local_clock(monkeypatch: pytest.MonkeyPatch, now: Callable[[], datetime]) -> None:
    """Let this machine's clock show something else; the server's stays as it is."""
    clock = ApiSource.clock
    monkeypatch.setattr(ApiSource, "clock", lambda source: replace(clock(source), local=now()))


@pytest.fixture(scope="module")
def one_odoo(postgres: str) -> Iterator[StandIn]:
    with StandIn(postgres, flavour="19", database="clock") as running:
        yield running


@pytest.fixture
def odoo(one_odoo: StandIn) -> Iterator[StandIn]:
    """An Odoo with a small model; nothing here depends on its version."""
    with visits(one_odoo, ROWS):
        yield one_odoo


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    """A client of an Odoo behind a proxy whose clock may be wrong."""
    with source_of(odoo, host=proxy.url) as opened:
        yield opened


def mark_of(shadow: ShadowDatabase) -> datetime:
    mark = watermark_of(shadow, VISITS)
    assert mark is not None
    return mark.last_write_date


def set_mark(shadow: ShadowDatabase, moment: str) -> None:
    in_shadow(shadow, f"UPDATE {{odoo_shadow_watermark}} SET last_write_date = '{moment}'")  # noqa: S608 - a test's own


def test_one_date_that_lies_ahead_hides_no_edit(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    proxy.ahead = YEARS
    mirror_with(source, shadow)
    assert mark_of(shadow) <= datetime.now(UTC)
    proxy.ahead = timedelta(0)
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited"})
    assert mirror_with(source, shadow).kind is ScanKind.INCREMENTAL
    assert_equal(odoo, database, [VISIT])


def test_a_date_that_always_lies_ahead_hides_no_edit(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    proxy.ahead = YEARS
    plan_and_mirror(source, shadow)
    for number in (3, 4):
        odoo.execute(VISIT, "write", [number], {"x_name": "Edited"})
        assert VISIT in work_of(plan_and_mirror(source, shadow))
        assert_equal(odoo, database, [VISIT])
        assert mark_of(shadow) <= datetime.now(UTC)


def test_passing_over_does_not_advance_beyond_this_machines_clock(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    plan_and_mirror(source, shadow)
    proxy.ahead = YEARS
    assert passed_over(plan(source, shadow)) == [VISIT]
    assert mark_of(shadow) <= datetime.now(UTC)
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited"})
    plan_and_mirror(source, shadow)
    assert_equal(odoo, database, [VISIT])


AHEAD = ["2031-01-01 00:00:00+00", "9999-12-31 23:59:59+00", "10000-01-01 00:00:00+00", "294000-01-01+00", "infinity"]


@pytest.mark.sampled
@pytest.mark.parametrize("moment", AHEAD)
def test_a_watermark_in_the_future_is_not_trusted(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    moment: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    mirror_with(source, shadow)
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited long ago"})
    in_odoo(odoo, "UPDATE x_visit SET write_date = '2020-01-01'")
    set_mark(shadow, moment)
    with shadow.transaction() as tx:
        assert [item.model for item in list_tables(tx)] == [VISIT]
    foreseen = dry_run_model(source, shadow, VISIT, options=MirrorOptions())
    assert foreseen.low is None and foreseen.rows == ROWS
    with caplog.at_level(logging.WARNING):
        mirror_with(source, shadow)
    assert "lies in the future" in caplog.text and "everything is read again" in caplog.text
    assert_equal(odoo, database, [VISIT])
    assert mark_of(shadow) <= datetime.now(UTC)
    assert mirror_with(source, shadow).kind is ScanKind.INCREMENTAL


def test_the_function_for_other_writers_may_set_it_too(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    plan_and_mirror(source, shadow)
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited"})
    in_shadow(shadow, "SELECT {update_shadow_watermark}({table}, 'infinity')", table=VISITS)
    assert work_of(plan_and_mirror(source, shadow)) == {VISIT: "its watermark lies in the future"}
    assert_equal(odoo, database, [VISIT])


def test_a_read_that_breaks_off_does_not_bring_the_trust_back(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow)
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By SQL', write_date = '2020-01-01'")
    set_mark(shadow, "2031-01-01 00:00:00+00")
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, on_progress=stop_after(1))
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize("moment", AHEAD)
@pytest.mark.parametrize("column", ["scan_high", "scan_low"])
def test_a_scan_that_ends_in_the_future_is_not_resumed(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, moment: str, column: str
) -> None:
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, on_progress=stop_after(1))
    in_shadow(shadow, f"UPDATE {{odoo_shadow_watermark}} SET {column} = '{moment}'")  # noqa: S608 - a test's own
    assert scan_of(shadow, VISITS) is not None
    odoo.execute(VISIT, "write", [1], {"x_name": "Edited"})
    assert not mirror_with(source, shadow, PAGES).resumed
    assert mark_of(shadow) <= datetime.now(UTC)
    assert_equal(odoo, database, [VISIT])


def test_a_watermark_that_another_machine_set_a_little_ahead_is_trusted(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow)
    set_mark(shadow, str(datetime.now(UTC) + CLOCK_TOLERANCE / 2))
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited"})
    assert mirror_with(source, shadow).kind is ScanKind.INCREMENTAL
    assert mark_of(shadow) <= datetime.now(UTC)
    assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize("whose", ["the server's", "this machine's"])
def test_a_clock_that_is_behind_the_others_does_not_have_everything_read_again(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
) -> None:
    """A good watermark is later than that clock, and is not forgotten for it."""
    behind = 3 * CLOCK_TOLERANCE
    plan_and_mirror(source, shadow)
    if whose == "the server's":
        proxy.ahead = -behind
    else:
        set_local_clock(monkeypatch, lambda: datetime.now(UTC) - behind)
    for number in (3, 4):
        in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET last_write_date = now()")  # as another machine's run does
        foreseen = dry_run_model(source, shadow, VISIT, options=MirrorOptions())
        assert foreseen.kind is ScanKind.INCREMENTAL
        odoo.execute(VISIT, "write", [number], {"x_name": "Edited"})
        assert work_of(plan(source, shadow))[VISIT] != "its watermark lies in the future"
        assert mirror_with(source, shadow).kind is ScanKind.INCREMENTAL
        assert_equal(odoo, database, [VISIT])


def test_a_date_that_lies_years_ahead_does_not_vouch_for_a_watermark_that_does(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror_with(source, shadow)
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'By SQL', write_date = '2020-01-01'")
    set_mark(shadow, str(datetime.now(UTC) + YEARS / 2))
    proxy.ahead = YEARS
    assert mirror_with(source, shadow).kind is ScanKind.FIRST_LOAD
    assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize("behind", [timedelta(days=1), YEARS, timedelta(days=56 * 365), timedelta(days=2000 * 365)])
def test_a_clock_that_is_far_behind_loses_nothing(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    behind: timedelta,
) -> None:
    mirror_with(source, shadow)
    proxy.ahead = -behind
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited"})
    plan_and_mirror(source, shadow)
    odoo.execute(VISIT, "write", [8], {"x_name": "Edited"})
    proxy.ahead = timedelta(0)
    plan_and_mirror(source, shadow)
    assert_equal(odoo, database, [VISIT])


def test_this_machines_clock_may_be_behind(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_with(source, shadow)
    slow = datetime.now(UTC) - timedelta(hours=2)
    set_local_clock(monkeypatch, lambda: slow)
    odoo.execute(VISIT, "write", [7], {"x_name": "Edited"})
    mirror_with(source, shadow)
    assert mark_of(shadow) <= slow
    assert_equal(odoo, database, [VISIT])


@pytest.mark.sampled
@pytest.mark.parametrize("behind", [timedelta(hours=1), YEARS, timedelta(days=2000 * 365)])
def test_verify_sees_what_differs_whatever_the_clock_says(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, behind: timedelta
) -> None:
    """With a clock far behind, every row looks as if it had been written while it was compared."""
    mirror_with(source, shadow)
    in_shadow(shadow, f"UPDATE {{{VISITS}}} SET x_name = 'Wrong' WHERE id = 7")  # noqa: S608 - a test's own
    proxy.ahead = -behind
    assert verify(source, shadow, Depth.FULL).ids[Difference.DIFFERING] == [7]


@pytest.mark.sampled
@pytest.mark.parametrize("whose", ["this machine's", "the proxy's"])
def test_verify_does_not_report_what_is_edited_meanwhile_although_a_clock_is_wrong(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
) -> None:
    in_odoo(odoo, "UPDATE x_visit SET write_date = now() AT TIME ZONE 'UTC' - interval '2 minutes'")
    mirror_with(source, shadow)
    in_shadow(shadow, f"UPDATE {{{VISITS}}} SET x_name = 'Wrong' WHERE id = 7")  # noqa: S608 - a test's own
    if whose == "this machine's":
        set_local_clock(monkeypatch, lambda: datetime.now(UTC) + timedelta(hours=1))
    else:
        proxy.ahead = -timedelta(hours=1)

    def write(call: Call) -> None:
        if call.method == "search":  # which asks for the highest id, before the first page
            proxy.before = lambda _: None
            time.sleep(1)  # Odoo's dates have no fractions
            odoo.execute(VISIT, "write", [8], {"x_name": "Edited meanwhile"})

    proxy.before = write
    assert found_by(verify(source, shadow, Depth.FULL)) == {"differing": [7]}


def test_verify_sees_a_row_whose_write_date_lies_ahead(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    in_odoo(odoo, "UPDATE x_visit SET write_date = '2090-01-01' WHERE id = 7")
    mirror_with(source, shadow)
    in_shadow(shadow, f"UPDATE {{{VISITS}}} SET x_name = 'Wrong' WHERE id = 7")  # noqa: S608 - a test's own
    assert verify(source, shadow, Depth.FULL).ids[Difference.DIFFERING] == [7]


@pytest.mark.parametrize("written", ["9999-12-31 23:59:59-14:00", "0000-00-00", "\x00", "2026-W48", "x" * 9999])
def test_a_record_that_cannot_be_read_and_whose_date_is_none(written: str) -> None:
    """What cannot be dated keeps the watermark where it was."""
    now = datetime.now(UTC)
    scan = Scan(run_id=None, full=False, low=None, high=now, up_to_id=9, last_id=0)  # type: ignore[arg-type]
    broken = [Unreadable(7, written, "")]
    assert end_of(scan, broken, None) <= now
    if written != "2026-W48":
        assert end_of(scan, broken, None) == NEVER
        assert end_of(scan, broken, Watermark(now - timedelta(1))) == now - timedelta(1)
