"""A run is never green while Odoo counts more than the shadow holds: whatever ids there are, whatever is not given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.proof import comparison
from odoo_shadow.mirror.sync import id_check
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import (
    OdooRecordIdError,
    OdooRequestError,
    OdooServerError,
    OdooUnreadableRecordsError,
)
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import (
    VISIT,
    VISITS,
    Call,
    CountingProxy,
    in_odoo,
    in_shadow,
    mirror_with,
    row_count,
    visits,
)
from tests.support.odoo_views import VIEW, VIEW_TABLE, add_to_view, remove_from_view, view_of
from tests.support.raw_server import Reply, result
from tests.support.running import StoppedError, column, statuses_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal, shadow_rows
from tests.support.verifying import found_by, verify

ROWS = 40
PAGES = MirrorOptions(batch_size=10, look_back=timedelta(0))
FAR = 2**63 - 1


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of(odoo, host=proxy.url) as opened:
        yield opened


def drop(odoo: StandIn, *ids: int, model: str = VISIT) -> None:
    """Let Odoo drop records whenever they are read, without a word, as it does those whose cache lacks a field."""
    odoo.rewrite = lambda asked, rows: [row for row in rows if asked != model or row["id"] not in ids]


def ids_of(database: str, table: str = VISITS) -> set[int]:
    return set(shadow_rows(database, table))


IDS = {
    "below 32 bits": (-5_000_000_000, -7, 9),
    "zero": (-7, 0, 9),
    "only up to zero": (-7, 0),
    "only zero": (0,),
    "beyond 32 bits": (5, 3_000_000_000, 2**62),
    "the least and the most": (-(2**63), -(2**63) + 1, 0, FAR - 1, FAR),
}


@pytest.mark.sampled
@pytest.mark.parametrize("batch_size", [1, 10])
@pytest.mark.parametrize("ids", IDS.values(), ids=IDS)
def test_whatever_ids_a_view_has_its_rows_are_mirrored(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, ids: tuple[int, ...], batch_size: int
) -> None:
    options = replace(PAGES, batch_size=batch_size)
    with view_of(odoo, *ids):
        assert mirror_with(source, shadow, options, model=VIEW).counts.inserted == len(ids)
        assert ids_of(database, VIEW_TABLE) == set(ids)
        assert found_by(verify(source, shadow, model=VIEW)) == {}
        in_shadow(shadow, "DELETE FROM {odoo_shadow_x_view} WHERE id = {id}", id=ids[0])
        assert found_by(verify(source, shadow, model=VIEW)) == {"missing": [ids[0]]}
        assert mirror_with(source, shadow, options, model=VIEW).counts.inserted == 1
        remove_from_view(odoo, ids[0])
        assert mirror_with(source, shadow, options, model=VIEW).counts.deleted == 1
        assert ids_of(database, VIEW_TABLE) == set(ids[1:])


@pytest.mark.parametrize("ids", [IDS["below 32 bits"], (-(2**63), *range(-3, 4), 2**40)], ids=["below", "both"])
def test_a_scan_of_such_ids_goes_on_where_it_was_stopped(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, ids: tuple[int, ...]
) -> None:
    options = replace(PAGES, batch_size=1)
    with view_of(odoo, *ids):
        with pytest.raises(StoppedError):
            mirror_with(source, shadow, options, model=VIEW, on_progress=stop_after(1))
        assert ids_of(database, VIEW_TABLE) == {ids[0]}
        mirror_with(source, shadow, options, model=VIEW)
        assert ids_of(database, VIEW_TABLE) == set(ids)


def test_a_scan_that_an_earlier_version_began_reads_what_lies_below(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with view_of(odoo, -5_000_000_000, -7, 9):
        with pytest.raises(StoppedError):
            mirror_with(source, shadow, replace(PAGES, batch_size=1), model=VIEW, on_progress=stop_after(1))
        in_shadow(shadow, "DELETE FROM {odoo_shadow_x_view}")
        in_shadow(shadow, "UPDATE {odoo_shadow_watermark} SET scan_last_id = -2147483648")
        mirror_with(source, shadow, PAGES, model=VIEW)
        assert ids_of(database, VIEW_TABLE) == {-5_000_000_000, -7, 9}


def test_what_xml_rpc_cannot_carry_is_told_with_the_cure(odoo: StandIn, shadow: ShadowDatabase, database: str) -> None:
    spoken = {"extras": {"protocol": "xmlrpc"}, "password": odoo.password}
    with view_of(odoo, -5_000_000_000, -7, 9), source_of(odoo, **spoken) as source:
        with pytest.raises(OdooRequestError, match="does not send over XML-RPC: set protocol to jsonrpc"):
            mirror_with(source, shadow, PAGES, model=VIEW)
        remove_from_view(odoo, -5_000_000_000)
        add_to_view(odoo, 0, -(2**31), 2**31 - 1)
        mirror_with(source, shadow, PAGES, model=VIEW)
    assert ids_of(database, VIEW_TABLE) == {-(2**31), -7, 0, 9, 2**31 - 1}


def test_records_without_an_id_make_no_green_run_and_keep_nothing_back(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with view_of(odoo, 5, 9, None):
        for _ in range(2):
            with pytest.raises(OdooRecordIdError, match=r"x_view has 1 record without an id.*All others are mirrored"):
                mirror_with(source, shadow, PAGES, model=VIEW)
            assert ids_of(database, VIEW_TABLE) == {5, 9}
        with pytest.raises(OdooRecordIdError, match="without an id"):
            verify(source, shadow, model=VIEW)
    assert watermark_of(shadow, VIEW_TABLE) is None


@pytest.mark.sampled
@pytest.mark.parametrize("ids", [(1, 1, 2, 3), (1, 2, 3, 3), (1, 2, 2, 3, 4, 4, 5, 6)], ids=str)
@pytest.mark.parametrize("batch_size", [1, 2, 3, 10])
def test_records_that_share_an_id_make_no_green_run(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, ids: tuple[int, ...], batch_size: int
) -> None:
    """Within a page, and where one page ends and the next begins."""
    with (
        view_of(odoo, *ids),
        pytest.raises(OdooRecordIdError, match=r"more than one record with the id .*cannot be mirrored"),
    ):
        mirror_with(source, shadow, replace(PAGES, batch_size=batch_size), model=VIEW)


@pytest.mark.sampled
@pytest.mark.parametrize("dropped", [(1,), (13, 14), (40,), (1, 22, 40), tuple(range(11, 21))], ids=str)
def test_records_that_odoo_lists_and_drops_are_told(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, dropped: tuple[int, ...]
) -> None:
    with visits(odoo, ROWS):
        drop(odoo, *dropped)
        for _ in range(2):
            with pytest.raises(OdooUnreadableRecordsError) as raised:
                mirror_with(source, shadow, PAGES)
            assert f"{VISIT}: Odoo cannot give the records {', '.join(map(str, dropped))};" in str(raised.value)
            assert "it lists the record, but does not return its values" in str(raised.value)
            assert ids_of(database) == set(range(1, ROWS + 1)) - set(dropped)
            assert watermark_of(shadow, VISITS) is None
        assert statuses_of(shadow) == ["error", "error"]
        odoo.rewrite = None
        mirror_with(source, shadow, PAGES)
        assert_equal(odoo, database, [VISIT])


def test_of_many_such_records_the_first_are_named_and_how_many(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, 300):
        drop(odoo, *range(101, 301))
        with pytest.raises(OdooUnreadableRecordsError, match=r"the records 101, 102.*, 120 and 180 more;"):
            mirror_with(source, shadow, replace(PAGES, batch_size=50))
    assert ids_of(database) == set(range(1, 101))


def test_what_is_dropped_from_a_window_does_not_stay_old_in_silence(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, ROWS):
        mirror_with(source, shadow, PAGES)
        before = watermark_of(shadow, VISITS)
        odoo.execute(VISIT, "write", [3, 4], {"x_name": "News"})
        proxy.ahead = timedelta(minutes=1)
        drop(odoo, 3)
        for _ in range(2):
            with pytest.raises(OdooUnreadableRecordsError, match="the records 3;"):
                mirror_with(source, shadow, PAGES)
            after = watermark_of(shadow, VISITS)
            assert before and after and after.last_write_date == before.last_write_date
        assert ids_of(database) == set(range(1, ROWS + 1))  # nothing is taken for gone
        odoo.rewrite = None
        mirror_with(source, shadow, PAGES)
        assert column(shadow, "x_name", [3, 4], VISITS) == {3: "News", 4: "News"}


def test_what_comes_and_goes_while_it_is_read_is_no_trouble(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, ROWS):
        doomed = iter(range(1, ROWS + 1, 4))

        def disturb(call: Call) -> None:
            if call.model == VISIT and call.method in ("search", "search_count", "search_read"):
                odoo.execute(VISIT, "unlink", [number for number in [next(doomed, None)] if number])
                odoo.execute(VISIT, "create", [{"x_name": "New"}])

        proxy.before = disturb
        mirror_with(source, shadow, PAGES)
        proxy.before = lambda _: None
        mirror_with(source, shadow, replace(PAGES, look_back=timedelta(minutes=15)))
        assert_equal(odoo, database, [VISIT])
    assert statuses_of(shadow) == ["success", "success"]


def test_one_gone_and_one_missing_are_found_in_a_small_table(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, ROWS):
        odoo.execute(VISIT, "unlink", [4])
        mirror_with(source, shadow, PAGES)
        in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (4, 'Restored', '2024-01-01')")
        in_odoo(odoo, "DELETE FROM x_visit WHERE id = 32")
        counts = mirror_with(source, shadow, PAGES).counts
        assert (counts.inserted, counts.deleted) == (1, 1)
        assert_equal(odoo, database, [VISIT])


@pytest.fixture
def large(odoo: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A model of so many rows that it is counted in blocks."""
    monkeypatch.setattr(id_check, "FEW_IDS", 10)
    monkeypatch.setattr(id_check, "ROWS_PER_BLOCK", 25)
    with visits(odoo, 400):
        for name in ("size", "number", "block", "shadow"):  # a model may call its fields anything
            odoo.add_field(VISIT, name, "integer")
        yield 400


