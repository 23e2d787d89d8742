"""Later runs: only what changed, but all of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest

from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.running import PARTNERS, calls_of, column, mirror, statuses_of, watermark_of
from tests.support.source_of_truth import assert_equal, expected_rows, shadow_rows


def test_creates_edits_and_archiving_are_picked_up(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    active = odoo.execute("res.partner", "search", [("active", "=", True)], 0, 3, "id desc")
    archived = odoo.execute("res.partner", "search", [("active", "=", False)], 0, 1, "id")
    (created,) = odoo.execute("res.partner", "create", [{"name": "New"}])
    odoo.execute("res.partner", "write", [active[0]], {"name": "Edited", "ref": False})
    odoo.execute("res.partner", "write", [active[1]], {"active": False})
    odoo.execute("res.partner", "write", archived, {"active": True})
    odoo.execute("res.partner", "write", [active[2]], {"company_id": 3})

    result = mirror(source, shadow)

    assert (result.kind, result.counts.inserted) == (ScanKind.INCREMENTAL, 1)
    assert result.counts.updated >= 4  # and what Odoo recomputed
    assert column(shadow, "name", [created, active[0]]) == {created: "New", active[0]: "Edited"}
    assert column(shadow, "active", [active[1], *archived]) == {active[1]: False, archived[0]: True}
    assert column(shadow, "company_id", [active[2]]) == {active[2]: 3}
    assert_equal(odoo, database, ["res.partner"])


def test_each_run_takes_up_where_the_last_one_ended(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    mirror(source, shadow)
    for number in range(3):
        (created,) = odoo.execute("res.partner", "create", [{"name": f"Number {number}"}])
        assert mirror(source, shadow).counts == RowCounts(inserted=1, unchanged=number)
        assert column(shadow, "name", [created]) == {created: f"Number {number}"}
    assert_equal(odoo, database, ["res.partner"])
    mark = watermark_of(shadow)
    assert mark is not None and mark.last_id == created
    assert mark.rows_synced == len(expected_rows(odoo, "res.partner"))


@pytest.mark.parametrize("model", ["res.company", "res.partner"])
def test_a_run_without_changes_costs_four_calls_at_the_most(
    shared_odoo: StandIn, shared_source: ApiSource, shadow: ShadowDatabase, database: str, model: str
) -> None:
    mirror(shared_source, shadow, model)
    table = f"odoo_shadow_{model.replace('.', '_')}"
    with psycopg.connect(database) as connection:
        query = f"SELECT id, xmin::text, _synced_at FROM odoo_shadow.{table} ORDER BY id".encode()  # noqa: S608
        before = connection.execute(query).fetchall()
        connection.commit()
        shared_odoo.calls.clear()
        result = mirror(shared_source, shadow, model)
        # Whether Odoo's database is the same, the fields, what was written, how many records there are, and which.
        calls = calls_of(shared_odoo)
        assert len(calls) <= 5, calls
        assert calls.count((model, "search_read")) == 1
        assert (result.kind, result.counts.written) == (ScanKind.INCREMENTAL, 0)
        assert connection.execute(query).fetchall() == before


def test_a_run_without_changes_moves_the_watermark(shared_source: ApiSource, shadow: ShadowDatabase) -> None:
    mirror(shared_source, shadow)
    with shadow.transaction() as tx:
        tx.run("UPDATE {w} SET last_write_date = now() - interval '1 hour'", w=tx.own("odoo_shadow_watermark"))
    before = watermark_of(shadow)
    mirror(shared_source, shadow)
    after = watermark_of(shadow)
    assert before is not None and after is not None
    assert after.last_write_date - before.last_write_date > timedelta(minutes=59)
    assert after.last_id == before.last_id


def test_a_model_without_write_date_is_read_whole_each_time(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    first = mirror(source, shadow, "mail.followers")
    partner = odoo.execute("res.partner", "search", [], 0, 1)[0]
    odoo.execute("mail.followers", "create", [{"res_model": "sale.order", "res_id": 1, "partner_id": partner}])
    with psycopg.connect(odoo.dsn) as connection:  # nothing tells of it but the row itself
        connection.execute("UPDATE mail_followers SET res_model = 'x' WHERE id = 1")
    second = mirror(source, shadow, "mail.followers")
    assert second.kind is ScanKind.FULL
    assert second.counts == RowCounts(inserted=1, updated=1, unchanged=first.counts.inserted - 1)
    assert_equal(odoo, database, ["mail.followers"])


def test_a_full_run_reads_everything_and_writes_what_differs(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    rows = mirror(source, shadow).counts.inserted
    with psycopg.connect(odoo.dsn) as connection:  # a migration or a restored backup sets write_date back
        connection.execute("UPDATE res_partner SET name = 'Older', write_date = '2020-01-01' WHERE id = 5")
    assert mirror(source, shadow).counts.written == 0
    result = mirror(source, shadow, full=True)
    assert (result.kind, result.counts) == (ScanKind.FULL, RowCounts(updated=1, unchanged=rows - 1))
    assert_equal(odoo, database, ["res.partner"])


@pytest.fixture
def edited_by_hand(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> datetime:
    """The watermark of a shadow that lacks an edit two hours old: only a replay finds it."""
    odoo.execute("res.partner", "write", [6], {"name": "A minute ago"})
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute("UPDATE res_partner SET write_date = write_date - interval '1 minute' WHERE id = 6")
    result = mirror(source, shadow)
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(
            "UPDATE res_partner SET name = 'Two hours ago', write_date = now() AT TIME ZONE 'UTC' - interval '2 hours'"
            " WHERE id = 5"
        )
    return result.watermark.last_write_date


def test_a_replay_goes_further_back(
    edited_by_hand: datetime, odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    assert mirror(source, shadow).counts.written == 0
    asked: list[str] = []

    def three_hours_ago(table: str) -> datetime:
        asked.append(table)
        return edited_by_hand - timedelta(hours=3)

    result = mirror(source, shadow, replay_from=three_hours_ago)
    assert asked == [PARTNERS]
    assert (result.kind, result.counts.updated) == (ScanKind.INCREMENTAL, 1)
    assert result.watermark.last_write_date >= edited_by_hand
    assert_equal(odoo, database, ["res.partner"])


def test_a_younger_moment_than_the_watermark_is_ignored(
    edited_by_hand: datetime, odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.execute("res.partner", "write", [6], {"name": "Now"})
    mirror(source, shadow, replay_from=lambda _: edited_by_hand + timedelta(days=1))
    assert column(shadow, "name", [6]) == {6: "Now"}


def test_before_the_first_load_nothing_but_a_first_load_helps(
    shared_source: ApiSource, shadow: ShadowDatabase, database: str, shared_odoo: StandIn
) -> None:
    result = mirror(shared_source, shadow, replay_from=lambda _: shared_source.client.server_time())
    assert result.kind is ScanKind.FIRST_LOAD
    assert_equal(shared_odoo, database, ["res.partner"])


def test_a_table_that_somebody_dropped_is_loaded_again(
    shared_source: ApiSource, shadow: ShadowDatabase, database: str, shared_odoo: StandIn
) -> None:
    mirror(shared_source, shadow)
    with shadow.transaction() as tx:
        tx.run("DROP TABLE {table} CASCADE", table=tx.own(PARTNERS))
    mirror(shared_source, shadow)
    assert_equal(shared_odoo, database, ["res.partner"])
    with psycopg.connect(database) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM public.odoo_shadow_res_partner").fetchall()
        ((noted,),) = connection.execute("SELECT row_count FROM odoo_shadow_meta").fetchall()
    assert count == noted == len(shadow_rows(database, PARTNERS))
    assert statuses_of(shadow) == ["success", "success"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Asia/Kathmandu"])
def test_the_database_may_live_in_any_time_zone(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, zone: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET TimeZone = '{zone}'".encode())
    mirror(source, shadow)
    odoo.execute("res.partner", "write", [5], {"name": zone})
    result = mirror(source, shadow)
    assert column(shadow, "name", [5]) == {5: zone}
    assert result.counts.unchanged == 0
    assert_equal(odoo, database, ["res.partner"])


SETTINGS = {"DateStyle": "German", "IntervalStyle": "sql_standard", "extra_float_digits": "0", "search_path": "nowhere"}


@pytest.mark.sampled
@pytest.mark.parametrize(("setting", "value"), SETTINGS.items())
def test_the_database_may_have_settings_of_its_own(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, setting: str, value: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'".encode())
    mirror(source, shadow)
    odoo.execute("res.partner", "write", [5], {"name": f"{setting} {value}"})
    assert mirror(source, shadow).counts.updated >= 1
    assert column(shadow, "name", [5]) == {5: f"{setting} {value}"}
