"""A mirror with `odoo_credentials: vault`: its DAGs need no connection to Odoo."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from odoo_stand_in import StandIn
from tests.support.airflow_connections import shadow_connection
from tests.support.dag_runs import OUR_LOGGERS, links, run, states
from tests.support.vault import make_vault, secrets_of

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour


@pytest.mark.nightly
def test_all_tasks_take_odoo_from_the_vault_and_the_extras_from_the_connection(
    mirror_dags: Callable[..., Mapping[str, DAG]],
    odoo: StandIn,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in OUR_LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    monkeypatch.delenv("AIRFLOW_CONN_ODOO_DEFAULT")
    make_vault(database, **secrets_of(odoo))
    dags = mirror_dags(models=["res.company", "res.partner"], odoo_credentials="vault")
    synced = run(dags["own_sync"])
    assert set(states(synced).values()) == {"success"}
    assert all(link["OdooLink"].startswith(f"{odoo.url}/web") for link in links(synced).values())
    assert set(states(run(dags["own_verify"])).values()) == {"success"}
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "Odoo" in told and odoo.api_key not in told and odoo.url not in told
    extras = {"conn_type": "odoo", "host": "https://wrong.invalid", "extra": {"lang": "xx_XX"}}
    monkeypatch.setenv("AIRFLOW_CONN_ODOO_DEFAULT", json.dumps(extras))
    assert states(run(dags["own_sync"]))["plan"] == "failed"
    assert "Odoo connection 'Vault'" in caplog.text and "the server has no language 'xx_XX'" in caplog.text


def test_the_operator_alone_takes_odoo_from_the_vault(
    dags: Mapping[str, DAG], odoo: StandIn, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ODOO_DEFAULT")
    monkeypatch.setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", shadow_connection(database))
    make_vault(database, **secrets_of(odoo))
    assert run(dags["one_model_from_the_vault"]).state == "success"
    assert run(dags["one_model_from_elsewhere"]).state == "failed"
