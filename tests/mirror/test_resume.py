"""A crash costs only time: the next try goes on from the last committed page."""

from __future__ import annotations

from typing import Any

import pytest

from odoo_shadow.mirror.options import Run
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.recording import recording
from tests.support.running import PARTNERS, StoppedError, column, log_of, mirror, scan_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal, shadow_rows

pytestmark = pytest.mark.one_flavour

PAGE = 60


def break_off(source: ApiSource, shadow: ShadowDatabase, pages: int, **settings: Any) -> None:
    with pytest.raises(StoppedError):
        mirror(source, shadow, batch_size=PAGE, on_progress=stop_after(pages), **settings)


def read_whole(source: ApiSource, shadow: ShadowDatabase, odoo: StandIn) -> list[int]:
    """Bring all partners into the window of the next incremental run; return their ids."""
    mirror(source, shadow)
    ids: list[int] = odoo.execute("res.partner", "search", [], 0, None, "id", context={"active_test": False})
    odoo.execute("res.partner", "write", ids, {"function": "changed"})
    return ids


@pytest.mark.parametrize("kind", [ScanKind.FIRST_LOAD, ScanKind.INCREMENTAL, ScanKind.FULL])
def test_the_next_try_goes_on_and_reads_nothing_twice(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, kind: ScanKind
) -> None:
    if kind is not ScanKind.FIRST_LOAD:
        read_whole(source, shadow, odoo)
    full = kind is ScanKind.FULL
    run = Run()
    break_off(source, shadow, 2, run=run, full=full)

    left = scan_of(shadow)
    assert left is not None and left.run_id == run.id
    with recording(odoo) as read:
        odoo.calls.clear()
        result = mirror(source, shadow, run=run, batch_size=PAGE, full=full)

    assert result.resumed and result.kind is kind
    assert min(read) == left.last_id + 1
    assert len(read) == len(set(read))
    everyone = len(shadow_rows(database, PARTNERS))
    assert len(read) == everyone - 2 * PAGE
    pages = [call for call in odoo.calls if call == ("res.partner", "search_read")]
    # Whether Odoo's database is still the same is asked before, and after everything was read.
    asked = 1 if kind is ScanKind.INCREMENTAL else 2
    assert len(pages) - asked == -(-len(read) // PAGE)
    assert scan_of(shadow) is None
    assert_equal(odoo, database, ["res.partner"])
    assert [entry["status"] for entry in log_of(shadow)][-2:] == ["error", "success"]


def test_what_was_committed_stands_with_its_checkpoint(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    for pages in (1, 1, 2):  # each try gets one or two pages further
        break_off(source, shadow, pages)
        scan = scan_of(shadow)
        assert scan is not None
        assert max(shadow_rows(database, PARTNERS)) == scan.last_id
        assert watermark_of(shadow) is None
    assert len(shadow_rows(database, PARTNERS)) == 4 * PAGE
    with shadow.transaction() as tx:
        ((synced, counted),) = tx.run(
            "SELECT rows_synced, row_count FROM {w} JOIN {m} USING (table_name)",
            w=tx.own("odoo_shadow_watermark"),
            m=tx.own("odoo_shadow_meta"),
        )
    assert (synced, counted) == (4 * PAGE, 4 * PAGE)
    log = log_of(shadow)
    assert [(entry["status"], entry["rows_inserted"]) for entry in log] == [
        *(("error", PAGE), ("error", PAGE), ("error", 2 * PAGE))
    ]
    assert log[0]["error_message"] == "after page 1"
    assert mirror(source, shadow).resumed
    assert_equal(odoo, database, ["res.partner"])


def test_pages_may_have_another_size_next_time(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    break_off(source, shadow, 1)
    assert mirror(source, shadow, batch_size=17).resumed
    assert_equal(odoo, database, ["res.partner"])


def test_a_later_wish_for_everything_begins_anew(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    everyone = len(read_whole(source, shadow, odoo))
    break_off(source, shadow, 2)
    with recording(odoo) as read:
        result = mirror(source, shadow, full=True)
    assert (result.kind, result.resumed) == (ScanKind.FULL, False)
    assert len(read) == everyone


def test_a_replay_from_before_the_unfinished_window_reads_all_of_its_own(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    everyone = len(read_whole(source, shadow, odoo))
    break_off(source, shadow, 2)
    mark = watermark_of(shadow)
    assert mark is not None
    with recording(odoo) as read:
        result = mirror(source, shadow, replay_from=lambda _: mark.last_write_date.replace(year=2020))
    assert (result.kind, result.resumed) == (ScanKind.INCREMENTAL, False)  # one window for both
    assert len(read) == len(set(read)) == everyone


def test_the_first_load_of_an_empty_table_ends(own_odoo: StandIn, shadow: ShadowDatabase) -> None:
    own_odoo.add_model("x_empty", {"x_name": "char"})
    with source_of(own_odoo) as source:
        first = mirror(source, shadow, "x_empty")
        assert (first.kind, first.counts.inserted) == (ScanKind.FIRST_LOAD, 0)
        own_odoo.execute("x_empty", "create", [{"x_name": "a"}])
        second = mirror(source, shadow, "x_empty")
        assert (second.kind, second.counts.inserted) == (ScanKind.INCREMENTAL, 1)


@pytest.mark.parametrize("kind", [ScanKind.FIRST_LOAD, ScanKind.INCREMENTAL, ScanKind.FULL])
def test_a_later_run_that_goes_on_still_loses_nothing(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, kind: ScanKind
) -> None:
    """Promise 1 counts from the beginning of the run that ended well, not of the one that broke off."""
    if kind is not ScanKind.FIRST_LOAD:
        read_whole(source, shadow, odoo)
    full = kind is ScanKind.FULL
    break_off(source, shadow, 2, full=full)
    (created,) = odoo.execute("res.partner", "create", [{"name": "Created before the second run"}])
    first = odoo.execute("res.partner", "search", [], 0, 1, "id")
    odoo.execute("res.partner", "write", first, {"name": f"Edited before the second {kind} run"})

    mirror(source, shadow, batch_size=PAGE, full=full)

    assert column(shadow, "name", [*first, created]) == {
        first[0]: f"Edited before the second {kind} run",
        created: "Created before the second run",
    }
    assert_equal(odoo, database, ["res.partner"])


def test_the_run_after_that_finds_it_at_the_latest(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    break_off(source, shadow, 2)
    odoo.execute("res.partner", "create", [{"name": "Created in between"}])
    odoo.execute("res.partner", "write", odoo.execute("res.partner", "search", [], 0, 1, "id"), {"name": "Edited"})
    mirror(source, shadow)
    mirror(source, shadow)
    assert_equal(odoo, database, ["res.partner"])
