"""What a callback is about: Airflow hands it one of three contexts, by where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_provider_odoo_shadow.links.addresses import airflows_address
from odoo_shadow.webhook.message import name

if TYPE_CHECKING:
    from airflow.sdk import Context

_REASONS = {
    "success": "succeeded",
    "task_failure": "failed",
    "timed_out": "failed: it ran out of time",
    "all_tasks_deadlocked": "failed: its tasks wait for each other",
}


@dataclass(frozen=True)
class Facts:
    """A run, and what became of it.

    :param task_id: the task that it is about, or by which the run failed; empty if there is none.
    :param outcome: the end of a sentence.
    :param is_about_task: whether one task has ended, not the run.
    """

    dag_id: str
    run_id: str
    task_id: str
    outcome: str
    is_about_task: bool

    @property
    def sentence(self) -> str:
        """All of it, for a chat."""
        if self.is_about_task:
            return f"DAG {name(self.dag_id)}, task {name(self.task_id)}: {self.outcome}."
        where = f" (task {name(self.task_id)})" if self.task_id else ""
        return f"DAG {name(self.dag_id)}: the run {self.outcome}{where}."

    @property
    def link(self) -> str:
        """The run's page, or nothing if `[api] base_url` is not set."""
        path = f"dags/{quote(self.dag_id, safe='')}/runs/{quote(self.run_id, safe='')}"
        return link_to(f"{path}/tasks/{quote(self.task_id, safe='')}" if self.is_about_task else path)


def facts_of(context: Context) -> Facts:
    """Read the context of a callback of a DAG, of a task, or of a deadline."""
    given: Mapping[str, Any] = dict(context)
    run = given.get("dag_run")
    dag_id = _field(run, "dag_id") or _field(given.get("dag"), "dag_id")
    run_id = _field(run, "run_id") or _field(run, "dag_run_id") or str(given.get("run_id") or "")
    ti = given.get("ti") or given.get("task_instance")
    if "deadline" in given:
        return Facts(dag_id, run_id, "", "missed its deadline", is_about_task=False)
    if "reason" in given or ti is None:
        reason = str(given.get("reason") or "")
        task_id = _field(ti, "task_id") if reason == "task_failure" else ""
        return Facts(dag_id, run_id, task_id, _REASONS.get(reason, "ended"), is_about_task=False)
    outcome = "failed" if given.get("exception") else (_field(ti, "state") or "ended").replace("_", " ")
    return Facts(dag_id, run_id, _field(ti, "task_id"), outcome, is_about_task=True)


def _field(holder: object, field: str) -> str:
    """Return a field of an object, or of its JSON, as text."""
    value = holder.get(field) if isinstance(holder, Mapping) else getattr(holder, field, None)
    return "" if value is None else str(getattr(value, "value", value))


def link_to(path: str) -> str:
    """Return the address of a page of this Airflow, or nothing if `[api] base_url` is not set."""
    base = airflows_address()
    return f"{base}/{path}" if base else ""
