"""Links from a task to the page of its table, to the model's list in Odoo, and to the table's last verification.

Airflow asks for them on the worker, after each try, and keeps the answers as XComs: whoever may see the task sees them.
An empty answer makes no button.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

from airflow_provider_odoo_shadow.links.addresses import list_in_odoo, page
from airflow_provider_odoo_shadow.mirror_task import MirrorTask
from odoo_shadow.shadow.names import table_name
from odoo_shadow.source.names import is_model_name

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

VERIFICATION = "verification"
"""Where the page of a table tells of its last verification."""


class ShadowTableLink(BaseOperatorLink):
    """Leads to the table's page, or to the mirror's if the task has several models."""

    name = "Shadow table"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the page's address."""
        return _page(operator)


class LastVerificationLink(BaseOperatorLink):
    """Leads to what the page says of the table's last verification."""

    name = "Last verification"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address of that part of the page."""
        return _page(operator, VERIFICATION)


class OdooLink(BaseOperatorLink):
    """Leads to the list of the model's records in Odoo, or to Odoo if the task has several models."""

    name = "Odoo"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the list's address."""
        if not isinstance(operator, MirrorTask) or operator.sides is None:
            return ""
        return list_in_odoo(operator.sides.odoo_url, _only_model(operator))


LINKS = (ShadowTableLink(), OdooLink(), LastVerificationLink())


def _page(operator: BaseOperator, anchor: str = "") -> str:
    if not isinstance(operator, MirrorTask):
        return ""
    model = _only_model(operator)
    if model is None:
        return page(operator.mirror_name)
    tables = {item.model: item.table for item in operator.results}
    return page(operator.mirror_name, tables.get(model) or table_name(model), anchor)


def _only_model(operator: MirrorTask) -> str | None:
    models = operator.asked_models
    return models[0] if len(models) == 1 and is_model_name(models[0]) else None
