"""A parameter that both DAGs of a mirror have: the models, one per line of the trigger form."""

from __future__ import annotations

from airflow.sdk import Param

from odoo_shadow.mirror.config.patterns import LONGEST_TERM, MOST_TERMS, TERM


def models_by_line(default: list[str] | None, which: str) -> Param:
    """Return the parameter `models` that takes names, patterns and exclusions.

    :param which: the models to choose from, in words.
    """
    return Param(
        default,
        type=["array", "null"],
        items={"type": "string", "pattern": f"^{TERM}$", "maxLength": LONGEST_TERM},
        maxItems=MOST_TERMS,
        uniqueItems=True,
        title="Models",
        description=f"{which}: names, patterns such as sale.*, exclusions such as !mail.*, one per line; empty means "
        "all.",
    )