def test_one_gone_and_one_missing_are_found_in_different_blocks_of_a_large_table(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, large: int
) -> None:
    mirror_with(source, shadow, PAGES)
    in_odoo(odoo, "DELETE FROM x_visit WHERE id = 32")
    in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (%s, 'Old', '2024-01-01')", large + 99)
    in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (-7, 'Old', '2024-01-01')")
    in_odoo(odoo, "DELETE FROM x_visit WHERE id = 232")
    counts = mirror_with(source, shadow, PAGES).counts
    assert (counts.inserted, counts.deleted) == (2, 2)
    assert_equal(odoo, database, [VISIT])


def test_records_of_a_large_table_that_no_page_brings_are_told(
    odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase, database: str, large: int
) -> None:
    """Even when the server hides them from the lists that are read with the pages, and only counts show them."""
    mirror_with(source, shadow, PAGES)
    in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (900, 'Lost', '2024-01-01')")

    def hide(call: Call) -> Reply | None:
        is_list = call.method in ("search", "search_read") and call.named.get("order") != "id desc"
        return result([]) if is_list and call.model == VISIT else None

    if odoo.flavour == "17":  # the answer's form is JSON-RPC's
        proxy.before = hide
        with pytest.raises(OdooServerError, match="listed"):
            mirror_with(source, shadow, PAGES)
    proxy.before = lambda _: None
    drop(odoo, 900)
    with pytest.raises(OdooUnreadableRecordsError, match="the records 900;"):
        mirror_with(source, shadow, PAGES)
    odoo.rewrite = None
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_large_view_with_records_without_an_id_is_told(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_check, "FEW_IDS", 3)
    missing = pytest.raises(OdooRecordIdError, match="x_view has 2 records without an id")
    with view_of(odoo, *range(1, 9), None, None), missing:
        mirror_with(source, shadow, PAGES, model=VIEW)


