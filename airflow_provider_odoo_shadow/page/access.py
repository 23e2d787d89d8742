"""Who may see and start what: Airflow's own login and its auth manager decide, for each mirror by its DAGs.

Airflow does not protect the applications of plugins, so everything here depends on it explicitly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

from airflow_provider_odoo_shadow.page.mirrors import FoundDag, FoundMirror


@dataclass(frozen=True)
class VisibleMirror:
    """A mirror that a user may see.

    :param found: without the DAG that compares, if the user may not see that one.
    :param runs_of: the DAGs whose runs the user may see.
    :param may_start: the DAGs of which the user may start a run.
    """

    found: FoundMirror
    runs_of: frozenset[str]
    may_start: frozenset[str]


def visible_mirrors(mirrors: Iterable[FoundMirror], user: BaseUser) -> list[VisibleMirror]:
    """Return the mirrors whose DAG the user may read; of two with the same name the first."""
    found: dict[str, VisibleMirror] = {}
    for mirror in mirrors:
        if mirror.name not in found and _may_read(mirror.sync, user):
            found[mirror.name] = _visible(mirror, user)
    return list(found.values())


def _visible(mirror: FoundMirror, user: BaseUser) -> VisibleMirror:
    if mirror.verify is not None and not _may_read(mirror.verify, user):
        mirror = replace(mirror, verify=None)
    return VisibleMirror(
        mirror,
        frozenset(dag.dag_id for dag in mirror.dags if _may_read(dag, user, DagAccessEntity.RUN)),
        frozenset(dag.dag_id for dag in mirror.dags if not dag.is_stale and _may_start(dag, user)),
    )


def _may_read(dag: FoundDag, user: BaseUser, entity: DagAccessEntity | None = None) -> bool:
    details = DagDetails(id=dag.dag_id, team_name=dag.team)
    return bool(get_auth_manager().is_authorized_dag(method="GET", access_entity=entity, details=details, user=user))


def _may_start(dag: FoundDag, user: BaseUser) -> bool:
    details, entity = DagDetails(id=dag.dag_id, team_name=dag.team), DagAccessEntity.RUN
    return bool(get_auth_manager().is_authorized_dag(method="POST", access_entity=entity, details=details, user=user))
