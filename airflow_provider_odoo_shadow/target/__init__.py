"""Speaks PostgreSQL: names, types, tables, staging and merging, the registry, watermarks and the log.

Knows neither Odoo's wire nor Airflow.
"""
