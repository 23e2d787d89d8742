"""The fixtures of Airflow's tests, for those that attack its tasks."""

from tests.dags.conftest import airflow_database, connections, dags, mirror_dag, variables

__all__ = ["airflow_database", "connections", "dags", "mirror_dag", "variables"]
