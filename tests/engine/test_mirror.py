"""The engine's main job: first load, then only what changed."""

from __future__ import annotations

from airflow_provider_odoo_shadow.job.mirror import MirrorOptions, Run, mirror_model
from airflow_provider_odoo_shadow.job.window import Kind
from airflow_provider_odoo_shadow.source.client import OdooClient
from airflow_provider_odoo_shadow.target.database import ShadowDatabase
from odoo_stand_in import StandIn


def test_first_load_then_changes(odoo: StandIn, client: OdooClient, shadow: ShadowDatabase) -> None:
    first = mirror_model(client, shadow, "res.partner", run=Run(), options=MirrorOptions(batch_size=50))
    assert first.kind is Kind.FIRST_LOAD
    everyone = odoo.execute("res.partner", "search", [], context={"active_test": False})
    assert first.counts.inserted == len(everyone)
