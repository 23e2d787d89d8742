"""One DAG per mirror that `odoo_shadow.yaml` describes, which compares it with Odoo; `odoo_shadow_verify` ships."""

from pathlib import Path

from airflow.sdk import DAG  # noqa: F401 - Airflow looks for this word to find DAG files

from airflow_provider_odoo_shadow.dag_factory.config import load_mirrors
from airflow_provider_odoo_shadow.dag_factory.verify_dag import build_verify_dag

for mirror in load_mirrors(Path(__file__).with_name("odoo_shadow.yaml")):
    globals()[mirror.verify_dag_id] = build_verify_dag(mirror)
