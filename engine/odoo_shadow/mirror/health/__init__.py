"""What is well and what is not: the same values for the command line, Airflow and programs."""
