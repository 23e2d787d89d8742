"""Watermarks in Airflow Variables: the older of Variable and table row counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg

from odoo_stand_in import StandIn
from tests.dags.test_sync_dag import run, states

if TYPE_CHECKING:
    from airflow.sdk import DAG

Variables = Callable[[], dict[str, dict[str, object]]]

KEY = "odoo_shadow_watermark__odoo_shadow__odoo_shadow_res_partner"
PARTNERS = {"models": ["res.partner"]}


def set_variable(value: str) -> None:
    from airflow.models.variable import Variable

    Variable.set(KEY, value)


def last_log_row(database: str) -> tuple[str, int, int, int]:
    """Return status, inserted, updated and unchanged of the newest log row."""
    with psycopg.connect(database) as connection:
        ((status, inserted, updated, unchanged),) = connection.execute(
            "SELECT status, rows_inserted, rows_updated, (metadata->>'rows_unchanged')::int"
            " FROM odoo_shadow_sync_log ORDER BY id DESC LIMIT 1"
        ).fetchall()
    return status, inserted, updated, unchanged


def everyone(odoo: StandIn) -> int:
    return len(odoo.execute("res.partner", "search", [], context={"active_test": False}))


def test_setting_a_variable_back_replays(sync_dag: DAG, odoo: StandIn, database: str) -> None:
    run(sync_dag, **PARTNERS)
    set_variable(json.dumps({"last_write_date": "2001-01-01T00:00:00+00:00"}))
    run(sync_dag, **PARTNERS)
    assert last_log_row(database) == ("success", 0, 0, everyone(odoo))


def test_setting_a_variable_forward_loses_nothing(sync_dag: DAG, odoo: StandIn, database: str) -> None:
    run(sync_dag, **PARTNERS)
    set_variable(json.dumps({"last_write_date": "2999-01-01T00:00:00+00:00"}))
    odoo.execute("res.partner", "create", {"name": "New, Inc."})
    run(sync_dag, **PARTNERS)
    assert last_log_row(database)[:2] == ("success", 1)


def test_a_missing_variable_is_restored_from_the_table(
    sync_dag: DAG, odoo: StandIn, database: str, variables: Variables
) -> None:
    from airflow.models.variable import Variable

    run(sync_dag, **PARTNERS)
    Variable.delete(KEY)
    (childless,) = odoo.execute("res.partner", "search", [("child_ids", "=", False)], limit=1)
    odoo.execute("res.partner", "write", [childless], {"function": "Promoted"})
    run(sync_dag, **PARTNERS)
    status, inserted, updated, unchanged = last_log_row(database)
    # The table's own watermark counted, so nothing but the changed row was read.
    assert (status, inserted, updated, unchanged) == ("success", 0, 1, 0)
    assert set(variables()[KEY]) == {"last_write_date", "last_id", "rows_synced", "updated_at"}


def test_without_a_row_there_is_a_first_load_whatever_the_variable_says(
    sync_dag: DAG, odoo: StandIn, database: str
) -> None:
    set_variable(json.dumps({"last_write_date": "2999-01-01T00:00:00+00:00"}))
    run(sync_dag, **PARTNERS)
    assert last_log_row(database) == ("success", everyone(odoo), 0, 0)


def test_nonsense_in_a_variable_fails_that_model_at_once(sync_dag: DAG, database: str) -> None:
    set_variable("yesterday")
    dag_run = run(sync_dag, models=["res.partner", "res.company"])
    assert states(dag_run)["res.partner"] == "failed"
    assert states(dag_run)["res.company"] == "success"
    (task,) = [ti for ti in dag_run.get_task_instances() if ti.rendered_map_index == "res.partner"]
    assert task.try_number == 1
    with psycopg.connect(database) as connection:
        ((message,),) = connection.execute(
            "SELECT error_message FROM odoo_shadow_sync_log WHERE status = 'error'"
        ).fetchall()
    assert message.startswith(f"Airflow Variable '{KEY}' is not a watermark such as")
