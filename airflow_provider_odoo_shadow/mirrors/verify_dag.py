"""The DAG that compares one mirror with Odoo, and repairs it: one mapped task per mirrored model."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

import pendulum
from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_odoo_shadow.hooks.odoo import OdooHook
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.job.errors import VerificationError
from airflow_provider_odoo_shadow.job.run import MirrorOptions
from airflow_provider_odoo_shadow.job.verify import Depth, VerifyOptions, mirrored_models, verify_model
from airflow_provider_odoo_shadow.mirrors.config import MirrorConfig
from airflow_provider_odoo_shadow.target.compare import Difference
from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import mirror_run
from airflow_provider_odoo_shadow.transfers.retry_policy import MirrorRetryPolicy

_DOC = """
### {name}

Compares the shadow in schema `{schema}` with Odoo itself, cell by cell, and reads anew what differs. It finds what
`write_date` never shows: SQL run by a module, database cascades.

Every outcome is kept in `{schema}.odoo_shadow_verification`. Without `repair`, a model that differs fails.
"""


class VerifySummary(TypedDict):
    """What one model's task returns."""

    model: str
    rows: int
    missing: int
    extra: int
    stale: int
    differing: int
    repaired: int
    seconds: float


def build_verify_dag(mirror: MirrorConfig) -> DAG:
    """Build the DAG that verifies a mirror. Touches no network and no database."""
    with DAG(
        dag_id=mirror.verify_dag_id,
        description=f"Compares {mirror.schema_name} ({mirror.postgres_conn_id}) with Odoo, and repairs it.",
        doc_md=_DOC.format(name=mirror.name, schema=mirror.schema_name),
        schedule=mirror.verify_schedule,
        start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        tags=["odoo", "odoo-shadow"],
        params={
            "quick": Param(False, type="boolean", title="Quick", description="Compare only ids and write_date."),
            "repair": Param(True, type="boolean", title="Repair", description="Read anew what differs."),
        },
    ) as dag:

        @task(task_id="plan", doc_md="Lists the models that have been mirrored; none before the first sync.")
        def plan() -> list[str]:
            with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
                return mirrored_models(shadow)

        @task(
            task_id="verify",
            retries=mirror.retries,
            retry_delay=timedelta(seconds=mirror.retry_delay_seconds),
            retry_exponential_backoff=2,
            retry_policy=MirrorRetryPolicy(),
            max_active_tis_per_dagrun=mirror.parallel_models,
            map_index_template="{{ model_label }}",
        )
        def verify(model: str) -> VerifySummary:
            return verify_one(mirror, model)

        verify.expand(model=plan())
    return dag


def verify_one(mirror: MirrorConfig, model: str) -> VerifySummary:
    """Compare one model, in a task.

    :raises VerificationError: something differs and was not repaired.
    """
    context = get_current_context()
    context["model_label"] = model  # type: ignore[typeddict-unknown-key]  # what map_index_template shows
    params, dag_run = context["params"], context["dag_run"]
    wanted = VerifyOptions(Depth.QUICK if params["quick"] else Depth.FULL, repair=params["repair"])
    options = MirrorOptions(batch_size=mirror.batch_size)
    run = mirror_run(dag_run.dag_id, dag_run.run_id)
    odoo = OdooHook(mirror.odoo_conn_id).get_conn()
    with odoo, shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
        found = verify_model(odoo, shadow, model, run=run, options=options, verify=wanted)
    summary = VerifySummary(
        model=model,
        rows=found.rows,
        missing=len(found.ids[Difference.MISSING]),
        extra=len(found.ids[Difference.EXTRA]),
        stale=len(found.ids[Difference.STALE]),
        differing=len(found.ids[Difference.DIFFERING]),
        repaired=found.repaired,
        seconds=round(found.seconds, 3),
    )
    if not found.is_settled:
        raise VerificationError(f"{model} differs from Odoo: {summary}")
    return summary
