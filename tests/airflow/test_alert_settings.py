"""What the mirrors file's settings make of the DAGs, and how fresh a schedule can keep the shadow."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig, read_mirrors
from airflow_provider_odoo_shadow.dag_factory.gaps import longest_gap
from airflow_provider_odoo_shadow.dag_factory.sync_dag import build_sync_dag
from airflow_provider_odoo_shadow.dag_factory.verify_dag import build_verify_dag
from odoo_shadow.mirror.errors import MirrorConfigurationError

NOTIFY = "notify_conn_id: chat"


def mirror(folder: Path, settings: str) -> DagConfig:
    path = folder / "mirrors.yaml"
    path.write_text(f"mirrors: {{a: {{{settings}}}}}", encoding="utf-8")
    return read_mirrors(path)[0]


def test_owner_tags_and_pool_reach_the_dags(tmp_path: Path) -> None:
    config = mirror(tmp_path, "owner: platform, tags: [finance, odoo], pool: odoo")
    for dag in (build_sync_dag(config), build_verify_dag(config)):
        assert dag.tags == {"odoo", "odoo-shadow", "finance"}
        assert {task.owner for task in dag.tasks} == {"platform"}
        pools = {task.task_id: task.pool for task in dag.tasks}
        in_pool = {"mirror", "settle"} if "mirror" in pools else {"verify"}
        assert {task for task, pool in pools.items() if pool == "odoo"} == in_pool


def test_without_settings_airflow_decides(tmp_path: Path) -> None:
    dag = build_sync_dag(mirror(tmp_path, ""))
    assert dag.tags == {"odoo", "odoo-shadow"}
    assert {(task.owner, task.pool) for task in dag.tasks} == {("airflow", "default_pool")}
    assert (dag.on_failure_callback, dag.on_success_callback, dag.deadline) == (None, None, None)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("0 */4 * * *", timedelta(hours=4)),
        ("*/5 * * * *", timedelta(minutes=5)),
        ("@hourly", timedelta(hours=1)),
        ("30 23,1 * * *", timedelta(hours=22)),
        ("0 8-18 * * 1-5", timedelta(days=2, hours=14)),
        ("* 8-18 * * 1-5", timedelta(days=2, hours=13, minutes=1)),
        ("0 0 1 * *", timedelta(days=31)),
        ("@yearly", timedelta(days=366)),
        ("0 0 29 2 *", timedelta(days=4 * 365 + 1)),
    ],
)
def test_the_longest_pause_of_a_schedule(schedule: str, gap: timedelta) -> None:
    assert longest_gap(schedule) == gap


def test_a_run_has_the_time_that_the_schedule_leaves(tmp_path: Path) -> None:
    config = mirror(tmp_path, f"{NOTIFY}, fresh_within_minutes: 300")
    deadlines = build_sync_dag(config).deadline
    assert isinstance(deadlines, list)
    (deadline,) = deadlines
    assert deadline.interval == timedelta(hours=1)
    assert deadline.reference.reference_name == "DagRunLogicalDateDeadline"
    assert build_verify_dag(config).deadline is None


@pytest.mark.parametrize("minutes", [1, 239, 240])
def test_what_the_schedule_cannot_keep_is_refused(tmp_path: Path, minutes: int) -> None:
    with pytest.raises(MirrorConfigurationError) as caught:
        mirror(tmp_path, f"{NOTIFY}, fresh_within_minutes: {minutes}")
    assert (
        f"fresh_within_minutes is {minutes}: up to 240 minutes lie between two runs of schedule '0 */4 * * *', and a "
        "run takes time as well, so that at least 241 can be kept: allow more, or run more often."
    ) in str(caught.value)


@pytest.mark.parametrize("settings", ["schedule: null, fresh_within_minutes: 5", "retries: 1"])
def test_without_a_schedule_or_a_goal_there_is_no_deadline(tmp_path: Path, settings: str) -> None:
    assert build_sync_dag(mirror(tmp_path, f"{NOTIFY}, {settings}")).deadline is None


def test_a_goal_without_a_chat_is_a_deadline_too(tmp_path: Path) -> None:
    assert build_sync_dag(mirror(tmp_path, "fresh_within_minutes: 300")).deadline is not None


def test_the_deadline_survives_being_stored(tmp_path: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    config = mirror(tmp_path, f"{NOTIFY}, fresh_within_minutes: 300, models: [res.partner, 'sale.*']")
    stored = DagSerialization.to_dict(build_sync_dag(config))
    (deadline,) = stored["dag"]["deadline"]
    assert "freshness_missed" in str(deadline)
    assert stored["dag"]["has_on_failure_callback"] is True
