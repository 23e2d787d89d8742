"""The DAG that keeps one mirror: plan → mapped tasks, each for some models that have work → settle → report."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TriggerRule, get_current_context, task

from airflow_provider_odoo_shadow.assets.odoo_shadow import alias_of
from airflow_provider_odoo_shadow.dag_factory.alerts import sync_alerts
from airflow_provider_odoo_shadow.dag_factory.common import dag_arguments, retries
from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.knowledge_tasks import DOC, knowledge_tasks
from airflow_provider_odoo_shadow.dag_factory.mapped import MirrorModelsOperator
from airflow_provider_odoo_shadow.dag_factory.params import models_by_line
from airflow_provider_odoo_shadow.dag_factory.plan import BatchPlan, plan_models
from airflow_provider_odoo_shadow.dag_factory.report import report_access, report_run, settle_run
from airflow_provider_odoo_shadow.transfers.last_words import say_last
from odoo_shadow.mirror.config.patterns import ALL, LONGEST_TERM, MOST_TERMS, SETS, TERM
from odoo_shadow.mirror.options import LARGEST_PAGE
from odoo_shadow.shadow.vault import OdooCredentials
from odoo_shadow.source.kind import SourceKind

PLAN_TASK = "plan"
SETTLE_TASK = "settle"
MIRROR_TASK = "mirror"
_PATTERN = rf"^(?=!|.*[*?]){TERM}$"

_DOC = """
### {name}

Keeps a read-only shadow of an Odoo database ({odoo}) in PostgreSQL
(connection `{postgres}`, schema `{schema}`).

Mapped tasks, labelled with the names of their models, mirror what has changed: a large model alone, small ones
together. The first run reads a model whole, later runs only what changed; models without changes are found by the task
`plan` and cost no task. A model that fails does not stop the others: its task fails after them, its retry takes up only
what has not succeeded in this run, and the run then ends failed.

