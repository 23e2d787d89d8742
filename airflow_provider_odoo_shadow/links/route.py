"""The page's place in Airflow. Every process of Airflow imports this, so it imports nothing."""

ROUTE = "odoo-shadow"
"""Where Airflow shows the page (`/plugin/…`), and where the page itself is served."""
