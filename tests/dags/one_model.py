"""A DAG of somebody else's, with nothing but the operator."""

from airflow.sdk import DAG

from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator

with DAG("one_model", schedule=None):
    OdooToPostgresOperator(task_id="partners", model="res.partner")
