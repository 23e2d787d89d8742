"""What is said of a name that nothing has: the one that may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from odoo_shadow.knowledge.mcp.errors import RefusedError
from odoo_shadow.knowledge.mcp.words import forms, models_of
from odoo_shadow.shadow.relations import META
from odoo_shadow.text.nearest import nearest

if TYPE_CHECKING:
    from odoo_shadow.knowledge.mcp.gate import Relations
    from odoo_shadow.shadow.connection.database import Transaction

_LONGEST = 80
"""Characters of a name that are repeated."""


def not_known(tx: Transaction, readable: Relations, name: str) -> RefusedError:
    """Return the refusal of a name, with the nearest of the models and marts that this role may read.

    :raises RefusedError: it is the name of a mart that has not been built.
    """
    readable.check_is_built(name.rpartition(".")[2])
    labels = {
        str(model): str(label or "")
        for model, table, label in tx.run("SELECT odoo_model, table_name, label FROM {meta}", meta=tx.own(META))
        if table in readable.by_schema[tx.schema]
    }
    marts = [mart for place, names in readable.by_schema.items() if place != tx.schema for mart in names]
    meant = _meant(name, labels, marts)
    hint = f" (did you mean {meant}?)" if meant else ""
    return RefusedError(
        f"There is no model, table or mart '{name[:_LONGEST]}'{hint}: describe without a name lists all, and with "
        "matching those that have to do with a word."
    )


def _meant(name: str, labels: dict[str, str], marts: list[str]) -> str | None:
    for model in models_of(name):
        if model in labels:
            return model
    found = nearest(name, [*labels, *marts])
    if found is not None:
        return found
    by_label = {label: model for model, label in sorted(labels.items(), reverse=True) if label}
    for form in forms(name):
        label = nearest(form, by_label)
        if label is not None:
            return by_label[label]
    return None
