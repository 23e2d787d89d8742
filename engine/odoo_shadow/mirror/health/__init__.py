"""The state of a mirror: the same values for the command line, Airflow and programs."""
