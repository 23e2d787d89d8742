"""Records and pages that Odoo cannot give: halved down to one record, isolated, told, and kept for the next run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.pages import MOST_IN_A_ROW, MOST_UNREADABLE
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import (
    OdooAccessError,
    OdooError,
    OdooRequestError,
    OdooServerError,
    OdooTimeoutError,
    OdooUnreadableRecordsError,
)
from odoo_stand_in import AccessError, StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, Call, CountingProxy, mirror_with, visits
from tests.support.raw_server import HTML_TYPE, Reply
from tests.support.running import StoppedError, column, log_of, statuses_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows

ROWS = 64
PAGES = MirrorOptions(batch_size=16, look_back=timedelta(0))
TIMEOUT = 0.5
Break = Callable[..., None]


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of(odoo, host=proxy.url) as opened, visits(odoo, ROWS):
        yield opened


@pytest.fixture
def break_records(odoo: StandIn) -> Break:
    """What lets Odoo stumble over some records, as over a value that its own code cannot read; none mends all."""

    def break_them(*ids: int, even_write_date: bool = False) -> None:
        def stumble(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            broken = [row["id"] for row in rows if row["id"] in ids and (even_write_date or "x_name" in row)]
            if model == VISIT and broken:
                raise ValueError("a value that cannot be read")
            return rows

        odoo.rewrite = stumble if ids else None

    return break_them


@pytest.fixture
def loaded(odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase) -> None:
    """All rows are mirrored, then written, and a minute has gone by."""
    mirror_with(source, shadow, PAGES)
    odoo.execute(VISIT, "write", list(range(1, ROWS + 1)), {"x_name": "News"})
    proxy.ahead = timedelta(minutes=1)


def news(database: str) -> set[int]:
    return {number for number, row in shadow_rows(database, VISITS).items() if row["x_name"] == "News"}


def write_date_of(odoo: StandIn, number: int) -> datetime:
    moment = expected_rows(odoo, VISIT)[number]["_odoo_write_date"]
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def limits(proxy: CountingProxy) -> list[int]:
    return [call.limit for call in proxy.of("search_read") if call.limit]


def test_pages_are_halved_down_to_the_record_and_grow_again(
    source: ApiSource,
    proxy: CountingProxy,
    shadow: ShadowDatabase,
    database: str,
    loaded: None,
    break_records: Break,
) -> None:
    break_records(21)
    proxy.clear()
    with pytest.raises(OdooUnreadableRecordsError) as raised:
        mirror_with(source, shadow, PAGES)
    assert f"{VISIT}: Odoo cannot give the records 21;" in str(raised.value)
    assert "a value that cannot be read" in str(raised.value) and "\n" not in str(raised.value)
    assert news(database) == set(range(1, ROWS + 1)) - {21}
    asked = limits(proxy)
    del asked[: asked.index(16)]  # what the dates are, before any page
    assert asked[:4] == [16, 16, 8, 4] and asked.count(1) == 2  # the broken one, and the one after it
    assert asked[-1] == 16
    entry = log_of(shadow)[-1]
    assert (entry["status"], entry["rows_updated"]) == ("error", ROWS - 1)
    assert entry["error_message"] == str(raised.value)


def test_it_is_told_in_a_first_load_too_and_all_others_arrive(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, break_records: Break
) -> None:
    break_records(21, 40)
    with pytest.raises(OdooUnreadableRecordsError, match="cannot give the records 21, 40;"):
        mirror_with(source, shadow, PAGES)
    assert shadow_rows(database, VISITS).keys() == set(range(1, ROWS + 1)) - {21, 40}
    break_records()
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_created_record_that_cannot_be_read_is_told_as_one(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, break_records: Break
) -> None:
    mirror_with(source, shadow, PAGES)
    broken, sound = odoo.execute(VISIT, "create", [{"x_name": "Broken"}, {"x_name": "Sound"}])
    break_records(broken)
    with pytest.raises(OdooUnreadableRecordsError, match=f"cannot give the records {broken};"):
        mirror_with(source, shadow, PAGES)
    assert column(shadow, "x_name", [broken, sound], VISITS) == {sound: "Sound"}
    break_records()
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_the_watermark_waits_until_the_record_is_mended(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, loaded: None, break_records: Break
) -> None:
    before = watermark_of(shadow, VISITS)
    break_records(21)
    for _ in range(2):
        with pytest.raises(OdooUnreadableRecordsError):
            mirror_with(source, shadow, PAGES)
        mark = watermark_of(shadow, VISITS)
        assert mark is not None and before is not None
        assert before.last_write_date <= mark.last_write_date <= write_date_of(odoo, 21)
    break_records()  # somebody mends it by SQL: its write_date is as before
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])
    mark = watermark_of(shadow, VISITS)
    assert mark is not None and mark.last_write_date >= write_date_of(odoo, 21)
    assert statuses_of(shadow) == ["success", "error", "error", "success"]


@pytest.mark.parametrize("known", [False, True], ids=["first load", "later"])
def test_without_a_write_date_the_watermark_stays_where_it_was(
    odoo: StandIn,
    source: ApiSource,
    proxy: CountingProxy,
    shadow: ShadowDatabase,
    database: str,
    break_records: Break,
    known: bool,
) -> None:
    if known:
        mirror_with(source, shadow, PAGES)
        odoo.execute(VISIT, "write", [21, 22], {"x_name": "News"})
        proxy.ahead = timedelta(minutes=1)
    before = watermark_of(shadow, VISITS) if known else None
    break_records(21, even_write_date=True)
    with pytest.raises(OdooError):
        mirror_with(source, shadow, PAGES)
    after = watermark_of(shadow, VISITS)
    assert (after and after.last_write_date) == (before and before.last_write_date)
    break_records()
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_run_that_is_killed_after_it_does_not_forget_the_record(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, loaded: None, break_records: Break
) -> None:
    break_records(3)
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, on_progress=stop_after(4))  # 1 and 2, the broken one, 4, 5 and 6
    assert news(database) == {1, 2, 4, 5, 6}
    break_records()
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_deletions_are_found_though_a_record_cannot_be_read(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, loaded: None, break_records: Break
) -> None:
    odoo.execute(VISIT, "unlink", [5])
    break_records(21)
    with pytest.raises(OdooUnreadableRecordsError):
        mirror_with(source, shadow, PAGES)
    assert shadow_rows(database, VISITS).keys() == set(range(1, ROWS + 1)) - {5}


def test_a_new_field_and_news_arrive_though_a_record_cannot_be_read(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, loaded: None, break_records: Break
) -> None:
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    break_records(21, even_write_date=True)
    with pytest.raises(OdooUnreadableRecordsError, match="21"):
        mirror_with(source, shadow, PAGES)
    assert news(database) == set(range(1, ROWS + 1)) - {21}
    filled = {number for number, row in shadow_rows(database, VISITS).items() if row["x_grade"] == "A"}
    assert filled >= set(range(1, ROWS + 1)) - {21}


@pytest.mark.sampled
@pytest.mark.parametrize("more", [0, 1], ids=["as many as may be", "one more"])
@pytest.mark.parametrize("in_a_row", [False, True], ids=["in all", "in a row"])
def test_when_too_many_cannot_be_read_something_else_is_wrong(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    loaded: None,
    break_records: Break,
    in_a_row: bool,
    more: int,
) -> None:
    number = (MOST_IN_A_ROW if in_a_row else MOST_UNREADABLE) + more
    broken = range(10, 10 + number) if in_a_row else range(10, 10 + 2 * number, 2)
    break_records(*broken)
    wanted = OdooRequestError if more else OdooUnreadableRecordsError
    with pytest.raises(wanted) as raised:
        mirror_with(source, shadow, PAGES)
    assert type(raised.value) is wanted
    if not more:
        assert f"the records {', '.join(map(str, broken))};" in str(raised.value)
        assert news(database) == set(range(1, ROWS + 1)) - set(broken)
    break_records()
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


@pytest.fixture
def slow(odoo: StandIn, proxy: CountingProxy, source: ApiSource) -> Iterator[ApiSource]:
    """A client that does not wait long; what it waits for is let go at the end."""
    with source_of(odoo, host=proxy.url, extras={"timeout": TIMEOUT}) as opened:
        yield opened


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def is_page_of_more_than(most: int) -> Callable[[Call], bool]:
    return lambda call: call.method == "search_read" and (call.limit or 0) > most


@pytest.mark.sampled
@pytest.mark.parametrize("trouble", ["times out", "502", "HTML", "half a body"])
def test_a_page_that_is_too_large_is_halved_until_it_passes(
    odoo: StandIn,
    proxy: CountingProxy,
    slow: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    held: threading.Event,
    trouble: str,
) -> None:
    replies = {
        "times out": Reply(hold=held),
        "502": Reply(502, "<html>Bad Gateway</html>", HTML_TYPE),
        "HTML": Reply(200, "<html>Maintenance</html>", HTML_TYPE),
        "half a body": Reply(200, '{"jsonrpc": "2.0", "resu'),
    }
    is_too_large = is_page_of_more_than(16)
    proxy.before = lambda call: replies[trouble] if is_too_large(call) else None
    mirror_with(slow, shadow, MirrorOptions(batch_size=64))
    assert_equal(odoo, database, [VISIT])
    asked = limits(proxy)[1:]  # without the newest date
    assert asked[:3] == [64, 32, 16] and min(asked) == 16
    assert statuses_of(shadow) == ["success"]


def test_a_record_at_which_odoo_hangs_is_isolated(
    odoo: StandIn,
    proxy: CountingProxy,
    slow: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    held: threading.Event,
) -> None:
    mirror_with(slow, shadow, PAGES)
    odoo.execute(VISIT, "write", [20, 21, 22], {"x_name": "News"})

    def hang(call: Call) -> Reply | None:
        after = next((value for name, op, value in call.conditions if (name, op) == ("id", ">")), 0)
        if call.method != "search_read" or "x_name" not in call.fields:
            return None
        reach = [number for number in (20, 21, 22) if number > after][: call.limit]
        return Reply(hold=held) if 21 in reach else None

    proxy.before = hang
    with pytest.raises(OdooUnreadableRecordsError, match=r"the records 21;.*did not answer within 0\.5 s"):
        mirror_with(slow, shadow, MirrorOptions(batch_size=2, look_back=timedelta(0)))
    assert news(database) == {20, 22}
    proxy.before = lambda _: None
    mirror_with(slow, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_server_that_answers_nothing_is_not_asked_for_ever_smaller_pages(
    proxy: CountingProxy, slow: ApiSource, shadow: ShadowDatabase, held: threading.Event
) -> None:
    mirror_with(slow, shadow, PAGES)
    proxy.clear()
    has_begun = threading.Event()

    def fall_silent(call: Call) -> Reply | None:
        if call.method == "search_read" and call.limit == 32:
            has_begun.set()
        return Reply(hold=held) if has_begun.is_set() else None

    proxy.before = fall_silent
    with pytest.raises(OdooTimeoutError):
        mirror_with(slow, shadow, MirrorOptions(full=True, batch_size=32))
    assert limits(proxy)[-1] == 32 and limits(proxy).count(32) == 1  # and whether it answers at all


@pytest.mark.parametrize("known", [False, True], ids=["first load", "later"])
def test_a_server_that_fails_at_every_record_is_down(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    known: bool,
) -> None:
    if known:
        mirror_with(source, shadow, PAGES)
        odoo.execute(VISIT, "write", list(range(1, ROWS + 1)), {"x_name": "News"})
        proxy.ahead = timedelta(minutes=1)
    before = watermark_of(shadow, VISITS) if known else None
    is_page = is_page_of_more_than(0)
    proxy.before = lambda call: Reply(502, "<html>Bad Gateway</html>", HTML_TYPE) if is_page(call) else None
    with pytest.raises(OdooServerError, match="HTTP 502"):
        mirror_with(source, shadow, PAGES)
    assert len(shadow_rows(database, VISITS)) == (ROWS if known else 0) and news(database) == set()
    after = watermark_of(shadow, VISITS)
    assert (after and after.last_write_date) == (before and before.last_write_date)
    proxy.before = lambda _: None  # it is up again
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_records_that_the_login_may_not_read_one_by_one_are_passed_over_however_many_follow_each_other(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    forbidden = set(range(1, 8)) | set(range(30, 36))

    def refuse(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and any(row["id"] in forbidden for row in rows):
            raise AccessError("Sorry, you are not allowed to access this document.")
        return rows

    odoo.rewrite = refuse
    with pytest.raises(OdooUnreadableRecordsError) as raised:
        mirror_with(source, shadow, PAGES)
    assert f"{VISIT}: Odoo cannot give the records 1, 2," in str(raised.value)
    assert "you are not allowed to access this document" in str(raised.value)
    assert shadow_rows(database, VISITS).keys() == set(range(1, ROWS + 1)) - forbidden


def test_a_model_of_which_the_login_may_read_nothing_fails_soon(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase
) -> None:
    def refuse(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and rows:
            raise AccessError("Sorry, you are not allowed to access this document.")
        return rows

    odoo.rewrite = refuse
    with pytest.raises(OdooAccessError, match="you are not allowed"):
        mirror_with(source, shadow, PAGES)
    assert len(proxy.of("search_read")) < 60


def test_the_last_records_that_the_login_may_not_read_do_not_stop_the_model(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    def refuse(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and any(row["id"] > ROWS - 3 for row in rows):
            raise AccessError("Sorry, you are not allowed to access this document.")
        return rows

    odoo.rewrite = refuse
    with pytest.raises(OdooUnreadableRecordsError):
        mirror_with(source, shadow, PAGES)
    assert shadow_rows(database, VISITS).keys() == set(range(1, ROWS - 2))
