"""The DAGs of the marts: one follows the tables' assets, one compares with Odoo and fails on what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import psycopg
import pytest
from airflow.sdk import Asset, AssetAny

from airflow_provider_odoo_shadow.assets.odoo_shadow import asset_of
from odoo_stand_in import StandIn
from tests.support.dag_runs import run, states
from tests.support.flavours import Flavour

if TYPE_CHECKING:
    from airflow.sdk import DAG

MODELS = [
    "account.account",
    "sale.order",
    "sale.order.line",
    "product.product",
    "product.template",
    "res.company",
    "res.partner",
]


@pytest.fixture(params=["19"])
def odoo(request: pytest.FixtureRequest, shared_odoos: dict[Flavour, StandIn]) -> StandIn:
    return shared_odoos[request.param]


def test_it_follows_the_tables_that_the_marts_are_made_of(dags: Mapping[str, DAG]) -> None:
    dag = dags["odoo_shadow_marts"]
    assert isinstance(dag.schedule, AssetAny)
    assert dag.is_paused_upon_creation and dag.max_active_runs == 1
    followed = {asset.uri for asset in dag.schedule.objects if isinstance(asset, Asset)}
    for model in ("account.move.line", "sale.order.line", "stock.quant", "crm.lead", "res.partner"):
        assert asset_of("odoo_shadow", model).uri in followed
    assert asset_of("odoo_shadow", "mail.message").uri not in followed


@pytest.mark.nightly
def test_a_row_that_the_mirror_got_wrong_is_in_the_mart_and_not_in_odoo(
    dags: Mapping[str, DAG], database: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert run(dags["odoo_shadow_sync"], models=MODELS).state == "success"
    with psycopg.connect(database, options="-c search_path=odoo_shadow") as connection:
        connection.execute(
            "UPDATE odoo_shadow_sale_order_line SET product_id = (SELECT max(id) FROM odoo_shadow_product_product)"
            " WHERE id = (SELECT min(id) FROM odoo_shadow_sale_order_line WHERE product_id IS NOT NULL)"
        )
    dag_run = run(dags["odoo_shadow_marts_verify"])
    assert (dag_run.state, states(dag_run)) == ("failed", {"build": "success", "report": "failed"})
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "mart_sales: sale.order.line, lines and their amounts by product and state: differs" in said
    assert "1 differs (mart_sales); 7 left out (mart_trial_balance," in said
    with psycopg.connect(database, options="-c search_path=odoo_marts,odoo_shadow") as connection:
        rows = connection.execute("SELECT mart, verdict FROM odoo_shadow_mart_verification").fetchall()
        assert ("mart_sales", "differs") in rows and ("mart_stock", "left out") in rows
