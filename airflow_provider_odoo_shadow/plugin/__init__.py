"""What this provider adds to Airflow itself: the note of a finished run."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_odoo_shadow.plugin import run_note


class OdooShadowPlugin(AirflowPlugin):
    """Registered by the entry point `airflow.plugins`."""

    name = "odoo_shadow"
    listeners = [run_note]  # noqa: RUF012 - Airflow's own attribute
