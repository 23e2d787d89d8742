"""Mirrored models as assets: updated by whatever wrote rows, with counts, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.sdk import Asset

from airflow_provider_odoo_shadow.transfers.asset_events import update_assets
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.sync.model import mirror_model
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_stand_in import Fault, StandIn
from tests.support.airflow_connections import shadow_connection
from tests.support.clients import source_of
from tests.support.dag_runs import run
from tests.support.no_rights import NO_RIGHTS

if TYPE_CHECKING:
    from airflow.sdk import DAG

MirrorDag = Callable[..., "DAG"]
MODELS = ["res.company", "res.country", "res.currency"]

pytestmark = pytest.mark.one_flavour


@pytest.fixture(autouse=True)
def no_events(airflow_database: None) -> Iterator[None]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(AssetEvent).delete()  # other tests' runs may have left several of one task
    yield


def take_events() -> dict[str, dict[str, Any]]:
    """Return the extras of the events since the last time, by `<task> <URI>`."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        found = list(session.query(AssetEvent).order_by(AssetEvent.id))
        events = {f"{item.source_task_id} {item.uri}": item.extra for item in found}
        assert len(events) == len(found)
        session.query(AssetEvent).delete()
    return events


def mirror_outside(odoo: StandIn, database: str, model: str) -> None:
    with source_of(odoo) as source, ShadowDatabase.from_url(database, schema="own") as shadow:
        mirror_model(source, shadow, model, run=Run(), options=MirrorOptions())


