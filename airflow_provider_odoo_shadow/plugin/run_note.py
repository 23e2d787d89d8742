"""The note of a DAG run: what its task `report` found, in the list of runs and above the run's graph.

Tasks cannot write it: the interface that Airflow 3.3 gives them has no call for it. So the report leaves the text as an
XCom, and the scheduler, which calls this listener when a run ends, puts it into the run's note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

TASK = "report"
KEY = "odoo_shadow_note"
"""The XCom's key. Nothing else tells the runs of this project from others, so it is a name of its own."""
PREFIX = "Odoo shadow: "
"""What every note begins with: a run that is cleared and runs again replaces its own note and nobody else's."""
LONGEST = 1000
"""Characters of a note that Airflow keeps."""
_NO_REPORT = "the task report did not finish."


@hookimpl
def on_dag_run_success(dag_run: DagRun) -> None:
    """Note what a run's report found."""
    _write_note(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun) -> None:
    """Note what a run's report found."""
    _write_note(dag_run)


def _write_note(dag_run: DagRun) -> None:
    # Every Airflow process imports the plugins; only those that finish runs get here.
    from airflow.models.xcom import XComModel
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_run)
    if session is None or dag_run.start_date is None:
        return
    with session.no_autoflush:  # the scheduler writes it in its own transaction, and retries that if it fails
        query = select(XComModel.value).where(
            XComModel.dag_run_id == dag_run.id,
            XComModel.task_id == TASK,
            XComModel.key == KEY,
            XComModel.timestamp >= dag_run.start_date,  # a run that was cleared may have left an older one
        )
        found = session.scalar(query.limit(1))
        is_ours = (dag_run.note or "").startswith(PREFIX)
        # A backend that keeps XComs elsewhere has a reference here.
        if isinstance(found, str) and found.startswith(PREFIX) and (is_ours or not dag_run.note):
            dag_run.note = found[:LONGEST]
        elif is_ours:
            dag_run.note = PREFIX + _NO_REPORT
