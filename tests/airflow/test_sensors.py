"""Sensors of other teams' DAGs: in a worker and on the triggerer, which `dag.test()` runs in line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from airflow_provider_odoo_shadow.sensors.odoo_shadow import OdooShadowFreshSensor, OdooShadowProvenSensor
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import StandIn
from tests.support.clients import source_of
from tests.support.dag_runs import run, states, tries
from tests.support.running import mirror, watermark_of
from tests.support.verifying import verify

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context

pytestmark = pytest.mark.one_flavour

COMPANY, COMPANIES = "res.company", "odoo_shadow_res_company"
EXAMPLES = Path(__file__).parents[2] / "airflow_provider_odoo_shadow" / "example_dags"


@pytest.fixture
def bring_up_to_date(odoo: StandIn, database: str) -> Callable[[], datetime]:
    """Mirror companies, as a run of the mirror does; return the watermark."""

    def bring() -> datetime:
        with source_of(odoo) as source, ShadowDatabase.from_url(database) as shadow:
            mirror(source, shadow, COMPANY)
            watermark = watermark_of(shadow, COMPANIES)
            assert watermark is not None
            return watermark.last_write_date

    return bring


@contextmanager
def until_done(step: Callable[[], object]) -> Iterator[None]:
    """Do a step again and again beside what runs here."""
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(1):
            step()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.endswith("triggers.changes")]


@pytest.mark.sampled
@pytest.mark.parametrize("dag", ["waits_in_a_worker", "waits_on_the_triggerer"])
def test_a_run_waits_until_what_was_committed_before_it_is_there(
    dags: Mapping[str, DAG], bring_up_to_date: Callable[[], datetime], caplog: pytest.LogCaptureFixture, dag: str
) -> None:
    caplog.set_level("INFO", "airflow_provider_odoo_shadow")
    before = bring_up_to_date()
    with until_done(lambda: lines_of(caplog) and bring_up_to_date()):
        dag_run = run(dags[dag])
    assert dag_run.state == "success"
    waited, *_, last = lines_of(caplog)
    due = (dag_run.data_interval_end or dag_run.run_after).replace(microsecond=0)  # dag.test() reads the clock twice
    assert waited == f"{COMPANY}: fresh as of {before:%F %T} UTC, waiting for {due:%F %T} UTC"
    assert last.startswith(f"{COMPANY}: fresh as of ") and "waiting" not in last
    reached = datetime.fromisoformat(last.removeprefix(f"{COMPANY}: fresh as of ").replace(" UTC", "+00:00"))
    assert reached >= due


def test_it_ends_when_the_moment_is_reached_and_fails_when_it_is_not(
    dags: Mapping[str, DAG], bring_up_to_date: Callable[[], datetime], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airflow_provider_odoo_shadow")
    reached = bring_up_to_date()
    for moment, state in ((reached, "success"), (reached + timedelta(days=1), "failed")):
        dag_run = run(dags["waits_as_of"], as_of=moment.isoformat())
        assert states(dag_run) == {"wait": state, "defer": state}
        assert set(tries(dag_run).values()) == {1}, "a wait that timed out is not begun again"
    said = [record.getMessage() for record in caplog.records if record.name.endswith("last_words")]
    missing = f"{COMPANY}: fresh as of {reached:%F %T} UTC, waiting for {reached + timedelta(days=1):%F %T} UTC"
    assert [line for line in said if "Timed out" in line] == [f"Timed out after 1 s: {missing}"] * 2


def test_a_sensor_may_be_mapped_over_models_and_renders_none_of_them(
    dags: Mapping[str, DAG], bring_up_to_date: Callable[[], datetime]
) -> None:
    bring_up_to_date()
    dag_run = run(dags["waits_for_each"])
    by_index = {ti.map_index: str(ti.state) for ti in dag_run.get_task_instances()}
    assert by_index == {0: "success", 1: "success", 2: "failed"}


def test_a_shadow_that_comes_into_being_is_waited_for(
    dags: Mapping[str, DAG], bring_up_to_date: Callable[[], datetime], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airflow_provider_odoo_shadow")
    with until_done(bring_up_to_date):
        assert run(dags["waits_on_the_triggerer"]).state == "success"
    assert lines_of(caplog)[0] == f"{COMPANY}: There is no shadow in schema 'odoo_shadow'"


def test_a_proof_is_waited_for(
    dags: Mapping[str, DAG], bring_up_to_date: Callable[[], datetime], odoo: StandIn, database: str
) -> None:
    bring_up_to_date()

    def prove() -> None:
        with source_of(odoo) as source, ShadowDatabase.from_url(database) as shadow:
            verify(source, shadow, model=COMPANY)

    with until_done(prove):
        assert run(dags["waits_for_a_proof"]).state == "success"


def test_what_makes_no_sense_fails_at_once(dags: Mapping[str, DAG]) -> None:
    dag_run = run(dags["waits_for_nonsense"])
    assert set(states(dag_run).values()) == {"failed"}
    assert set(tries(dag_run).values()) == {1}


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("logical_date", "interval_end", "due"),
    [
        (NOON, NOON, NOON),  # a cron trigger
        (NOON, NOON + HOUR, NOON + HOUR),  # a data interval: its run stands for what happened up to its end
        (NOON, NOON - HOUR, NOON),  # triggered by hand for a date
        (None, None, NOON + 2 * HOUR),  # triggered by hand, or by an asset
    ],
)
@pytest.mark.parametrize("sensor", [OdooShadowFreshSensor, OdooShadowProvenSensor])
def test_the_default_moment_is_that_of_the_run(
    sensor: type[OdooShadowFreshSensor], logical_date: datetime | None, interval_end: datetime | None, due: datetime
) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    dag_run = SimpleNamespace(logical_date=logical_date, data_interval_end=interval_end, run_after=NOON + 2 * HOUR)
    wait = sensor(task_id="wait", models="sale.order", deferrable=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", "postgres://localhost:1/shadow")  # nothing listens there
        with pytest.raises(TaskDeferred) as deferred:
            wait.execute(cast("Context", {"dag_run": dag_run}))
    _, arguments = deferred.value.trigger.serialize()
    assert datetime.fromisoformat(arguments["question"]["as_of"]) == due


def test_deferrable_is_as_airflow_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from airflow_provider_odoo_shadow.sensors import odoo_shadow

    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "true")
    importlib.reload(odoo_shadow)
    assert odoo_shadow.OdooShadowFreshSensor(task_id="wait", models="sale.order").deferrable
    monkeypatch.undo()
    importlib.reload(odoo_shadow)
    assert not odoo_shadow.OdooShadowFreshSensor(task_id="wait", models="sale.order").deferrable


def test_the_example_dags_load(airflow_database: None) -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(EXAMPLES))
    assert bag.import_errors == {}
    assert "example_odoo_shadow_wait" in bag.dags