- **Trigger** with a choice of `models`, `full` to read everything again, `dry_run` to see only what would happen.
- **Watermarks** are the Variables `odoo_shadow_watermark__{name}__<table>`: set `last_write_date` back to replay.
- **Assets** `odoo-shadow://{name}/<model>` are updated by what wrote rows: a DAG can be scheduled on them.
- **The run's note** sums up what became of the models and their rows.
- **History** of every run and table: `{schema}.odoo_shadow_sync_log`.
"""


def build_sync_dag(mirror: DagConfig) -> DAG:
    """Build the DAG that keeps a mirror. Touches no network and no database."""
    with DAG(
        dag_id=mirror.sync_dag_id,
        description=f"Mirrors Odoo ({_origin(mirror)}) into {mirror.schema_name} ({mirror.postgres_conn_id}).",
        doc_md=_DOC.format(
            name=mirror.name, odoo=_origin(mirror), postgres=mirror.postgres_conn_id, schema=mirror.schema_name
        )
        + (DOC if mirror.knowledge else ""),
        schedule=mirror.schedule,
        **dag_arguments(mirror),
        params=_params(mirror),
        **sync_alerts(mirror),
    ) as dag:

        @task(
            task_id=PLAN_TASK,
            doc_md="Finds the models, and which of them have work; logs why others are left out or unchanged.",
            **retries(mirror),
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def plan() -> list[BatchPlan]:
            return plan_models(get_current_context(), mirror)

        mirrored = MirrorModelsOperator.partial(
            task_id=MIRROR_TASK,
            source=str(mirror.source),
            odoo_conn_id=mirror.api_conn_id,
            odoo_database_conn_id=mirror.odoo_database_conn_id,
            postgres_conn_id=mirror.postgres_conn_id,
            schema=mirror.schema_name,
            mirror=mirror.name,
            look_back=timedelta(minutes=mirror.look_back_minutes),
            on_delete=str(mirror.on_delete),
            trusted_roles=mirror.trusted_roles,
            agreed_objects=mirror.agreed_objects,
            odoo_credentials=str(mirror.odoo_credentials),
            **retries(mirror),
            max_active_tis_per_dagrun=mirror.parallel_models,
            fresh_within_minutes=mirror.fresh_within_minutes,
            pool=mirror.pool,
            map_index_template="{{ task.label }}",
            outlets=[alias_of(mirror.name)],
        ).expand_kwargs(plan())

        # A teardown does not decide whether the run succeeded: what blocks a model fails that model's own task.
        @task(
            task_id="doctor",
            doc_md="Lists what the login and the database role cannot do.",
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def doctor() -> None:
            report_access(mirror)

        doctor().as_teardown()

        # Runs whatever the outcome of the models, so it cannot decide whether they succeeded; `complete` does.
        @task(
            task_id=SETTLE_TASK,
            doc_md="Finds changes that no write_date shows, and compares a slice of each table with Odoo.",
            outlets=[alias_of(mirror.name)],
            trigger_rule=TriggerRule.ALL_DONE,
            pool=mirror.pool,
            **retries(mirror),
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def settle() -> None:
            settle_run(get_current_context(), mirror, plan_task_id=PLAN_TASK, task_id=MIRROR_TASK)

        complete = EmptyOperator(
            task_id="complete",
            trigger_rule=TriggerRule.NONE_FAILED,
            doc_md=f"Fails with any of the models{', or their documents and embeddings' if mirror.knowledge else ''}.",
        )

        # A teardown runs whatever the outcome of the models.
        @task(
            task_id="report",
            doc_md="Lists what became of each model, and removes old log entries; fails when rows were repaired.",
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def report() -> None:
            report_run(get_current_context(), mirror, MIRROR_TASK, plan_task_id=PLAN_TASK, settle_task_id=SETTLE_TASK)

        settled = settle()
        reported = report()
        mirrored >> [settled, complete]
        settled >> reported.as_teardown(on_failure_fail_dagrun=mirror.fail_on_repair)
        if mirror.knowledge:
            following = knowledge_tasks(mirror, PLAN_TASK)
            settled >> following.plan_documents
            settled >> complete  # it is no leaf any more, which would fail the run
            for item in following.all:
                item >> [complete, reported]
    return dag


def _origin(mirror: DagConfig) -> str:
    """Say where Odoo is read."""
    if mirror.source is SourceKind.DATABASE:
        return f"its own database, connection {mirror.odoo_database_conn_id}"
    in_vault = mirror.odoo_credentials is OdooCredentials.VAULT
    return "as the shadow's Vault says" if in_vault else f"connection {mirror.odoo_conn_id}"


def _models_param(mirror: DagConfig) -> Param:
    choice = mirror.choice
    if not choice.is_plain:  # patterns are resolved only when the run asks Odoo, so the form takes lines of text
        terms: list[str] = [mirror.models] if isinstance(mirror.models, str) else list(mirror.models)
        return models_by_line(terms, "Which of the mirror's models to mirror")
    models = list(choice.names)
    return Param(
        models,
        type=["array", "null"],
        items={
            "type": "string",
            "maxLength": LONGEST_TERM,
            "anyOf": [{"enum": [*models, ALL, *SETS]}, {"pattern": _PATTERN}],
        },
        maxItems=MOST_TERMS,
        examples=[*models, *_families(models)],  # what makes the form a multi-select, which takes nothing else
        uniqueItems=True,
        title="Models",
        description="Which of the mirror's models to mirror, by name or by pattern (sale.*); empty means all.",
    )


def _families(models: list[str]) -> list[str]:
    """Return patterns that match several of the models each."""
    kinds = Counter(model.partition(".")[0] for model in models)
    return [f"{kind}.*" for kind, number in sorted(kinds.items()) if number > 1]


def _params(mirror: DagConfig) -> dict[str, Param]:
    return {
        "models": _models_param(mirror),
        "full": Param(
            False,
            type="boolean",
            title="Full",
            description="Read everything again, not only what changed since the last run.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Only log what would be read, written and created.",
        ),
        "batch_size": Param(
            mirror.batch_size,
            type="integer",
            minimum=1,
            maximum=LARGEST_PAGE,
            title="Batch size",
            description="Records per page.",
        ),
        "allow_mass_delete": Param(
            False,
            type="boolean",
            title="Allow mass delete",
            description="Allow a suspicious share of a table's rows to be removed, after a run has stopped and asked.",
        ),
    }
