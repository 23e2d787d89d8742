"""The choices of selection fields, and the models that a reference may point to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from odoo_shadow.source.database.language import in_language
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.values import storable

Choices: TypeAlias = tuple[tuple[str, str], ...]
"""Values and labels, in Odoo's order."""

LISTED = ("selection", "reference")
"""Types of fields that have choices."""

_LONGEST_CHAIN = 16
"""Fields that repeat each other, one after the other: in Odoo itself at most three."""


def choices_of(tx: Transaction, fields: Sequence[int], lang: str) -> dict[int, Choices]:
    """Return the choices of fields by the fields' ids, without those whose choices Odoo computes when it is asked."""
    rows = tx.run(
        "SELECT s.field_id, s.value, coalesce({label}, s.value) FROM {selection} s"
        " WHERE s.field_id = ANY({fields}::int[]) ORDER BY s.field_id, s.sequence, s.id",
        label=in_language("s.name", lang),
        selection=tx.odoos("ir_model_fields_selection"),
        fields=list(fields),
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for field_id, value, label in rows:
        found.setdefault(int(field_id), []).append((storable(str(value)), storable(str(label))))
    return {field_id: tuple(choices) for field_id, choices in found.items()}


def choices_behind(tx: Transaction, model: str, related: str, lang: str) -> Choices:
    """Return the choices of the field that another one repeats: Odoo keeps them for that one alone.

    :param related: how it is reached, such as `order_id.state`.
    """
    path: str | None = related
    for _ in range(_LONGEST_CHAIN):
        if path is None:
            break
        *links, name = path.split(".")
        for link in links:
            (_, model, _) = _field(tx, model, link)
        field_id, _, path = _field(tx, model, name)
        if found := choices_of(tx, [field_id], lang).get(field_id):
            return found
    return ()


def _field(tx: Transaction, model: str, name: str) -> tuple[int, str, str | None]:
    """Return a field's id, the model that it points to, and the path of the field that it repeats; 0 for none."""
    rows = tx.run(
        "SELECT id, relation, related FROM {fields} WHERE model = {model} AND name = {name}",
        fields=tx.odoos("ir_model_fields"),
        model=model,
        name=name,
    )
    if not rows:
        return 0, "", None
    ((field_id, relation, related),) = rows
    return int(field_id), str(relation or ""), str(related) if related else None
