"""DAGs run by Airflow's own `dag.test()`, and what became of their tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

OUR_LOGGERS = ("odoo_shadow", "airflow_provider_odoo_shadow")


def run(dag: DAG, **conf: object) -> DagRun:
    dag_run: DagRun = dag.test(run_conf=conf)
    return dag_run


def states(dag_run: DagRun) -> dict[str, str]:
    """Return the state of each mapped task by its label, and of the others by their ids."""
    return {ti.rendered_map_index or ti.task_id: str(ti.state) for ti in dag_run.get_task_instances()}


def tries(dag_run: DagRun) -> dict[str, int]:
    return {ti.rendered_map_index or ti.task_id: ti.try_number for ti in dag_run.get_task_instances()}


def forget_variables() -> None:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        session.query(Variable).delete()
