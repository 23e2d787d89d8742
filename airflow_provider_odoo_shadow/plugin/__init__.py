"""What this provider adds to Airflow itself: the note of a finished run, and the page "Odoo shadow"."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_odoo_shadow.plugin import page, run_note


class OdooShadowPlugin(AirflowPlugin):
    """Registered by the entry point `airflow.plugins`."""

    name = "odoo_shadow"
    listeners = [run_note]  # noqa: RUF012 - Airflow's own attribute
    fastapi_apps = [page.FASTAPI_APP]  # noqa: RUF012 - Airflow's own attribute
    external_views = [page.EXTERNAL_VIEW]  # noqa: RUF012 - Airflow's own attribute
