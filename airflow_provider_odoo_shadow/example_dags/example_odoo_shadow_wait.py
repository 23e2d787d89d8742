"""Waits until yesterday's orders are in the shadow, then sums them up: for DAGs of those who use the shadow."""

from __future__ import annotations

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

from airflow_provider_odoo_shadow.sensors.odoo_shadow import OdooShadowFreshSensor

SHADOW = "odoo_shadow_db"

with DAG(
    "example_odoo_shadow_wait",
    schedule="30 6 * * *",
    catchup=False,
    default_args={"retries": 2},
    tags=["example", "odoo shadow"],
    doc_md=__doc__,
) as dag:
    # By 06:30, what was committed in Odoo before 06:30 is not there yet: the next run of the mirror brings it.
    wait = OdooShadowFreshSensor(
        task_id="wait_for_orders",
        models=["sale.order", "res.partner"],
        as_of="{{ dag_run.run_after.replace(hour=0, minute=0, second=0, microsecond=0).isoformat() }}",
        postgres_conn_id=SHADOW,
        deferrable=True,
        poke_interval=60,
        timeout=4 * 60 * 60,
    )
    orders = SQLExecuteQueryOperator(
        task_id="orders",
        conn_id=SHADOW,
        sql="""
            SELECT partner_id_name, count(*), sum(amount_total)
            FROM odoo_shadow.odoo_shadow_sale_order_named
            WHERE date_order >= %(midnight)s::timestamptz - interval '1 day'
                AND date_order < %(midnight)s::timestamptz
            GROUP BY partner_id_name ORDER BY 3 DESC NULLS LAST LIMIT 10
        """,
        parameters={
            "midnight": "{{ dag_run.run_after.replace(hour=0, minute=0, second=0, microsecond=0).isoformat() }}"
        },
    )
    wait >> orders
