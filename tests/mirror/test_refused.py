"""Records that Odoo gives and the shadow cannot take: told with their fields and tried again; all others arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.config.model_settings import ModelSettings
from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.mirror.sync import refusals
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import RefusedRecordsError
from odoo_shadow.shadow.on_delete import OnDelete
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooServerError, OdooUnreadableRecordsError
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, CountingProxy, in_odoo, in_shadow, mirror_with, row_count, visits
from tests.support.running import StoppedError, column, log_of, statuses_of, stop_after, watermark_of
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows
from tests.support.verifying import found_by, verify

ROWS = 40
ALL = set(range(1, ROWS + 1))
PAGES = MirrorOptions(batch_size=10, look_back=timedelta(0))
SECRET = "hunter2"
ROUNDED = "SET x_count = 9007199254740993"  # 2**53 + 1, which Odoo sends as 2**53
MARK_AND_COUNT = "SELECT _deleted_at IS NOT NULL, x_count FROM {odoo_shadow_x_visit} WHERE id = 7"
AN_HOUR_AGO = "write_date = now() AT TIME ZONE 'UTC' - interval '1 hour'"


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    """A client; a small model has an integer field whose column holds more than Odoo can send."""
    with source_of(odoo, host=proxy.url) as opened, visits(odoo, ROWS):
        odoo.add_field(VISIT, "x_count", "integer", default=3)
        in_odoo(odoo, "ALTER TABLE x_visit ALTER COLUMN x_count TYPE bigint")
        yield opened


@pytest.fixture
def loaded(odoo: StandIn, source: ApiSource, proxy: CountingProxy, shadow: ShadowDatabase) -> None:
    """All rows are mirrored, and a minute has gone by."""
    mirror_with(source, shadow, PAGES)
    proxy.ahead = timedelta(minutes=1)


def constrain(database: str, what: str) -> None:
    """Add something to the shadow's table, as one of its users may."""
    with psycopg.connect(database) as connection:
        connection.execute(f"ALTER TABLE odoo_shadow.{VISITS} {what}".encode())


def write(odoo: StandIn, number: int, name: str) -> None:
    odoo.execute(VISIT, "write", [number], {"x_name": name})


def names(shadow: ShadowDatabase) -> dict[int, Any]:
    return column(shadow, "x_name", ALL, VISITS)


def refused(source: ApiSource, shadow: ShadowDatabase, options: MirrorOptions = PAGES, **more: Any) -> str:
    """Run into an error; return what it says."""
    with pytest.raises(RefusedRecordsError) as raised:
        mirror_with(source, shadow, options, **more)
    assert "\n" not in str(raised.value) and SECRET not in str(raised.value)
    entry = log_of(shadow)[-1]
    assert (entry["status"], entry["error_message"]) == ("error", str(raised.value))
    return str(raised.value)


def test_a_value_that_odoo_sends_rounded_is_never_stored(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id IN (7, 23)")
    assert refused(source, shadow) == (
        "x_visit: the shadow cannot take the records 7 ('x_count'), 23 ('x_count') (the first: a whole number beyond "
        "2**53, which Odoo sends rounded, so its exact value is not known); all others are mirrored, and the "
        "watermark waits for these."
    )
    assert set(names(shadow)) == ALL - {7, 23} and row_count(shadow) == ROWS - 2
    refused(source, shadow)  # and it is told again
    assert found_by(verify(source, shadow)) == {"missing": [7, 23]}
    in_odoo(odoo, "UPDATE x_visit SET x_count = 9007199254740991 WHERE id IN (7, 23)")  # write_date is as before
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])
    assert found_by(verify(source, shadow)) == {}


@pytest.mark.parametrize(
    ("guard", "reason"),
    [
        ("ADD CONSTRAINT short CHECK (length(x_name) < 40)", 'new row for relation "odoo_shadow_x_visit" violates'),
        ("ADD COLUMN made int GENERATED ALWAYS AS (1 / (40 - length(x_name))) STORED", "a value does not fit"),
    ],
    ids=["a constraint", "a generated column"],
)
def test_a_row_that_somebody_lets_the_table_refuse_stays_as_it_was(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    loaded: None,
    guard: str,
    reason: str,
) -> None:
    constrain(database, guard)
    for number in (20, 21, 22):
        write(odoo, number, "News" if number != 21 else SECRET.ljust(40))
    before, mark = shadow_rows(database, VISITS)[21], watermark_of(shadow, VISITS)
    assert f"the records 21 ('x_name') (the first: {reason}" in refused(source, shadow)
    after = shadow_rows(database, VISITS)
    assert (after[20]["x_name"], after[21], after[22]["x_name"]) == ("News", before, "News")
    reached, written = watermark_of(shadow, VISITS), expected_rows(odoo, VISIT)[21]["_odoo_write_date"]
    assert mark is not None and reached is not None and isinstance(written, datetime)
    assert mark.last_write_date <= reached.last_write_date <= written.astimezone(UTC)
    assert found_by(verify(source, shadow)) == {"stale": [21]}
    constrain(database, "DROP CONSTRAINT IF EXISTS short, DROP COLUMN IF EXISTS made")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])
    assert statuses_of(shadow) == ["success", "error", "success"]


def test_a_record_that_is_refused_is_neither_missing_nor_gone(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id = 7")
    refused(source, shadow)  # never in the shadow
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED}, {AN_HOUR_AGO} WHERE id = 8")  # there in another version
    odoo.execute(VISIT, "unlink", [9])
    assert "the records 7 ('x_count'), 8 ('x_count') (" in refused(source, shadow)
    assert set(names(shadow)) == ALL - {7, 9} and row_count(shadow) == ROWS - 2
    assert column(shadow, "x_count", [8], VISITS) == {8: 3}
    assert found_by(verify(source, shadow)) == {"missing": [7], "differing": [8]}
    with pytest.raises(RefusedRecordsError, match="the records 7 "):
        verify(source, shadow, repair=True)
    assert set(names(shadow)) == ALL - {7, 9}


