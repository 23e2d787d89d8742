"""One DAG per mirror that `odoo_shadow.yaml` describes; the one that ships is `odoo_shadow_sync`."""

from pathlib import Path

from airflow.sdk import DAG  # noqa: F401 - Airflow looks for this word to find DAG files

from airflow_provider_odoo_shadow.dag_factory.config import load_mirrors
from airflow_provider_odoo_shadow.dag_factory.sync_dag import build_sync_dag

for mirror in load_mirrors(Path(__file__).with_name("odoo_shadow.yaml")):
    globals()[mirror.sync_dag_id] = build_sync_dag(mirror)
