"""Which models are mirrored."""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_provider_odoo_shadow.job.errors import MirrorConfigurationError

PRIORITY_MODELS = (
    "res.partner",
    "res.users",
    "res.company",
    "account.move",
    "account.move.line",
    "account.account",
    "sale.order",
    "sale.order.line",
    "purchase.order",
    "product.product",
    "product.template",
    "project.project",
    "project.task",
)
"""The default set."""

_MODEL_NAME = re.compile(r"[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*")


def checked_models(names: Iterable[str]) -> tuple[str, ...]:
    """Return model names as they are, if they can be.

    :raises MirrorConfigurationError: there are none, one stands twice, or one cannot be a model's name.
    """
    models = tuple(names)
    if not models:
        raise MirrorConfigurationError("No models are named: name at least one, such as res.partner.")
    for name in models:
        if not _MODEL_NAME.fullmatch(name):
            raise MirrorConfigurationError(f"{name!r} is no model's name; they look like res.partner.")
    twice = sorted({name for name in models if models.count(name) > 1})
    if twice:
        raise MirrorConfigurationError(f"Models stand twice in the list: {', '.join(twice)}.")
    return models
