"""`properties` fields: the values stand in the record, what they mean in the record's container.

The shadow keeps the values by name. Of a record without a value for a property Odoo 17 tells so, and 19 nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from tools.odoo_models import Connection, OdooField, OdooModel, table_of

_EMPTY: tuple[object, ...] = (None, False, "", 0, [])  # what one property's empty value may look like


def expected_properties(odoo: Connection, model: OdooModel, field: OdooField) -> dict[int, object] | None:
    """Return what each record's properties should be, None when it cannot be known where they are defined."""
    record, in_field = field.description.get("definition_record"), field.description.get("definition_record_field")
    if not isinstance(record, str) or not isinstance(in_field, str) or model.table is None:
        return None
    table, column = sql.Identifier(model.table), sql.Identifier(field.name)
    if record in model.columns:
        container = table_of(model.fields[record].relation)
        rows = odoo.execute(
            sql.SQL("SELECT r.id, r.{}, c.{} FROM {} AS r LEFT JOIN {} AS c ON c.id = r.{}").format(
                column, sql.Identifier(in_field), table, sql.Identifier(container), sql.Identifier(record)
            )
        )
    elif record == "properties_base_definition_id":  # Odoo 19: one definition for a whole model
        rows = odoo.execute(
            sql.SQL(
                "SELECT r.id, r.{}, (SELECT b.properties_definition FROM properties_base_definition AS b"
                " JOIN ir_model_fields AS f ON f.id = b.properties_field_id WHERE f.model = %s AND f.name = %s)"
                " FROM {} AS r"
            ).format(column, table),
            [model.name, field.name],
        )
    else:
        return None
    return {int(record_id): _merged(values, definition) for record_id, values, definition in rows}


def plain_properties(cell: object) -> object:
    """Leave out what is empty; None when nothing is left."""
    return _filled(cell) if isinstance(cell, dict) else cell


def _merged(values: object, definition: object) -> object:
    """Return the values of those properties that the container still defines."""
    if not isinstance(definition, list):
        return None
    own = values if isinstance(values, dict) else {}
    return _filled({item["name"]: own.get(item["name"]) for item in definition})


def _filled(values: Mapping[str, object]) -> object:
    return {name: value for name, value in values.items() if value not in _EMPTY} or None
