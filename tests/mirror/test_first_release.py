"""A shadow that version 0.1.0 made is opened, upgraded, and goes on where that version stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from odoo_shadow.mirror.options import MirrorOptions
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.install import ensure_base
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.views.named_views import renew_due_views
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.catalog import structure, without_numbers
from tests.support.clients import source_of
from tests.support.counting import CountingProxy, in_odoo, in_shadow, mirror_with
from tests.support.planning import passed_over, plan, plan_and_mirror
from tests.support.running import column, watermark_of
from tests.support.verifying import verify
from tools.embedded_postgres import drop_database, new_database

pytestmark = pytest.mark.one_flavour

FIRST_RELEASE = Path(__file__).parents[1] / "shadow" / "former" / "0.1.0.sql"
"""Rows and control tables as they were after `odoo-shadow sync --models x_place,x_tour` of version 0.1.0."""
PLACE, TOUR = "x_place", "x_tour"
TABLES = {PLACE: "odoo_shadow_x_place", TOUR: "odoo_shadow_x_tour"}
ROWS = {PLACE: 4, TOUR: 12}
SYNCED_AT = datetime(2024, 2, 1, 12, tzinfo=UTC)
"""Odoo's clock when that run began."""
FIELDS: dict[str, Any] = {
    "x_name": "char",
    "x_note": "text",
    "x_seats": "integer",
    "x_share": "float",
    "x_price": {"type": "float", "digits": (16, 2)},
    "x_is_open": "boolean",
    "x_day": "date",
    "x_starts_at": "datetime",
    "x_kind": {"type": "selection", "selection": [("bus", "By bus"), ("foot", "On foot")]},
    "x_place_id": {"type": "many2one", "relation": PLACE},
}


def tour(number: int) -> dict[str, Any]:
    """A record; some of its values are empty."""
    return {
        "x_name": f"Tour {number}, 'Zoë' \\ \"{number}\"",
        "x_note": f"first line\nsecond line {number}" if number % 3 else False,
        "x_seats": number * 7,
        "x_share": number / 3,
        "x_price": 19.9 + number,
        "x_is_open": number % 2 == 0,
        "x_day": f"2023-12-{number:02}",
        "x_starts_at": f"2023-12-{number:02} 08:30:00",
        "x_kind": ("bus", "foot", False)[number % 3],
        "x_place_id": number % ROWS[PLACE] + 1,
    }


@contextmanager
def tours(odoo: StandIn) -> Iterator[None]:
    """The two models with the records that 0.1.0 met, for as long as a test needs them."""
    odoo.add_model(PLACE, {"x_name": "char"})
    odoo.add_model(TOUR, FIELDS)
    try:
        odoo.execute(PLACE, "create", [{"x_name": f"Place {number}"} for number in range(1, ROWS[PLACE] + 1)])
        odoo.execute(TOUR, "create", [tour(number) for number in range(1, ROWS[TOUR] + 1)])
        with psycopg.connect(odoo.dsn) as connection:
            for model in (PLACE, TOUR):
                connection.execute(
                    sql.SQL(
                        "UPDATE {} SET create_date = '2024-01-01 08:00:00',"
                        " write_date = timestamp '2024-01-01 09:00:00.25' + id * interval '1 hour'"
                    ).format(sql.Identifier(odoo.registry.models[model].table))
                )
        yield
    finally:
        odoo.uninstall(TOUR)
        odoo.uninstall(PLACE)


@pytest.fixture
def proxy(shared_odoo: StandIn) -> Iterator[CountingProxy]:
    with tours(shared_odoo), CountingProxy(shared_odoo) as running:
        yield running


@pytest.fixture
def source(shared_odoo: StandIn, proxy: CountingProxy) -> Iterator[ApiSource]:
    with source_of(shared_odoo, host=proxy.url) as opened:
        yield opened


@pytest.fixture
def former(shared_odoo: StandIn, proxy: CountingProxy, shadow: ShadowDatabase, database: str) -> ShadowDatabase:
    """A shadow as 0.1.0 left it, of the database that stands behind the proxy."""
    with psycopg.connect(database) as connection:
        connection.execute(FIRST_RELEASE.read_bytes())
        connection.execute(
            "UPDATE odoo_shadow.odoo_shadow_mirror SET odoo_url = %s, odoo_database = %s",
            (proxy.url, shared_odoo.database),
        )
    return shadow


