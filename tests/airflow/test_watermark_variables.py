"""Watermarks in Airflow Variables: the older of Variable and table row counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk import Variable

from airflow_provider_odoo_shadow.transfers.watermark_variable import WatermarkVariable, WrongVariableError
from odoo_stand_in import StandIn
from tests.support.dag_runs import run, states

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour

Variables = Callable[[], dict[str, dict[str, object]]]

KEY = "odoo_shadow_watermark__odoo_shadow__odoo_shadow_res_partner"
PARTNERS = {"models": ["res.partner"]}


def set_variable(value: str) -> None:
    from airflow.models.variable import Variable as Stored

    Stored.set(KEY, value)


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


@pytest.mark.nightly
def test_setting_a_variable_forward_loses_nothing(sync_dag: DAG, odoo: StandIn, database: str) -> None:
    run(sync_dag, **PARTNERS)
    set_variable(json.dumps({"last_write_date": "2999-01-01T00:00:00+00:00"}))
    odoo.execute("res.partner", "create", {"name": "New, Inc."})
    run(sync_dag, **PARTNERS)
    assert last_log_row(database)[:2] == ("success", 1)


def test_a_missing_variable_is_restored_from_the_table(
    sync_dag: DAG, odoo: StandIn, database: str, variables: Variables
) -> None:
    from airflow.models.variable import Variable as Stored

    run(sync_dag, **PARTNERS)
    Stored.delete(KEY)
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


NONSENSE = {
    "a word": "yesterday",
    "empty": "",
    "a number": "20260131",
    "not a number": "NaN",
    "a list": '["last_write_date"]',
    "another key": '{"last_write": "2026-01-31"}',
    "a number for the date": '{"last_write_date": 1767225600}',
    "no number for the date": '{"last_write_date": NaN}',
    "null": '{"last_write_date": null}',
    "a list for the date": '{"last_write_date": ["2026-01-31"]}',
    "before all time": '{"last_write_date": "0001-01-01T00:00:00+14:00"}',
    "after all time": '{"last_write_date": "9999-12-31T23:59:59-14:00"}',
    "no such day": '{"last_write_date": "2026-02-30"}',
    "year 10000": '{"last_write_date": "10000-01-01"}',
    "deep": "[" * 9_000,
    "deep inside": '{"last_write_date": ' + "[" * 9_000,
    "huge": json.dumps({"last_write_date": "2026-01-31", "padding": "x" * 5_000_000}),
    "a huge number": '{"last_write_date": ' + "9" * 9_000 + "}",
    "half a character": '{"last_write_date": "\\ud800"}',
    "a template": '{"last_write_date": "{{ macros.uuid }}"}',
}


@pytest.mark.parametrize("value", NONSENSE.values(), ids=NONSENSE)
def test_whatever_stands_in_a_variable_is_told_in_one_sentence(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setattr(Variable, "get", lambda _: value)
    with pytest.raises(WrongVariableError, match=f"^Airflow Variable '{KEY}' is not a watermark such as"):
        WatermarkVariable("odoo_shadow", "odoo_shadow_res_partner").read([KEY])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999", datetime.max.replace(tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_moments_that_there_are(monkeypatch: pytest.MonkeyPatch, text: str, moment: datetime) -> None:
    monkeypatch.setattr(Variable, "get", lambda _: json.dumps({"last_write_date": text}))
    assert WatermarkVariable("odoo_shadow", "odoo_shadow_res_partner").read([KEY]) == moment


@pytest.mark.sampled
@pytest.mark.parametrize("value", ["yesterday", NONSENSE["before all time"], NONSENSE["deep"]], ids=lambda v: v[:30])
def test_nonsense_in_a_variable_fails_that_model_at_once(sync_dag: DAG, database: str, value: str) -> None:
    set_variable(value)
    dag_run = run(sync_dag, models=["res.partner", "res.company"])
    assert states(dag_run)["res.partner"] == "failed"
    assert states(dag_run)["res.company"] == "success"
    (task,) = [ti for ti in dag_run.get_task_instances() if ti.rendered_map_index == "res.partner"]
    assert task.try_number == 1
    with psycopg.connect(database) as connection:
        ((message,),) = connection.execute(
            "SELECT message FROM odoo_shadow_internal.sync_detail WHERE message IS NOT NULL"
        ).fetchall()
    assert message.startswith(f"Airflow Variable '{KEY}' is not a watermark such as")


@pytest.mark.nightly
def test_the_plan_leaves_nonsense_to_the_models_own_task(sync_dag: DAG, database: str) -> None:
    run(sync_dag, **PARTNERS)
    for value in (NONSENSE["after all time"], NONSENSE["deep"]):
        set_variable(value)
        assert states(run(sync_dag, **PARTNERS)) == {
            "plan": "success",
            "doctor": "success",
            "res.partner": "failed",
            "settle": "success",
            "complete": "upstream_failed",
            "report": "success",
        }
