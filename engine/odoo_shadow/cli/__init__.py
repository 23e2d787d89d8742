"""The command line `odoo-shadow`: the same engine without Airflow."""
