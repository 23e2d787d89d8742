"""The base of every error whose message people see."""

from __future__ import annotations

from airflow_provider_odoo_shadow.text.shown import shown


class ShownError(Exception):
    """An error with a message that may be printed, logged and stored: see `shown`."""

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))
