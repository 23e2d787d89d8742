"""Values that differ by company, as Odoo's database keeps them.

Up to Odoo 17 they stand in `ir_property`; from 18 on in the model's own table as `{company: value}`, with defaults in
`ir_default`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

import psycopg
from psycopg.rows import TupleRow

Connection: TypeAlias = psycopg.Connection[TupleRow]

_OWN_DEFAULT = (
    "SELECT d.json_value FROM ir_default d JOIN ir_model_fields f ON f.id = d.field_id"
    " WHERE f.model = %s AND f.name = %s AND (d.company_id = %s OR d.company_id IS NULL)"
    " AND d.user_id IS NULL AND d.condition IS NULL ORDER BY d.company_id NULLS LAST LIMIT 1"
)
_PROPERTIES = (
    "SELECT split_part(p.res_id, ',', 2), p.type, p.value_float, p.value_integer, p.value_text, p.value_reference,"
    " p.value_datetime FROM ir_property p JOIN ir_model_fields f ON f.id = p.fields_id"
    " WHERE f.model = %s AND f.name = %s AND (p.company_id = %s OR p.company_id IS NULL)"
    " ORDER BY p.company_id NULLS FIRST"
)


def from_jsonb(odoo: Connection, model: str, name: str, company: int) -> Callable[[object], object]:
    """Return what reads a company's value out of a cell of Odoo 18 or later."""
    rows = odoo.execute(_OWN_DEFAULT, [model, name, company]).fetchall()
    default = json.loads(rows[0][0]) if rows else None

    def read(cell: object) -> object:
        by_company = cell if isinstance(cell, dict) else {}
        return by_company.get(str(company), default)

    return read


def from_properties(odoo: Connection, model: str, name: str, company: int) -> Callable[[int], object]:
    """Return what finds a record's value in `ir_property`, Odoo 17 and before."""
    own: dict[int, object] = {}
    default: object = None
    for record_id, kind, *values in odoo.execute(_PROPERTIES, [model, name, company]):
        value = _property(str(kind), values)
        if record_id:
            own[int(record_id)] = value
        else:
            default = value
    return lambda record_id: own.get(record_id, default)


def _property(kind: str, values: list[object]) -> object:
    as_float, as_integer, as_text, as_reference, as_datetime = values
    if kind == "many2one":
        return int(as_reference.split(",")[1]) if isinstance(as_reference, str) else None
    by_kind = {"float": as_float, "boolean": as_integer, "integer": as_integer, "datetime": as_datetime}
    return by_kind.get(kind, as_text)
