"""Two DAGs per mirror that `odoo_shadow.yaml` describes: one builds its marts, one compares them with Odoo."""

from pathlib import Path

from airflow.sdk import DAG  # noqa: F401 - Airflow looks for this word to find DAG files

from airflow_provider_odoo_shadow.dag_factory.config import load_mirrors
from airflow_provider_odoo_shadow.dag_factory.marts_dag import build_marts_dag, build_marts_verify_dag

for mirror in load_mirrors(Path(__file__).with_name("odoo_shadow.yaml")):
    globals()[mirror.marts_dag_id] = build_marts_dag(mirror)
    globals()[mirror.marts_verify_dag_id] = build_marts_verify_dag(mirror)
