"""The DAG that keeps one mirror: plan → one mapped task per model → report."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

import pendulum
from airflow.sdk import DAG, Context, Param, get_current_context, task

from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError
from airflow_provider_odoo_shadow.job.run import LARGEST_PAGE
from airflow_provider_odoo_shadow.mirrors.config import MirrorConfig
from airflow_provider_odoo_shadow.mirrors.report import report_access, report_run
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy

MIRROR_TASK = "mirror"
_PARAMETERS = ("models", "full", "dry_run", "batch_size", "allow_mass_delete")

_DOC = """
### {name}

Keeps a read-only shadow of an Odoo database (connection `{odoo}`) in PostgreSQL
(connection `{postgres}`, schema `{schema}`).

Each model is a mapped task, labelled with its name: the first run reads it whole, later runs only what changed.
A model that fails is retried and fails alone; the others finish, and the run then ends failed.

- **Trigger** with a choice of `models`, `full` to read everything again, `dry_run` to see only what would happen.
- **Watermarks** are the Variables `odoo_shadow_watermark__{name}__<table>`: set `last_write_date` back to replay.
- **History** of every run and table: `{schema}.odoo_shadow_sync_log`.
"""


class ModelPlan(TypedDict):
    """The arguments of one mapped task."""

    model: str
    full: bool
    preview: bool
    batch_size: int
    allow_mass_delete: bool


def build_sync_dag(mirror: MirrorConfig) -> DAG:
    """Build the DAG that keeps a mirror. Touches no network and no database."""
    models = list(mirror.model_names)
    with DAG(
        dag_id=mirror.sync_dag_id,
        description=f"Mirrors Odoo ({mirror.odoo_conn_id}) into {mirror.schema_name} ({mirror.postgres_conn_id}).",
        doc_md=_DOC.format(
            name=mirror.name, odoo=mirror.odoo_conn_id, postgres=mirror.postgres_conn_id, schema=mirror.schema_name
        ),
        schedule=mirror.schedule,
        start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["odoo", "odoo-shadow"],
        params=_params(mirror, models),
    ) as dag:

        @task(task_id="plan", doc_md="Checks the trigger form and lists what each model's task has to do.")
        def plan() -> list[ModelPlan]:
            return plan_models(get_current_context(), models)

        mirrored = OdooToPostgresOperator.partial(
            task_id=MIRROR_TASK,
            odoo_conn_id=mirror.odoo_conn_id,
            postgres_conn_id=mirror.postgres_conn_id,
            schema=mirror.schema_name,
            mirror=mirror.name,
            look_back=timedelta(minutes=mirror.look_back_minutes),
            on_delete=str(mirror.on_delete),
            retries=mirror.retries,
            retry_delay=timedelta(seconds=mirror.retry_delay_seconds),
            retry_exponential_backoff=2,
            retry_policy=MirrorRetryPolicy(),
            max_active_tis_per_dagrun=mirror.parallel_models,
            map_index_template="{{ task.model }}",
        ).expand_kwargs(plan())

        @task(task_id="doctor", doc_md="Lists what the login and the database role cannot do.")
        def doctor() -> None:
            report_access(mirror, models)

        doctor()

        # A teardown runs whatever became of the models, and has no say in whether the run succeeded.
        @task(task_id="report", doc_md="Lists what became of each model.")
        def report() -> None:
            report_run(get_current_context(), mirror, MIRROR_TASK)

        mirrored >> report().as_teardown()
    return dag


def plan_models(context: Context, models: list[str]) -> list[ModelPlan]:
    """Check what a person typed into the trigger form, and return one entry per model.

    :raises MirrorConfigurationError: a name that is no parameter. Airflow has checked the values.
    """
    params = context["params"]
    conf = context["dag_run"].conf or {}
    unknown = sorted(set(conf) - set(_PARAMETERS))
    if unknown:
        raise MirrorConfigurationError(
            f"The run was triggered with {', '.join(unknown)}, but there are only {', '.join(_PARAMETERS)}."
        )
    wanted = params["models"] or models
    return [
        ModelPlan(
            model=model,
            full=params["full"],
            preview=params["dry_run"],
            batch_size=params["batch_size"],
            allow_mass_delete=params["allow_mass_delete"],
        )
        for model in models
        if model in wanted
    ]


def _params(mirror: MirrorConfig, models: list[str]) -> dict[str, Param]:
    return {
        "models": Param(
            models,
            type=["array", "null"],
            items={"type": "string", "enum": models},
            examples=models,  # what makes the form a multi-select
            uniqueItems=True,
            title="Models",
            description="Which models to mirror; none chosen means all.",
        ),
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
            description="Records a page.",
        ),
        "allow_mass_delete": Param(
            False,
            type="boolean",
            title="Allow mass delete",
            description="Let a suspicious share of a table's rows go, after a run has stopped to ask.",
        ),
    }