def test_a_large_view_whose_records_share_ids_between_pages_is_told(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_check, "FEW_IDS", 3)
    with view_of(odoo, *range(1, 11), 10, *range(11, 20)), pytest.raises(OdooRecordIdError):
        mirror_with(source, shadow, PAGES, model=VIEW)


def test_marked_rows_do_not_stand_in_for_missing_ones(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    marking = replace(PAGES, on_delete=OnDelete.MARK)
    with visits(odoo, ROWS):
        mirror_with(source, shadow, marking)
        odoo.execute(VISIT, "unlink", [7, 9])
        mirror_with(source, shadow, marking)
        in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (501, 'Old', '2024-01-01')")
        drop(odoo, 501)
        with pytest.raises(OdooUnreadableRecordsError, match="the records 501;"):
            mirror_with(source, shadow, marking)
        assert len(ids_of(database)) == ROWS and row_count(shadow) == ROWS - 2


@pytest.mark.parametrize("rows", [ROWS, 400], ids=["listed", "counted"])
def test_ignoring_says_that_it_cannot_know_and_finds_what_it_can(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
) -> None:
    ignoring = replace(PAGES, on_delete=OnDelete.IGNORE)
    monkeypatch.setattr(id_check, "FEW_IDS", 100)
    with visits(odoo, rows):
        mirror_with(source, shadow, ignoring)
        odoo.execute(VISIT, "unlink", [7])
        result = mirror_with(source, shadow, ignoring)
        assert result.cannot_know and "counts cannot show" in str(result) and 7 in ids_of(database)
        found = verify(source, shadow)
        assert found.cannot_know and found_by(found) == {}
        for lost in (901, 902):
            in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (%s, 'Old', '2024-01-01')", lost)
        drop(odoo, 902)
        with pytest.raises(OdooUnreadableRecordsError, match="the records 902;"):
            mirror_with(source, shadow, ignoring)
        assert ids_of(database) == {*range(1, rows + 1), 901}


def test_verify_names_what_odoo_lists_and_no_page_brings(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    with visits(odoo, ROWS):
        mirror_with(source, shadow, PAGES)
        in_odoo(odoo, "INSERT INTO x_visit (id, x_name, write_date) VALUES (900, 'Old', '2024-01-01')")
        drop(odoo, 900)
        assert found_by(verify(source, shadow)) == {"missing": [900]}
        with pytest.raises(OdooUnreadableRecordsError, match="the records 900;"):
            verify(source, shadow, repair=True)
        drop(odoo, 7, 900)
        with pytest.raises(OdooUnreadableRecordsError, match="x_visit 7 cannot be read, so it cannot be compared"):
            verify(source, shadow)
        assert 7 in ids_of(database)
        odoo.rewrite = None
        assert verify(source, shadow, repair=True).is_settled
        assert_equal(odoo, database, [VISIT])


def test_verify_finds_what_its_own_pages_leave_out(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for ids in another way as well, so that a fault in reading pages does not agree with itself."""
    with visits(odoo, ROWS):
        mirror_with(source, shadow, PAGES)
        in_shadow(shadow, "DELETE FROM {odoo_shadow_x_visit} WHERE id <= 10")
        monkeypatch.setattr(comparison, "BEFORE_ALL", 10)
        found = verify(source, shadow)
        assert (found.rows, found_by(found)) == (ROWS - 10, {"missing": list(range(1, 11))})
