"""What OpenLineage is told, by its real listener, and what bounds it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from airflow.listeners import hookimpl
from airflow.sdk.listener import get_listener_manager
from openlineage.client.serde import Serde

from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of, convert_asset_to_openlineage
from airflow_provider_odoo_shadow.dag_factory.mapped import MirrorModelsOperator
from airflow_provider_odoo_shadow.lineage.openlineage import MOST_COLUMNS, MOST_TABLES, lineage_of
from airflow_provider_odoo_shadow.mirror_task import MirrorTask, Sides
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator
from odoo_shadow.mirror.shape.origins import ColumnOrigin
from odoo_shadow.mirror.sync.result import MirrorResult
from odoo_shadow.mirror.sync.window import ScanKind
from odoo_shadow.shadow.connection.database import Place, ShadowDatabase
from odoo_shadow.shadow.row_counts import RowCounts
from odoo_shadow.shadow.state.watermarks import Watermark
from odoo_stand_in import Fault, StandIn
from tests.support.airflow_child import run_in_a_child
from tests.support.airflow_connections import odoo_connection, shadow_connection
from tests.support.dag_runs import run

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour

SECRET = "a-long-and-random-hash-secret-0123456789"
LABEL = "A label"


@pytest.fixture
def settings(airflow_database: None, odoo: StandIn, database: str, tmp_path: Path) -> dict[str, str]:
    """The variables of a process whose OpenLineage writes into a file."""
    transport = {"type": "file", "log_file_path": str(tmp_path / "events"), "append": True}
    return {
        "AIRFLOW_CONN_ODOO_DEFAULT": odoo_connection(odoo, hash_secret=SECRET),
        "AIRFLOW_CONN_POSTGRES_DEFAULT": shadow_connection(database),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
    }


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return the events of tasks; OpenLineage also tells of the run of the DAG."""
    found = [json.loads(line) for path in folder.glob("events*") for line in path.read_text().splitlines()]
    return [event for event in found if event["eventType"] == kind and "." in event["job"]["name"]]


# --- with the real provider


@pytest.mark.nightly
def test_a_real_run_tells_of_both_sides(settings: dict[str, str], odoo: StandIn, database: str, tmp_path: Path) -> None:
    assert run_in_a_child("one_hashed_model", settings) == "success"
    (event,) = events(tmp_path, "COMPLETE")
    (source,), (table,) = event["inputs"], event["outputs"]
    host = odoo.url.removeprefix("http://")
    assert (source["namespace"], source["name"]) == (f"odoo://{host}", f"{odoo.database}.res.partner")
    with psycopg.connect(database) as connection:
        port, name = connection.info.port, connection.info.dbname
        ((rows,),) = connection.execute("SELECT count(*) FROM odoo_shadow.odoo_shadow_res_partner").fetchall()
        types: dict[str, str] = dict(
            connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0"
                " AND NOT attisdropped AND attrelid = 'odoo_shadow.odoo_shadow_res_partner'::regclass"
            ).fetchall()
        )
    assert table["namespace"] == f"postgres://localhost:{port}"
    assert table["name"] == f"{name}.odoo_shadow.odoo_shadow_res_partner"
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == rows
    (other_name,) = table["facets"]["symlinks"]["identifiers"]
    asset = convert_asset_to_openlineage(asset_of("europe", "res.partner"), None)
    assert (other_name["namespace"], other_name["name"]) == (asset.namespace, asset.name)
    assert source["inputFacets"]["inputStatistics"]["rowCount"] == rows

    assert {item["name"]: item["type"] for item in table["facets"]["schema"]["fields"]} == types
    assert {item["name"]: item["type"] for item in source["facets"]["schema"]["fields"]}["country_id"] == "many2one"
    lineage = table["facets"]["columnLineage"]["fields"]
    assert lineage.keys() == types.keys() - {"_synced_at", "_sync_hash"}
    made = {name: item["inputFields"] for name, item in lineage.items()}
    assert {name: inputs[0]["field"] for name, inputs in made.items()} == {
        **{name: name for name in lineage},
        "_odoo_write_date": "write_date",
    }
    told = {name: (step["subtype"], step["masking"]) for name, ((step,),) in _steps(made)}
    assert told.pop("email") == ("TRANSFORMATION", True)
    assert set(told.values()) == {("IDENTITY", False)}
    assert {(item["namespace"], item["name"]) for (item,) in made.values()} == {(source["namespace"], source["name"])}

    text = json.dumps(event)
    assert not [word for word in (odoo.password, odoo.api_key, SECRET) if word in text]


