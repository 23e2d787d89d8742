"""A mirror and a table at a glance are what runs did, read by three queries each, whoever reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.mirror.health.health import read_health
from odoo_shadow.mirror.health.overview import MirrorOverview, TableDetail, read_overview, read_table
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.proof.verify import Depth
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state.registry import list_tables
from odoo_shadow.shadow.trust import Trust
from odoo_shadow.source.api.source import ApiSource
from odoo_shadow.source.errors import OdooError
from odoo_stand_in import AccessError, StandIn
from tests.support.catalog import contents
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, in_odoo, in_shadow, mirror_with, visits
from tests.support.planning import plan
from tests.support.roles import as_role, new_role, run_as_owner
from tests.support.running import log_of
from tests.support.statements import noting
from tests.support.verifying import verify

pytestmark = pytest.mark.one_flavour

ROWS = 30
NOW = datetime.now(UTC)
FORMER = Path(__file__).parents[1] / "shadow" / "former"
MOST_QUERIES = 3
COMPANIES = "odoo_shadow_res_company"


@pytest.fixture
def source(odoo: StandIn) -> Iterator[ApiSource]:
    with source_of(odoo) as opened, visits(odoo, ROWS):
        yield opened


@pytest.fixture
def history(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase) -> list[Run]:
    """Four runs: a first load, one that changes a row, one that fails, one with nothing to do; and verifications."""
    runs = [Run(), Run(), Run(), Run()]
    for model in (VISIT, "res.company"):
        mirror_with(source, shadow, model=model, run=runs[0])
    odoo.add_field(VISIT, "x_note", "char")
    in_odoo(odoo, "UPDATE x_visit SET x_name = 'x', write_date = now() WHERE id = 1")
    in_odoo(odoo, "DELETE FROM x_visit WHERE id = 2")
    mirror_with(source, shadow, run=runs[1])
    plan(source, shadow, ["res.company"], run=runs[2])
    fail(odoo, source, shadow, "res.company", runs[2])
    mirror_with(source, shadow, model="res.company", run=runs[2])
    plan(source, shadow, ["res.company"], run=runs[3])
    verify(source, shadow, Depth.QUICK)
    in_shadow(shadow, "UPDATE {odoo_shadow_x_visit} SET x_name = 'y' WHERE id = 3")
    verify(source, shadow, Depth.FULL)
    return runs


def fail(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, model: str, run: Run) -> None:
    """Let a run of one model fail."""

    def refuse(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if name == model:
            raise AccessError("not now")
        return rows

    odoo.rewrite = refuse
    with pytest.raises(OdooError):
        mirror_with(source, shadow, model=model, run=run, options=MirrorOptions(full=True))
    odoo.rewrite = None


def overview(shadow: ShadowDatabase) -> MirrorOverview:
    with shadow.transaction() as tx:
        return read_overview(tx, NOW)


def detail(shadow: ShadowDatabase, table: str = VISITS) -> TableDetail | None:
    with shadow.transaction() as tx:
        return read_table(tx, table, NOW)


def test_a_mirror_is_read_by_three_queries(history: list[Run], database: str) -> None:
    before = contents(database)
    with noting(database) as (shadow, statements):
        overview(shadow)
        assert len(statements) <= MOST_QUERIES
        statements.clear()
        assert detail(shadow)
        assert len(statements) <= MOST_QUERIES
        statements.clear()
        with shadow.transaction() as tx:
            read_health(tx, NOW)
        assert len(statements) <= MOST_QUERIES
    assert contents(database) == before


def test_its_tables_are_those_of_the_status(history: list[Run], shadow: ShadowDatabase) -> None:
    with shadow.transaction() as tx:
        found, health = read_overview(tx, NOW), read_health(tx, NOW)
        listed = list_tables(tx)
    assert (found.schema, found.origin, found.tables, found.problems) == (
        *(health.schema, health.origin, health.tables),
        health.problems,
    )
    assert [item.table for item in found.tables] == [item.table for item in listed] == [COMPANIES, VISITS]
    visit = found.tables[1]
    assert visit.rows == ROWS - 1 and visit.verified and visit.verified.compares == "full"
    assert (visit.verified.differing, visit.verified.is_equal) == (1, False)


def test_its_runs_are_those_of_the_log(history: list[Run], shadow: ShadowDatabase) -> None:
    found = overview(shadow).runs
    assert [item.run_id for item in found] == [run.id for run in reversed(history)]
    last, failed, changed, first = found
    companies = sum(entry["rows_inserted"] for entry in log_of(shadow) if entry["table_name"] == COMPANIES)
    assert (first.tables, first.failed, first.rows_inserted) == (2, 0, ROWS + companies)
    assert (changed.rows_inserted, changed.rows_updated, changed.rows_deleted) == (0, 1, 1)
    assert (failed.tables, failed.failed, failed.unchanged) == (1, 0, 0)  # its second try was good
    assert (last.tables, last.unchanged) == (1, 1)
    assert all(item.completed_at and item.completed_at >= item.started_at for item in found)


def test_a_run_that_fails_or_is_under_way_is_told(
    odoo: StandIn, source: ApiSource, history: list[Run], shadow: ShadowDatabase
) -> None:
    fail(odoo, source, shadow, VISIT, Run())
    in_shadow(shadow, "UPDATE {odoo_shadow_sync_log} SET completed_at = NULL, status = 'running' WHERE id = 1")
    found = overview(shadow)
    assert (found.runs[0].failed, found.activity[-1].failed) == (1, 2)
    assert found.runs[-1].completed_at is None


def test_only_the_newest_runs_are_told(history: list[Run], shadow: ShadowDatabase) -> None:
    in_shadow(
        shadow,
        "INSERT INTO {odoo_shadow_sync_log} (sync_run_id, table_name, status, completed_at)"
        " SELECT gen_random_uuid(), 'odoo_shadow_x_visit', 'success', now() FROM generate_series(1, 30)",
    )
    assert len(overview(shadow).runs) == 20
    found = detail(shadow)
    assert found and len(found.runs) == 20


def test_activity_is_told_by_day(history: list[Run], shadow: ShadowDatabase) -> None:
    in_shadow(
        shadow,
        "INSERT INTO {odoo_shadow_sync_log} (sync_run_id, table_name, status, started_at, rows_updated)"
        " SELECT gen_random_uuid(), 'x', 'error', now() - number * interval '1 day', number"
        " FROM unnest(ARRAY[13, 14]) AS number",
    )
    activity = overview(shadow).activity
    today = NOW.date()
    assert [item.day for item in activity] == [today - timedelta(days=number) for number in range(13, -1, -1)]
    assert (activity[0].rows_updated, activity[0].failed) == (13, 1)
    assert (activity[1].rows_inserted, activity[1].failed) == (0, 0)
    ((inserted,),) = in_shadow(shadow, "SELECT sum(rows_inserted) FROM {odoo_shadow_sync_log}")
    assert (activity[-1].rows_inserted, activity[-1].rows_deleted, activity[-1].failed) == (inserted, 1, 1)


def test_a_table_is_told_with_what_happened_to_it(history: list[Run], shadow: ShadowDatabase) -> None:
    found = detail(shadow)
    assert found and found.health == overview(shadow).tables[1]
    names = {item.name: item for item in found.columns}
    assert names["x_note"].label and names["x_note"].vanished_at is None
    assert (names["company_id"].relation, names["company_id"].odoo_type) == ("res.company", "many2one")
    assert [(item.kind, item.status, item.rows_updated) for item in found.runs] == [
        ("window", "success", 1),
        ("window", "success", 0),
    ]
    assert [item.compares for item in found.verifications] == ["full", "quick"]
    assert found.verifications[0] == found.health.verified
    assert ("column added", "x_note") in {(item.change, item.column) for item in found.drift}
    assert found.drift == tuple(item for item in overview(shadow).drift if item.table == VISITS)
    companies = detail(shadow, COMPANIES)
    assert companies and [item.kind for item in companies.runs] == ["unchanged", "window", "full", "window"]
    assert companies.runs[2].error and "not now" in companies.runs[2].error


def test_there_is_no_such_table(history: list[Run], shadow: ShadowDatabase) -> None:
    for table in ("odoo_shadow_no", "", "x\0", "\ud800", "'; --", '"', "%s", "é" * 100, "odoo_shadow_meta"):
        assert detail(shadow, table) is None


def test_a_reader_sees_all_but_errors_and_the_origin(history: list[Run], shadow: ShadowDatabase, database: str) -> None:
    whole, table = overview(shadow), detail(shadow, COMPANIES)
    owner = psycopg.conninfo.conninfo_to_dict(database)["user"]
    with new_role(database) as role:
        run_as_owner(
            database,
            "GRANT USAGE ON SCHEMA odoo_shadow TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA odoo_shadow TO {role}",
            role=role,
        )
        with noting(as_role(database, role), Trust(roles=frozenset({str(owner)}))) as (reader, _):
            seen, seen_table = overview(reader), detail(reader, COMPANIES)
        run_as_owner(database, "REVOKE SELECT ON odoo_shadow.odoo_shadow_left_out FROM {role}", role=role)
        with noting(as_role(database, role), Trust(roles=frozenset({str(owner)}))) as (reader, _):
            assert overview(reader).left_out == ()
    assert whole.origin and seen.origin is None
    assert (seen.runs, seen.activity, seen.drift) == (whole.runs, whole.activity, whole.drift)
    assert [item.verified for item in seen.tables] == [item.verified for item in whole.tables]
    assert seen_table and table and seen_table.columns == table.columns
    assert [item.error for item in seen_table.runs] == [None, None, "OdooAccessError", None]


@pytest.mark.parametrize("former", [4, 5, 6, 7, 8])
def test_a_schema_of_a_former_version_is_read_as_it_is(shadow: ShadowDatabase, database: str, former: int) -> None:
    with psycopg.connect(database) as connection:
        for part in (f"version_{former}_base", f"version_{former}_tables", f"version_{min(former, 6)}_rows"):
            connection.execute((FORMER / f"{part}.sql").read_bytes())
    before = contents(database)
    found, table = overview(shadow), detail(shadow, "odoo_shadow_res_partner")
    assert found.origin and [item.model for item in found.tables] == ["res.partner"]
    assert found.runs and table and table.columns and table.runs
    assert (found.left_out, found.left_out_total, table.left_out) == ((), 0, ())
    assert contents(database) == before


def test_there_is_no_mirror(shadow: ShadowDatabase) -> None:
    for read in (overview, detail):
        with pytest.raises(MirrorConfigurationError, match="There is no shadow in schema 'odoo_shadow'"):
            read(shadow)
