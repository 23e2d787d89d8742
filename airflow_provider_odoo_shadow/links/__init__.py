"""The buttons of a task in Airflow's interface."""
