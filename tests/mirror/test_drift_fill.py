"""Schema drift with a history: new columns alone are filled, old ones stay, types widen or are kept beside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.run.dry_run import DryRun, dry_run_model
from odoo_shadow.mirror.shape.describe import read_layout
from odoo_shadow.mirror.sync import model as mirror_job
from odoo_shadow.mirror.sync import table_hold
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.source.api.source import ApiSource
from odoo_stand_in import StandIn
from tests.support.catalog import contents, structure
from tests.support.clients import source_of
from tests.support.counting import VISIT, VISITS, Call, CountingProxy, in_shadow, mirror_with, visits
from tests.support.running import StoppedError, column, statuses_of, stop_after
from tests.support.source_of_truth import assert_equal, shadow_rows

pytestmark = pytest.mark.one_flavour

ROWS = 60
NOTE = "x_note"
NO_LOOK_BACK = MirrorOptions(batch_size=20, look_back=timedelta(0))
IN_LINE = MirrorOptions(wait=timedelta(seconds=60))
# A line of the schema's log: change, column, old type, new type.
Logged = tuple[str, str | None, str | None, str | None]


@pytest.fixture
def source(odoo: StandIn, proxy: CountingProxy, shadow: ShadowDatabase) -> Iterator[ApiSource]:
    """A client whose calls are counted; a small model has been mirrored."""
    with source_of(odoo, host=proxy.url) as opened, visits(odoo, ROWS):
        mirror_with(opened, shadow)
        proxy.clear()
        yield opened


def retype(odoo: StandIn, name: str, kind: str, **attributes: Any) -> None:
    """Let a field become another type, as a module's upgrade does."""
    odoo.remove_field(VISIT, name)
    odoo.add_field(VISIT, name, kind, **attributes)


def history(shadow: ShadowDatabase, run: Run | None = None) -> list[Logged]:
    """What `odoo_shadow_schema_log` tells, oldest first."""
    rows = in_shadow(
        shadow,
        "SELECT change, column_name, old_type, new_type FROM {odoo_shadow_schema_log}"
        " WHERE table_name = {table} AND coalesce(sync_run_id = {run}::uuid, true) ORDER BY id",
        table=VISITS,
        run=None if run is None else str(run.id),
    )
    return [(change, name, old, new) for change, name, old, new in rows]


def columns_of(database: str, schema: str = "odoo_shadow", table: str = VISITS) -> dict[str, str]:
    return {str(row[3]): str(row[4]) for row in structure(database)["columns"] if row[:2] == (schema, table)}


def vanished(shadow: ShadowDatabase) -> set[str]:
    rows = in_shadow(
        shadow,
        "SELECT column_name FROM {odoo_shadow_field} WHERE table_name = {table} AND vanished_at IS NOT NULL",
        table=VISITS,
    )
    return {row[0] for row in rows}