def test_without_a_write_date_it_is_found_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED}, write_date = NULL WHERE id = 7")
    for _ in range(3):
        assert "the records 7 ('x_count') (" in refused(source, shadow)
    in_odoo(odoo, "UPDATE x_visit SET x_count = 4 WHERE id = 7")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_record_of_long_ago_sets_the_watermark_back_to_never(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED}, write_date = '0024-05-13' WHERE id = 7")
    for _ in range(2):
        assert "the records 7 ('x_count') (" in refused(source, shadow)
        assert in_shadow(shadow, "SELECT last_write_date::date::text FROM {odoo_shadow_watermark}") == [("1970-01-01",)]
    in_odoo(odoo, "UPDATE x_visit SET x_count = 4 WHERE id = 7")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_run_that_is_killed_after_it_does_not_forget_the_record(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id = 7")
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, PAGES, on_progress=stop_after(3))
    assert set(names(shadow)) == set(range(1, 31)) - {7}
    in_odoo(odoo, "UPDATE x_visit SET x_count = 4 WHERE id = 7")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_new_column_is_filled_for_all_others(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, loaded: None
) -> None:
    odoo.add_field(VISIT, "x_grade", "integer", default=1)
    in_odoo(odoo, "ALTER TABLE x_visit ALTER COLUMN x_grade TYPE bigint")
    in_odoo(odoo, "UPDATE x_visit SET x_grade = 9007199254740993 WHERE id = 21")
    write(odoo, 30, "News")
    for _ in range(2):
        assert "the records 21 ('x_grade') (" in refused(source, shadow)
        assert column(shadow, "x_grade", ALL, VISITS) == {number: None if number == 21 else 1 for number in ALL}
    assert names(shadow)[30] == "News"
    in_odoo(odoo, "UPDATE x_visit SET x_grade = 2 WHERE id = 21")
    mirror_with(source, shadow, PAGES)
    assert_equal(odoo, database, [VISIT])


def test_a_field_that_odoo_does_not_store_is_refreshed_for_all_others(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_shown", "char", store=False, mirror_of="x_name")
    shown = ModelSettings(extra_fields=("x_shown",))
    mirror_with(source, shadow, PAGES, settings=shown)
    constrain(database, "ADD CONSTRAINT short CHECK (length(x_shown) < 40)")
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'News' WHERE id = 20")  # write_date does not move
    in_odoo(odoo, "UPDATE x_visit SET x_name = %s WHERE id = 21", SECRET.ljust(40))
    before = column(shadow, "x_shown", [21], VISITS)
    assert "the records 21 ('x_shown') (" in refused(source, shadow, settings=shown)
    assert column(shadow, "x_shown", [20, 21], VISITS) == {20: "News", **before}


def test_what_odoo_cannot_give_and_what_the_shadow_cannot_take_are_told_together(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    def stumble(model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if model == VISIT and any(row["id"] == 5 and "x_name" in row for row in rows):
            raise ValueError("a value that cannot be read")
        return rows

    odoo.rewrite = stumble
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id = 7")
    said = r"cannot give the records 5, and the shadow cannot take the records 7 \('x_count'\) .*cannot be read"
    with pytest.raises(OdooUnreadableRecordsError, match=said):
        mirror_with(source, shadow, PAGES)
    assert set(names(shadow)) == ALL - {5, 7}


@pytest.mark.parametrize("sound", [0, 1])
def test_where_no_record_fits_it_is_not_for_single_values(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, sound: int
) -> None:
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id > {sound}")
    if sound:
        said = refused(source, shadow, MirrorOptions(batch_size=ROWS))
        assert "the records 2 ('x_count'), 3 ('x_count')," in said and "11 ('x_count') and 29 others (the first" in said
        return
    with pytest.raises(OdooServerError, match=r"x_visit 1: .*'x_count': a whole number .*was a module upgraded"):
        mirror_with(source, shadow, MirrorOptions(batch_size=ROWS))


def test_with_far_too_many_no_more_are_read(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MOST_REFUSED", 3)
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id IN (7, 8, 17, 27, 37)")
    assert "; these are so many that the run has stopped." in refused(source, shadow)
    assert set(names(shadow)) == set(range(1, 21)) - {7, 8, 17}
    in_odoo(odoo, "UPDATE x_visit SET x_count = 1 WHERE id IN (27, 37)")
    assert "all others are mirrored" in refused(source, shadow)


def test_a_row_that_is_here_again_stays_marked_while_it_is_refused(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    mark = MirrorOptions(batch_size=10, look_back=timedelta(0), on_delete=OnDelete.MARK)
    mirror_with(source, shadow, mark)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET _deleted_at = now() WHERE id = 7")
    in_odoo(odoo, f"UPDATE x_visit {ROUNDED} WHERE id = 7")
    full = MirrorOptions(batch_size=10, full=True, on_delete=OnDelete.MARK)
    assert "the records 7 " in refused(source, shadow, full)
    ((is_marked,),) = in_shadow(shadow, "SELECT _deleted_at IS NOT NULL FROM {odoo_shadow_x_visit} WHERE id = 7")
    assert is_marked
    in_odoo(odoo, "UPDATE x_visit SET x_count = 5 WHERE id = 7")
    mirror_with(source, shadow, full)
    ((is_marked, count),) = in_shadow(shadow, MARK_AND_COUNT)
    assert (is_marked, count) == (False, 5)
