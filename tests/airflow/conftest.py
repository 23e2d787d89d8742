"""A migrated metadata database, and connections to a stand-in and a shadow of each test's own."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator

from odoo_stand_in import StandIn
from tests.support.airflow_connections import odoo_connection, shadow_connection
from tests.support.airflow_home import DAGS_FOLDER
from tests.support.dag_runs import OUR_LOGGERS, forget_variables

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from fastapi import FastAPI

    from tests.support.airflow_pages import Visits


@pytest.fixture(scope="session", autouse=True)
def each_schema_is_checked_once() -> Iterator[None]:
    """Airflow checks the schemas of a DAG's parameters anew for every task: a quarter of what `dag.test()` takes."""
    checked: set[str] = set()
    check = Draft202012Validator.check_schema

    def check_once(schema: Mapping[str, object], *args: object, **kwargs: object) -> None:
        text = json.dumps(schema, sort_keys=True, default=repr)
        if text not in checked:
            check(schema, *args, **kwargs)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", check_once)
        yield


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's metadata database (SQLite)."""
    from airflow.utils.db import initdb

    initdb()
    logging.getLogger("airflow").setLevel(logging.WARNING)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, odoo: StandIn, database: str) -> None:
    """The DAG's two connections."""
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", odoo_connection(odoo))
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_SHADOW_DB", shadow_connection(database))


@pytest.fixture
def dags(airflow_database: None, connections: None) -> Mapping[str, DAG]:
    """The DAGs that Airflow finds, by id."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS_FOLDER))
    assert bag.import_errors == {}
    return bag.dags


@pytest.fixture
def sync_dag(dags: Mapping[str, DAG]) -> DAG:
    """The DAG that ships."""
    return dags["odoo_shadow_sync"]


@pytest.fixture
def mirror_dag(mirror_dags: Callable[..., Mapping[str, DAG]]) -> Callable[..., DAG]:
    """Return the DAG that syncs, of a mirror's settings; the mirror and its schema are called `own`."""
    return lambda **settings: mirror_dags(**settings)["own_sync"]


@pytest.fixture
def mirror_dags(
    airflow_database: None, connections: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Mapping[str, DAG]]:
    """Return the DAGs that Airflow makes of a mirror's settings; the mirror and its schema are called `own`."""
    from airflow.dag_processing.dagbag import DagBag

    def build(**settings: object) -> Mapping[str, DAG]:
        path = tmp_path / "mirrors.yaml"
        path.write_text(yaml.safe_dump({"mirrors": {"own": {"schema": "own", **settings}}}), encoding="utf-8")
        monkeypatch.setenv("AIRFLOW__ODOO_SHADOW__MIRRORS_FILE", str(path))
        bag = DagBag(str(DAGS_FOLDER))
        assert bag.import_errors == {}
        dags: Mapping[str, DAG] = bag.dags
        return dags

    return build


@pytest.fixture
def plan_log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what the task `plan` has logged since the last time."""
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)

    def read() -> list[str]:
        told = [record.getMessage() for record in caplog.records if record.name.endswith(".plan")]
        caplog.clear()
        return told

    return read


@pytest.fixture(autouse=True)
def no_variables(airflow_database: None) -> Iterator[None]:
    """Start and end without Variables."""
    forget_variables()
    yield
    forget_variables()


@pytest.fixture
def variables(airflow_database: None) -> Callable[[], dict[str, dict[str, object]]]:
    """Read all Variables, as JSON."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    def read() -> dict[str, dict[str, object]]:
        with create_session() as session:
            return {item.key: json.loads(str(item.val)) for item in session.query(Variable)}

    return read


@pytest.fixture(scope="module")
def api_server(airflow_database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Airflow's API server, with the page."""
    from tests.support.airflow_pages import api_server

    with api_server(tmp_path_factory.mktemp("api-server")) as app:
        yield app


@pytest.fixture
def visits(api_server: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visits]:
    """People who visit the page, and mirrors for them to see."""
    from tests.support.airflow_pages import PickyAuthManager, Visits

    found = Visits(api_server, tmp_path)
    monkeypatch.setattr(PickyAuthManager, "published", found.made)
    yield found
    found.forget()
