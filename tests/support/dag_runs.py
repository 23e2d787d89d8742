"""DAGs run by Airflow's own `dag.test()`, and what became of their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk import DAG

OUR_LOGGERS = ("odoo_shadow", "airflow_provider_odoo_shadow")


def run(dag: DAG, **conf: object) -> DagRun:
    dag_run: DagRun = dag.test(run_conf=conf)
    return dag_run


def states(dag_run: DagRun) -> dict[str, str]:
    """Return the state of each model's task by the model, and of the other tasks by their ids."""
    return {name: str(ti.state) for ti in dag_run.get_task_instances() for name in _names(ti)}


def tries(dag_run: DagRun) -> dict[str, int]:
    return {name: ti.try_number for ti in dag_run.get_task_instances() for name in _names(ti)}


def _names(ti: TaskInstance) -> list[str]:
    """Return the models of a mapped task, which its label names."""
    return str(ti.rendered_map_index or ti.task_id).split(", ")


def forget_variables() -> None:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Variable).delete()


def links(dag_run: DagRun) -> dict[str, dict[str, str]]:
    """Return the links of each task that has some, by its label and without their common beginning."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    labels = {(ti.task_id, ti.map_index): ti.rendered_map_index or ti.task_id for ti in dag_run.get_task_instances()}
    found: dict[str, dict[str, str]] = {}
    with create_session() as session:
        wanted = select(XComModel).where(XComModel.run_id == dag_run.run_id, XComModel.key.startswith("_link_"))
        for item in session.scalars(wanted):
            found.setdefault(labels[item.task_id, item.map_index], {})[item.key.removeprefix("_link_")] = item.value
    return found
