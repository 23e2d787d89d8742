"""The DAG that verifies a mirror, run by Airflow's own `dag.test()`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest

from odoo_stand_in import StandIn
from tests.support.dag_runs import run, states
from tests.support.flavours import Flavour
from tests.support.source_of_truth import assert_equal

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG


@pytest.fixture(params=["19"])
def odoo(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn]) -> StandIn:
    return shared_odoos[request.param]


def note(dag_run: DagRun, written: str | None = None) -> str | None:
    """Return what people see as the run's note; `dag.test()` tells listeners of a run that has left its session.

    :param written: by somebody, before the run ends.
    """
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.sqlalchemy import prohibit_commit

    with create_session() as session:
        found = session.get(DagRun, dag_run.id)
        assert found is not None
        if written is not None:
            found.note = written
            session.flush()
        with prohibit_commit(session) as guard:  # type: ignore[no-untyped-call]  # as the scheduler has it
            found.notify_dagrun_state_changed(msg="success")
            guard.commit()
    with create_session() as session:
        found = session.get(DagRun, dag_run.id)
        return found.note if found else None


@pytest.mark.nightly
def test_only_the_models_that_the_form_asks_for_are_compared(
    dags: Mapping[str, DAG], database: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(dags["odoo_shadow_sync"], models=["res.company", "res.users"]).state == "success"
    verify = dags["odoo_shadow_verify"]
    assert set(states(run(verify, models=["res.c*"]))) == {"plan", "res.company", "report"}
    assert set(states(run(verify, models=[]))) == {"plan", "res.company", "res.users", "report"}
    assert states(run(verify, models=["res.compny"]))["plan"] == "failed"
    assert any("res.compny is not mirrored (did you mean res.company?)." in item.message for item in caplog.records)
    assert states(run(verify, models=["sale.*"]))["plan"] == "failed"


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


@pytest.mark.nightly
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
    sentence = f"have been repaired: odoo_shadow_res_company: {rows};"
    assert any(sentence in text for text in told)
    assert_equal(odoo, database, ["res.company"], schema="own")
    assert states(run(dags["own_verify"]))["report"] == "success"


@pytest.mark.nightly
def test_the_runs_note_tells_what_was_found(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn, database: str
) -> None:
    dags = mirror_dags(models=["res.company"])
    rows = len(odoo.execute("res.company", "search", [], context={"active_test": False}))
    mirrored = f"models: 1 mirrored, 0 unchanged; rows: {rows} inserted, 0 updated, 0 deleted."
    assert note(run(dags["own_sync"])) == f"Odoo shadow: {mirrored}"
    compared = f"Odoo shadow: compared with Odoo: {rows} rows; tables: "
    assert note(run(dags["own_verify"])) == f"{compared}1 equal."
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE own.odoo_shadow_res_company SET name = 'Somebody else'")
    different = "1 different, or not compared as a whole (odoo_shadow_res_company); tasks that failed: 1."
    assert note(run(dags["own_verify"], repair=False)) == f"{compared}0 equal, {different}"
    repaired = f"1 wrong until now and repaired (odoo_shadow_res_company: {rows})"
    assert note(run(dags["own_verify"], repair=True)) == f"{compared}0 equal, {repaired}."
    assert note(run(dags["own_sync"], unknown=1)) == (
        "Odoo shadow: nothing was mirrored, since the task plan failed: the last line of its log says why."
    )
    assert (note(run(dags["own_sync"], dry_run=True)) or "").startswith("Odoo shadow: a dry run")


def test_a_note_of_somebody_else_stays_and_an_old_one_of_ours_goes(
    mirror_dags: Callable[..., Mapping[str, DAG]], odoo: StandIn
) -> None:
    ended = run(mirror_dags(models=["res.company"])["own_sync"], dry_run=True)
    assert note(ended, "Do not clear: being looked at.") == "Do not clear: being looked at."
    assert (note(ended, "Odoo shadow: of the try before") or "").startswith("Odoo shadow: a dry run")


def test_a_run_without_a_report_gets_no_note(mirror_dags: Callable[..., Mapping[str, DAG]]) -> None:
    """As the runs of all other DAGs."""
    from airflow.models.xcom import XComModel

    ended = run(mirror_dags(models=["res.company"])["own_sync"], dry_run=True)
    XComModel.clear(dag_id=ended.dag_id, run_id=ended.run_id, task_id="report")
    assert note(ended) is None
    assert note(ended, "Odoo shadow: of the try before") == "Odoo shadow: the task report did not finish."
