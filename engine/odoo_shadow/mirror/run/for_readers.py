"""What readers get beside a run's rows, brought up to date at the run's end, whatever became of its models."""

from __future__ import annotations

from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.views.named_views import renew_due_views


def update_for_readers(shadow: ShadowDatabase) -> tuple[str, ...]:
    """Renew what shows the tables to readers; return what could not be done and must not stay unnoticed.

    What can wait for the next run is only logged.
    """
    renew_due_views(shadow)
    return ()
