"""Watermarks, checkpoints, and the two functions by which others read and write watermarks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.lease import Lease, take_lease
from odoo_shadow.shadow.state.watermarks import (
    NEVER,
    Scan,
    finish_scan,
    read_scan,
    read_watermark,
    save_scan,
)
from tests.support.tables import NOON, make_base, make_table

TABLE = "odoo_shadow_res_partner"
SCHEMAS = ["odoo_shadow", "public"]  # the functions' own names, and those in public


def call(url: str, statement: str, *values: object) -> object:
    with psycopg.connect(url) as connection:
        ((value,),) = connection.execute(statement.encode(), values).fetchall()
        return value


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_table_without_watermark_is_at_1970(shadow: ShadowDatabase, database: str, schema: str) -> None:
    make_base(shadow)
    assert call(database, f"SELECT {schema}.get_shadow_watermark(%s)", "nonsense") == datetime(1970, 1, 1, tzinfo=UTC)
    with shadow.transaction() as tx:
        assert read_watermark(tx, "nonsense") is None


@pytest.mark.parametrize("schema", SCHEMAS)
def test_other_writers_move_a_watermark(shadow: ShadowDatabase, database: str, schema: str) -> None:
    make_base(shadow)
    update = f"SELECT {schema}.update_shadow_watermark"
    call(database, f"{update}(%s, %s, %s, %s)", TABLE, NOON, 7, 100)
    with shadow.transaction() as tx:
        first = read_watermark(tx, TABLE)
    assert first is not None
    assert (first.last_write_date, first.last_id, first.rows_synced) == (NOON, 7, 100)
    call(database, f"{update}(%s, %s, p_rows_synced => 11)", TABLE, NOON - timedelta(days=1))
    with shadow.transaction() as tx:
        second = read_watermark(tx, TABLE)
    assert second is not None
    assert (second.last_write_date, second.last_id, second.rows_synced) == (NOON - timedelta(days=1), 7, 111)
    assert second.updated_at is not None and first.updated_at is not None
    assert second.updated_at > first.updated_at
    assert call(database, f"SELECT {schema}.get_shadow_watermark(%s)", TABLE) == NOON - timedelta(days=1)


def test_the_arguments_of_the_functions_can_be_given_by_name(shadow: ShadowDatabase, database: str) -> None:
    make_base(shadow)
    call(database, "SELECT odoo_shadow.update_shadow_watermark(p_table_name => %s, p_write_date => %s)", TABLE, NOON)
    assert call(database, "SELECT odoo_shadow.get_shadow_watermark(p_table_name => %s)", TABLE) == NOON


def test_a_claimed_table_has_no_watermark_yet(shadow: ShadowDatabase, database: str) -> None:
    table = make_table(shadow)
    with shadow.transaction() as tx:
        take_lease(tx, table, Lease("test", uuid4()))
        assert read_watermark(tx, table) is None
        assert read_scan(tx, table) is None
    assert call(database, "SELECT odoo_shadow.get_shadow_watermark(%s)", table) == NEVER


def test_a_checkpoint_comes_back_as_it_was_saved(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    scan = Scan(run_id=uuid4(), full=True, low=NOON - timedelta(hours=1), high=NOON, up_to_id=2**40, last_id=2**33)
    with shadow.transaction() as tx:
        take_lease(tx, table, Lease("test", uuid4()))
        save_scan(tx, table, scan, rows_written=5)
    with shadow.transaction() as tx:
        assert read_scan(tx, table) == scan
        assert read_watermark(tx, table) is None


def test_a_finished_scan_leaves_a_watermark_and_no_checkpoint(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    scan = Scan(run_id=uuid4(), full=False, low=None, high=NOON, up_to_id=50, last_id=50)
    with shadow.transaction() as tx:
        take_lease(tx, table, Lease("test", uuid4()))
        save_scan(tx, table, scan, rows_written=5)
        save_scan(tx, table, scan, rows_written=2)
        reached = finish_scan(tx, table, scan)
    assert (reached.last_write_date, reached.last_id, reached.rows_synced) == (NOON, 50, 7)
    with shadow.transaction() as tx:
        assert read_watermark(tx, table) == reached
        assert read_scan(tx, table) is None


@pytest.mark.parametrize(("up_to_id", "last_id"), [(None, 50), (20, 50), (60, 60)])
def test_the_highest_id_does_not_go_back(shadow: ShadowDatabase, up_to_id: int | None, last_id: int) -> None:
    table = make_table(shadow)
    with shadow.transaction() as tx:
        take_lease(tx, table, Lease("test", uuid4()))
        finish_scan(tx, table, Scan(run_id=uuid4(), full=False, low=None, high=NOON, up_to_id=50, last_id=50))
        later = Scan(run_id=uuid4(), full=False, low=NOON, high=NOON + timedelta(hours=1), up_to_id=up_to_id, last_id=9)
        assert finish_scan(tx, table, later).last_id == last_id


def test_a_table_that_was_always_empty_has_no_highest_id(shadow: ShadowDatabase) -> None:
    table = make_table(shadow)
    with shadow.transaction() as tx:
        take_lease(tx, table, Lease("test", uuid4()))
        reached = finish_scan(
            tx, table, Scan(run_id=uuid4(), full=False, low=None, high=NOON, up_to_id=None, last_id=0)
        )
    assert (reached.last_write_date, reached.last_id) == (NOON, None)