def test_only_models_with_new_rows_are_updated(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    dag = mirror_dag(models=MODELS)
    assert run(dag).state == "success"
    events = take_events()
    assert sorted(events) == [f"mirror odoo-shadow://own/{model}" for model in MODELS]
    rows = len(odoo.execute("res.country", "search", [], context={"active_test": False}))
    country = events["mirror odoo-shadow://own/res.country"]
    assert country["table"] == "odoo_shadow_res_country"
    assert (country["rows_inserted"], country["rows_updated"], country["rows_deleted"]) == (rows, 0, 0)

    assert run(dag, full=True).state == "success"  # reads everything, and writes nothing
    assert take_events() == {}

    (one,) = odoo.execute("res.country", "search", [], limit=1)
    odoo.execute("res.country", "write", [one], {"name": "Renamed"})
    assert run(dag).state == "success"
    with psycopg.connect(database) as connection:
        ((mark,),) = connection.execute(
            "SELECT last_write_date FROM own.odoo_shadow_watermark WHERE table_name = 'odoo_shadow_res_country'"
        ).fetchall()
    assert take_events() == {
        "mirror odoo-shadow://own/res.country": {
            "table": "odoo_shadow_res_country",
            "rows_inserted": 0,
            "rows_updated": 1,
            "rows_deleted": 0,
            "last_write_date": mark.isoformat(),
        }
    }


def test_rows_of_a_task_that_failed_are_announced_by_the_end_of_the_run(mirror_dag: MirrorDag, odoo: StandIn) -> None:
    odoo.faults.add(Fault(model="res.currency", method="search_read", times=100, **NO_RIGHTS))
    assert run(mirror_dag(models=MODELS, parallel_models=1, retries=0)).state == "failed"
    assert sorted(take_events()) == [f"settle odoo-shadow://own/{model}" for model in MODELS[:2]]


@pytest.mark.sampled
@pytest.mark.parametrize("task", ["mirror", "settle"])
def test_a_task_that_fails_after_it_has_announced_loses_nothing(
    mirror_dag: MirrorDag, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    """As when it is killed, or Airflow does not hear of its success."""
    from airflow_provider_odoo_shadow.dag_factory import mapped, report

    killed: list[str] = []

    def update_then_fail(*given: Any, **more: Any) -> None:
        update_assets(*given, **more)
        if not killed:
            killed.append(task)
            raise RuntimeError("killed")

    if task == "settle":  # then it announces what the mapped tasks have not
        monkeypatch.setattr(mapped, "update_assets", lambda *_, **__: None)
    monkeypatch.setattr(mapped if task == "mirror" else report, "update_assets", update_then_fail)
    retries = 0 if task == "mirror" else 1
    dag_run = run(mirror_dag(models=MODELS, parallel_models=1, retries=retries, retry_delay_seconds=0.1))
    assert (killed, dag_run.state) == ([task], "failed" if task == "mirror" else "success")
    told = {name.partition(" ")[2] for name in take_events()}
    assert told == {f"odoo-shadow://own/{model}" for model in MODELS}


@pytest.mark.nightly
def test_rows_of_the_first_try_are_announced_by_the_second(mirror_dag: MirrorDag, odoo: StandIn) -> None:
    odoo.faults.add(Fault(model="res.currency", method="search_read", status=500, times=3))
    dag = mirror_dag(models=MODELS, parallel_models=1, retries=1, retry_delay_seconds=0.1)
    assert run(dag).state == "success"
    assert sorted(take_events()) == [f"mirror odoo-shadow://own/{model}" for model in MODELS]


@pytest.mark.nightly
def test_rows_that_another_run_wrote_are_announced(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    dag = mirror_dag(models=MODELS)
    assert run(dag).state == "success"
    take_events()
    odoo.execute("res.currency", "create", [{"name": "XTS", "symbol": "x"}])
    mirror_outside(odoo, database, "res.currency")
    assert run(dag).state == "success"
    ((name, extra),) = take_events().items()
    assert name.endswith(" odoo-shadow://own/res.currency")
    assert extra["rows_inserted"] == 1


def test_what_a_killed_run_wrote_is_announced_although_nobody_counted_it(mirror_dag: MirrorDag, database: str) -> None:
    dag = mirror_dag(models=MODELS)
    assert run(dag).state == "success"
    take_events()
    with psycopg.connect(database) as connection:  # as a process leaves it that is killed after a page
        connection.execute(
            "INSERT INTO own.odoo_shadow_sync_log (sync_run_id, table_name) VALUES"
            " (gen_random_uuid(), 'odoo_shadow_res_country')"
        )
    assert run(dag, models=["res.country"], full=True).state == "success"
    assert sorted(take_events()) == ["mirror odoo-shadow://own/res.country"]


@pytest.mark.nightly
def test_an_upgraded_shadow_announces_nothing_old(mirror_dag: MirrorDag, database: str) -> None:
    dag = mirror_dag(models=MODELS)
    assert run(dag).state == "success"
    take_events()
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE own_internal.table_state DROP COLUMN announced_id, DROP COLUMN announced_at")
        connection.execute("UPDATE own_internal.mirror SET schema_version = 8")
    assert run(dag, full=True).state == "success"
    assert take_events() == {}


@pytest.mark.nightly
def test_a_log_that_somebody_emptied_silences_nothing(mirror_dag: MirrorDag, odoo: StandIn, database: str) -> None:
    dag = mirror_dag(models=MODELS)
    assert run(dag).state == "success"
    assert run(dag, full=True).state == "success"
    take_events()
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE own.odoo_shadow_sync_log RESTART IDENTITY")
    (one,) = odoo.execute("res.company", "search", [], limit=1)
    odoo.execute("res.company", "write", [one], {"name": "Renamed"})
    assert run(dag).state == "success"
    assert "odoo-shadow://own/res.company" in {name.partition(" ")[2] for name in take_events()}


def test_a_dry_run_updates_nothing(mirror_dag: MirrorDag) -> None:
    assert run(mirror_dag(models=MODELS), dry_run=True).state == "success"
    assert take_events() == {}


def test_the_provider_knows_the_scheme() -> None:
    from airflow.providers_manager import ProvidersManager

    from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of, convert_asset_to_openlineage, create_asset

    manager = ProvidersManager()  # type: ignore[no-untyped-call]
    assert manager.asset_factories["odoo-shadow"] is create_asset
    asset = create_asset(mirror="own", model="sale.order")
    assert asset == asset_of("own", "sale.order") == Asset("odoo-shadow://own/sale.order")
    dataset = convert_asset_to_openlineage(asset, None)
    assert (dataset.namespace, dataset.name) == ("odoo-shadow://own", "sale.order")


def test_a_schema_that_cannot_stand_in_a_uri_fails_no_task(
    dags: Mapping[str, DAG], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of

    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    assert run(dags["one_model_in_a_schema_with_a_space"]).state == "success"
    uri = "odoo-shadow://Shadow%202/res.company"
    assert list(take_events()) == [f"mirror {uri}"]
    assert asset_of("Shadow 2", "res.company").uri == uri


@pytest.mark.parametrize(
    "uri", ["odoo-shadow://own", "odoo-shadow:///sale.order", "odoo-shadow://own/a/b", "odoo-shadow://own/Sale Order"]
)
def test_a_uri_without_a_mirror_or_a_model_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="must contain a mirror and a model"):
        Asset(uri)
