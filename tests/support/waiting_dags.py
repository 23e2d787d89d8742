"""DAGs of another team, which wait for the shadow."""

from airflow.sdk import DAG

from airflow_provider_odoo_shadow.sensors.odoo_shadow import OdooShadowFreshSensor, OdooShadowProvenSensor

with DAG("waits_in_a_worker", schedule=None):
    OdooShadowFreshSensor(task_id="wait", models="res.company", poke_interval=0.2, timeout=120, deferrable=False)

with DAG("waits_on_the_triggerer", schedule=None):
    OdooShadowFreshSensor(task_id="wait", models=["res.company"], poke_interval=0.2, timeout=120, deferrable=True)

with DAG("waits_as_of", schedule=None, params={"as_of": ""}, default_args={"retries": 1, "retry_delay": 0.1}):
    OdooShadowFreshSensor(
        task_id="wait", models="res.company", as_of="{{ params.as_of }}", poke_interval=0.2, timeout=1, deferrable=False
    )
    OdooShadowFreshSensor(
        task_id="defer", models="res.company", as_of="{{ params.as_of }}", poke_interval=0.2, timeout=1, deferrable=True
    )

with DAG("waits_for_a_proof", schedule=None):
    OdooShadowProvenSensor(
        task_id="wait", models="res.company", as_of="2000-01-01", poke_interval=0.2, timeout=120, deferrable=True
    )

with DAG("waits_for_each", schedule=None):
    OdooShadowFreshSensor.partial(
        task_id="wait", as_of="2000-01-01", poke_interval=0.2, timeout=1, deferrable=True
    ).expand(models=["res.company", ["res.company"], "{{ macros.no_such_macro }}"])

with DAG("waits_for_nonsense", schedule=None, default_args={"retries": 2}):
    OdooShadowFreshSensor(task_id="no_model", models=[], deferrable=True)
    OdooShadowFreshSensor(task_id="no_name", models=["res.company; DROP"], deferrable=True)
    OdooShadowFreshSensor(task_id="no_moment", models="res.company", as_of="{{ none }}", deferrable=True)
    OdooShadowFreshSensor(task_id="no_list", models="res.company", trusted_roles="mirror", deferrable=True)
    OdooShadowFreshSensor(task_id="no_connection", models="res.company", postgres_conn_id="nowhere", deferrable=True)
