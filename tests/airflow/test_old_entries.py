"""What a run does besides: `report` removes old log entries; `plan` restricts rows, and notes what is left out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.support.dag_runs import OUR_LOGGERS, run, states

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.one_flavour


def in_database(database: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.mark.nightly
def test_a_run_removes_what_is_older_than_the_mirror_keeps(
    mirror_dag: Callable[..., DAG], database: str, caplog: pytest.LogCaptureFixture
) -> None:
    models = ["res.company", "res.country*", "no.such.*"]
    dag = mirror_dag(models=models, keep_log_days=3, row_level_security="company")
    assert run(dag).state == "success"
    policies = "SELECT count(*) FROM pg_policy WHERE polrelid = 'own.odoo_shadow_res_company'::regclass"
    assert in_database(database, policies) == [(1,)]
    assert run(dag).state == "success"
    left_out = in_database(database, "SELECT odoo_model FROM own.odoo_shadow_left_out WHERE field_name = ''")
    assert ("no.such.*",) in left_out
    in_database(
        database,
        "UPDATE own.odoo_shadow_sync_log SET started_at = started_at - interval '4 days',"
        " completed_at = completed_at - interval '4 days'",
    )
    assert run(dag, models=["res.company"]).state == "success"
    found = in_database(
        database,
        "SELECT extract(day FROM now() - started_at)::int, rows_inserted > 0 FROM own.odoo_shadow_sync_log"
        " WHERE table_name = 'odoo_shadow_res_company' ORDER BY id",
    )
    assert found == [(4, True), (0, False)]  # the one that wrote rows stays
    assert in_database(database, "SELECT odoo_model FROM own.odoo_shadow_left_out WHERE field_name = ''") == left_out
    for name in OUR_LOGGERS:
        caplog.set_level(logging.INFO, logger=name)
    in_database(database, "ALTER TABLE own.odoo_shadow_schema_log RENAME changed_at TO moment")
    failed = run(dag)
    assert (failed.state, states(failed)["report"]) == ("success", "success")
    assert "Old log entries were not removed; the next run tries again" in caplog.text
