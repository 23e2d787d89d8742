"""The page "Odoo shadow" in Airflow's interface: what the API server serves under `/odoo-shadow/`."""
