"""Several models in one task: what it is called, what its retry takes up, and how it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_provider_odoo_shadow.dag_factory.note import named
from airflow_provider_odoo_shadow.transfers.retry_policy import ModelsFailedError
from odoo_shadow.mirror.errors import MassDeletionError, MirrorConfigurationError
from odoo_shadow.mirror.options import Run
from odoo_shadow.shadow.connection.database import ShadowDatabase
from odoo_shadow.shadow.errors import (
    ShadowConfigurationError,
    ShadowError,
    ShadowOwnershipError,
    ShadowUnreachableError,
)
from odoo_shadow.shadow.state.planning import planned_tables
from odoo_shadow.shadow.state.registry import find_table
from odoo_shadow.shadow.state.sync_log import entries_of_run
from odoo_shadow.source.errors import (
    OdooAuthenticationError,
    OdooConfigurationError,
    OdooError,
    OdooThrottledError,
    OdooUnreachableError,
)
from odoo_shadow.text.errors import ShownError

LONGEST_LABEL = 250
"""Characters of a mapped task's label that Airflow 3.3 keeps."""

FAILURES = (OdooError, ShadowError, MassDeletionError, MirrorConfigurationError)
"""What one model's run may raise."""
_OF_ALL_MODELS = (
    OdooAuthenticationError,
    OdooConfigurationError,
    OdooThrottledError,
    OdooUnreachableError,
    ShadowConfigurationError,
    ShadowOwnershipError,
    ShadowUnreachableError,
)


def label_of(models: Sequence[str]) -> str:
    """Return the models' names, or as many as fit, and how many more there are."""
    for number in range(len(models), 0, -1):
        left = len(models) - number
        label = ", ".join(models[:number]) + (f" and {left} more" if left else "")
        if len(label) <= LONGEST_LABEL:
            return label
    return f"{len(models)} models"


def models_left(shadow: ShadowDatabase, run: Run, models: Sequence[str]) -> list[str]:
    """Return the models that have not succeeded in a run; all of them if none is left: somebody cleared the task.

    Of a run that was cleared as a whole, only what has succeeded since its new plan counts. Models that no try has
    reached come first: one that ended a try early would end the next one as early.
    """
    with shadow.transaction() as tx:
        met: dict[str | None, str] = {entry.table: entry.status for entry in entries_of_run(tx, run.id)}
        tables = {model: find_table(tx, model) for model in models}
        planned = planned_tables(tx)
    left = [model for model, table in tables.items() if met.get(table) != "success" or table in planned]
    return sorted(left, key=lambda model: tables[model] in met) or list(models)


def concerns_all(error: ShownError) -> bool:
    """Whether the other models would fail in the same way."""
    return isinstance(error, _OF_ALL_MODELS)


def error_of(failed: Mapping[str, ShownError], models: Sequence[str]) -> ShownError:
    """Return the error of a task: that of the only model that failed, or one that names those that did."""
    if len(failed) == 1:
        return next(iter(failed.values()))
    return ModelsFailedError(
        f"{len(failed)} of {len(models)} models failed: {named([*failed])}; the lines above say why.",
        tuple(failed.values()),
    )
