"""The DAG that verifies a mirror, run by Airflow's own `dag.test()`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.conftest import Flavour
from tests.dags.test_sync_dag import run, states

if TYPE_CHECKING:
    from airflow.sdk import DAG


@pytest.fixture(params=["19"])
def odoo(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn]) -> StandIn:
    return shared_odoos[request.param]


def test_a_model_that_was_never_mirrored_fails_alone(dags: Mapping[str, DAG], database: str) -> None:
    assert run(dags["odoo_shadow_sync"], models=["res.company"]).state == "success"
    with psycopg.connect(database) as connection:  # as a run leaves it that planned the model, and then was killed
        connection.execute(
            "INSERT INTO odoo_shadow.odoo_shadow_meta (table_name, odoo_model)"
            " VALUES ('odoo_shadow_res_country', 'res.country')"
        )
    dag_run = run(dags["odoo_shadow_verify"])
    assert states(dag_run) == {"plan": "success", "res.company": "success", "res.country": "failed"}
    assert dag_run.state == "failed"
