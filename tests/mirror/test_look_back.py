"""The window: long transactions, shared seconds, and writes while the scan runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from odoo_shadow.mirror.sync.progress import Progress
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.running import column, mirror, wait_until_after, watermark_of
from tests.support.source_of_truth import assert_equal

NONE = timedelta(0)


@pytest.fixture
def without_look_back(database: str) -> Iterator[ShadowDatabase]:
    """A second mirror of the same Odoo, to show what a look-back is good for."""
    with ShadowDatabase.from_url(database, schema="without_look_back") as opened:
        yield opened


def test_a_transaction_that_commits_late_is_not_lost(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, without_look_back: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    mirror(source, without_look_back, look_back=NONE)
    with odoo.transaction() as slow:
        slow.execute("res.partner", "write", [5], {"name": "Late"})
        (created,) = slow.execute("res.partner", "create", [{"name": "Late too"}])
        wait_until_after(source, slow.execute("res.partner", "read", [created], ["write_date"])[0]["write_date"])
        odoo.execute("res.partner", "write", [6], {"name": "Meanwhile"})  # or the newest date would tell
        wait_until_after(source, odoo.execute("res.partner", "read", [6], ["write_date"])[0]["write_date"])
        mirror(source, shadow)
        mirror(source, without_look_back, look_back=NONE)
        assert column(shadow, "name", [created]) == {}

    mirror(source, shadow)
    mirror(source, without_look_back, look_back=NONE)

    assert column(shadow, "name", [5, created]) == {5: "Late", created: "Late too"}
    assert_equal(odoo, database, ["res.partner"])
    # The same Odoo, the same moments: only the look-back makes the difference. A new row betrays itself by the count.
    assert column(without_look_back, "name", [created]) == {created: "Late too"}
    assert column(without_look_back, "name", [5]) != {5: "Late"}


def set_write_date(odoo: StandIn, number: int, moment: datetime, name: str) -> None:
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(
            "UPDATE res_partner SET name = %s, write_date = %s AT TIME ZONE 'UTC' WHERE id = %s", (name, moment, number)
        )


@pytest.mark.sampled
@pytest.mark.parametrize("microseconds", [0, 1, 500_000, 999_999])
def test_the_second_of_the_watermark_is_read_again(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, microseconds: int
) -> None:
    mirror(source, shadow)
    with shadow.transaction() as tx:  # as if a row had been written in that very second
        tx.run("UPDATE {w} SET newest_write_date = last_write_date", w=tx.own("odoo_shadow_watermark"))
    mark = watermark_of(shadow)
    assert mark is not None
    set_write_date(odoo, 5, mark.last_write_date + timedelta(microseconds=microseconds), f"Same second, {microseconds}")
    set_write_date(odoo, 6, mark.last_write_date - timedelta(microseconds=1), "The second before")
    assert mirror(source, shadow, look_back=NONE).counts == RowCounts(updated=1)
    assert column(shadow, "name", [5]) == {5: f"Same second, {microseconds}"}


def test_two_writes_within_a_second_both_arrive(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror(source, shadow)
    mark = watermark_of(shadow)
    assert mark is not None
    moment = mark.last_write_date + timedelta(seconds=1)
    for microseconds, name in ((100_000, "First"), (200_000, "Second"), (150_000, "Third, with an older clock")):
        set_write_date(odoo, 5, moment + timedelta(microseconds=microseconds), name)
        mirror(source, shadow)
        assert column(shadow, "name", [5]) == {5: name}


def test_rows_that_share_a_moment_are_paged_by_id(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    everyone = odoo.execute("res.partner", "search", [], 0, 200, "id")
    odoo.execute("res.partner", "write", everyone, {"ref": "one bulk write"})
    assert mirror(source, shadow, batch_size=30).counts.updated >= len(everyone)
    assert set(column(shadow, "ref", everyone).values()) == {"one bulk write"}
    assert_equal(odoo, database, ["res.partner"])


@pytest.mark.parametrize("first_load", [True, False], ids=["first load", "incremental"])
def test_what_is_written_while_a_scan_runs_is_not_lost(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, first_load: bool
) -> None:
    if not first_load:
        mirror(source, shadow)
        odoo.execute("res.partner", "write", odoo.execute("res.partner", "search", []), {"ref": "all in the window"})
    ids = odoo.execute("res.partner", "search", [], 0, None, "id")
    behind, ahead, untouched = ids[:10], ids[-10:], ids[10:-10]
    created: list[int] = []

    def write_meanwhile(progress: Progress) -> None:
        if not created:
            created.extend(odoo.execute("res.partner", "create", [{"name": "Created meanwhile"}]))
            odoo.execute("res.partner", "write", behind, {"name": "Behind the scan"})
            odoo.execute("res.partner", "write", ahead, {"name": "Ahead of the scan"})

    before = {number: name for number, name in _names(odoo).items() if number in untouched}
    mirror(source, shadow, batch_size=60, on_progress=write_meanwhile)
    assert column(shadow, "name", untouched) == before
    assert set(column(shadow, "name", ids)) == set(ids)

    mirror(source, shadow, batch_size=60)
    assert set(column(shadow, "name", [*behind, *ahead, *created]).values()) == {
        *("Behind the scan", "Ahead of the scan", "Created meanwhile")
    }
    assert_equal(odoo, database, ["res.partner"])


def test_a_scan_ends_though_rows_keep_coming(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> None:
    pages = 0

    def one_more(progress: Progress) -> None:
        nonlocal pages
        pages += 1
        odoo.execute("project.project", "create", [{"name": "One more"}])

    rows = len(odoo.execute("project.project", "search", [], context={"active_test": False}))
    result = mirror(source, shadow, "project.project", batch_size=1, on_progress=one_more)
    assert pages == rows
    assert result.counts.inserted == 2 * rows  # those that came are found by the count at the end
    assert mirror(source, shadow, "project.project").counts.inserted == 0


def _names(odoo: StandIn) -> dict[int, str | None]:
    found = odoo.execute("res.partner", "search_read", [], ["name"], context={"active_test": False})
    return {row["id"]: row["name"] or None for row in found}
