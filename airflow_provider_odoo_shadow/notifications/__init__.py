"""Notifiers: what Airflow calls when something has happened."""
