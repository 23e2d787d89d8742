"""Speaks Odoo: connections, protocols, models and fields, pages of records.

Knows neither PostgreSQL nor Airflow.
"""
