"""Writes our PostgreSQL: control tables (`state`), `views`, `tables`, and what makes or moves whole schemas.

Knows neither Odoo's wire nor Airflow.
"""
