"""`properties` fields: the values stand in the record, what they mean in the record's container.

Odoo's API gives both in one list, on 17 with display names beside the ids.
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
    """Turn what the API gave into values by name, without display names; None when there are no properties."""
    if not isinstance(cell, list):
        return cell
    return [_plain(item) for item in cell if isinstance(item, dict)] or None


def _merged(values: object, definition: object) -> object:
    if not isinstance(definition, list):
        return None
    own = values if isinstance(values, dict) else {}
    return [_plain({**item, "value": own.get(item["name"])}) for item in definition] or None


def _plain(item: Mapping[str, object]) -> dict[str, object]:
    kind = item.get("type")
    plain = {key: value for key, value in item.items() if key not in ("value", "default")}
    for key in ("value", "default"):
        value = _without_names(kind, item.get(key))
        if value not in _EMPTY:
            plain[key] = value
    return plain


def _without_names(kind: object, value: object) -> object:
    if kind == "many2one" and isinstance(value, list):
        return value[0] if value else None
    if kind == "many2many" and isinstance(value, list):
        return [item[0] if isinstance(item, list) else item for item in value]
    return value