def test_only_the_new_column_is_read_and_written(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    before = shadow_rows(database, VISITS)
    synced = column(shadow, "_synced_at", range(1, ROWS + 1), VISITS)
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    odoo.add_field(VISIT, "x_level", "integer", default=3)
    mirror_with(source, shadow, NO_LOOK_BACK)
    reads = proxy.of("search_read")
    assert [call.limit for call in reads] == [20, 20, 20]
    assert all(call.fields == ["id", "x_grade", "x_level"] for call in reads)
    added = {"x_grade": "A", "x_level": 3}
    assert shadow_rows(database, VISITS) == {number: row | added for number, row in before.items()}
    assert column(shadow, "_synced_at", range(1, ROWS + 1), VISITS) == synced
    proxy.clear()
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert proxy.of("search_read") == []  # filled once and for all
    odoo.add_field(VISIT, "x_third", "char", default="C")
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert {tuple(call.fields) for call in proxy.of("search_read")} == {("id", "x_third")}


def test_rows_that_the_window_holds_are_read_whole_besides(
    odoo: StandIn, proxy: CountingProxy, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    odoo.execute(VISIT, "write", [7], {"x_name": "Written since", "x_grade": "B"})
    (created,) = odoo.execute(VISIT, "create", [{"x_name": "Created since", "x_grade": "C"}])
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert column(shadow, "x_grade", [6, 7, created], VISITS) == {6: "A", 7: "B", created: "C"}
    assert_equal(odoo, database, [VISIT])
    *fill, newest, window = proxy.of("search_read")
    assert newest.fields == ["write_date"]
    assert {tuple(call.fields) for call in fill} == {("id", "x_grade")}
    assert "x_name" in window.fields


def test_a_field_that_comes_during_the_first_load_is_filled(
    odoo: StandIn, shadow: ShadowDatabase, database: str
) -> None:
    with source_of(odoo) as source, visits(odoo, ROWS):
        with pytest.raises(StoppedError):
            mirror_with(source, shadow, NO_LOOK_BACK, on_progress=stop_after(2))
        odoo.add_field(VISIT, "x_grade", "char", default="A")
        mirror_with(source, shadow, NO_LOOK_BACK)
        assert_equal(odoo, database, [VISIT])


def test_everything_that_happens_to_columns_is_told(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    steps: list[tuple[Callable[[], None], Logged]] = [
        (lambda: odoo.add_field(VISIT, "x_grade", "char"), ("column added", "x_grade", None, "text")),
        (lambda: odoo.remove_field(VISIT, "x_grade"), ("column no longer written", "x_grade", None, "text")),
        (lambda: odoo.add_field(VISIT, "x_grade", "char"), ("column written again", "x_grade", None, "text")),
        (lambda: retype(odoo, "x_grade", "integer"), ("type replaced", "x_grade", "text", "bigint")),
        (lambda: retype(odoo, "x_grade", "monetary"), ("type widened", "x_grade", "bigint", "numeric")),
    ]
    assert history(shadow) == [("table created", None, None, None)]
    for change, logged in steps:
        change()
        run = Run()
        foreseen = dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK).change.changes
        assert [(str(item.kind), item.column and item.column.name, item.old_type) for item in foreseen] == [logged[:3]]
        mirror_with(source, shadow, NO_LOOK_BACK, run=run)
        mirror_with(source, shadow, NO_LOOK_BACK)  # nothing more to tell
        assert history(shadow, run) == [logged]
    assert len(history(shadow)) == 1 + len(steps)
    assert {"x_grade": "numeric", "x_grade__text": "text"}.items() <= columns_of(database).items()
    assert_equal(odoo, database, [VISIT])


def test_a_vanished_column_stays_and_is_marked(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    mirror_with(source, shadow)
    assert vanished(shadow) == set()
    odoo.remove_field(VISIT, "x_grade")
    odoo.execute(VISIT, "write", [7], {"x_name": "Written since"})
    mirror_with(source, shadow)
    assert vanished(shadow) == {"x_grade"}
    assert set(column(shadow, "x_grade", range(1, ROWS + 1), VISITS).values()) == {"A"}
    odoo.add_field(VISIT, "x_grade", "char", default="B")
    mirror_with(source, shadow)
    assert vanished(shadow) == set()
    assert_equal(odoo, database, [VISIT])


DAY = date(2024, 3, 31)
MIDNIGHT = datetime(2024, 3, 31, tzinfo=UTC)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("before", "old", "after", "new", "widened"),
    [
        (("integer", {}), 7, ("float", {"digits": (16, 2)}), Decimal("7.25"), Decimal(7)),
        (
            ("float", {}),
            0.1234567890123456,
            ("float", {"digits": (16, 2)}),
            Decimal("7.25"),
            Decimal("0.1234567890123456"),
        ),
        (("date", {}), DAY, ("datetime", {}), datetime(2024, 3, 31, 12, tzinfo=UTC), MIDNIGHT),
        (("boolean", {}), True, ("char", {}), "yes", "true"),
    ],
    ids=["bigint to numeric", "double to numeric", "date to timestamptz", "boolean to text"],
)
def test_a_type_is_widened_without_loss(
    odoo: StandIn,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    before: tuple[str, dict[str, Any]],
    old: object,
    after: tuple[str, dict[str, Any]],
    new: Any,
    widened: object,
) -> None:
    odoo.add_field(VISIT, "x_value", before[0], default=old, **before[1])
    mirror_with(source, shadow)
    default = new.replace(tzinfo=None) if isinstance(new, datetime) else new
    retype(odoo, "x_value", after[0], default=default, **after[1])
    with pytest.raises(StoppedError):
        mirror_with(source, shadow, NO_LOOK_BACK, on_progress=stop_after(1))
    cells = column(shadow, "x_value", [1, 20, 21, ROWS], VISITS)
    assert cells == {1: new, 20: new, 21: widened, ROWS: widened}
    mirror_with(source, shadow)
    assert_equal(odoo, database, [VISIT])
    assert "x_value" in columns_of(database, "public")


def test_a_type_that_cannot_be_widened_is_kept_beside(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_value", "datetime", default=datetime(2024, 3, 31, 12))  # noqa: DTZ001 - Odoo's are naive
    mirror_with(source, shadow)
    retype(odoo, "x_value", "date", default=DAY)
    mirror_with(source, shadow)
    kept = "x_value__timestamp_with_time_zone"
    assert {"x_value": "date", kept: "timestamp with time zone"}.items() <= columns_of(database).items()
    assert kept in columns_of(database, "public")
    assert column(shadow, kept, [7], VISITS) == {7: datetime(2024, 3, 31, 12, tzinfo=UTC)}
    assert vanished(shadow) == {kept}
    assert_equal(odoo, database, [VISIT])


def test_a_type_may_change_to_and_fro(odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str) -> None:
    odoo.add_field(VISIT, "x_value", "char", default="1")
    mirror_with(source, shadow)
    for kind, value in (("integer", 2), ("char", "3"), ("integer", 4)):
        retype(odoo, "x_value", kind, default=value)
        mirror_with(source, shadow)
        assert_equal(odoo, database, [VISIT])
    kept = {value for row in shadow_rows(database, VISITS).values() for name, value in row.items() if "__" in name}
    assert "1" in kept


def test_a_column_that_somebodys_view_stands_on_is_kept_beside(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    odoo.add_field(VISIT, "x_value", "integer", default=7)
    mirror_with(source, shadow)
    in_shadow(shadow, "CREATE VIEW public.report AS SELECT id, x_value FROM {odoo_shadow_x_visit}")
    retype(odoo, "x_value", "char", default="seven")
    foreseen = dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK)
    mirror_with(source, shadow)
    assert in_shadow(shadow, "SELECT DISTINCT x_value FROM public.report") == [(7,)]
    assert history(shadow)[-1] == ("type replaced", "x_value", "bigint", "text")
    assert "x_value__bigint" in columns_of(database)
    assert_equal(odoo, database, [VISIT])
    assert str(foreseen.change.changes[0]) == "x_value widened from bigint to text"  # a plan does not try it out


def test_a_dry_run_shows_it_all_beforehand_and_writes_nothing(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str
) -> None:
    for name, kind in (("x_gone", "char"), ("x_wide", "integer"), ("x_other", "char"), ("x_back", "char")):
        odoo.add_field(VISIT, name, kind)
    mirror_with(source, shadow)
    odoo.remove_field(VISIT, "x_back")
    mirror_with(source, shadow)
    odoo.add_field(VISIT, "x_new", "char")
    odoo.remove_field(VISIT, "x_gone")
    retype(odoo, "x_wide", "monetary")
    retype(odoo, "x_other", "integer")
    odoo.add_field(VISIT, "x_back", "char")
    before = structure(database), contents(database)
    foreseen = dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK)
    assert (structure(database), contents(database)) == before
    assert sorted(map(str, foreseen.change.changes)) == [
        "column added: x_new",
        "column no longer written: x_gone",
        "column written again: x_back",
        "x_other becomes bigint, its old values stay in x_other__text",
        "x_wide widened from bigint to numeric",
    ]
    assert all(str(change) in str(foreseen) for change in foreseen.change.changes)
    assert foreseen.rows == ROWS  # those that the columns are filled in
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert after_that(source, shadow).change.changes == ()
    assert_equal(odoo, database, [VISIT])


def after_that(source: ApiSource, shadow: ShadowDatabase) -> DryRun:
    return dry_run_model(source, shadow, VISIT, options=NO_LOOK_BACK)


def together(proxy: CountingProxy, tasks: int) -> None:
    """Let tasks go on only when all have asked for their fields."""
    gate = threading.Barrier(tasks, timeout=20)

    def wait_at_the_gate(call: Call) -> None:
        if call.method == "fields_get":
            gate.wait()

    proxy.before = wait_at_the_gate


def run_at_once(url: str, proxy: CountingProxy, odoo: StandIn, models: tuple[str, ...]) -> None:
    def task(number: int) -> None:
        run = Run(holder=f"task {number}")
        with ShadowDatabase.from_url(url) as own_shadow, source_of(odoo, host=proxy.url) as own_client:
            mirror_with(own_client, own_shadow, IN_LINE, model=models[number], run=run)

    together(proxy, len(models))
    with ThreadPoolExecutor(len(models)) as pool:
        for done in [pool.submit(task, number) for number in range(len(models))]:
            done.result()
    proxy.before = lambda _: None


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that waits for a table looks again soon."""
    monkeypatch.setattr(table_hold, "_SECONDS_BETWEEN_TRIES", 0.02)


def test_two_tasks_of_a_table_meet_the_same_drift(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    quick_looks: None,
) -> None:
    odoo.add_field(VISIT, "x_other", "char", default="7")
    mirror_with(source, shadow)
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    retype(odoo, "x_other", "integer", default=8)
    run_at_once(database, proxy, odoo, (VISIT, VISIT))
    assert sorted(history(shadow)[2:]) == [
        ("column added", "x_grade", None, "text"),
        ("type replaced", "x_other", "text", "bigint"),
    ]
    assert statuses_of(shadow) == ["success"] * 4
    assert_equal(odoo, database, [VISIT])


@contextmanager
def notes(odoo: StandIn) -> Iterator[None]:
    """A second model."""
    odoo.add_model(NOTE, {"x_name": "char"})
    try:
        odoo.fill(NOTE, ROWS)
        yield
    finally:
        odoo.uninstall(NOTE)


@pytest.mark.sampled
@pytest.mark.parametrize("is_new", [False, True], ids=["columns", "tables"])
def test_two_tasks_of_two_tables_meet_a_drift(
    odoo: StandIn,
    proxy: CountingProxy,
    source: ApiSource,
    shadow: ShadowDatabase,
    database: str,
    is_new: bool,
) -> None:
    with notes(odoo):
        if not is_new:
            mirror_with(source, shadow, model=NOTE)
        for model in (VISIT, NOTE):
            odoo.add_field(model, "x_grade", "char", default="A")
            odoo.add_field(model, "x_name_2", "char", default="B")
        run_at_once(database, proxy, odoo, (VISIT, NOTE))
        assert_equal(odoo, database, [VISIT, NOTE])
        assert set(statuses_of(shadow)) == {"success"}
        for table in (VISITS, "odoo_shadow_x_note"):
            assert {"x_grade", "x_name_2"} <= columns_of(database, "public", table).keys()


def test_a_task_that_knew_the_older_fields_does_no_lasting_harm(
    odoo: StandIn, source: ApiSource, shadow: ShadowDatabase, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = read_layout(source, VISIT)
    odoo.add_field(VISIT, "x_grade", "char", default="A")
    mirror_with(source, shadow)
    odoo.execute(VISIT, "write", [7], {"x_grade": "B"})
    with monkeypatch.context() as waiting:  # for the table, having asked for the fields before
        waiting.setattr(mirror_job, "read_layout", lambda *_, **__: older)
        mirror_with(source, shadow)
    assert vanished(shadow) == {"x_grade"}
    mirror_with(source, shadow, NO_LOOK_BACK)
    assert_equal(odoo, database, [VISIT])
