"""Runs when orders have new rows in the shadow, instead of at a time by which they should be there."""

from __future__ import annotations

import logging

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG, get_current_context, task

from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of

log = logging.getLogger(__name__)

ORDERS = asset_of("odoo_shadow", "sale.order")

with DAG(
    "example_odoo_shadow_assets",
    schedule=[ORDERS],
    catchup=False,
    default_args={"retries": 2},
    tags=["example", "odoo shadow"],
    doc_md=__doc__,
) as dag:

    @task(inlets=[ORDERS])
    def what_is_new() -> None:
        """Log what the mirror wrote: one event per run that wrote rows."""
        for event in get_current_context()["triggering_asset_events"][ORDERS]:
            log.info("%s new orders, as of %s", event.extra["rows_inserted"], event.extra["last_write_date"])

    open_orders = SQLExecuteQueryOperator(
        task_id="open_orders",
        conn_id="odoo_shadow_db",
        sql="SELECT state, count(*), sum(amount_total) FROM odoo_shadow.odoo_shadow_sale_order_named"
        " GROUP BY state ORDER BY 2 DESC",
    )
    what_is_new() >> open_orders
