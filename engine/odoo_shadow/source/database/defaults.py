"""Defaults of values that differ by company: from Odoo 18 on, they are in `ir_default`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from odoo_shadow.source.database.locks import Relations
from odoo_shadow.source.database.relations import has_table
from odoo_shadow.source.database.session import Transaction
from odoo_shadow.source.errors import OdooRequestError
from odoo_shadow.source.types import Json

_TABLE = "ir_default"
DEFAULTS = Relations((_TABLE,))

_ODOOBOT = 1
"""The id of the user as whom Odoo looks for them (`_get_model_defaults` of Odoo 18.0 and 19.0)."""


@dataclass(frozen=True)
class Defaults:
    """One model's defaults, best first, by field: the company, None for all, and the value."""

    by_field: Mapping[str, tuple[tuple[int | None, Json], ...]] = field(default_factory=dict)

    def of(self, name: str, company: int) -> Json:
        """Return the default of a field for a company, None if there is none."""
        return next((value for of, value in self.by_field.get(name, ()) if of in (None, company)), None)


def read_defaults(tx: Transaction, model: str, names: Collection[str]) -> Defaults:
    """Return the defaults of some of a model's fields."""
    if not names or not has_table(tx, _TABLE):
        return Defaults()
    rows = tx.run(
        "SELECT f.name, d.company_id, d.json_value FROM {defaults} d JOIN {fields} f ON f.id = d.field_id"
        " WHERE f.model = {model} AND f.name = ANY({names}::text[]) AND d.condition IS NULL"
        " AND (d.user_id IS NULL OR d.user_id = {odoobot}) ORDER BY d.user_id, d.company_id, d.id",
        defaults=tx.odoos(_TABLE),
        fields=tx.odoos("ir_model_fields"),
        model=model,
        names=sorted(names),
        odoobot=_ODOOBOT,
    )
    found: dict[str, list[tuple[int | None, Json]]] = {}
    for name, company, value in rows:
        found.setdefault(str(name), []).append((company, _read(model, str(name), str(value))))
    return Defaults({name: tuple(values) for name, values in found.items()})


def _read(model: str, name: str, written: str) -> Json:
    try:
        value: Json = json.loads(written)
    except ValueError:
        raise OdooRequestError(
            f"{model}: the default of '{name}' is no JSON (ir_default): correct it in Odoo."
        ) from None
    return value
