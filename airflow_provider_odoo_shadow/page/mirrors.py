"""Finds the mirrors in Airflow's metadata: an API server has no DAG files and no mirrors file.

A mirror is a DAG with the provider's tag and a mapped operator whose arguments name it. Serialized DAGs are read as
JSON and never made into DAGs again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from airflow.models.dag import DagModel, DagTag
from airflow.models.pool import Pool
from airflow.models.serialized_dag import SerializedDagModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from odoo_shadow.mirror.config.patterns import ModelChoice
from odoo_shadow.mirror.errors import MirrorConfigurationError
from odoo_shadow.shadow.errors import ShadowError
from odoo_shadow.shadow.trust import NOBODY_ELSE, Trust
from odoo_shadow.shadow.vault import OdooCredentials
from odoo_shadow.source.kind import SourceKind

TAG = "odoo-shadow"
"""What every DAG of a mirror is tagged with."""
MOST_DAGS = 500
_NAMES = frozenset({"mirror", "schema", "postgres_conn_id"})
_SOURCES = frozenset({"odoo_conn_id", "odoo_database_conn_id"})
"""At least one of them says where Odoo is; Airflow keeps no arguments that are None."""
_VERIFIES = "VerifyModelOperator"
_OPERATORS = "airflow_provider_odoo_shadow."
_LONGEST_NAME = 250
_NO_SCHEDULE = "None"
"""How Airflow sums up a DAG that nobody but people starts."""

Document = Mapping[str, object]


@dataclass(frozen=True)
class FoundDag:
    """A DAG of a mirror.

    :param is_stale: whether no DAG file makes it any more.
    :param schedule: when it runs by itself, as people wrote it; None if it does not.
    :param next_run: when it will run by itself next.
    :param team: the team that owns it, where Airflow has teams.
    :param missing_pools: pools of its tasks that Airflow does not have: such tasks never start.
    """

    dag_id: str
    is_paused: bool
    is_stale: bool
    schedule: str | None
    next_run: datetime | None
    team: str | None
    missing_pools: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundMirror:
    """A mirror, as the arguments of its tasks describe it.

    :param odoo_conn_id: the connection of Odoo's API; None for a mirror that does without.
    :param odoo_database_conn_id: the connection of Odoo's own database, if the mirror is made from that.
    :param from_vault: whether Odoo's address and login come from the Vault instead of the connection.
    :param fresh_within: how old its data may become; None if nobody has said so.
    :param choice: the models that it mirrors; None if that cannot be read.
    :param sync: the DAG that mirrors.
    :param verify: the DAG that compares; None if there is none.
    """

    name: str
    schema: str
    postgres_conn_id: str
    odoo_conn_id: str | None
    odoo_database_conn_id: str | None
    from_vault: bool
    trust: Trust
    fresh_within: timedelta | None
    choice: ModelChoice | None
    sync: FoundDag
    verify: FoundDag | None = None

    @property
    def dags(self) -> tuple[FoundDag, ...]:
        """Its DAGs."""
        return (self.sync, self.verify) if self.verify else (self.sync,)

    def takes(self, model: str) -> bool:
        """Say whether it still mirrors a model, of which it may have a table from before."""
        return self.choice is None or self.choice.matches(model)


def find_mirrors(session: Session) -> list[FoundMirror]:
    """Return all mirrors, removed ones after the others. The same name may occur more than once."""
    dags = _tagged_dags(session)
    syncing: dict[str, Document] = {}
    verifying: dict[tuple[object, object], FoundDag] = {}
    documents = _serialized(session, list(dags))
    pools = {dag_id: _pools(document) for dag_id, document in documents.items()}
    known = _known_pools(session, set().union(*pools.values()))
    for dag_id, document in documents.items():
        dags[dag_id] = replace(dags[dag_id], missing_pools=tuple(sorted(pools[dag_id] - known)))
        operator, arguments = next(_operators(document), ("", {}))
        if operator == _VERIFIES:
            place = _place(arguments)
            if place not in verifying or verifying[place].is_stale:
                verifying[place] = dags[dag_id]
        elif operator:
            syncing[dag_id] = arguments
    mirrors = [
        mirror
        for dag_id, given in syncing.items()
        if (mirror := _mirror(given, _choice(documents[dag_id]), dags[dag_id], verifying.get(_place(given))))
        is not None
    ]
    return sorted(mirrors, key=lambda mirror: (mirror.sync.is_stale, mirror.name, mirror.sync.dag_id))


def _tagged_dags(session: Session) -> dict[str, FoundDag]:
    query = (
        select(
            DagModel.dag_id,
            DagModel.is_paused,
            DagModel.is_stale,
            DagModel.timetable_summary,
            DagModel.next_dagrun_create_after,
        )
        .join(DagTag, DagTag.dag_id == DagModel.dag_id)
        .where(DagTag.name == TAG)
        .order_by(DagModel.is_stale, DagModel.dag_id)
        .limit(MOST_DAGS)
    )
    rows = session.execute(query).all()
    teams = DagModel.get_dag_id_to_team_name_mapping([row.dag_id for row in rows], session=session)
    return {
        row.dag_id: FoundDag(
            row.dag_id,
            bool(row.is_paused),
            bool(row.is_stale),
            None if row.timetable_summary == _NO_SCHEDULE else row.timetable_summary,
            row.next_dagrun_create_after,
            teams.get(row.dag_id),
        )
        for row in rows
    }


def _serialized(session: Session, dag_ids: list[str]) -> dict[str, Document]:
    """Return what the newest version of each DAG was serialized to."""
    if not dag_ids:
        return {}
    newest = SerializedDagModel.get_latest_serialized_dags(dag_ids=dag_ids, session=session)
    return {row.dag_id: row.data for row in newest if isinstance(row.data, dict)}


def _operators(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield the names and arguments of the provider's operators that are mapped over models."""
    tasks = _mapping(document.get("dag")).get("tasks")
    for item in tasks if isinstance(tasks, list) else ():
        task = _mapping(_mapping(item).get("__var"))
        if task.get("_is_mapped") and str(task.get("_task_module")).startswith(_OPERATORS):
            arguments = _mapping(task.get("partial_kwargs"))
            if arguments.keys() >= _NAMES and arguments.keys() & _SOURCES:
                yield str(task.get("task_type")), arguments


