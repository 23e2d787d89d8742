"""The last runs of DAGs, in Airflow's metadata."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from airflow.models.dagrun import DagRun, DagRunNote
from sqlalchemy import func, select
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class AirflowRun:
    """A run of a DAG.

    :param state: as Airflow calls it: queued, running, success, failed.
    :param note: what its report found, or what somebody wrote.
    """

    dag_id: str
    run_id: str
    state: str
    kind: str
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    note: str | None


def last_runs(session: Session, dag_ids: Collection[str], most: int) -> Mapping[str, tuple[AirflowRun, ...]]:
    """Return the last runs of each DAG, newest first."""
    if not dag_ids:
        return {}
    order = (DagRun.run_after.desc(), DagRun.id.desc())
    place = func.row_number().over(partition_by=DagRun.dag_id, order_by=order).label("place")
    ranked = select(DagRun.id, place).where(DagRun.dag_id.in_(dag_ids)).subquery()
    query = (
        select(
            DagRun.dag_id,
            DagRun.run_id,
            DagRun.state,
            DagRun.run_type,
            DagRun.run_after,
            DagRun.start_date,
            DagRun.end_date,
            DagRunNote.content,
        )
        .join(ranked, ranked.c.id == DagRun.id)
        .outerjoin(DagRunNote, DagRunNote.dag_run_id == DagRun.id)
        .where(ranked.c.place <= most)
        .order_by(*order)
    )
    found: dict[str, list[AirflowRun]] = {}
    for dag_id, run_id, state, kind, *rest in session.execute(query):
        found.setdefault(dag_id, []).append(AirflowRun(dag_id, run_id, str(state), str(kind), *rest))
    return {dag_id: tuple(runs) for dag_id, runs in found.items()}
