"""The DAGs of a mirror's marts: one builds them when the tables have new rows, one compares them with Odoo."""

from __future__ import annotations

from airflow.sdk import DAG, AssetAny, XComArg, get_current_context, task

from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of
from airflow_provider_odoo_shadow.dag_factory import marts
from airflow_provider_odoo_shadow.dag_factory.alerts import run_alerts
from airflow_provider_odoo_shadow.dag_factory.common import dag_arguments, retries
from airflow_provider_odoo_shadow.dag_factory.config import DagConfig
from airflow_provider_odoo_shadow.transfers.last_words import say_last
from odoo_shadow.marts.needs import models_of_marts

_BUILD_DOC = """
### {name}: marts

Builds the marts from the shadow in schema `{schema}` with dbt and runs their tests, whenever a table that they are made
of has new rows. A mart whose models are not mirrored is left out, by name, in the log and in `mart_freshness`.

dbt must be there: on PATH, or installed once with `odoo-shadow marts setup` on the machines where tasks run.
"""
_VERIFY_DOC = """
### {name}: marts against Odoo

Builds the marts anew, then compares every figure with Odoo's own answers. The task `report` lists what differs, with
both figures and the rows behind them, and fails; outcomes are kept in `{schema}.odoo_shadow_mart_verification`.
"""


def build_marts_dag(mirror: DagConfig) -> DAG:
    """Build the DAG that builds a mirror's marts. Touches no network and no database."""
    with DAG(
        dag_id=mirror.marts_dag_id,
        description=f"Builds the marts of {mirror.schema_name} ({mirror.postgres_conn_id}) with dbt.",
        doc_md=_BUILD_DOC.format(name=mirror.name, schema=mirror.schema_name),
        schedule=AssetAny(*(asset_of(mirror.name, model) for model in models_of_marts())),
        is_paused_upon_creation=True,  # it needs dbt, which not everybody has
        **dag_arguments(mirror),
        **run_alerts(mirror),
    ) as dag:
        _build_task(mirror)
    return dag


def build_marts_verify_dag(mirror: DagConfig) -> DAG:
    """Build the DAG that compares a mirror's marts with Odoo. Touches no network and no database."""
    with DAG(
        dag_id=mirror.marts_verify_dag_id,
        description=f"Compares the marts of {mirror.schema_name} ({mirror.postgres_conn_id}) with Odoo.",
        doc_md=_VERIFY_DOC.format(name=mirror.name, schema=mirror.schema_name),
        schedule=mirror.marts_verify_schedule,
        is_paused_upon_creation=True,
        **dag_arguments(mirror),
        **run_alerts(mirror),
    ) as dag:

        @task(
            task_id="report",
            doc_md="Compares every mart with Odoo; fails when a figure is not Odoo's.",
            on_failure_callback=say_last,
            on_retry_callback=say_last,
        )
        def report() -> None:
            marts.verify(get_current_context(), mirror)

        _build_task(mirror) >> report()
    return dag


def _build_task(mirror: DagConfig) -> XComArg:
    @task(
        task_id="build",
        doc_md="Builds the marts with dbt, and runs their tests.",
        **retries(mirror),
        on_failure_callback=say_last,
        on_retry_callback=say_last,
    )
    def build() -> None:
        marts.build(mirror)

    made: XComArg = build()
    return made
