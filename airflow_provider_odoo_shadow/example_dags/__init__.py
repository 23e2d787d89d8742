"""Examples to copy from; Airflow does not load them by itself."""
