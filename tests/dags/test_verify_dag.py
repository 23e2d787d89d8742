"""The DAG that verifies a mirror, run by Airflow's own `dag.test()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.conftest import Flavour
from tests.dags.test_sync_dag import run, states
from tests.engine.source_of_truth import assert_equal

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
    assert states(dag_run) == {
        "plan": "success",
        "res.company": "success",
        "res.country": "failed",
        "report": "success",
    }
    assert dag_run.state == "failed"


def test_a_repair_reads_rows_again_that_point_to_what_it_removed(
    dags: Mapping[str, DAG], odoo: StandIn, database: str
) -> None:
    """They are of a model that the DAG's run has verified before."""
    assert run(dags["odoo_shadow_sync"], models=["res.company", "res.partner"]).state == "success"
    with psycopg.connect(database, options="-c search_path=odoo_shadow") as connection:
        connection.execute("INSERT INTO odoo_shadow_res_partner (id, name) VALUES (99999, 'Gone')")
        # As if it had been written between the two: a verification of its own model sees no id and no date that differ.
        connection.execute("UPDATE odoo_shadow_res_company SET partner_id = 99999, _sync_hash = NULL")
    assert run(dags["odoo_shadow_verify"], quick=True).state == "success"
    assert_equal(odoo, database, ["res.company", "res.partner"])


@pytest.mark.parametrize("fails", [False, True])
def test_a_repair_is_no_quiet_success(
    mirror_dags: Callable[..., Mapping[str, DAG]],
    odoo: StandIn,
    database: str,
    caplog: pytest.LogCaptureFixture,
    fails: bool,
) -> None:
    dags = mirror_dags(models=["res.company"], fail_on_repair=fails)
    assert run(dags["own_sync"]).state == "success"
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE own.odoo_shadow_res_company SET name = 'Somebody else'")
    rows = len(odoo.execute("res.company", "search", [], context={"active_test": False}))
    repaired = run(dags["own_verify"])
    assert states(repaired) == {"plan": "success", "res.company": "success", "report": "failed"}
    assert repaired.state == ("failed" if fails else "success")
    told = [record.getMessage() for record in caplog.records]
    assert any(text.startswith("res.company 1, name: 'Somebody else' in the shadow, '") for text in told)
    sentence = f"have been repaired: odoo_shadow_res_company ({rows})"
    assert any(sentence in text for text in told)
    assert_equal(odoo, database, ["res.company"], schema="own")
    assert states(run(dags["own_verify"]))["report"] == "success"
