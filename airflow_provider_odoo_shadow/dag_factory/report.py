"""What a run reports in its logs: the outcome of each model, and what the login cannot do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from airflow.sdk import Context, TaskInstanceState
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_odoo_shadow.assets.odoo_shadow import alias_of
from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.knowledge_tasks import DOCUMENTS_TASK, EMBEDDINGS_TASK
from airflow_provider_odoo_shadow.dag_factory.note import (
    DRY_RUN_NOTE,
    REPAIRED,
    knowledge_note,
    named,
    repaired_tables,
    sync_note,
    verification_note,
)
from airflow_provider_odoo_shadow.dag_factory.plan import BatchPlan
from airflow_provider_odoo_shadow.dag_factory.sides import both_sides
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.plugin.run_note import KEY, PREFIX
from airflow_provider_odoo_shadow.transfers.asset_events import update_assets
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import log_closed, mirror_run
from odoo_shadow.mirror.errors import MirrorConfigurationError, VerificationError
from odoo_shadow.mirror.health.doctor import examine
from odoo_shadow.mirror.options import MirrorOptions, Run
from odoo_shadow.mirror.origin import check_names_in_public
from odoo_shadow.mirror.report_tables import (
    as_text,
    dry_runs_table,
    entries_table,
    findings_table,
    outcomes_table,
)
from odoo_shadow.mirror.run.closing import close_run
from odoo_shadow.mirror.run.for_readers import update_for_readers
from odoo_shadow.mirror.run.housekeeping import remove_old_entries
from odoo_shadow.mirror.run.lost import LOST, lost_tables
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.state import registry
from odoo_shadow.shadow.state.schema import schema_version
from odoo_shadow.shadow.state.sync_log import LogEntry, entries_of_run
from odoo_shadow.shadow.state.verifications import Outcome, outcomes_of_run
from odoo_shadow.shadow.state.watermarks import read_watermark
from odoo_shadow.text.amounts import counted
from odoo_shadow.text.findings import Verdict
from odoo_shadow.text.log import logger

log = logger(__name__)

_LONGEST_COUNT = timedelta(seconds=5)
_MOST_NAMED = 10


def report_run(context: Context, mirror: DagConfig, task_id: str, *, plan_task_id: str, settle_task_id: str) -> None:
    """Log a table of the run's models, from the shadow's own log, renew the views with names, and remove old entries.

    :raises VerificationError: rows had to be repaired.
    :raises ShadowConflictError: something else has the names of the shadow's views in `public`.
    :raises ShadowError: the log cannot be read.
    """
    dag_run = context["dag_run"]
    if context["params"]["dry_run"]:
        _push_note(context, DRY_RUN_NOTE)
        _report_dry_runs(context, task_id)
        return
    run = mirror_run(dag_run.dag_id, dag_run.run_id)
    with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
        with shadow.transaction() as tx:
            has_shadow = bool(schema_version(tx))  # not so when a first run failed early
            entries = entries_of_run(tx, run.id) if has_shadow else []
            outcomes = outcomes_of_run(tx, run.id) if has_shadow else []
        unfinished = update_for_readers(shadow) if has_shadow else ()
        _log_states(context, task_id)
        _log_entries(entries)
        _log_outcomes(outcomes)
        has_settled = _states(context, settle_task_id) == [TaskInstanceState.SUCCESS.value]
        has_planned = TaskInstanceState.FAILED.value not in _states(context, plan_task_id)
        note = sync_note(entries, outcomes, has_planned=has_planned, has_settled=has_settled)
        _push_note(context, f"{note} {_note_of_knowledge(context)}" if mirror.knowledge and has_planned else note)
        _push_repairs(context, outcomes)
        remove_old_entries(shadow, mirror.keep_log_days)
        check_names_in_public(shadow)
    if unfinished:
        raise MirrorConfigurationError(" ".join(unfinished))
    _refuse_repairs(outcomes)


def _states(context: Context, task_id: str) -> list[str]:
    dag_run = context["dag_run"]
    states = context["ti"].get_task_states(dag_id=dag_run.dag_id, task_ids=[task_id], run_ids=[dag_run.run_id])
    return [str(state) for state in states.get(dag_run.run_id, {}).values()]


def _log_states(context: Context, task_id: str) -> None:
    counted = _states(context, task_id)
    log.info("Mapped tasks: %s", ", ".join(f"{counted.count(s)} {s}" for s in sorted(set(counted))) or "none")


def _push_note(context: Context, text: str) -> None:
    context["ti"].xcom_push(KEY, f"{PREFIX}{text}")


def _note_of_knowledge(context: Context) -> str:
    documents, embeddings = (
        [item for item in context["ti"].xcom_pull(task_ids=[task_id]) or () if item is not None]
        for task_id in (DOCUMENTS_TASK, EMBEDDINGS_TASK)
    )
    failed = {
        task_id: _states(context, task_id).count(TaskInstanceState.FAILED.value)
        for task_id in (DOCUMENTS_TASK, EMBEDDINGS_TASK)
    }
    return knowledge_note(documents, embeddings, failed)


def _push_repairs(context: Context, outcomes: Sequence[Outcome]) -> None:
    repaired = repaired_tables(outcomes)
    if repaired:
        context["ti"].xcom_push(REPAIRED, named(repaired))


def _log_entries(entries: Sequence[LogEntry]) -> None:
    worked = [entry for entry in entries if not entry.is_unchanged]
    log.info("%s unchanged", counted(len(entries) - len(worked), "model"))
    if worked:
        log.info("What each other model's last try did:\n%s", as_text(entries_table(worked)))
    for entry in worked:
        if entry.status == "error":
            log.error("%s: %s", entry.table, entry.error_message)


def _report_dry_runs(context: Context, task_id: str) -> None:
    """Log what the mapped tasks of a dry run found; those that failed have logged it themselves."""
    found = context["ti"].xcom_pull(task_ids=[task_id])
    dry_runs = [item for items in found if items is not None for item in items]
    log.info("Nothing was written. What a run would do:\n%s", as_text(dry_runs_table(dry_runs)))


def report_verification(context: Context, mirror: DagConfig, task_id: str) -> None:
    """Log what a run's comparisons found. Raises `VerificationError` when rows had been wrong and were repaired.

    :raises MirrorConfigurationError: after repairs, readers would wrongly see something, or not see it.
    :raises ShadowError: what they found cannot be read.
    """
    run = mirror_run(context["dag_run"].dag_id, context["dag_run"].run_id)
    with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
        with shadow.transaction() as tx:
            has_shadow = bool(schema_version(tx))
            outcomes = outcomes_of_run(tx, run.id) if has_shadow else []
        unfinished = update_for_readers(shadow) if has_shadow and context["params"]["repair"] else ()
    _log_outcomes(outcomes)
    _push_note(context, verification_note(outcomes, _states(context, task_id).count(TaskInstanceState.FAILED.value)))
    _push_repairs(context, outcomes)
    if unfinished:
        raise MirrorConfigurationError(" ".join(unfinished))
    _refuse_repairs(outcomes)


def _log_outcomes(outcomes: Sequence[Outcome]) -> None:
    if outcomes:
        log.info("What was compared with Odoo:\n%s", as_text(outcomes_table(outcomes)))


def _refuse_repairs(outcomes: Sequence[Outcome]) -> None:
    repaired = repaired_tables(outcomes)
    if repaired:
        raise VerificationError(
            f"Rows were wrong in the shadow until now and have been repaired: {named(repaired)}; the logs of the tasks "
            "that compared them name the first cells."
        )


def settle_run(context: Context, mirror: DagConfig, *, plan_task_id: str, task_id: str) -> None:
    """Do what ends a run, and log it; nothing in a dry run, or while there is no shadow.

    Nor after a plan that failed: it may have found another database in the place of Odoo's.

    :raises AirflowSkipException: the plan has failed.
    :raises OdooError, ShadowError, MirrorConfigurationError: some model's, after the others.
    """
    dag_run, params = context["dag_run"], context["params"]
    if params["dry_run"]:
        return
    states = context["ti"].get_task_states(dag_id=dag_run.dag_id, task_ids=[plan_task_id], run_ids=[dag_run.run_id])
    if states.get(dag_run.run_id, {}).get(plan_task_id) != TaskInstanceState.SUCCESS:
        raise AirflowSkipException("The task plan has not succeeded, so nothing is written.")
    with both_sides(mirror) as (odoo, shadow):
        with shadow.transaction() as tx:
            if not schema_version(tx):
                return
        run = mirror_run(dag_run.dag_id, dag_run.run_id)
        options = MirrorOptions(batch_size=params["batch_size"])
        log_closed(close_run(odoo, shadow, run=run, options=options))
        batches: list[BatchPlan] = context["ti"].xcom_pull(task_ids=plan_task_id) or []
        failed = _failed_models(context, batches, task_id)
        lost = _lost(shadow, run, batches, failed)
        update_assets(context, shadow, alias_of(mirror.name), mirror.name, run_id=run.id, failed=[*failed, *lost])
        left = _unfinished(shadow, batches, failed)
    if lost:
        raise MirrorConfigurationError(f"{named(lost)}: {LOST}.")
    if left:
        raise MirrorConfigurationError(
            f"The first load of {named(left)} is not complete, although none of its tasks has failed, as when somebody "
            "marks one as a success, or the shadow's server has lost what they wrote: trigger another run, which takes "
            "up what is left."
        )


def _unfinished(shadow: ShadowDatabase, batches: Sequence[BatchPlan], failed: Collection[str]) -> list[str]:
    """Return the models whose first load was divided, and is not complete after all of its tasks have succeeded."""
    # A run that was planned before an upgrade has no parts.
    divided = {batch["models"][0] for batch in batches if batch.get("part") is not None}
    with shadow.transaction() as tx:
        tables = {model: registry.name_table(tx, model) for model in sorted(divided.difference(failed))}
        return [model for model, table in tables.items() if read_watermark(tx, table) is None]


def _lost(shadow: ShadowDatabase, run: Run, batches: Sequence[BatchPlan], failed: Collection[str]) -> list[str]:
    """Return the models that the run has brought up to date without a trace."""
    models = {model for batch in batches if batch.get("part") is None for model in batch["models"]}
    with shadow.transaction() as tx:
        tables = {registry.name_table(tx, model): model for model in models.difference(failed)}
        return sorted(tables[table] for table in lost_tables(entries_of_run(tx, run.id), tables))


def _failed_models(context: Context, batches: Sequence[BatchPlan], task_id: str) -> list[str]:
    """Return the models of the mapped tasks that have not succeeded."""
    dag_run = context["dag_run"]
    states = context["ti"].get_task_states(dag_id=dag_run.dag_id, task_ids=[task_id], run_ids=[dag_run.run_id])
    of_run = states.get(dag_run.run_id, {})
    return [
        model
        for index, batch in enumerate(batches)
        if of_run.get(f"{task_id}_{index}") != TaskInstanceState.SUCCESS
        for model in batch["models"]
    ]


def report_access(mirror: DagConfig) -> None:
    """Log what the login and the database role can do.

    Of the models, those that the mirror names are looked at; the task `plan` tells of those that a pattern takes.

    :raises MirrorConfigurationError: names the problems.
    """
    with both_sides(mirror) as (odoo, shadow):
        # Every run comes here: names are compared, and large tables counted, by who runs odoo-shadow doctor.
        findings = examine(
            odoo,
            shadow,
            mirror.choice.names,
            timedelta(minutes=mirror.look_back_minutes),
            compares_names=False,
            counts_for=_LONGEST_COUNT,
        )
    log.info("Access as it is:\n%s", as_text(findings_table(findings)))
    problems = [f"{item.subject}: {item.text}" for item in findings if item.verdict is Verdict.PROBLEM]
    if problems:
        raise MirrorConfigurationError("; ".join(problems[:_MOST_NAMED]))
