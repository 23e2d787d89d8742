"""Watermarks come from the web server's clock, `write_date` from its database's: the two may differ, or be wrong."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.running import column, mirror, watermark_of
from tests.support.source_of_truth import assert_equal

BEHIND = timedelta(minutes=40)


def write(odoo: StandIn, number: int, name: str, since_now: timedelta) -> None:
    """Edit a partner as an Odoo does whose database has another clock."""
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(
            "UPDATE res_partner SET name = %s, write_date = now() AT TIME ZONE 'UTC' + %s WHERE id = %s",
            (name, since_now, number),
        )


@pytest.fixture
def settled(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> StandIn:
    """An Odoo whose newest row is three hours old, and its shadow."""
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute("UPDATE res_partner SET write_date = write_date - interval '3 hours'")
    mirror(source, shadow)
    return odoo


def test_an_edit_arrives_whose_date_is_far_behind(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    for turn in range(3):
        write(settled, 5, f"Edit {turn}", timedelta(minutes=turn) - BEHIND)
        mirror(source, shadow)
        assert column(shadow, "name", [5]) == {5: f"Edit {turn}"}
    assert_equal(settled, database, ["res.partner"])


def test_a_late_commit_is_not_lost_once_a_clock_is_known_to_be_behind(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    write(settled, 5, "Tells of the clock", -BEHIND)
    mirror(source, shadow)
    write(settled, 6, "Committed late", -BEHIND - timedelta(minutes=5))  # older than what the shadow has
    mirror(source, shadow)
    assert column(shadow, "name", [6]) == {6: "Committed late"}
    assert_equal(settled, database, ["res.partner"])


def test_what_sql_wrote_long_ago_does_not_make_windows_longer(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    write(settled, 5, "By SQL", timedelta(days=-1))
    with shadow.transaction() as tx:
        tx.run("UPDATE {w} SET newest_write_date = now() - interval '3 days'", w=tx.own("odoo_shadow_watermark"))
    assert mirror(source, shadow).counts.written == 1
    mark = watermark_of(shadow)
    assert mark is not None and mark.lateness == timedelta(0)


@pytest.mark.sampled
@pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(days=3)])
def test_a_date_that_lies_ahead_refuses_no_edit(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, ahead: timedelta
) -> None:
    write(settled, 5, "By a clock that is ahead", ahead)
    mirror(source, shadow)
    write(settled, 5, "By a clock that is right", timedelta(seconds=1))
    mirror(source, shadow)
    assert column(shadow, "name", [5]) == {5: "By a clock that is right"}
    assert_equal(settled, database, ["res.partner"])


def test_an_older_version_does_not_replace_a_newer_one(
    settled: StandIn, source: ApiSource, shadow: ShadowDatabase
) -> None:
    write(settled, 5, "New", timedelta(seconds=-2))
    write(settled, 6, "Newest, and the same later on: no backup was restored", timedelta(seconds=-1))
    mirror(source, shadow)
    write(settled, 5, "As a replica that is behind has it", timedelta(minutes=-1))
    mirror(source, shadow)
    assert column(shadow, "name", [5]) == {5: "New"}
