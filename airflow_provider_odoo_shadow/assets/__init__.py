"""Airflow assets of mirrored models."""
