"""What a mirror's DAGs post to the mirror's webhook, and when: the arguments of a DAG that make it so.

Airflow calls back when a run has ended; then the report has said what happened, unless it could not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypedDict

from airflow.sdk import TaskInstanceState
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.freshness import freshness_missed
from airflow_provider_odoo_shadow.dag_factory.note import REPAIRED
from airflow_provider_odoo_shadow.notifications.facts import facts_of
from airflow_provider_odoo_shadow.notifications.odoo_shadow import OdooShadowNotifier, post_to
from airflow_provider_odoo_shadow.plugin.run_note import KEY, PREFIX, TASK
from odoo_shadow.text.log import logger
from odoo_shadow.webhook.message import name, plain

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logger(__name__)

_FAILED = TaskInstanceState.FAILED.value
_REPORTED = (TaskInstanceState.SUCCESS.value, _FAILED)
_MAPPED = re.compile(r"_\d+$")
"""What Airflow adds to the name of a mapped task; none of these DAGs' own names ends so."""


class Alerting(TypedDict, total=False):
    """The arguments of a DAG that has alerts."""

    on_failure_callback: OdooShadowNotifier
    on_success_callback: OdooShadowNotifier
    deadline: DeadlineAlert


def run_alerts(mirror: DagConfig) -> Alerting:
    """Return the arguments by which the end of a run is posted, if there is something to tell."""
    if mirror.notify_conn_id is None:
        return Alerting()
    return Alerting(
        on_failure_callback=RunAlert(mirror.notify_conn_id, mirror.name, Tells.FAILURE),
        on_success_callback=RunAlert(
            mirror.notify_conn_id, mirror.name, Tells.ALL if mirror.notify_each_run else Tells.REPAIRS
        ),
    )


def sync_alerts(mirror: DagConfig) -> Alerting:
    """Return the arguments by which it is noticed, too, that the shadow is too far behind.

    Without a webhook, the triggerer's log says so, and Airflow's page of the run. Runs by hand have no deadline: their
    logical date, from which it counts, is empty.
    """
    alerting = run_alerts(mirror)
    within = mirror.run_must_end_within
    if within is None:
        return alerting
    about = {
        "mirror": mirror.name,
        "notify_conn_id": mirror.notify_conn_id,
        "minutes": mirror.fresh_within_minutes,
        "postgres_conn_id": mirror.postgres_conn_id,
        "schema": mirror.schema_name,
        "models": mirror.models if isinstance(mirror.models, str) else list(mirror.models),
        "trusted_roles": list(mirror.trusted_roles),
        "agreed_objects": list(mirror.agreed_objects),
    }
    alerting["deadline"] = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=within,
        callback=AsyncCallback(freshness_missed, about),
        name="fresh_within_minutes",
    )
    return alerting


class Tells(Enum):
    """Which ends of a run are posted."""

    FAILURE = "failure"
    REPAIRS = "repairs"
    ALL = "all"


class RunAlert(OdooShadowNotifier):
    """Posts what became of a run of a mirror.

    :param notify_conn_id: the connection of the webhook.
    :param mirror: the mirror's name.
    :param tells: which ends to post.
    """

    template_fields: Sequence[str] = ()  # what the report left repeats names of tables: never a template

    def __init__(self, notify_conn_id: str, mirror: str, tells: Tells) -> None:
        super().__init__(notify_conn_id)
        self.mirror = mirror
        self.tells = tells

    def notify(self, context: Context) -> None:
        """Post it, if there is something to tell."""
        report = _report_of(context)
        facts = facts_of(context)
        subject = f"Odoo shadow, mirror {name(self.mirror)} (DAG {name(facts.dag_id)})"
        if self.tells is Tells.FAILURE:
            failed = report.failed or (facts.task_id,)
            named = ", ".join(name(task) for task in failed if task)
            text = f"the run {facts.outcome}{f' (tasks: {named})' if named else ''}."
        elif report.repaired:
            text = f"rows were wrong in the shadow until now and have been repaired: {plain(report.repaired)}."
        elif self.tells is Tells.ALL:
            text = f"the run {facts.outcome}."
        else:
            return
        post_to(self.notify_conn_id, " ".join(filter(None, (f"{subject}: {text}", plain(report.note)))), facts.link)


@dataclass(frozen=True)
class _Report:
    """What the task `report` left.

    :param note: the run in one sentence; empty if it could not say.
    :param repaired: the tables with rows that were wrong; empty if there are none.
    :param failed: the tasks that have failed, as Airflow says.
    """

    note: str = ""
    repaired: str = ""
    failed: tuple[str, ...] = ()


def _report_of(context: Context) -> _Report:
    given: Mapping[str, Any] = dict(context)
    ti = given.get("ti")
    if ti is None:
        return _Report()
    try:
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
        failed = tuple(dict.fromkeys(_MAPPED.sub("", task) for task, state in states.items() if state == _FAILED))
        if states.get(TASK) not in _REPORTED:  # what an earlier try of a cleared run left is not about this one
            return _Report(failed=failed)
        note, repaired = (ti.xcom_pull(task_ids=TASK, key=key) for key in (KEY, REPAIRED))
    except Exception as error:  # noqa: BLE001 - whatever keeps it from being read, the alert itself goes out
        log.warning("What the run left cannot be read (%s), so the alert is short.", type(error).__name__)
        return _Report()
    return _Report(str(note or "").removeprefix(PREFIX), str(repaired or ""), failed)
