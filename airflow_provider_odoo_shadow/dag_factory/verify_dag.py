"""The DAG that compares one mirror with Odoo, and repairs it: one mapped task per mirrored model."""

from __future__ import annotations

from typing import TypedDict

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_odoo_shadow.dag_factory.alerts import run_alerts
from airflow_provider_odoo_shadow.dag_factory.common import dag_arguments, retries
from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.dag_factory.mapped import AGAINST, VerifyModelOperator, check_repair
from airflow_provider_odoo_shadow.dag_factory.params import models_by_line
from airflow_provider_odoo_shadow.dag_factory.plan import check_number, check_parameters, mirrored_among
from airflow_provider_odoo_shadow.dag_factory.report import report_verification
from airflow_provider_odoo_shadow.hooks.shadow import shadow_database
from airflow_provider_odoo_shadow.transfers.last_words import say_last
from odoo_shadow.mirror.proof.verify import mirrored_models
from odoo_shadow.source.kind import SourceKind

VERIFY_TASK = "verify"

_DOC = """
### {name}

Compares the shadow in schema `{schema}` with Odoo itself, cell by cell, and reads anew what differs. It finds what
`write_date` never shows: SQL run by a module, database cascades.

Every outcome is kept in `{schema}.odoo_shadow_verification`. Without `repair`, a model that differs fails. What had to
be repaired was wrong until then: the task `report` lists it and fails, and with `fail_on_repair` the run does.
"""


class ModelPlan(TypedDict):
    """The arguments of one mapped task.

    :param at_once: how many of the tasks read Odoo at the same time.
    """

    model: str
    at_once: int


def build_verify_dag(mirror: DagConfig) -> DAG:
    """Build the DAG that verifies a mirror. Touches no network and no database."""
    with DAG(
        dag_id=mirror.verify_dag_id,
        description=f"Compares {mirror.schema_name} ({mirror.postgres_conn_id}) with Odoo, and repairs it.",
        doc_md=_DOC.format(name=mirror.name, schema=mirror.schema_name),
        schedule=mirror.verify_schedule,
        **dag_arguments(mirror),
        params=_params(mirror),
        **run_alerts(mirror),
    ) as dag:

        @task(
            task_id="plan",
            doc_md="Lists the models that are mirrored, or that a run tried to mirror; none before the first sync.",
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def plan() -> list[ModelPlan]:
            context = get_current_context()
            check_parameters(context, [*_params(mirror)])
            check_repair(context["params"], mirror.source)
            with shadow_database(mirror.postgres_conn_id, mirror.schema_name, mirror.trust) as shadow:
                models = mirrored_among(mirrored_models(shadow), context["params"]["models"])
            check_number(len(models))
            at_once = min(mirror.parallel_models, len(models))
            return [ModelPlan(model=model, at_once=at_once) for model in models]

        verified = VerifyModelOperator.partial(
            task_id=VERIFY_TASK,
            source=str(mirror.source),
            odoo_conn_id=mirror.api_conn_id,
            odoo_database_conn_id=mirror.odoo_database_conn_id,
            postgres_conn_id=mirror.postgres_conn_id,
            schema=mirror.schema_name,
            mirror=mirror.name,
            batch_size=mirror.batch_size,
            trusted_roles=mirror.trusted_roles,
            agreed_objects=mirror.agreed_objects,
            odoo_credentials=str(mirror.odoo_credentials),
            **retries(mirror),
            max_active_tis_per_dagrun=mirror.parallel_models,
            pool=mirror.pool,
            map_index_template="{{ task.model }}",
        ).expand_kwargs(plan())

        # Runs whatever the outcome of the models; a setting says whether it decides the run's state.
        @task(
            task_id="report",
            doc_md="Lists what differed; fails when something had to be repaired.",
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def report() -> None:
            report_verification(get_current_context(), mirror, VERIFY_TASK)

        verified >> report().as_teardown(on_failure_fail_dagrun=mirror.fail_on_repair)
    return dag


def _params(mirror: DagConfig) -> dict[str, Param]:
    params = {
        "models": models_by_line(None, "Which of the mirrored models to compare"),
        "quick": Param(False, type="boolean", title="Quick", description="Compare only ids and write_date."),
        "repair": Param(True, type="boolean", title="Repair", description="Read again what differs."),
    }
    if mirror.api_conn_id is not None and mirror.odoo_database_conn_id is not None:
        params[AGAINST] = Param(
            str(mirror.source),
            type="string",
            enum=[str(kind) for kind in SourceKind],
            title="Against",
            description="Compare with Odoo's API or with its own database; what the mirror is not made from repairs "
            "nothing.",
        )
    return params