def _pools(document: Document) -> set[str]:
    """Return the pools of a DAG's tasks."""
    tasks = _mapping(document.get("dag")).get("tasks")
    found = set()
    for item in tasks if isinstance(tasks, list) else ():
        task = _mapping(_mapping(item).get("__var"))
        found |= {_mapping(task.get("partial_kwargs")).get("pool"), task.get("pool")}
    return {pool for pool in found if isinstance(pool, str) and pool}


def _known_pools(session: Session, names: set[str]) -> set[str]:
    """Return those of the pools that there are."""
    return set(session.scalars(select(Pool.pool).where(Pool.pool.in_(names)))) if names else set()


def _choice(document: Document) -> ModelChoice | None:
    """Read which models the DAG's form begins with: those of the mirror."""
    params = _mapping(document.get("dag")).get("params")
    found = (
        dict(item for item in params if isinstance(item, list) and len(item) == 2) if isinstance(params, list) else {}
    )
    try:
        return ModelChoice.parse(_texts(_mapping(found.get("models")).get("default")))
    except MirrorConfigurationError:
        return None


def _place(arguments: Document) -> tuple[object, object]:
    return str(arguments["postgres_conn_id"]), str(arguments["schema"])


def _mirror(
    arguments: Document, choice: ModelChoice | None, sync: FoundDag, verify: FoundDag | None
) -> FoundMirror | None:
    """Read the arguments; None if they are not those of a mirror: who writes a DAG decides what is in them."""
    names = {name: arguments[name] for name in _NAMES}
    if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST_NAME for text in names.values()):
        return None
    reads_database = arguments.get("source") == SourceKind.DATABASE
    minutes = arguments.get("fresh_within_minutes")
    is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool) and 0 < minutes < 10**6
    goal = timedelta(minutes=cast(float, minutes)) if is_number else None
    return FoundMirror(
        name=str(names["mirror"]),
        schema=str(names["schema"]),
        postgres_conn_id=str(names["postgres_conn_id"]),
        odoo_conn_id=_text(arguments.get("odoo_conn_id")),
        odoo_database_conn_id=_text(arguments.get("odoo_database_conn_id")) if reads_database else None,
        from_vault=arguments.get("odoo_credentials") == OdooCredentials.VAULT,
        trust=_trust(arguments),
        fresh_within=goal,
        choice=choice,
        sync=sync,
        verify=verify,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME else None


def _trust(arguments: Document) -> Trust:
    try:
        return Trust.of(_texts(arguments.get("trusted_roles")), _texts(arguments.get("agreed_objects")))
    except ShadowError:
        return NOBODY_ELSE


def _texts(value: object) -> list[str]:
    """Read a list or a tuple, which is serialized with its type beside it."""
    items = value.get("__var") if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, str)] if isinstance(items, list) else []


def _mapping(value: object) -> Document:
    return value if isinstance(value, dict) else {}
