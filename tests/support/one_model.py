"""DAGs of somebody else's, with nothing but the operator."""

from airflow.sdk import DAG

from airflow_provider_odoo_shadow.transfers.odoo_to_postgres import OdooToPostgresOperator

with DAG("one_model", schedule=None):
    OdooToPostgresOperator(task_id="partners", model="res.partner")

with DAG("one_guarded_model", schedule=None):
    OdooToPostgresOperator(task_id="companies", model="res.company", model_settings={"exclude_fields": ["*_iban"]})

with DAG("one_mistyped_model", schedule=None):
    OdooToPostgresOperator(task_id="partners", model="res.partnr")

with DAG("one_model_that_is_not_installed", schedule=None):
    OdooToPostgresOperator(task_id="vehicles", model="fleet.vehicle")

with DAG("one_hashed_model", schedule=None):
    OdooToPostgresOperator(
        task_id="partners", model="res.partner", mirror="europe", model_settings={"hashed_fields": ["email"]}
    )

with DAG("one_model_in_a_schema_with_a_space", schedule=None):
    OdooToPostgresOperator(task_id="mirror", model="res.company", schema="Shadow 2")

with DAG("one_model_from_the_vault", schedule=None):
    OdooToPostgresOperator(task_id="companies", model="res.company", odoo_credentials="vault")

with DAG("one_model_from_elsewhere", schedule=None):
    OdooToPostgresOperator(task_id="companies", model="res.company", odoo_credentials="elsewhere")
