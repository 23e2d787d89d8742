"""The job: one model's mirror run, built on source and target. Knows no Airflow."""