def hashes(shadow: ShadowDatabase, model: str) -> dict[int, str]:
    return column(shadow, "_sync_hash", range(1, ROWS[model] + 1), TABLES[model])


def rows_read(proxy: CountingProxy) -> list[int]:
    """How many records each page of the two models held, whoever asked for their values."""
    return [size for call, size in proxy.sizes if call.model in TABLES and "x_name" in call.fields]


def test_the_watermarks_and_rows_stand(former: ShadowDatabase) -> None:
    before = {model: hashes(former, model) for model in TABLES}
    with former.transaction() as tx:
        assert ensure_base(tx)
    for model, table in TABLES.items():
        mark = watermark_of(former, table)
        assert mark is not None
        assert (mark.last_write_date, mark.last_id, mark.rows_synced) == (SYNCED_AT, ROWS[model], ROWS[model])
        assert hashes(former, model) == before[model]


def test_the_first_run_reads_and_writes_what_has_changed_and_no_more(
    shared_odoo: StandIn, proxy: CountingProxy, source: ApiSource, former: ShadowDatabase
) -> None:
    stamps = {model: column(former, "_synced_at", range(1, 20), table) for model, table in TABLES.items()}
    in_odoo(shared_odoo, "UPDATE x_tour SET x_note = 'Later', write_date = '2024-02-02 08:00:00' WHERE id IN (3, 5)")
    planned = plan(source, former, (PLACE, TOUR))
    assert [item.model for item in planned.work] == [PLACE, TOUR]  # all hashes are to be made anew
    counts = {model: mirror_with(source, former, model=model).counts for model in (PLACE, TOUR)}
    assert counts == {PLACE: RowCounts(), TOUR: RowCounts(updated=2)}
    assert rows_read(proxy) == [2]
    for model, table in TABLES.items():
        assert all(made.startswith("v1:") for made in hashes(former, model).values())
        now = column(former, "_synced_at", range(1, 20), table)
        assert {number for number, stamp in now.items() if stamp != stamps[model][number]} == (
            {3, 5} if model == TOUR else set()
        )
        mark = watermark_of(former, table)
        assert mark is not None and mark.last_write_date > SYNCED_AT
    assert sorted(passed_over(plan(source, former, (PLACE, TOUR)))) == [PLACE, TOUR]


def test_the_hashes_that_are_made_of_stored_values_are_those_of_odoos_values(
    proxy: CountingProxy, source: ApiSource, former: ShadowDatabase
) -> None:
    plan_and_mirror(source, former, (PLACE, TOUR))
    assert rows_read(proxy) == []
    made = {model: hashes(former, model) for model in TABLES}
    again = {model: mirror_with(source, former, MirrorOptions(full=True), model=model).counts for model in TABLES}
    assert again == {model: RowCounts(unchanged=rows) for model, rows in ROWS.items()}
    assert made == {model: hashes(former, model) for model in TABLES}


def test_nothing_differs_after_the_upgrade(source: ApiSource, former: ShadowDatabase) -> None:
    plan_and_mirror(source, former, (PLACE, TOUR))
    for model in TABLES:
        found = verify(source, former, model=model)
        assert (found.rows, found.differences, found.is_settled) == (ROWS[model], 0, True)


def test_the_upgraded_schema_is_that_of_a_new_mirror(
    source: ApiSource, former: ShadowDatabase, database: str, postgres: str
) -> None:
    new = new_database(postgres)
    with ShadowDatabase.from_url(new) as other:
        for shadow in (former, other):
            plan_and_mirror(source, shadow, (PLACE, TOUR))
            renew_due_views(shadow)
    made = without_numbers(structure(new))
    drop_database(postgres, new)
    assert without_numbers(structure(database)) == made


def test_the_views_show_what_they_showed(source: ApiSource, former: ShadowDatabase) -> None:
    shown = "SELECT x_name, x_place_id_name FROM {odoo_shadow_x_tour_named} ORDER BY id"
    before = in_shadow(former, shown)
    plan_and_mirror(source, former, (PLACE, TOUR))
    renew_due_views(former)
    assert in_shadow(former, shown) == before
    assert in_shadow(former, "SELECT count(*) FROM public.odoo_shadow_x_tour") == [(ROWS[TOUR],)]
    assert in_shadow(former, "SELECT count(*) FROM public.odoo_shadow_meta WHERE view_is_due") == [(0,)]