def _steps(made: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for name, inputs in made.items():
        yield name, [item["transformations"] for item in inputs]


@pytest.mark.nightly
def test_a_task_that_fails_tells_of_nothing_that_it_has_not_mirrored(
    settings: dict[str, str], odoo: StandIn, tmp_path: Path
) -> None:
    wrong = {**json.loads(odoo_connection(odoo)), "password": "wrong"}
    assert run_in_a_child("one_model", {**settings, "AIRFLOW_CONN_ODOO_DEFAULT": json.dumps(wrong)}) == "failed"
    (event,) = events(tmp_path, "FAIL")
    assert (event["inputs"], event["outputs"]) == ([], [])


def test_a_task_whose_second_model_fails_tells_of_the_first(mirror_dag: Callable[..., DAG], odoo: StandIn) -> None:
    heard = Listener()
    manager: Any = get_listener_manager()  # untyped
    manager.add_listener(heard)
    odoo.faults.add(Fault(model="res.partner", method="search_read", status=403, times=100))
    try:
        assert run(mirror_dag(models=["res.company", "res.partner"], parallel_models=1, retries=0)).state == "failed"
    finally:
        manager.pm.unregister(heard)
    assert heard.outputs == [["odoo_shadow_res_company"]]


class Listener:
    """Asks a task that failed as OpenLineage's listener does."""

    def __init__(self) -> None:
        self.outputs: list[list[str]] = []

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any) -> None:
        task = task_instance.task
        if isinstance(task, MirrorModelsOperator):
            lineage = task.get_openlineage_facets_on_complete(task_instance)
            self.outputs.append([item.name.rpartition(".")[2] for item in lineage.outputs] if lineage else [])


@pytest.mark.nightly
def test_the_operator_needs_no_openlineage(settings: dict[str, str], tmp_path: Path) -> None:
    without = ("openlineage", *(f"airflow.providers.openlineage.{name}" for name in ("extractors", "plugins")))
    assert run_in_a_child("one_model", settings, without=without) == "success"
    assert not list(tmp_path.iterdir())


# --- what a task has done becomes an event


class Task:
    """A task that has mirrored some models."""

    mirror_name = "eu"
    asked_models: tuple[str, ...] = ()

    def __init__(self, *results: MirrorResult, url: str = "https://erp.example.com", host: str = "db") -> None:
        shadow = ShadowDatabase.from_url("postgresql://nowhere/x")
        shadow.place = Place(host, 5432, "x")
        self.results = results
        self.sides: Sides | None = Sides(url, "prod", shadow)


def result(model: str, *columns: ColumnOrigin) -> MirrorResult:
    table = f"odoo_shadow_{model}"
    mark = Watermark(datetime(2026, 1, 1, tzinfo=UTC))
    return MirrorResult(model, table, ScanKind.INCREMENTAL, RowCounts(2, 3, 4, 5), mark, 1.0, columns=columns)


def columns(number: int, label: str = LABEL) -> list[ColumnOrigin]:
    return [ColumnOrigin(f"c{i}", "text", f"f{i}", "char", label) for i in range(number)]


def as_event(task: MirrorTask) -> dict[str, Any]:
    lineage = lineage_of(task)
    assert lineage is not None
    return {
        "inputs": [Serde.to_dict(item) for item in lineage.inputs],
        "outputs": [Serde.to_dict(item) for item in lineage.outputs],
    }


def test_several_models_are_several_datasets() -> None:
    event = as_event(Task(result("a", *columns(1)), result("b", *columns(2))))
    assert [item["name"] for item in event["inputs"]] == ["prod.a", "prod.b"]
    assert [item["name"] for item in event["outputs"]] == [f"x.odoo_shadow.odoo_shadow_{name}" for name in "ab"]


@pytest.mark.parametrize(
    ("url", "namespace"),
    [
        ("https://erp.example.com", "odoo://erp.example.com:443"),
        ("http://localhost:8069", "odoo://localhost:8069"),
        ("https://[::1]:8443/odoo", "odoo://[::1]:8443/odoo"),
    ],
)
def test_odoo_is_named_by_its_host_and_port(url: str, namespace: str) -> None:
    (source,) = as_event(Task(result("a"), url=url))["inputs"]
    assert source["namespace"] == namespace


def test_many_models_and_many_columns_make_a_bounded_event() -> None:
    event = as_event(Task(*(result(f"m{i}", *columns(500, label="x" * 100_000)) for i in range(300))))
    assert len(event["outputs"]) == 300
    assert len(json.dumps(event)) < 2_000_000
    described = [item for item in event["outputs"] if "schema" in item["facets"]]
    assert len(described) == MOST_COLUMNS // 500
    assert all(len(item["facets"]["columnLineage"]["fields"]) == 500 for item in described)


def test_more_tables_than_an_event_holds_are_left_out() -> None:
    event = as_event(Task(*(result(f"m{i}") for i in range(MOST_TABLES + 1))))
    assert len(event["outputs"]) == len(event["inputs"]) == MOST_TABLES


def test_labels_are_cleaned() -> None:
    event = as_event(Task(result("a", ColumnOrigin("c", "text", "f", "char", "a\x1b[31m\nb"))))
    (field,) = event["outputs"][0]["facets"]["schema"]["fields"]
    assert field["description"] == "a\\x1b[31m\\x0ab"


def test_nothing_mirrored_is_no_lineage(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = OdooToPostgresOperator(task_id="a", model="res.partner")
    assert operator.get_openlineage_facets_on_complete(None) is None
    assert lineage_of(Task()) is None
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", None)
    assert lineage_of(Task(result("a"))) is None
