"""Reads Odoo; knows neither PostgreSQL nor Airflow."""
